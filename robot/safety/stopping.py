"""The stop: all joints together, on the path they are on, in the shortest time their limits allow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription

Array = npt.NDArray[np.float64]
# A stop may use these multiples of what planned motion may: then one is never longer than the deceleration planned.
ACCELERATION_OF_STOP, JERK_OF_STOP = 1.2, 2.0
SHORTEST = 0.02  # [s]


def stop_duration(v: Array, a: Array, arm: ArmDescription) -> float:
    """Return the time in which every joint can stop [s].

    Over the share u = t / T of the stop, velocity is v (1 - 3u^2 + 2u^3) + a T (u - 2u^2 + u^3): it begins with v and a
    and ends with neither. Its acceleration stays below 1.5 |v| / T, plus |a| / 3 when a speeds up. Its jerk is
    6 |v| / T^2 + 4 |a| / T at first then; when a already brakes, 4 |a| / T - 6 |v| / T^2 at first and
    6 |v| / T^2 - 2 |a| / T at last.

    Args:
        v: velocity, shape (7,).
        a: acceleration within the limits, shape (7,).
    """
    speed, push, jerk = np.abs(v), np.abs(a), JERK_OF_STOP * arm.jerk
    faster = v * a >= 0.0
    room = ACCELERATION_OF_STOP * arm.acceleration - np.where(faster, push / 3.0, 0.0)
    square, room_jerk = 4.0 * push * push, 6.0 * jerk * speed
    speeding = 2.0 * push + np.sqrt(square + room_jerk)
    first = np.where(square > room_jerk, 2.0 * push + np.sqrt(np.maximum(square - room_jerk, 0.0)), 0.0)
    last = np.sqrt(0.25 * square + room_jerk) - push
    by_jerk = np.where(faster, speeding, np.maximum(first, last)) / jerk
    return max(float((1.5 * speed / room).max()), float(by_jerk.max()), SHORTEST)


def stop_position(q: Array, v: Array, a: Array, duration: float, share: float = 1.0) -> Array:
    """Return where the joints are after `share` (0-1) of such a stop, shape (7,)."""
    u = share
    by_v = duration * (u - u**3 + 0.5 * u**4)
    by_a = duration**2 * (0.5 * u**2 - 2.0 / 3.0 * u**3 + 0.25 * u**4)
    position: Array = q + v * by_v + a * by_a
    return position
