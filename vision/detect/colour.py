"""Colour models of ripe and of green-to-white fruit, tabulated once so that a picture costs a table look-up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vision.ripeness import is_surface, ripe_degree, to_lab

Array = npt.NDArray[np.float64]
Plane = npt.NDArray[np.uint8]


def terms(lab: npt.NDArray[np.float32]) -> Array:
    """Return the terms of the colour polynomial: cubic in L, a, b, and bounded chroma so that greys are told apart.

    Args:
        lab: CIELAB colours, shape (n, 3).

    Returns:
        Shape (n, 23), the first column is 1.
    """
    scaled = lab.astype(np.float64) / 50.0
    axes = [scaled[:, 0] - 1.0, scaled[:, 1], scaled[:, 2]]
    columns = [np.ones(len(lab)), *axes]
    for i in range(3):
        for j in range(i, 3):
            columns.append(axes[i] * axes[j])
            columns += [axes[i] * axes[j] * axes[k] for k in range(j, 3)]
    chroma = np.hypot(axes[1], axes[2])
    bounded = np.minimum(chroma, 0.4) / np.maximum(chroma, 1e-6)
    return np.stack([*columns, chroma, axes[1] * bounded, axes[2] * bounded], axis=1)


class ColourModel:
    """Tables over the 32^3 RGB colours; `index` turns a picture into table indices.

    Attributes:
        red, pale: likelihood of ripe surface and of green or white fruit, 0-255.
        leaf: 255 for leaf colours.
        ripe: degree of ripeness, 0-255.
        surface: 1 where a colour shows the surface, 0 for glare and black.
        lab: CIELAB, shape (32768, 3).
    """

    def __init__(self, coefficients: Array) -> None:
        lab = to_lab(_every_colour())[0]
        odds = np.clip(terms(lab) @ coefficients.T, -30.0, 30.0)
        share = np.exp(odds) / (1.0 + np.exp(odds).sum(axis=1, keepdims=True))
        self.red: Plane = (255 * share[:, 0]).astype(np.uint8)
        self.pale: Plane = (255 * share[:, 1]).astype(np.uint8)
        self.leaf: Plane = (255 * _is_leaf(lab)).astype(np.uint8)
        self.ripe: Plane = (255 * ripe_degree(lab)).astype(np.uint8)
        self.surface: Plane = is_surface(lab).astype(np.uint8)
        self.lab: npt.NDArray[np.float32] = lab

    def index(self, color: Plane) -> npt.NDArray[np.uint16]:
        """Return each pixel's place in the tables, shape (h, w), of an RGB picture (h, w, 3)."""
        five_bits = (color >> 3).astype(np.uint16)
        red, green, blue = five_bits[..., 0], five_bits[..., 1], five_bits[..., 2]
        index: npt.NDArray[np.uint16] = np.bitwise_or(
            np.bitwise_or(red << np.uint16(10), green << np.uint16(5)), blue, dtype=np.uint16
        )
        return index


def _is_leaf(lab: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Tell leaf green: hues of chlorophyll, and dark green down to lower chroma."""
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1]))
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    vivid = (hue > 112) & (hue < 170) & (chroma > 10)
    dim = (lab[:, 0] < 25) & (chroma > 6) & (hue > 90) & (hue < 170)
    leaf: npt.NDArray[np.bool_] = vivid | dim
    return leaf


def _every_colour() -> Plane:
    """Return the centres of the 32^3 RGB cells as one row of pixels, shape (1, 32768, 3)."""
    index = np.arange(32**3)
    rgb = np.stack([index >> 10, (index >> 5) & 31, index & 31], axis=-1) * 8 + 4
    return rgb.astype(np.uint8)[None]
