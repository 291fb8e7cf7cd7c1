"""Check that a camera really shows something: not frozen, dark, overexposed, blurred or without depth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from vision.types import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfcheckSettings:
    """Limits of the camera's self-check.

    Attributes:
        frozen_after: identical pictures in a row; a living sensor's noise never gives two, and with frames exposed only
            when asked for, a second one believed would put berries where the camera was before.
        dark_level: 95th percentile of grey below which no berry can be told, 0-255.
        bright_share: share of clipped pixels above which colours are lost; white film in the sun alone stays below.
        blurred_below: ratio of fine to coarse contrast; sharp pictures of plants lie above 0.2, fogged ones below 0.09.
        veiled_below: standard deviation of grey; plants give more than 30, a veil of dew or dirt less than this.
        depth_share: share of pixels that need a depth.
        shortest_side: a photograph with a shorter side shows no fruit with anything around it [px].
    """

    frozen_after: int = 2
    dark_level: float = 30.0
    bright_share: float = 0.6
    blurred_below: float = 0.09
    veiled_below: float = 12.0
    depth_share: float = 0.05
    shortest_side: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfcheckState:
    """What the check remembers between frames; begin with `SelfcheckState()`."""

    fingerprint: int | None = None
    repeats: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    grey: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32] | None = None
    repeats: int = 0


def _frozen(view: _View, s: SelfcheckSettings) -> bool:
    return view.repeats + 1 >= s.frozen_after


def _dark(view: _View, s: SelfcheckSettings) -> bool:
    return float(np.percentile(view.grey, 95)) < s.dark_level


def _bright(view: _View, s: SelfcheckSettings) -> bool:
    return float((view.grey >= 250).mean()) > s.bright_share


def _blurred(view: _View, s: SelfcheckSettings) -> bool:
    if _dark(view, s) or _bright(view, s):
        return False
    return sharpness(view.grey) < s.blurred_below or float(view.grey.std()) < s.veiled_below


def _narrow(view: _View, s: SelfcheckSettings) -> bool:
    return bool(min(view.grey.shape) < s.shortest_side)


def _without_depth(view: _View, s: SelfcheckSettings) -> bool:
    depth = view.depth
    return depth is not None and float((np.isfinite(depth) & (depth > 0)).mean()) < s.depth_share


_Check = tuple[str, Callable[[_View, SelfcheckSettings], bool]]
_PICTURE: tuple[_Check, ...] = (
    ("camera_dark", _dark),
    ("camera_bright", _bright),
    ("camera_blurred", _blurred),
)
_CHECKS: tuple[_Check, ...] = (("camera_frozen", _frozen), *_PICTURE, ("depth_missing", _without_depth))
FAULT_KEYS = tuple(key for key, _ in _CHECKS)


def check(
    frame: Frame, state: SelfcheckState, settings: SelfcheckSettings | None = None
) -> tuple[tuple[str, ...], SelfcheckState]:
    """Return the keys of the faults that a frame shows, and what to remember for the next one."""
    s = settings or SelfcheckSettings()
    fingerprint = hash(frame.color.tobytes())
    repeats = state.repeats + 1 if fingerprint == state.fingerprint else 0
    view = _View(grey=_small(frame.color), depth=frame.depth, repeats=repeats)
    faults = tuple(key for key, shows in _CHECKS if shows(view, s))
    return faults, replace(state, fingerprint=fingerprint, repeats=repeats)


def picture_faults(color: npt.NDArray[np.uint8], settings: SelfcheckSettings | None = None) -> tuple[str, ...]:
    """Return the keys of the faults that a single picture shows: dark, overexposed, blurred or too small.

    It may show anything, so little contrast alone (a fruit before a plain wall) is no veil, as it is in a camera's row.

    Args:
        color: RGB, shape (h, w, 3).
    """
    view, s = _View(grey=_small(color)), settings or SelfcheckSettings(veiled_below=0.0)
    return tuple(key for key, shows in (*_PICTURE, ("picture_small", _narrow)) if shows(view, s))


def _small(color: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return every so many pixels in grey, the shorter side 240 to 479 px."""
    step = max(1, min(color.shape[:2]) // 240)
    grey: npt.NDArray[np.uint8] = cv2.cvtColor(np.ascontiguousarray(color[::step, ::step]), cv2.COLOR_RGB2GRAY)
    return grey


def sharpness(grey: npt.NDArray[np.uint8]) -> float:
    """Return the fine contrast (detail under about 3 px) over the coarse one of a picture; near 0 when blurred.

    Args:
        grey: shape (h, w).
    """
    picture = grey.astype(np.float32)
    fine = picture - cv2.GaussianBlur(picture, (0, 0), 1.5)
    coarse = cv2.GaussianBlur(picture, (0, 0), 1.5) - cv2.GaussianBlur(picture, (0, 0), 12.0)
    return float(fine.std() / max(float(coarse.std()), 4.0))
