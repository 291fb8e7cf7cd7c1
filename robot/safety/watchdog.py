"""Watchdogs: programs that fall silent, measurements that freeze or jump, an arm that does not follow, a late loop."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription

Array = npt.NDArray[np.float64]
FROZEN_AGE = 0.05  # a stamp older than this means the measurement stands still [s]; R6
JUMP = [0.02] + [0.05] * 6  # a step beyond what full speed explains [m, rad]; R7
LAG_TICKS = 12  # set points of the last ticks count as reached: a servo follows some way behind
DRIFTS = 0.02  # share of a joint's speed from which it counts as moving
STANDING = np.array([0.008] + [0.03] * 6)  # a joint may be so far from a set point that stands still [m, rad]; R7
LOOKS = 6  # measurements over which the tool's speed is taken
OVERSPEED = 1.2  # times its limit, which is too fast for a servo that catches up
LATE_IN_A_ROW = 3  # R8
OVERLOAD, OVERLOAD_AGE = 1.1, 0.1  # times a joint's effort, for so long [s]


class Heartbeats:
    """Which of the required programs have not been heard for longer than `age` [s]; all are lost until first heard."""

    def __init__(self, required: Iterable[str], age: float) -> None:
        self._heard = dict.fromkeys(required, float("-inf"))
        self._age = age

    def beat(self, name: str, now: float) -> None:
        """Note a sign of life; programs that are not required are ignored."""
        if name in self._heard:
            self._heard[name] = now

    def lost(self, now: float) -> tuple[str, ...]:
        return tuple(name for name, at in self._heard.items() if now - at > self._age)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(self._heard)


class FeedbackWatch:
    """Judges measurements: finite, advancing, without jumps (R6, R7)."""

    def __init__(self, arm: ArmDescription) -> None:
        self._velocity: list[float] = (arm.velocity * 1.5).tolist()
        self._stamp = float("-inf")
        self._changed_at = float("-inf")
        self._position: list[float] | None = None

    def restart(self) -> None:
        """Forget the last measurement, after a pause in which the arm may have moved."""
        self._position = None
        self._stamp = self._changed_at = float("-inf")

    def judge(self, stamp: float, position: Array, velocity: Array, now: float) -> str:
        """Return the key of what is wrong with a measurement, or an empty text.

        Args:
            stamp: monotonic instant of the measurement [s].
            position: shape (7,).
            velocity: shape (7,).
            now: monotonic [s].
        """
        if position.shape != (7,) or velocity.shape != (7,):
            return "hardware_fault"
        place: list[float] = position.tolist()
        if not (all(map(math.isfinite, place)) and all(map(math.isfinite, velocity.tolist()))):
            return "hardware_fault"
        if stamp == self._stamp:
            return "sensor_frozen" if now - self._changed_at > FROZEN_AGE else ""
        if not (stamp > self._stamp and abs(now - stamp) <= FROZEN_AGE):  # one from the future would explain any leap
            return "sensor_frozen"
        elapsed = stamp - self._stamp
        previous = self._position
        self._stamp, self._changed_at, self._position = stamp, now, place
        if previous is None:
            return ""
        steps = zip(place, previous, self._velocity, JUMP, strict=True)
        return "encoder_jump" if any(abs(x - was) > fast * elapsed + jump for x, was, fast, jump in steps) else ""


class TrackingWatch:
    """How far the measured joints are from the set points of the last ticks, so that a servo's lag is no error (R7)."""

    def __init__(self, arm: ArmDescription) -> None:
        self._limit = arm.safety.tracking_error
        self._drifts = arm.velocity * DRIFTS
        self._recent = np.zeros((LAG_TICKS, 7))
        self._next = 0

    def restart(self, q: Array) -> None:
        self._recent[:] = q

    def commanded(self, q: Array) -> None:
        """Note the set point that was sent."""
        self._recent[self._next] = q
        self._next = (self._next + 1) % LAG_TICKS

    def error(self, measured: Array) -> Array:
        """Return each joint's distance from the range of recent set points [m, rad], shape (7,)."""
        low, high = self._recent.min(axis=0), self._recent.max(axis=0)
        distance: Array = np.maximum(np.maximum(low - measured, measured - high), 0.0)
        return distance

    def exceeded(self, error: Array) -> bool:
        return bool((error > self._limit).any())

    def runs_away(self, error: Array, measured: Array, velocity: Array, *, cutting: bool = False) -> bool:
        """Tell whether a joint that is too far from its set points moves further away; one that hangs back does not.

        Where the set points stand still, less is too far, and half of that while the blade is out.
        """
        low, high = self._recent.min(axis=0), self._recent.max(axis=0)
        away = np.where(measured > high, velocity, -velocity) > self._drifts
        standing = STANDING * (0.5 if cutting else 1.0)
        far = error > np.where(low == high, standing, self._limit)
        return bool((far & away).any())


class ToolWatch:
    """How fast the tool really moves: a joint that stands still makes it faster when others made up for it (R4, R7)."""

    def __init__(self, tool_position: Callable[[Array], tuple[float, float, float]]) -> None:
        self._tool_position = tool_position
        self._places: deque[tuple[float, float, float, float]] = deque(maxlen=LOOKS)
        self.speed = 0.0

    def restart(self) -> None:
        """Forget where the tool was."""
        self._places.clear()
        self.speed = 0.0

    def too_fast(self, stamp: float, measured: Array, limit: float) -> bool:
        """Tell whether the tool's measured speed is beyond `limit` [m/s] by more than a servo's ripple.

        Args:
            stamp: monotonic instant of the measurement [s].
            measured: joints, shape (7,).
        """
        if self._places and stamp <= self._places[-1][0]:
            return False
        self._places.append((stamp, *self._tool_position(measured)))
        if len(self._places) < LOOKS:
            return False
        first, last = self._places[0], self._places[-1]
        self.speed = math.dist(first[1:], last[1:]) / (last[0] - first[0])
        return self.speed > limit * OVERSPEED


class LoadWatch:
    """What the joints bear: more than their limit for longer than a start or a touch takes is an overload (R4)."""

    def __init__(self, arm: ArmDescription) -> None:
        self._limit = [math.inf, *(arm.arm.effort * OVERLOAD).tolist()]  # the rail's drive watches itself
        self._since: float | None = None

    def judge(self, stamp: float, effort: Array) -> bool:
        """Tell whether a joint is overloaded; joints without such a sensor measure NaN and never are.

        Args:
            stamp: monotonic instant of the measurement [s].
            effort: shape (7,) [N, N m].
        """
        if not any(abs(x) > most for x, most in zip(effort.tolist(), self._limit, strict=True)):
            self._since = None
            return False
        if self._since is None:
            self._since = stamp
        return stamp - self._since > OVERLOAD_AGE


class LateWatch:
    """The overrun policy: more than two periods late, or late three times in a row (R8)."""

    def __init__(self, period: float) -> None:
        self._period = period
        self._last: float | None = None
        self._in_a_row = 0

    def restart(self) -> None:
        self._last, self._in_a_row = None, 0

    def judge(self, now: float) -> tuple[bool, bool]:
        """Return whether this tick is late (more than half a period) and whether the policy asks for a stop."""
        late_by = 0.0 if self._last is None else now - self._last - self._period
        self._last = now
        late = late_by > 0.5 * self._period
        self._in_a_row = self._in_a_row + 1 if late else 0
        return late, late_by > 2.0 * self._period or self._in_a_row >= LATE_IN_A_ROW
