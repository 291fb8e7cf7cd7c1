"""Undo the turning of augmented pictures: find how versions of one photograph map to each other, and the tight boxes.

The public `clusters` set holds turned and sheared versions of some thirty photographs. A turned label is the bounding
box of the turned box, so it is too large, by how much depends on the angle. Several versions together say what the
box was before: its half sides `a`, `b` are the least-squares solution of ``half_k = |M_k U| (a, b)`` over versions k,
where `M_k` maps the reference version to version k and `U`, one for all fruit, maps the photograph to the reference.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_FEATURES = 1500
_RATIO = 0.75
_LEAST_INLIERS = 60


def features(grey: npt.NDArray[np.uint8]) -> tuple[Array, npt.NDArray[np.float32]]:
    """Return places [px], shape (n, 2), and RootSIFT descriptors, shape (n, 128), of a picture."""
    places, found = cv2.SIFT.create(_FEATURES).detectAndCompute(grey, None)
    if found is None or len(places) < 8:
        return np.zeros((0, 2)), np.zeros((0, 128), np.float32)
    root = np.sqrt(found / np.maximum(found.sum(axis=1, keepdims=True), 1e-6))
    return np.array([p.pt for p in places]), root.astype(np.float32)


def affine_between(reference: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> Array | None:
    """Return the map from `reference` to `other` [px], shape (2, 3), mirrored or not; None when they do not match.

    Args:
        reference: grey picture.
        other: grey picture of the same size or not.
    """
    here, mine = features(reference)
    best: tuple[int, Array | None] = (_LEAST_INLIERS - 1, None)
    width = other.shape[1]
    for mirrored in (False, True):
        there, theirs = features(np.ascontiguousarray(other[:, ::-1]) if mirrored else other)
        if min(len(mine), len(theirs)) < 8:
            continue
        pairs = [p for p in cv2.BFMatcher().knnMatch(mine, theirs, k=2) if len(p) == 2]
        close = [a for a, b in pairs if a.distance < _RATIO * b.distance]
        if len(close) < 8:
            continue
        found, inliers = cv2.estimateAffine2D(
            here[[m.queryIdx for m in close]], there[[m.trainIdx for m in close]], ransacReprojThreshold=2.0
        )
        count = 0 if found is None else int(inliers.sum())
        if count > best[0]:
            if mirrored:
                found = np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0]]) @ np.vstack([found, [0.0, 0.0, 1.0]])
            best = (count, found)
    return best[1]


def upright(angle: float, shear_x: float, shear_y: float) -> Array:
    """Return a rotation [rad] after shears, shape (2, 2)."""
    c, s = np.cos(angle), np.sin(angle)
    shear = np.array([[1.0, shear_x], [0.0, 1.0]]) @ np.array([[1.0, 0.0], [shear_y, 1.0]])
    return np.asarray(np.array([[c, -s], [s, c]]) @ shear)


def tight_halves(
    maps: Sequence[Array], halves: npt.NDArray[np.float64], seen: npt.NDArray[np.bool_]
) -> tuple[Array, Array, float]:
    """Return what the photograph's boxes were.

    Args:
        maps: linear part of each version's map from the reference, each shape (2, 2).
        halves: half width and half height of each label in each version [px], shape (versions, fruit, 2).
        seen: where there is such a label, not cut by the border, shape (versions, fruit).

    Returns:
        The map from the photograph to the reference, shape (2, 2); half sides there [px], shape (fruit, 2); and the
        root of the mean squared misfit [px].
    """

    def misfit(p: Array) -> tuple[float, Array]:
        a = np.abs(np.stack([m @ upright(*p) for m in maps]))
        normal = np.einsum("kf,kij,kil->fjl", seen.astype(float), a, a) + 1e-6 * np.eye(2)
        right = np.einsum("kf,kij,kfi->fj", seen.astype(float), a, halves)
        sides = np.maximum(np.linalg.solve(normal, right[..., None])[..., 0], 1.0)
        rest = np.einsum("kij,fj->kfi", a, sides) - halves
        return float(np.sqrt((np.minimum(rest**2, 25.0) * seen[..., None]).sum() / max(1, 2 * seen.sum()))), sides

    grid = [np.array([t, 0.0, 0.0]) for t in np.radians(np.arange(-45.0, 45.0, 1.5))]
    best = min(grid, key=lambda p: misfit(p)[0])
    for step in (0.08, 0.03, 0.01, 0.004):
        moves = [step * v for v in (*np.eye(3), *-np.eye(3))]
        for _ in range(12):
            nearer = min((best + m for m in moves), key=lambda p: misfit(p)[0])
            if misfit(nearer)[0] >= misfit(best)[0]:
                break
            best = nearer
    error, sides = misfit(best)
    return upright(*best), sides, error
