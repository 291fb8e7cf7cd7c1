"""Ripeness of a berry from the colours of its visible surface, and the stage that follows from it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from vision.types import Stage

TURNING_FROM = 0.05
RIPE_FROM = 0.75
LABELLED_RIPE_FROM = 0.5

_UNRIPE_HUE_DEG = 62.0
_RIPE_HUE_DEG = 48.0
_PINK_SATURATION = 0.5
_RED_SATURATION = 0.8
_CRIMSON_HUE_DEG = -25.0
_GREY_CHROMA = 14.0
_GLARE_LIGHTNESS = 88.0
_GLARE_CHROMA = 10.0
_WHITE_GREENNESS = -9.0
_OVERRIPE_LIGHTNESS = 12.0
_DAYLIGHT_HUE_DEG = 36.0
_DAYLIGHT_LIGHTNESS = 42.0


def ripe_degree(lab: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Say how ripe a colour is, 0-1.

    Strawberry colour moves in CIELAB hue from about 110 degrees (green) to about 35 degrees (anthocyanin red); between
    48 and 62 degrees it is orange and counts in part. The blush before it is pink: the same hue, but pale, with a
    saturation (chroma over lightness) below 0.5, and does not count.

    Args:
        lab: CIELAB colours (L 0-100, a and b about -100..100), shape (..., 3).

    Returns:
        Degree of ripeness, shape (...).
    """
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    warm = np.clip((_UNRIPE_HUE_DEG - hue) / (_UNRIPE_HUE_DEG - _RIPE_HUE_DEG), 0.0, 1.0)
    coloured = np.clip((chroma - _GREY_CHROMA) / 8.0, 0.0, 1.0)
    saturation = chroma / np.maximum(lab[..., 0], 1.0)
    full = np.clip((saturation - _PINK_SATURATION) / (_RED_SATURATION - _PINK_SATURATION), 0.0, 1.0)
    degree: npt.NDArray[np.float32] = (warm * coloured * full * (hue > _CRIMSON_HUE_DEG)).astype(np.float32)
    return degree


def is_surface(lab: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Tell colours that show the fruit's surface from glare and black shadow, which say nothing about ripeness."""
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    glare = (lab[..., 0] > _GLARE_LIGHTNESS) & (chroma < _GLARE_CHROMA)
    shadow = lab[..., 0] < 6.0
    surface: npt.NDArray[np.bool_] = ~(glare | shadow)
    return surface


def ripeness_of(surface_lab: npt.NDArray[np.float32]) -> float:
    """Return the share of a fruit's visible surface that has its ripe colour, 0-1.

    Args:
        surface_lab: CIELAB colours of the fruit's pixels, shape (n, 3).
    """
    seen = surface_lab[is_surface(surface_lab)]
    if len(seen) == 0:
        seen = surface_lab
    if len(seen) == 0:
        raise ValueError("expected at least one pixel of the fruit, got none: give a mask that is not empty")
    return float(ripe_degree(seen).mean())


def ripeness_in_common_light(surfaces: Sequence[npt.NDArray[np.float32]], labelled_ripe: Sequence[bool]) -> list[float]:
    """Return the ripeness of each labelled fruit of one picture, in light in which ripe fruit looks ripe.

    The rule that stands in for labels which public pictures do not have. Many of them are colour-shifted or badly
    exposed, so where ripe fruit is labelled its median hue is turned to 36 degrees and its lightness scaled to 42, the
    usual values of ripe fruit in daylight, before the share of red surface is taken. The label has the last word: ripe
    is at least 0.5, unripe at most 0.5.

    Args:
        surfaces: CIELAB colours of each fruit's pixels, shape (n, 3) each; nan is returned for one without pixels.
        labelled_ripe: of each fruit.
    """
    shown = [s[is_surface(s)] if is_surface(s).any() else s for s in surfaces]
    ripe = [s for s, r in zip(shown, labelled_ripe, strict=True) if r and len(s)]
    turn, gain = 0.0, 1.0
    if ripe:
        lightness, a, b = (float(v) for v in np.median(np.concatenate(ripe), axis=0))
        turn = np.radians(_DAYLIGHT_HUE_DEG) - np.arctan2(b, a)
        gain = float(np.clip(_DAYLIGHT_LIGHTNESS / max(lightness, 5.0), 0.5, 2.0))
    c, s = np.cos(turn), np.sin(turn)
    to_daylight = gain * np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]], np.float32)
    shares = [float(ripe_degree(p @ to_daylight.T).mean()) if len(p) else float("nan") for p in shown]
    limited = (max(v, 0.5) if r else min(v, 0.5) for v, r in zip(shares, labelled_ripe, strict=True))
    return [v if len(p) else float("nan") for v, p in zip(limited, shown, strict=True)]


def stage_of(ripeness: float, colour: Sequence[float] | npt.NDArray[np.floating]) -> Stage:
    """Return the stage of a fruit: green and white < 0.05, turning < 0.75, ripe from 0.75; overripe is dark.

    Args:
        ripeness: share of the visible surface with its ripe colour, 0-1.
        colour: median CIELAB colour of the fruit (L, a, b).
    """
    lightness, greenness, _ = colour
    if ripeness >= RIPE_FROM:
        return Stage.OVERRIPE if lightness < _OVERRIPE_LIGHTNESS else Stage.RIPE
    if ripeness >= TURNING_FROM:
        return Stage.TURNING
    return Stage.WHITE if greenness > _WHITE_GREENNESS and lightness > 55.0 else Stage.GREEN


def to_lab(color: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Convert sRGB, shape (h, w, 3) uint8, to CIELAB with L 0-100."""
    lab: npt.NDArray[np.float32] = cv2.cvtColor(color.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    return lab
