"""Tighter fruit than the labels give: undo the turning of augmented groups, then find each outline by GrabCut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from vision.ripeness import ripeness_in_common_light, to_lab
from vision.train.fruit import Fruit
from vision.train.groups import affine_between, tight_halves
from vision.train.outline import outline_of

Picture = npt.NDArray[np.uint8]

_SAME_PLACE = 4.0
_LEAST_VERSIONS = 3


def untwisted(
    pictures: Sequence[Picture], fruit: Sequence[list[Fruit]]
) -> tuple[list[list[Fruit]], list[npt.NDArray[np.float64]] | None]:
    """Return the fruit of each version of one photograph with the axes they had before turning.

    Args:
        pictures: the versions, RGB.
        fruit: the labels of each version as they are.

    Returns:
        The fruit with corrected axes, and the linear map from the photograph to each version, shape (2, 2) each; as
        given, and None, where there are too few versions or they do not match.
    """
    if len(pictures) < _LEAST_VERSIONS or not fruit[0]:
        return list(fruit), None
    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in pictures]
    found = [np.eye(2, 3), *(affine_between(grey[0], g) for g in grey[1:])]
    kept = [k for k, m in enumerate(found) if m is not None]
    if len(kept) < _LEAST_VERSIONS:
        return list(fruit), None
    halves, seen = _matched(pictures, fruit, found)
    linear = [m[:, :2] for m in found if m is not None]
    turn, _, _ = tight_halves(linear, halves[kept], seen[kept])
    result = list(fruit)
    for k in kept:
        m = found[k]
        assert m is not None
        result[k] = [_corrected(f, m[:, :2] @ turn) for f in fruit[k]]
    return result, [np.eye(2) if m is None else m[:, :2] @ turn for m in found]


def _matched(
    pictures: Sequence[Picture], fruit: Sequence[list[Fruit]], maps: Sequence[npt.NDArray[np.float64] | None]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return half sides of the reference's fruit in every version, and where they are whole and were found."""
    count = len(fruit[0])
    halves, seen = np.zeros((len(pictures), count, 2)), np.zeros((len(pictures), count), bool)
    for k, (picture, labels, m) in enumerate(zip(pictures, fruit, maps, strict=True)):
        if m is None or not labels:
            continue
        centres = np.array([f.centre for f in labels])
        size = np.array([picture.shape[1], picture.shape[0]])
        for i, first in enumerate(fruit[0]):
            away = np.linalg.norm(centres - (m[:, :2] @ first.centre + m[:, 2]), axis=1)
            away += 1e3 * np.array([f.ripe != first.ripe for f in labels])
            j = int(np.argmin(away))
            half = np.diag(labels[j].axes)
            whole = np.all(centres[j] - half > 2) and np.all(centres[j] + half < size - 2)
            if away[j] < _SAME_PLACE and whole:
                halves[k, i], seen[k, i] = half, True
    return halves, seen


def _corrected(fruit: Fruit, turn: npt.NDArray[np.float64]) -> Fruit:
    """Return the fruit with the half sides that `turn` made into its label, kept within the believable."""
    half = np.diag(fruit.axes).astype(np.float64)
    least, most = 0.45 * half.min(), half.max()
    grown = np.abs(turn)
    grid = np.linspace(least, most, 25)
    a, b = np.meshgrid(grid, grid, indexing="ij")
    miss = (grown[0, 0] * a + grown[0, 1] * b - half[0]) ** 2 + (grown[1, 0] * a + grown[1, 1] * b - half[1]) ** 2
    miss = miss + 0.01 * (a - b) ** 2
    i, j = np.unravel_index(int(np.argmin(miss)), miss.shape)
    return replace(fruit, axes=(turn @ np.diag([grid[i], grid[j]])).astype(np.float32))


def outlined(picture: Picture, fruit: list[Fruit]) -> list[Fruit]:
    """Return the fruit with outlines where GrabCut finds one that agrees with the label."""
    places = [(f.centre.astype(np.float64), f.axes.astype(np.float64)) for f in fruit]
    result = []
    for i, f in enumerate(fruit):
        reach = 2.0 * float(np.abs(f.axes).sum())
        near = [o for j, o in enumerate(places) if j != i and np.linalg.norm(o[0] - f.centre) < reach]
        result.append(replace(f, outline=outline_of(picture, *places[i], near)))
    return result


def with_ripeness(picture: Picture, fruit: list[Fruit]) -> list[Fruit]:
    """Return the fruit with a ripeness target, by the rule of `vision.ripeness.ripeness_in_common_light`."""
    lab = to_lab(picture)
    surfaces = []
    for f in fruit:
        mask = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.round(f.core if f.outline is None else f.outline).astype(np.int32)], 1)
        surfaces.append(lab[mask.astype(bool)])
    shares = ripeness_in_common_light(surfaces, [f.ripe for f in fruit])
    return [replace(f, ripeness=share) for f, share in zip(fruit, shares, strict=True)]
