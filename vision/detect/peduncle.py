"""Find a berry's axis and the point on its peduncle where the cut is wanted, in the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_OFFSETS = np.linspace(-0.3, 0.3, 13)
_SLOPES = np.linspace(-0.6, 0.6, 9)
_ROWS = np.linspace(0.12, 0.65, 10)
_STEM_CONTRAST = 5.0
"""Least difference in CIELAB b between a stem and both its sides; leaves' veins stay below about 4."""


def axis_of(outline: Array) -> tuple[Array, Array, float]:
    """Return centre [px], unit vector from tip to calyx, and length along it [px] of a fruit's outline.

    The fruit hangs, so of the two ends of its long axis the upper one carries the calyx; a nearly round outline has no
    axis of its own and is taken as hanging straight down.

    Args:
        outline: contour [px], x right, y down, shape (n, 2).
    """
    centre = (outline.min(axis=0) + outline.max(axis=0)) / 2
    offset = outline - outline.mean(axis=0)
    spread = offset.T @ offset / len(outline) + 1e-6 * np.eye(2)
    values, vectors = np.linalg.eigh(spread)
    long_axis = vectors[:, 1]
    if long_axis[1] > 0:
        long_axis = -long_axis
    roundness = float(np.sqrt(values[0] / values[1]))
    weight = np.clip((0.9 - roundness) / 0.2, 0.0, 1.0) * (abs(long_axis[1]) > 0.5)
    axis = weight * long_axis + (1 - weight) * np.array([0.0, -1.0])
    axis /= np.linalg.norm(axis)
    along = (outline - centre) @ axis
    return centre, axis, float(along.max() - along.min())


def find_peduncle(
    table: npt.NDArray[np.float32],
    index: npt.NDArray[np.uint16],
    *,
    calyx: Array,
    axis: Array,
    length: float,
    lift: float,
) -> Array:
    """Return the cut point: on the stem where one is seen above the calyx, else straight on along the axis [px].

    A stem is a thin line that is yellower than both its sides; lines of several offsets and slopes above the calyx are
    compared, those that start near the axis being preferred.

    Args:
        table: CIELAB b of every tabulated colour, shape (32768,).
        index: each pixel's place in the table, shape (h, w).
        calyx: the fruit's upper end [px], shape (2,).
        axis: unit vector from tip to calyx, shape (2,).
        length: of the fruit [px].
        lift: distance of the cut from the calyx as a share of the length.
    """
    aside = max(2.0 / length, 0.11)
    across = _OFFSETS[:, None, None] + _SLOPES[None, :, None] * _ROWS
    contrast = table[_sample(index, calyx, axis, length, across)]
    left = table[_sample(index, calyx, axis, length, across - aside)]
    right = table[_sample(index, calyx, axis, length, across + aside)]
    strength = np.minimum(contrast - left, contrast - right).mean(axis=-1)
    preferred = strength - 8.0 * np.abs(_OFFSETS)[:, None] - 2.0 * np.abs(_SLOPES)[None, :]
    best = np.unravel_index(int(preferred.argmax()), preferred.shape)
    bend = 0.0
    if strength[best] > _STEM_CONTRAST:
        bend = float(_OFFSETS[best[0]] + _SLOPES[best[1]] * lift)
    side = np.array([-axis[1], axis[0]])
    return np.asarray(calyx + length * (lift * axis + bend * side), np.float64)


def _sample(
    plane: npt.NDArray[np.uint16], calyx: Array, axis: Array, length: float, across: Array
) -> npt.NDArray[np.uint16]:
    """Return the plane's values at places above the calyx, given across the axis in units of the length."""
    x = calyx[0] + length * (_ROWS * axis[0] - across * axis[1])
    y = calyx[1] + length * (_ROWS * axis[1] + across * axis[0])
    columns = np.clip(np.rint(x), 0, plane.shape[1] - 1).astype(np.intp)
    rows = np.clip(np.rint(y), 0, plane.shape[0] - 1).astype(np.intp)
    picked: npt.NDArray[np.uint16] = plane[rows, columns]
    return picked
