"""What the colours in a fruit's middle say of its ripeness: a table of all colours, since frames do not wait."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from vision.ripeness import is_surface, ripe_degree, to_lab

Picture = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float32]

_BITS = 5
"""Of each of red, green and blue; colours that differ less are alike."""
_REACH = 0.4
_GRID = np.stack(np.meshgrid(np.linspace(-1.0, 1.0, 7), np.linspace(-1.0, 1.0, 7)), axis=-1).reshape(-1, 2)
_ROUND = _GRID[np.hypot(_GRID[:, 0], _GRID[:, 1]) <= 1.03]
_CENTRAL = np.abs(_ROUND).max(axis=1) < 0.6
_POINTS = _REACH * np.concatenate([_ROUND[_CENTRAL], _ROUND[~_CENTRAL]]).astype(np.float32)
"""Places at which a fruit is looked at, in shares of its box from its middle; the central ones first."""
_MIDDLE = int(_CENTRAL.sum())


def middle_tints(picture: Picture, boxes: Array) -> tuple[Array, Array]:
    """Return the share of red in each box's middle, shape (n,), and its median CIELAB colour, shape (n, 3).

    Glare and black shadow do not count, unless there is nothing else.

    Args:
        picture: RGB, shape (h, w, 3); boxes: x0, y0, x1, y1 [px], shape (n, 4).
    """
    h, w = picture.shape[:2]
    column, row = (
        np.minimum(np.maximum(places, 0.0), float(last)).astype(np.intp)
        for places, last in ((_places(boxes, 0), w - 1), (_places(boxes, 1), h - 1))
    )
    shown = picture.reshape(-1, 3).take(row * w + column, axis=0) >> (8 - _BITS)
    number = shown[..., 0].astype(np.intp) << (2 * _BITS)
    number |= shown[..., 1].astype(np.intp) << _BITS
    number |= shown[..., 2]
    lab, degree, surface = _tables()
    seen, red = surface[number], degree[number]
    count = seen.sum(axis=1)
    share = np.where(count > 0.0, (red * seen).sum(axis=1) / np.maximum(count, 1.0), red.mean(axis=1))
    colours = np.sort(lab[number[:, :_MIDDLE]], axis=1)[:, _MIDDLE // 2]
    return share, colours


def _places(boxes: Array, axis: int) -> Array:
    """Return the points' coordinates along an axis [px], shape (n, points)."""
    low, high = boxes[:, axis, None], boxes[:, axis + 2, None]
    return np.asarray((low + high) * 0.5 + (high - low) * _POINTS[:, axis], np.float32)


@cache
def _tables() -> tuple[Array, Array, Array]:
    """Return of each colour CIELAB, how ripe it is (0-1), and 1 where it shows a surface, 0 for glare and shadow."""
    level = ((np.arange(1 << _BITS) + 0.5) * (1 << (8 - _BITS))).astype(np.uint8)
    colours = np.stack(np.meshgrid(level, level, level, indexing="ij"), axis=-1).reshape(1, -1, 3)
    lab = to_lab(colours)[0]
    return lab, ripe_degree(lab), is_surface(lab).astype(np.float32)
