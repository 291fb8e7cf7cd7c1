"""The last stage before the drives: no set point leaves the arm's limits, and a stop is always possible."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.safety.stopping import ACCELERATION_OF_STOP, stop_duration, stop_position

Array = npt.NDArray[np.float64]
# Shares by which one tick's finite differences may exceed a limit: interpolation between knots, not permission.
VELOCITY_SLACK, ACCELERATION_SLACK, JERK_SLACK, TOOL_SLACK = 1.01, 1.05, 1.6, 1.02
POSITION_SLACK = 1e-6  # [m, rad]
TOUCH = -0.002  # clearance below which something touches [m]: capsules are rounder than what they stand for
BRAKING_SLACK = np.array([0.004] + [0.010] * 6)  # how far beyond a limit a stop may end [m, rad]


class Limiter:
    """Judges set points one by one against the last accepted ones (R4, R5). Rejects; never bends a command.

    Args:
        arm: limits come from here only and cannot be widened.
        tool_position: forward kinematics, joints (7,) to the tool's place in the world [m].
        period: of the control loop [s].
        clearance: of a joint vector (7,) from itself and what stands around [m]; None = nothing is known of that.
    """

    def __init__(
        self,
        arm: ArmDescription,
        tool_position: Callable[[Array], tuple[float, float, float]],
        period: float,
        clearance: Callable[[Array], float] | None = None,
    ) -> None:
        self._arm = arm
        self._tool_position = tool_position
        self._period = period
        self._low, self._high = arm.position_min - POSITION_SLACK, arm.position_max + POSITION_SLACK
        self._velocity_max = arm.velocity * VELOCITY_SLACK
        self._acceleration_max = arm.acceleration * ACCELERATION_SLACK
        self._jerk_max = arm.jerk * JERK_SLACK
        self._workspace_low = tuple(arm.safety.workspace_min.tolist())
        self._workspace_high = tuple(arm.safety.workspace_max.tolist())
        self._q = np.zeros(7)
        self._v = np.zeros(7)
        self._a = np.zeros(7)
        self._tool = tool_position(self._q)
        self._tool_speed = 0.0
        self._stands = True
        self._clearance = clearance
        self._reach = reach_of_joints(arm)
        self._clear, self._clear_at = float("-inf"), self._q

    @property
    def tool_speed(self) -> float:
        """Speed of the tool between the last two accepted set points [m/s]."""
        return self._tool_speed

    def fence(self, low: float, high: float) -> None:
        """Keep the tool between two places along the row [m] from now on; never further out than the file allows."""
        safety = self._arm.safety
        self._workspace_low = (max(low, float(safety.workspace_min[0])), *self._workspace_low[1:])
        self._workspace_high = (min(high, float(safety.workspace_max[0])), *self._workspace_high[1:])

    def rest_at(self, q: Array) -> None:
        """Take a joint vector at rest as the last accepted set point, such as the measured one when drives come on."""
        self._q, self._v, self._a = q.copy(), np.zeros(7), np.zeros(7)
        self._tool, self._tool_speed, self._stands = self._tool_position(self._q), 0.0, True
        if self._clearance is not None:
            self._clear, self._clear_at = self._clearance(self._q), self._q

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
        if not (np.isfinite(q).all() and np.isfinite(velocity).all()):
            return "command_invalid"
        slack = BRAKING_SLACK if stopping else 0.0
        if (q < self._low - slack).any() or (q > self._high + slack).any():
            return "joint_limit"
        if self._stands and not velocity.any() and (q == self._q).all():
            return ""  # what stood a tick ago may go on standing
        v = (q - self._q) / self._period
        if (np.abs(v) > self._velocity_max).any() or (np.abs(velocity) > self._velocity_max).any():
            return "joint_speed"
        a = (v - self._v) / self._period
        allowed = self._acceleration_max * ACCELERATION_OF_STOP if stopping else self._acceleration_max
        if (np.abs(a) > allowed).any():
            return "joint_acceleration"
        tool = self._tool_position(q)
        moved = sum((x - p) ** 2 for x, p in zip(tool, self._tool, strict=True)) ** 0.5 / self._period
        if not stopping:
            if (np.abs(a - self._a) > self._jerk_max * self._period).any():
                return "joint_acceleration"
            if moved > min(tool_speed, self._arm.safety.tool_speed_auto) * TOOL_SLACK:
                return "tool_speed"
            if self._leaves(tool):
                return "workspace"
            wrong = self._judge_stop(q, v, a)
            if wrong:
                return wrong
        self._q, self._v, self._a, self._tool, self._tool_speed = q.copy(), v, a, tool, moved
        self._stands = not (v.any() or a.any())
        return ""

    def _judge_stop(self, q: Array, v: Array, a: Array) -> str:
        """Return what the stop from here would violate, looked at half way and at its end (R5)."""
        if not v.any():
            return "collision_risk" if self._clearance is not None and self._touches(q, self._clearance) else ""
        v = v + 0.5 * self._period * a  # of the whole tick to that of its end
        a = np.clip(a, -self._arm.acceleration, self._arm.acceleration)
        duration = stop_duration(v, a, self._arm)
        end = stop_position(q, v, a, duration)
        if (end < self._low - BRAKING_SLACK).any() or (end > self._high + BRAKING_SLACK).any():
            return "braking_distance"
        for joints in (stop_position(q, v, a, duration, 0.5), end):
            place = self._tool_position(joints)
            if self._leaves(place):
                return "braking_distance"
        return "collision_risk" if self._clearance is not None and self._touches(end, self._clearance) else ""

    def _touches(self, q: Array, clearance: Callable[[Array], float]) -> bool:
        """Tell whether a stop that ends at `q` touches something, and deeper than now: a way out of a touch stays open.

        Clearance shrinks no faster than the joints move times their reach, so it is looked at only when that may
        have used it up: far from everything once in many ticks, close to something at each.
        """
        used = float(np.abs(q - self._clear_at) @ self._reach)
        if self._clear - used >= TOUCH:
            return False
        now = clearance(q)
        if now < TOUCH and now < clearance(self._q):
            return True
        self._clear, self._clear_at = now, q.copy()
        return False

    def _leaves(self, tool: tuple[float, float, float]) -> bool:
        """Tell whether the tool goes further out than it is: a way back in stays open after work by hand."""
        outside = self._outside(tool)
        return outside > 0.0 and outside > self._outside(self._tool) + POSITION_SLACK

    def _outside(self, tool: tuple[float, float, float]) -> float:
        furthest = 0.0
        for low, x, high in zip(self._workspace_low, tool, self._workspace_high, strict=True):
            furthest = max(furthest, low - x, x - high)
        return furthest


def reach_of_joints(arm: ArmDescription) -> Array:
    """Return how far from each joint's axis the arm reaches at most, shape (7,); 1 for the rail, which carries all."""
    links = np.hypot(arm.arm.d, arm.arm.a)
    flange = float(np.linalg.norm(arm.tool.T_flange_tool[:3, 3]))
    ends = [float(np.linalg.norm(end)) for capsule in arm.arm.capsules for end in (capsule.start, capsule.end)]
    reach: Array = np.concatenate([[1.0], np.cumsum(links[::-1])[::-1] + flange + max(ends, default=0.0)])
    return reach
