"""The last stage before the drives: no set point leaves the arm's limits, and a stop is always possible."""

from __future__ import annotations

from collections.abc import Callable
from math import dist, isfinite

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.safety.stopping import ACCELERATION_OF_STOP, VELOCITY_OF_STOP, stop_duration, stop_shares

Array = npt.NDArray[np.float64]
Joints = list[float]
Place = tuple[float, float, float]
# Shares by which one tick's finite differences may exceed a limit: interpolation between knots, not permission.
VELOCITY_SLACK, ACCELERATION_SLACK, JERK_SLACK, TOOL_SLACK = 1.01, 1.05, 1.6, 1.02
POSITION_SLACK = 1e-6  # [m, rad]
ANYWHERE = float("-inf"), float("inf")
TOUCH = -0.002  # clearance below which something touches [m]: capsules are rounder than what they stand for
BRAKING_SLACK = np.array([0.004] + [0.010] * 6)  # how far beyond a limit a stop may end [m, rad]


class Limiter:
    """Judges set points one by one against the last accepted ones (R4, R5). Rejects; never bends a command.

    Args:
        arm: limits come from here only and cannot be widened.
        tool_position: forward kinematics, seven joints to the tool's place in the world [m].
        period: of the control loop [s].
        clearance: of a joint vector (7,) from itself and what stands around [m]; None = nothing is known of that.
    """

    def __init__(
        self,
        arm: ArmDescription,
        tool_position: Callable[[Joints], Place],
        period: float,
        clearance: Callable[[Array], float] | None = None,
    ) -> None:
        self._arm = arm
        self._tool_position = tool_position
        self._period = period
        low, high = arm.position_min, arm.position_max
        self._bounds = _lists(low - POSITION_SLACK, high + POSITION_SLACK)
        slack = POSITION_SLACK + BRAKING_SLACK
        self._bounds_of_stop = _lists(low - slack, high + slack)
        self._room_to_stop = _lists(low - slack, high + slack)
        velocity, acceleration = arm.velocity * VELOCITY_SLACK, arm.acceleration * ACCELERATION_SLACK
        self._velocity_max, self._velocity_of_stop = _lists(velocity, velocity * VELOCITY_OF_STOP)
        self._acceleration_max, self._acceleration_of_stop = _lists(acceleration, acceleration * ACCELERATION_OF_STOP)
        self._jerk_max, self._push_max = _lists(arm.jerk * JERK_SLACK * period, arm.acceleration)
        self._tool_speed_max = float(arm.safety.tool_speed_auto)
        self._workspace_low: Place = tuple(arm.safety.workspace_min.tolist())
        self._workspace_high: Place = tuple(arm.safety.workspace_max.tolist())
        self._q, self._v, self._a = [0.0] * 7, [0.0] * 7, [0.0] * 7
        self._tool = tool_position(self._q)
        self._tool_speed = 0.0
        self._stands = True
        self._clearance = clearance
        self._reach: Joints = reach_of_joints(arm).tolist()
        self._clear, self._clear_at = float("-inf"), self._q

    @property
    def tool_speed(self) -> float:
        """Speed of the tool between the last two accepted set points [m/s]."""
        return self._tool_speed

    def fence(self, low: float, high: float, rail: tuple[float, float] = ANYWHERE) -> None:
        """Keep the tool between two places along the row [m] from now on; never further out than the file allows.

        A stop under way goes on, also where a fence that was drawn in meanwhile forbids what led to it.

        Args:
            rail: between which of its positions the carriage stays [m].
        """
        safety, file = self._arm.safety, self._arm.rail
        for (lows, highs), slack in ((self._bounds, 0.0), (self._room_to_stop, float(BRAKING_SLACK[0]))):
            lows[0] = max(file.position_min, rail[0]) - POSITION_SLACK - slack
            highs[0] = min(file.position_max, rail[1]) + POSITION_SLACK + slack
        _, y, z = self._workspace_low
        self._workspace_low = max(float(safety.workspace_min[0]), low), y, z  # in this order what is no number is lost
        _, y, z = self._workspace_high
        self._workspace_high = min(float(safety.workspace_max[0]), high), y, z

    def rest_at(self, q: Array) -> None:
        """Take a joint vector at rest as the last accepted set point, such as the measured one when drives come on."""
        self._q, self._v, self._a = q.tolist(), [0.0] * 7, [0.0] * 7
        self._tool, self._tool_speed, self._stands = self._tool_position(self._q), 0.0, True
        if self._clearance is not None:
            self._clear, self._clear_at = self._clearance(q), self._q

    def judge(self, q: Array, velocity: Array, *, tool_speed: float, stopping: bool = False) -> str:
        """Accept a set point or return the key of what is wrong with it; a rejected one leaves no trace.

        Args:
            q: joints, shape (7,).
            velocity: feed-forward, shape (7,).
            tool_speed: limit in the present state [m/s]; the file's automatic limit caps it.
            stopping: a stop is under way: workspace, tool speed and jerk no longer forbid to go on with it.
        """
        if q.shape != (7,) or velocity.shape != (7,):
            return "command_invalid"
        place, given = q.tolist(), velocity.tolist()
        if not (all(map(isfinite, place)) and all(map(isfinite, given))):
            return "command_invalid"
        if _leave(place, self._q, self._bounds_of_stop if stopping else self._bounds):
            return "joint_limit"
        if self._stands and place == self._q and not any(given):
            return ""  # what stood a tick ago may go on standing
        v = [(x - before) / self._period for x, before in zip(place, self._q, strict=True)]
        fastest = self._velocity_of_stop if stopping else self._velocity_max
        if _exceed(v, fastest) or _exceed(given, fastest):
            return "joint_speed"
        a = [(x - before) / self._period for x, before in zip(v, self._v, strict=True)]
        if _exceed(a, self._acceleration_of_stop if stopping else self._acceleration_max):
            return "joint_acceleration"
        tool = self._tool_position(place)
        moved = dist(tool, self._tool) / self._period
        if not stopping:
            if _exceed([x - before for x, before in zip(a, self._a, strict=True)], self._jerk_max):
                return "joint_acceleration"
            if moved > min(tool_speed, self._tool_speed_max) * TOOL_SLACK:
                return "tool_speed"
            if self._leaves(tool):
                return "workspace"
            wrong = self._judge_stop(place, v, a)
            if wrong:
                return wrong
        self._q, self._v, self._a, self._tool, self._tool_speed = place, v, a, tool, moved
        self._stands = not (any(v) or any(a))
        return ""

    def _judge_stop(self, q: Joints, v: Joints, a: Joints) -> str:
        """Return what the stop from here would violate, looked at half way and at its end (R5)."""
        if not any(v):
            return "collision_risk" if self._clearance is not None and self._touches(q, self._clearance) else ""
        v = [x + 0.5 * self._period * push for x, push in zip(v, a, strict=True)]  # of the whole tick to its end's
        a = [min(max(push, -most), most) for push, most in zip(a, self._push_max, strict=True)]
        duration = stop_duration(v, a, self._arm)
        half, end = _carried(q, v, a, stop_shares(duration, 0.5)), _carried(q, v, a, stop_shares(duration))
        if _leave(end, q, self._room_to_stop):
            return "braking_distance"
        if self._leaves(self._tool_position(half)) or self._leaves(self._tool_position(end)):
            return "braking_distance"
        return "collision_risk" if self._clearance is not None and self._touches(end, self._clearance) else ""

    def _touches(self, q: Joints, clearance: Callable[[Array], float]) -> bool:
        """Tell whether a stop that ends at `q` touches something, and deeper than now: a way out of a touch stays open.

        Clearance shrinks no faster than the joints move times their reach, so it is looked at only when that may
        have used it up: far from everything once in many ticks, close to something at each.
        """
        used = sum(abs(x - at) * reach for x, at, reach in zip(q, self._clear_at, self._reach, strict=True))
        if self._clear - used >= TOUCH:
            return False
        now = clearance(np.array(q))
        if now < TOUCH and now < clearance(np.array(self._q)):
            return True
        self._clear, self._clear_at = now, q
        return False

    def _leaves(self, tool: Place) -> bool:
        """Tell whether the tool goes further out than it is: a way back in stays open after work by hand."""
        outside = self._outside(tool)
        return outside > 0.0 and outside > self._outside(self._tool) + POSITION_SLACK

    def _outside(self, tool: Place) -> float:
        furthest = 0.0
        for low, x, high in zip(self._workspace_low, tool, self._workspace_high, strict=True):
            furthest = max(furthest, low - x, x - high)
        return furthest


