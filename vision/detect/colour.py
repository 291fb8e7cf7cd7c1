"""Colour models of ripe and of green-to-white fruit, tabulated once so that a picture costs a table look-up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vision.detect.settings import BaselineSettings
from vision.ripeness import to_lab


class ColourModel:
    """Map RGB pixels to the likelihood (0-255) of being ripe surface and of being green or white fruit."""

    def __init__(self, settings: BaselineSettings) -> None:
        lab = to_lab(_every_colour())[0]
        lightness = lab[:, 0]
        chroma = np.hypot(lab[:, 1], lab[:, 2])
        hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1]))
        red = (
            _ramp(chroma, *settings.red_chroma)
            * _window(hue, *settings.red_hue, soft=8.0)
            * _ramp(lightness, 6.0, 14.0)
        )
        pale = (
            _ramp(lightness, *settings.pale_lightness)
            * _ramp(chroma, *settings.pale_chroma)
            * _window(hue, *settings.pale_hue, soft=8.0)
        )
        self._red = (255 * red).astype(np.uint8)
        self._pale = (255 * pale).astype(np.uint8)
        self._lab = lab

    def likelihoods(
        self, color: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint16]]:
        """Return likelihood of ripe surface, of pale fruit, and each pixel's index into `lab_of`, shape (h, w) each.

        Args:
            color: RGB, shape (h, w, 3).
        """
        five_bits = (color >> 3).astype(np.uint16)
        red, green, blue = five_bits[..., 0], five_bits[..., 1], five_bits[..., 2]
        index = np.bitwise_or(np.bitwise_or(red << np.uint16(10), green << np.uint16(5)), blue, dtype=np.uint16)
        return self._red[index], self._pale[index], index

    def lab_of(self, index: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
        """Return the CIELAB colours of table indices, shape (..., 3)."""
        lab: npt.NDArray[np.float32] = self._lab[index]
        return lab


def _every_colour() -> npt.NDArray[np.uint8]:
    """Return the centres of the 32^3 RGB cells as one row of pixels, shape (1, 32768, 3)."""
    index = np.arange(32**3)
    rgb = np.stack([index >> 10, (index >> 5) & 31, index & 31], axis=-1) * 8 + 4
    return rgb.astype(np.uint8)[None]


def _ramp(value: npt.NDArray[np.float32], low: float, high: float) -> npt.NDArray[np.float32]:
    rising: npt.NDArray[np.float32] = np.clip((value - low) / (high - low), 0.0, 1.0)
    return rising


def _window(value: npt.NDArray[np.float32], low: float, high: float, *, soft: float) -> npt.NDArray[np.float32]:
    inside: npt.NDArray[np.float32] = np.clip((value - low) / soft + 0.5, 0.0, 1.0) * np.clip(
        (high - value) / soft + 0.5, 0.0, 1.0
    )
    return inside
