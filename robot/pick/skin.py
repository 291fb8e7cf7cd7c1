"""How ripe the whole skin of a fruit is, from the side that was seen: strawberries colour from the tip upwards."""

from __future__ import annotations

import math

from robot.pick.target import Vector

ABOVE, LEVEL = 1.6, -0.30
"""A look from above falls on the paler shoulder, one from below on the redder tip: what is added to the log odds of the
ripe share per radian of elevation, and for a level look. Fitted to 330 looks at rendered fruit that colours from the
tip (0.5 to 0.97 ripe, elevations -0.3 to 0.5 rad); assumption until a real row is looked at so."""

CERTAIN = 0.01
"""Shares nearer to 0 or 1 than this are taken for that."""


def elevation(eye: Vector, fruit: Vector) -> float:
    """Return how far above the level of the fruit the eye looks from [rad], both in the world [m]."""
    x, y, z = (eye - fruit).tolist()
    return math.atan2(z, math.hypot(x, y))


def whole_share(seen: float, above: float) -> float:
    """Return the ripe share of the whole skin, 0-1.

    Args:
        seen: ripe share of the visible side, 0-1.
        above: elevation of the eye [rad].
    """
    return _shifted(seen, LEVEL + ABOVE * above)


def seen_share(whole: float, above: float) -> float:
    """Return the ripe share of the side seen from an elevation [rad]: the inverse of `whole_share`."""
    return _shifted(whole, -LEVEL - ABOVE * above)


def _shifted(share: float, by: float) -> float:
    if not CERTAIN <= share <= 1.0 - CERTAIN:
        return share
    odds = math.log(share / (1.0 - share)) + by
    return 1.0 / (1.0 + math.exp(-odds))
