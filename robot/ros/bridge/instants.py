"""Which instants a message from elsewhere may bear."""

from __future__ import annotations

LATEST = 1e10  # [epoch s], in the year 2286; ROS's own times are at an end in 2038


def is_possible(stamp: float) -> bool:
    """Tell whether an instant [epoch s] is one; NaN is none, and would stop a node that asks for it."""
    return 0.0 <= stamp < LATEST
