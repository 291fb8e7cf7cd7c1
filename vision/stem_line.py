"""Look for the thin line of each peduncle in the picture, near where it is expected: aside by how much, which way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STEP = 0.75e-3
"""Between samples across the stem [m]; a peduncle is 1.5-2 mm thick."""

_ALONG = np.arange(2.0, 17.1, 1.5) * 1e-3
_OFFSETS = STEP * np.arange(-10, 11)
_SLOPES = np.tan(np.radians(np.arange(-32.0, 33.0, 8.0)))
_FLANK = 3
"""Most steps from a line to its sides."""

_REACH = int(np.ceil((_OFFSETS[-1] + _SLOPES[-1] * _ALONG[-1]) / STEP)) + _FLANK
_ACROSS = STEP * np.arange(-_REACH, _REACH + 1)
_SHAPE = len(_OFFSETS), len(_SLOPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSettings:
    """What speaks for a line being the stem; tuned on rendered pictures of other seeds than those measured.

    Attributes:
        turn_sd: how far its direction in the picture is from the expected one [rad].
        contrast: a line that differs by so many grey levels from both its sides is e times as likely.
        most: log of how much likelier the line of most contrast is at most; the others in proportion.
        edge: share of the difference between both sides that is taken from the contrast: an edge is no line.
        near: log of how much likelier a line is all of whose depths are near that of the stem.
        gap: how much nearer and farther than expected a depth on the stem may be [m]; edges measure too far.
        thickness: of a peduncle [m]; soft: blur that every picture has [px].
    """

    turn_sd: float = 0.21
    contrast: float = 1.2
    most: float = 8.0
    edge: float = 0.5
    near: float = 10.0
    gap: tuple[float, float] = (0.006, 0.010)
    thickness: float = 0.0017
    soft: float = 1.2


def stem_lines(
    color: npt.NDArray[np.uint8],
    depth: npt.NDArray[np.float32] | None,
    at: Array,
    way: Array,
    scale: Array,
    *,
    distance: Array,
    offset_sd: Array,
    settings: LineSettings,
) -> tuple[Array, Array]:
    """Return how far aside of `at` each stem's line passes [m], to the right of `way`, and its slope there, (n,).

    Every line through the neighbourhood is weighed by how it stands out from both its sides, by the depths on it and by
    how far it is from the expected one; the mean is returned, so that where nothing is seen nothing is changed.

    Args:
        color: RGB, shape (h, w, 3).
        depth: aligned with it [m], 0 where unknown; None without a depth camera.
        at: where the stems are expected to begin [px], (n, 2).
        way: unit directions in the picture in which they are expected to run, (n, 2).
        scale: pixels per metre at their distance, (n,); distance: of `at` [m], (n,).
        offset_sd: how far aside of `at` the stems may be [m], (n,).
    """
    s, n = settings, len(at)
    right = np.stack([-way[:, 1], way[:, 0]], axis=1)
    places = at[:, None, None] + scale[:, None, None, None] * (
        _ALONG[:, None, None] * way[:, None, None] + _ACROSS[:, None] * right[:, None, None]
    )
    x, y = (places[..., i].reshape(n * len(_ALONG), -1).astype(np.float32) for i in (0, 1))
    shown = cv2.remap(color, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(n, -1, 3)
    shown = np.ascontiguousarray(shown.transpose(0, 2, 1), dtype=np.float32)
    evidence = _contrast(shown, scale, s) / s.contrast
    evidence *= np.minimum(s.most / np.maximum(evidence.max(axis=(1, 2), keepdims=True), 1e-9), 1.0)
    if depth is not None:
        evidence += s.near * _company(depth, x, y, distance, s)
    turn = np.arctan(_SLOPES)
    expected = (_OFFSETS[:, None] / offset_sd[:, None, None]) ** 2 + (turn / s.turn_sd) ** 2
    likely = evidence - 0.5 * expected
    likely = np.exp(likely - likely.max(axis=(1, 2), keepdims=True))
    likely /= likely.sum(axis=(1, 2), keepdims=True)
    return likely.sum(axis=2) @ _OFFSETS, likely.sum(axis=1) @ _SLOPES


def _contrast(shown: npt.NDArray[np.float32], scale: Array, s: LineSettings) -> Array:
    """Return how many levels each line differs from both its sides, (n, offsets, slopes), 0 for edges.

    Args:
        shown: samples, shape (n, 3, along * across).
    """
    flank = np.maximum(s.thickness / 2.0 + s.soft / scale, 2.0 / scale)
    apart = np.clip(np.rint(flank / STEP), 1, _FLANK).astype(np.intp)
    strength = np.empty((2, len(shown), *_SHAPE))
    for k in np.unique(apart).tolist():
        mine = apart == k
        for kind in (0, 1):
            sums = shown[mine] @ _contrasts(k)[kind]
            strength[kind, mine] = np.sqrt((sums * sums).sum(axis=1)).reshape(-1, *_SHAPE)
    return np.asarray(np.maximum(strength[0] - s.edge * strength[1], 0.0), np.float64)


def _company(
    depth: npt.NDArray[np.float32],
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.float32],
    distance: Array,
    s: LineSettings,
) -> Array:
    """Return the share of depths on each line that are near the expected distance, (n, offsets, slopes)."""
    z = cv2.remap(depth, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    off = z.reshape(len(distance), -1) - distance[:, None]
    near = ((off > -s.gap[0]) & (off < s.gap[1])).astype(np.float32)
    return np.asarray((near @ _lines(0)).reshape(-1, *_SHAPE), np.float64)


@cache
def _contrasts(apart: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return what takes samples to lines against the mean of both sides, and to one side against the other, halved."""
    left, right = _lines(-apart), _lines(apart)
    return _lines(0) - 0.5 * (left + right), 0.5 * (right - left)


@cache
def _lines(aside: int) -> npt.NDArray[np.float32]:
    """Return what takes samples to their means over each line `aside` steps, shape (along * across, lines)."""
    places = np.rint((_OFFSETS[:, None] + _SLOPES[None, :] * _ALONG[:, None, None]) / STEP).astype(np.intp) + _REACH
    means = np.zeros((len(_ALONG), len(_ACROSS), places[0].size), np.float32)
    for i, row in enumerate(places.reshape(len(_ALONG), -1) + aside):
        means[i, row, np.arange(len(row))] = 1.0 / len(_ALONG)
    return means.reshape(-1, places[0].size)
