"""The stop: all joints together, on the path they are on, in the shortest time their limits allow.

Written with plain floats, as the limiter asks at every tick: seven joints cost more array overhead than arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription

Array = npt.NDArray[np.float64]
# A stop may use these multiples of what planned motion may: then one is never longer than the deceleration planned.
ACCELERATION_OF_STOP, JERK_OF_STOP = 1.2, 2.0
# A stop that begins at full speed and full acceleration is 1.13 times as fast for a moment: it bends a down, never v.
VELOCITY_OF_STOP = 1.15
SHORTEST = 0.02  # [s]


@lru_cache(maxsize=8)
def _limits(arm: ArmDescription) -> tuple[list[float], list[float]]:
    """Return acceleration and jerk that a stop may use, of each joint."""
    return (ACCELERATION_OF_STOP * arm.acceleration).tolist(), (JERK_OF_STOP * arm.jerk).tolist()


def stop_duration(v: Array | Sequence[float], a: Array | Sequence[float], arm: ArmDescription) -> float:
    """Return the time in which every joint can stop [s].

    Over the share u = t / T of the stop, velocity is v (1 - 3u^2 + 2u^3) + a T (u - 2u^2 + u^3): it begins with v and a
    and ends with neither. Its acceleration stays below 1.5 |v| / T, plus |a| / 3 when a speeds up. Its jerk is
    6 |v| / T^2 + 4 |a| / T at first then; when a already brakes, 4 |a| / T - 6 |v| / T^2 at first and
    6 |v| / T^2 - 2 |a| / T at last.

    Args:
        v: velocity, shape (7,).
        a: acceleration within the limits, shape (7,).
    """
    longest = SHORTEST
    for speed, push, room, jerk in zip(v, a, *_limits(arm), strict=True):
        speeds_up = speed * push >= 0.0
        speed, push = abs(speed), abs(push)  # noqa: PLW2901
        square, room_jerk = 4.0 * push * push, 6.0 * jerk * speed
        if speeds_up:
            by_acceleration = 1.5 * speed / (room - push / 3.0)
            by_jerk = (2.0 * push + sqrt(square + room_jerk)) / jerk
        else:
            by_acceleration = 1.5 * speed / room
            first = 2.0 * push + sqrt(square - room_jerk) if square > room_jerk else 0.0
            by_jerk = max(first, sqrt(0.25 * square + room_jerk) - push) / jerk
        longest = max(longest, by_acceleration, by_jerk)
    return float(longest)


def stop_shares(duration: float, share: float = 1.0) -> tuple[float, float]:
    """Return by how much velocity [s] and acceleration [s^2] carry on until `share` (0-1) of a stop is over."""
    u = share
    by_v = duration * (u - u**3 + 0.5 * u**4)
    by_a = duration**2 * (0.5 * u**2 - 2.0 / 3.0 * u**3 + 0.25 * u**4)
    return by_v, by_a


def stop_position(q: Array, v: Array, a: Array, duration: float, share: float = 1.0) -> Array:
    """Return where the joints are after `share` (0-1) of such a stop, shape (7,)."""
    by_v, by_a = stop_shares(duration, share)
    position: Array = q + v * by_v + a * by_a
    return position
