"""Outlines of berries from mask prototypes, told in pixels of the picture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vision.net.layout import PROTO_STRIDE

Array = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

_FINER = 2
"""Samples of the mask per cell of the prototypes and direction; outlines are good to a pixel or two."""
_STEP = PROTO_STRIDE / _FINER


def outlines_of(proto: Array, weights: Array, boxes: Array, scale: Points, last: Points) -> list[Points | None]:
    """Return the outline of each berry [px of the picture], shape (n, 2); None where the mask is empty.

    Args:
        proto: prototypes, shape (PROTOTYPES, h, w).
        weights: of the prototypes, then the bias, of each berry, shape (berries, PROTOTYPES + 1).
        boxes: x0, y0, x1, y1 of each [px of the look], shape (berries, 4); the masks are looked for inside.
        scale: pixels of the look per pixel of the picture (x, y).
        last: the picture's last pixel (x, y).
    """
    rows, columns = proto.shape[1:]
    cells = np.floor(boxes * (1.0 / PROTO_STRIDE))
    cells[:, 2:] += 1.0
    cells = np.minimum(np.maximum(cells, 0.0), (columns, rows, columns, rows)).astype(np.intp)
    factors, floors = np.ascontiguousarray(weights[:, :-1]), (-weights[:, -1]).tolist()
    lines = [
        _line(proto[:, y0:y1, x0:x1], own, floor)
        for (x0, y0, x1, y1), own, floor in zip(cells.tolist(), factors, floors, strict=True)
    ]
    drawn = [i for i, line in enumerate(lines) if line is not None]
    result: list[Points | None] = [None] * len(lines)
    if not drawn:
        return result
    # All points at once: a dozen small steps for each berry take longer than the search for its outline.
    counts = [len(line) for line in lines if line is not None]
    low = boxes[drawn, :2].astype(np.float64)
    high = np.maximum(boxes[drawn, 2:] - 1.0, low)
    starts = cells[drawn, :2] * PROTO_STRIDE + (0.5 * _STEP - 0.5)
    each = np.repeat(np.concatenate([starts, low, high], axis=1), counts, axis=0)
    points = np.concatenate([line for line in lines if line is not None])[:, 0] * _STEP + each[:, :2]
    points = np.minimum(np.maximum(points, each[:, 2:4]), each[:, 4:])
    points = np.minimum((points + 0.5) / scale - 0.5, last)
    start = 0
    for i, count in zip(drawn, counts, strict=True):
        result[i] = points[start : start + count]
        start += count
    return result


def _line(proto: Array, weights: Array, floor: float) -> npt.NDArray[np.int32] | None:
    """Return the largest outline, shape (n, 1, 2) [samples], of where the weighted prototypes exceed `floor`."""
    channels, rows, columns = proto.shape
    if rows < 1 or columns < 1:
        return None
    logits = weights.dot(proto.reshape(channels, -1)).reshape(rows, columns)
    fine = cv2.resize(logits, (_FINER * columns, _FINER * rows), interpolation=cv2.INTER_LINEAR)
    found, _ = cv2.findContours((fine > floor).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not found:
        return None
    largest = found[0] if len(found) == 1 else max(found, key=cv2.contourArea)
    return np.asarray(largest, np.int32) if len(largest) >= 3 else None
