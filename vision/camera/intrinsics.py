"""Refuse a camera's intrinsics that cannot belong to its pictures, with the reason."""

from __future__ import annotations

import math

from vision.types import Intrinsics

FOCAL = (0.25, 8.0)
"""Focal length over the picture's longer side: 127 down to 7 degrees of view. No camera of a robot lies outside."""

CENTRE = 0.25
"""The optical axis passes at most this share of width and height from the picture's middle."""

DISTORTIONS = (0, 4, 5, 8, 12, 14)
"""Numbers of coefficients that a plumb-bob lens and its extensions have."""

STRONGEST = 5.0
"""No lens of a robot bends more: wide ones have 0.4, and rational models of them stay below one or two."""

SQUARE = 0.1
"""Pixels are square but for this share."""


def check_intrinsics(intrinsics: Intrinsics, shape: tuple[int, int]) -> None:
    """Check intrinsics against a picture of `shape` (height, width).

    Raises:
        ValueError: they are of another picture size, or no camera is like that.
    """
    c, (h, w) = intrinsics, shape
    if (c.width, c.height) != (w, h):
        raise ValueError(
            f"expected intrinsics for {w}x{h} pictures, got them for {c.width}x{c.height}: calibrate at the size in use"
        )
    if len(c.distortion) not in DISTORTIONS:
        raise ValueError(f"expected {DISTORTIONS} distortion coefficients, got {len(c.distortion)}")
    numbers = tuple(float(v) for v in (c.fx, c.fy, c.cx, c.cy, *c.distortion))
    if not all(math.isfinite(v) for v in numbers):
        raise ValueError(f"expected finite intrinsics, got {numbers}: calibrate the camera again")
    if max((abs(v) for v in c.distortion[:5]), default=0.0) > STRONGEST:
        raise ValueError(f"expected distortion of at most {STRONGEST:g}, got {c.distortion}: calibrate again")
    side = max(w, h)
    for name, focal in (("fx", c.fx), ("fy", c.fy)):
        if not FOCAL[0] * side <= focal <= FOCAL[1] * side:
            raise ValueError(
                f"expected {name} of {FOCAL[0] * side:.0f} to {FOCAL[1] * side:.0f} px for {w}x{h} pictures, "
                f"got {focal:g}: in pixels, not in millimetres"
            )
    if abs(c.fx / c.fy - 1.0) > SQUARE:
        raise ValueError(f"expected fx and fy within {SQUARE:.0%} of each other, got {c.fx:g} and {c.fy:g}")
    if abs(c.cx - w / 2) > CENTRE * w or abs(c.cy - h / 2) > CENTRE * h:
        raise ValueError(f"expected the optical axis near ({w / 2:g}, {h / 2:g}) px, got ({c.cx:g}, {c.cy:g})")
