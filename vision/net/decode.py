"""From the network's outputs to boxes and their values, in numpy and OpenCV: what the robot runs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision.net.layout import CHANNELS, LOG_SPREAD_LIMITS, SPANS, STRIDE

Array = npt.NDArray[np.float32]

_WINDOW = np.ones((3, 3), np.uint8)
_HALF, _BELOW_HALF = np.float32(0.5), np.float32(0.499)


def _limits() -> tuple[Array, Array]:
    """Return what each channel is limited to before its exponential is taken."""
    low, high = np.full(CHANNELS, -30.0, np.float32), np.full(CHANNELS, 30.0, np.float32)
    low[SPANS["box"].slice], high[SPANS["box"].slice] = -4.0, 5.0
    for name in ("box_spread", "ripeness_spread", "stem_spread"):
        low[SPANS[name].start], high[SPANS[name].start] = LOG_SPREAD_LIMITS
    return low, high


_LOWEST, _HIGHEST = _limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeSettings:
    """How centres become berries.

    Attributes:
        least: score below which nothing is reported; low, because average precision needs the tail.
        overlap: of two boxes that overlap more (intersection over union) the one of the better score stays.
        most: at most this many berries per picture.
    """

    least: float = 0.05
    overlap: float = 0.6
    most: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Values of the berries of one picture, best score first; lengths in pixels of the network's picture.

    Attributes:
        boxes: x0, y0, x1, y1, shape (n, 4).
        box_spread: Laplace scale of the logs of the box's four distances, shape (n,).
        ripeness: shape (n,), on the side of 0.5 that the class of the better heat says.
        ripeness_spread: Laplace scale, shape (n,).
        calyx: shape (n, 2); peduncle: cutting point, shape (n, 2); stem: unit vectors, shape (n, 2).
        stem_spread: Laplace scale of calyx and peduncle [px], shape (n,).
        visible: shape (n,).
        weights: of the mask prototypes, shape (n, PROTOTYPES + 1).
    """

    boxes: Array
    scores: Array
    box_spread: Array
    ripeness: Array
    ripeness_spread: Array
    calyx: Array
    peduncle: Array
    stem: Array
    stem_spread: Array
    visible: Array
    weights: Array


def decode(head: Array, settings: DecodeSettings) -> Found:
    """Return the berries that the head of one picture tells of.

    Args:
        head: shape (CHANNELS, h, w).
    """
    ripe_heat, unripe_heat = head[SPANS["heat"].slice]
    either = np.maximum(ripe_heat, unripe_heat)
    floor = float(np.log(settings.least / (1.0 - settings.least)))
    y, x = np.nonzero((either >= floor) & (either >= cv2.dilate(either, _WINDOW)))
    if len(y) > 2 * settings.most:
        best = np.argpartition(-either[y, x], 2 * settings.most)[: 2 * settings.most]
        y, x = y[best], x[best]
    at = np.ascontiguousarray(head[:, y, x].T)
    centre = np.stack([x, y], axis=1).astype(np.float32) + 0.5
    powers = np.exp(np.minimum(np.maximum(at, _LOWEST), _HIGHEST))
    reach = powers[:, SPANS["box"].slice]
    boxes = np.concatenate([centre - reach[:, :2], centre + reach[:, 2:]], axis=1) * STRIDE
    ripe = at[:, 0] >= at[:, 1]
    odds = np.maximum(powers[:, 0], powers[:, 1])
    scores = np.asarray(odds / (1.0 + odds), np.float32)
    kept = _apart(boxes, scores, settings)
    at, powers, centre, boxes, ripe = at[kept], powers[kept], centre[kept], boxes[kept], ripe[kept]
    sides = boxes[:, 2:] - boxes[:, :2]
    origin = centre * STRIDE
    ripeness = _share(powers, "ripeness")
    stem = at[:, SPANS["stem"].slice]
    return Found(
        boxes=boxes,
        scores=scores[kept],
        box_spread=powers[:, SPANS["box_spread"].start],
        ripeness=np.where(ripe, np.maximum(ripeness, _HALF), np.minimum(ripeness, _BELOW_HALF)),
        ripeness_spread=powers[:, SPANS["ripeness_spread"].start],
        calyx=origin + at[:, SPANS["calyx"].slice] * sides,
        peduncle=origin + at[:, SPANS["peduncle"].slice] * sides,
        stem=stem / np.maximum(np.sqrt(stem[:, :1] ** 2 + stem[:, 1:] ** 2), np.float32(1e-6)),
        stem_spread=powers[:, SPANS["stem_spread"].start] * sides.max(axis=1, initial=0.0),
        visible=_share(powers, "visible"),
        weights=at[:, SPANS["mask"].slice],
    )


def _share(powers: Array, name: str) -> Array:
    """Return the logistic function of a channel, given the exponentials of all."""
    odds = powers[:, SPANS[name].start]
    return np.asarray(odds / (1.0 + odds), np.float32)


def _apart(boxes: Array, scores: Array, s: DecodeSettings) -> npt.NDArray[np.int64]:
    """Return the numbers of the boxes that no better one covers, best first."""
    if len(scores) == 0:
        return np.zeros(0, np.int64)
    corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), 0.0, s.overlap)
    return np.asarray(kept, np.int64).ravel()[: s.most]
