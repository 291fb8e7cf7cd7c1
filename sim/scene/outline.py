"""The outline of a strawberry: radius, volume and how its skin is spread from calyx to tip."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def profile(t: Array) -> Array:
    """Return the radius of a strawberry over its largest, for `t` from calyx (0) to tip (1): a blunt cone."""
    shape = np.sin(np.pi * np.clip(t, 0.0, 1.0) ** 0.72) ** 0.78
    return np.asarray(shape, dtype=np.float64)


def skin_share(t: Array) -> Array:
    """Return the share of the skin that lies between the tip and `t`, for a fruit 1.2 times as long as wide."""
    grid = np.linspace(0.0, 1.0, 400)
    r = profile(grid)
    ring = 2.0 * np.pi * r * np.hypot(np.gradient(r, grid), 2.4)
    share = np.cumsum(ring[::-1])[::-1] / ring.sum()
    return np.asarray(np.interp(t, grid, share), dtype=np.float64)


def fill() -> float:
    """Return the volume of the unit fruit over that of its ellipsoid."""
    t = np.linspace(0.0, 1.0, 400)
    return float(np.trapezoid(profile(t) ** 2, t) * 2.0 / (4.0 / 3.0))
