"""Outlines of berries from mask prototypes, at the resolution of the network's picture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vision.net.layout import PROTO_STRIDE

Array = npt.NDArray[np.float32]

_FINER = 2
"""Samples of the mask per cell of the prototypes and direction; outlines are good to a pixel or two."""


def outline_of(proto: Array, weights: Array, box: Array) -> npt.NDArray[np.float64] | None:
    """Return the outline of one berry [px of the network's picture], shape (n, 2); None where the mask is empty.

    Args:
        proto: prototypes, shape (PROTOTYPES, h, w).
        weights: of the prototypes, then the bias, shape (PROTOTYPES + 1,).
        box: x0, y0, x1, y1 [px]; the mask is looked for inside.
    """
    rows, columns = proto.shape[1:]
    left, top, right, bottom = box.tolist()
    x0, y0 = max(0, int(left // PROTO_STRIDE)), max(0, int(top // PROTO_STRIDE))
    x1, y1 = min(columns, int(right // PROTO_STRIDE) + 1), min(rows, int(bottom // PROTO_STRIDE) + 1)
    if x1 - x0 < 1 or y1 - y0 < 1:
        return None
    logits = weights[:-1] @ proto[:, y0:y1, x0:x1].reshape(len(proto), -1) + weights[-1]
    size = _FINER * (x1 - x0), _FINER * (y1 - y0)
    fine = cv2.resize(logits.reshape(y1 - y0, x1 - x0), size, interpolation=cv2.INTER_LINEAR)
    found, _ = cv2.findContours((fine > 0).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not found:
        return None
    largest = (found[0] if len(found) == 1 else max(found, key=cv2.contourArea))[:, 0]
    if len(largest) < 3:
        return None
    step = PROTO_STRIDE / _FINER
    start = np.array([x0, y0], np.float64) * PROTO_STRIDE + (0.5 * step - 0.5)
    points: npt.NDArray[np.float64] = largest * step + start
    return np.asarray(np.minimum(np.maximum(points, box[:2]), np.maximum(box[2:] - 1, box[:2])), np.float64)