def _lists(*arrays: Array) -> tuple[Joints, ...]:
    return tuple(array.tolist() for array in arrays)


def _leave(values: Joints, before: Joints, bounds: tuple[Joints, ...]) -> bool:
    """Tell whether a joint goes further out than it was: one that was brought there by hand may come back."""
    low, high = bounds
    places = zip(values, before, low, high, strict=True)
    return any((x < a and x < was) or (x > b and x > was) for x, was, a, b in places)


def _exceed(values: Joints, limits: Joints) -> bool:
    return any(abs(x) > most for x, most in zip(values, limits, strict=True))


def _carried(q: Joints, v: Joints, a: Joints, shares: tuple[float, float]) -> Joints:
    by_v, by_a = shares
    return [x + speed * by_v + push * by_a for x, speed, push in zip(q, v, a, strict=True)]


def reach_of_joints(arm: ArmDescription) -> Array:
    """Return how far from each joint's axis the arm reaches at most, shape (7,); 1 for the rail, which carries all."""
    links = np.hypot(arm.arm.d, arm.arm.a)
    flange = float(np.linalg.norm(arm.tool.T_flange_tool[:3, 3]))
    ends = [float(np.linalg.norm(end)) for capsule in arm.arm.capsules for end in (capsule.start, capsule.end)]
    reach: Array = np.concatenate([[1.0], np.cumsum(links[::-1])[::-1] + flange + max(ends)])
    return reach
