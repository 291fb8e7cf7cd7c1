"""How ripe the whole skin of a fruit is, from the side that was seen: strawberries colour from the tip upwards."""

from __future__ import annotations

import math

from robot.pick.target import Vector

SCALE, LEVEL, ABOVE = 0.8, -0.3, 1.4
"""Log odds of the whole skin's ripe share: those of the share seen times the first, plus the second, plus the third per
radian that the eye looks from above. A look from above falls on the paler shoulder, one from below on the redder tip.
Fitted to 800 looks at 216 rendered berries that colour so (elevations -0.3 to 0.5 rad); on a real row an assumption."""

COVERED_FROM, COVERED, COVERED_MOST = 0.88, 5.0, 0.8
"""Fruit of which less than the first share is seen looks paler than it is, what covers it is taken for skin: log odds
added per share missing, and at most. Of ripe fruit that was seen to 0.6-0.8, 0.10 too little was told (108 looks)."""

CERTAIN = 0.01
"""Shares nearer to 0 or 1 than this cannot be told from it."""


def elevation(eye: Vector, fruit: Vector) -> float:
    """Return how far above the level of the fruit the eye looks from [rad], both in the world [m]."""
    x, y, z = (eye - fruit).tolist()
    return math.atan2(z, math.hypot(x, y))


def whole_share(seen: float, above: float, visible: float = 1.0) -> float:
    """Return the ripe share of the whole skin, 0-1.

    Args:
        seen: ripe share of the visible side, 0-1.
        above: elevation of the eye [rad].
        visible: share of the fruit that nothing hides, 0-1.
    """
    covered = min(COVERED_MOST, COVERED * max(0.0, COVERED_FROM - visible))
    return _share(SCALE * _log_odds(seen) + LEVEL + ABOVE * above + covered)


def seen_share(whole: float, above: float) -> float:
    """Return the ripe share of the side seen from an elevation [rad]: the inverse of `whole_share` in full view."""
    return _share((_log_odds(whole) - LEVEL - ABOVE * above) / SCALE)


def _log_odds(share: float) -> float:
    kept = min(max(share, CERTAIN), 1.0 - CERTAIN)
    return math.log(kept / (1.0 - kept))


def _share(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds))
