"""Take the fruit's surface in a picture to pieces where depth makes a step: each piece is of one fruit only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision.types import Detection

Array = npt.NDArray[np.float64]
Depth = npt.NDArray[np.float32]

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_MOST = 254
"""So many detections have a number in a picture of bytes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """Pieces of a picture, number 0 being what belongs to none.

    Attributes:
        number: of the piece at each pixel, shape (h, w).
        depth: the picture's, smoothed, [m], shape (h, w).
        pixels: of each, shape (n,); distance: their mean depth [m], shape (n,).
        reddish: share of each that may have the colour of ripe fruit, shape (n,), 0-1.
        shared: pixels that each detection's outline has in common with each piece, shape (detections, n).
    """

    number: npt.NDArray[np.int32]
    depth: Depth
    pixels: npt.NDArray[np.int64]
    distance: Array
    reddish: Array
    shared: npt.NDArray[np.int64]

    def window(self, i: int) -> tuple[slice, slice, npt.NDArray[np.bool_]]:
        """Return rows and columns around piece `i`, and which pixels there are its own."""
        mine = self.number == i
        x, y, w, h = cv2.boundingRect(mine.view(np.uint8))
        rows, columns = slice(y, y + h), slice(x, x + w)
        return rows, columns, mine[rows, columns]

    def outline(self, i: int, beyond: float) -> Array:
        """Return the outline of piece `i` moved outwards by what the cut took, `beyond` [px], shape (n, 2)."""
        rows, columns, mine = self.window(i)
        found, _ = cv2.findContours(mine.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        line = max(found, key=len)[:, 0].astype(np.float64) + np.array([columns.start, rows.start])
        outwards = line - line.mean(axis=0)
        outwards /= np.maximum(np.hypot(outwards[:, 0], outwards[:, 1]), 1e-6)[:, None]
        last = (self.number.shape[1] - 1.0, self.number.shape[0] - 1.0)
        return np.asarray(np.clip(line + beyond * outwards, 0.0, last), np.float64)


def take_apart(
    detections: Sequence[Detection],
    color: npt.NDArray[np.uint8],
    depth: Depth,
    *,
    depth_range: tuple[float, float],
    step: float,
    around: float,
) -> Pieces:
    """Return the pieces of what lies within the detections' outlines, or is red and near one.

    Args:
        color: RGB, shape (h, w, 3); depth: aligned with it [m], shape (h, w), 0 where unknown.
        depth_range: depths outside are not measurements [m].
        step: pixels beside each other whose depths differ by more are not of one surface [m].
        around: red counts so far outside of a box, in shares of its sides.
    """
    owner = np.zeros(depth.shape, np.uint8)
    near = np.zeros(depth.shape, np.uint8)
    for i in range(min(len(detections), _MOST) - 1, -1, -1):
        outline, (x0, y0, x1, y1) = detections[i].polygon, detections[i].box
        if outline is None:
            continue
        cv2.fillPoly(owner, [np.rint(outline).astype(np.int32)], i + 1)
        across, down = around * (x1 - x0), around * (y1 - y0)
        near[_rounded(y0 - down, y1 + down), _rounded(x0 - across, x1 + across)] = 255
    smooth = cv2.medianBlur(np.ascontiguousarray(depth, np.float32), 3)
    reddish = _reddish(color)
    whole = cv2.bitwise_or(cv2.bitwise_and(reddish, near), owner)
    whole &= cv2.inRange(smooth, *depth_range)
    whole[:, 1:] &= cv2.compare(cv2.absdiff(smooth[:, 1:], smooth[:, :-1]), step, cv2.CMP_LE)
    whole[1:] &= cv2.compare(cv2.absdiff(smooth[1:], smooth[:-1]), step, cv2.CMP_LE)
    count, number = cv2.connectedComponents(cv2.morphologyEx(whole, cv2.MORPH_OPEN, _CROSS), connectivity=4)
    at = np.flatnonzero(number)
    piece = number.ravel()[at].astype(np.int64)
    pixels = np.bincount(piece, minlength=count)
    each = np.maximum(pixels, 1)
    shared = np.bincount(owner.ravel()[at].astype(np.int64) * count + piece, minlength=(len(detections) + 1) * count)
    return Pieces(
        number=number,
        depth=smooth,
        pixels=pixels,
        distance=np.bincount(piece, weights=smooth.ravel()[at], minlength=count) / each,
        reddish=np.bincount(piece, weights=reddish.ravel()[at] > 0, minlength=count) / each,
        shared=shared.reshape(-1, count)[1:],
    )


def _rounded(low: float, high: float) -> slice:
    return slice(max(0, int(low)), max(0, int(high) + 1))


def _reddish(color: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return 255 where a colour may be that of ripe fruit: a quick look at every second pixel."""
    h, w = color.shape[:2]
    small = cv2.resize(color, (max(1, w // 2), max(1, h // 2)), interpolation=cv2.INTER_NEAREST)
    red, green, blue = cv2.split(small)
    beyond_green = cv2.compare(red, cv2.convertScaleAbs(green, alpha=1.6), cv2.CMP_GT)
    beyond_blue = cv2.compare(red, cv2.convertScaleAbs(blue, alpha=1.3), cv2.CMP_GT)
    both = cv2.resize(cv2.bitwise_and(beyond_green, beyond_blue), (w, h), interpolation=cv2.INTER_NEAREST)
    return np.asarray(both, np.uint8)
