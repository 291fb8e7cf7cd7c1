"""From the network's outputs to boxes and their values, in numpy and OpenCV: what the robot runs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision.net.layout import LOG_SPREAD_LIMITS, SPANS, STRIDE

Array = npt.NDArray[np.float32]

_WINDOW = np.ones((3, 3), np.uint8)


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
    heat = head[SPANS["heat"].slice]
    either = np.maximum(heat[0], heat[1])
    floor = float(np.log(settings.least / (1.0 - settings.least)))
    peak = (either >= floor) & (either >= cv2.dilate(either, _WINDOW))
    y, x = np.nonzero(peak)
    if len(y) > 2 * settings.most:
        best = np.argpartition(-either[y, x], 2 * settings.most)[: 2 * settings.most]
        y, x = y[best], x[best]
    at = np.ascontiguousarray(head[:, y, x].T)
    centre = np.stack([x, y], axis=1).astype(np.float32) + 0.5
    reach = np.exp(np.clip(at[:, SPANS["box"].slice], -4, 5))
    boxes = np.concatenate([centre - reach[:, :2], centre + reach[:, 2:]], axis=1) * STRIDE
    scores = _sigmoid(either[y, x])
    kept = _apart(boxes, scores, settings)
    at, centre, boxes = at[kept], centre[kept], boxes[kept]
    sides = boxes[:, 2:] - boxes[:, :2]
    origin = centre * STRIDE
    ripe = at[:, 0] >= at[:, 1]
    ripeness = _sigmoid(at[:, SPANS["ripeness"].start])
    stem = at[:, SPANS["stem"].slice]
    scale = np.exp(np.clip(at[:, SPANS["stem_spread"].start], *LOG_SPREAD_LIMITS))
    return Found(
        boxes=boxes,
        scores=scores[kept],
        box_spread=np.exp(np.clip(at[:, SPANS["box_spread"].start], *LOG_SPREAD_LIMITS)),
        ripeness=np.where(ripe, np.maximum(ripeness, 0.5), np.minimum(ripeness, 0.499)).astype(np.float32),
        ripeness_spread=np.exp(np.clip(at[:, SPANS["ripeness_spread"].start], *LOG_SPREAD_LIMITS)),
        calyx=origin + at[:, SPANS["calyx"].slice] * sides,
        peduncle=origin + at[:, SPANS["peduncle"].slice] * sides,
        stem=stem / np.maximum(np.linalg.norm(stem, axis=1, keepdims=True), 1e-6),
        stem_spread=scale * sides.max(axis=1, initial=0.0) if len(sides) else scale,
        visible=_sigmoid(at[:, SPANS["visible"].start]),
        weights=at[:, SPANS["mask"].slice],
    )


def _sigmoid(x: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -30, 30))), np.float32)


def _apart(boxes: Array, scores: Array, s: DecodeSettings) -> npt.NDArray[np.int64]:
    """Return the numbers of the boxes that no better one covers, best first."""
    if len(scores) == 0:
        return np.zeros(0, np.int64)
    corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), 0.0, s.overlap)
    return np.asarray(kept, np.int64).ravel()[: s.most]
