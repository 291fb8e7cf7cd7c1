"""The last stage before the drives: no set point leaves the arm's limits, and a stop is always possible."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription

Array = npt.NDArray[np.float64]
# Shares by which one tick's finite differences may exceed a limit: interpolation between knots, not permission.
VELOCITY_SLACK, ACCELERATION_SLACK, JERK_SLACK, TOOL_SLACK = 1.01, 1.05, 1.6, 1.02
POSITION_SLACK = 1e-6  # [m, rad]


class Limiter:
    """Judges set points one by one against the last accepted ones (R4, R5). Rejects; never bends a command.

    Args:
        arm: limits come from here only and cannot be widened.
        tool_position: forward kinematics, joints (7,) to the tool's place in the world [m].
        period: of the control loop [s].
    """

    def __init__(
        self, arm: ArmDescription, tool_position: Callable[[Array], tuple[float, float, float]], period: float
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

    @property
    def tool_speed(self) -> float:
        """Speed of the tool between the last two accepted set points [m/s]."""
        return self._tool_speed

    def rest_at(self, q: Array) -> None:
        """Take a joint vector at rest as the last accepted set point, such as the measured one when drives come on."""
        self._q, self._v, self._a = q.copy(), np.zeros(7), np.zeros(7)
        self._tool, self._tool_speed = self._tool_position(self._q), 0.0

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
        if (q < self._low).any() or (q > self._high).any():
            return "joint_limit"
        v = (q - self._q) / self._period
        if (np.abs(v) > self._velocity_max).any() or (np.abs(velocity) > self._velocity_max).any():
            return "joint_speed"
        a = (v - self._v) / self._period
        if (np.abs(a) > self._acceleration_max).any():
            return "joint_acceleration"
        tool = self._tool_position(q)
        moved = sum((x - p) ** 2 for x, p in zip(tool, self._tool, strict=True)) ** 0.5 / self._period
        if not stopping:
            if (np.abs(a - self._a) > self._jerk_max * self._period).any():
                return "joint_acceleration"
            if moved > min(tool_speed, self._arm.safety.tool_speed_auto) * TOOL_SLACK:
                return "tool_speed"
            if not self._inside(tool) and self._leaves(tool):
                return "workspace"
            wrong = self._judge_stop(q, v, a)
            if wrong:
                return wrong
        self._q, self._v, self._a, self._tool, self._tool_speed = q.copy(), v, a, tool, moved
        return ""

    def _judge_stop(self, q: Array, v: Array, a: Array) -> str:
        """Return what the fastest stop from here would violate (R5)."""
        if not v.any():
            return ""
        end = stopping_position(q, v, np.clip(a, -self._arm.acceleration, self._arm.acceleration), self._arm)
        if (end < self._low).any() or (end > self._high).any():
            return "braking_distance"
        place = self._tool_position(end)
        return "" if self._inside(place) or not self._leaves(place) else "braking_distance"

    def _inside(self, tool: tuple[float, float, float]) -> bool:
        return all(
            low <= x <= high for low, x, high in zip(self._workspace_low, tool, self._workspace_high, strict=True)
        )

    def _leaves(self, tool: tuple[float, float, float]) -> bool:
        """Tell whether the tool goes further out than it is: a way back in stays open after work by hand."""
        return self._outside(tool) > self._outside(self._tool) + POSITION_SLACK

    def _outside(self, tool: tuple[float, float, float]) -> float:
        furthest = 0.0
        for low, x, high in zip(self._workspace_low, tool, self._workspace_high, strict=True):
            furthest = max(furthest, low - x, x - high)
        return furthest


def stopping_position(q: Array, v: Array, a: Array, arm: ArmDescription) -> Array:
    """Return where each joint comes to rest with its fastest jerk-limited stop, shape (7,).

    The acceleration goes to -p at full jerk, stays there when p is the limit, and returns to 0 at full jerk; with
    v >= 0, p^2 = J v + a^2 / 2.

    Args:
        q: position, shape (7,).
        v: velocity, shape (7,).
        a: acceleration within the limits, shape (7,).
    """
    A, J = arm.acceleration, arm.jerk
    sign = np.where(v < 0.0, -1.0, 1.0)
    v, a = v * sign, a * sign
    peak = np.sqrt(J * v + 0.5 * a * a)
    p = np.maximum(np.minimum(peak, A), -a)
    hold = np.where(peak > A, (v + 0.5 * a * a / J - A * A / J) / A, 0.0)
    t1, t3 = (a + p) / J, p / J
    v1 = v + a * t1 - 0.5 * J * t1 * t1
    v2 = v1 - p * hold
    distance = t1 * (v + t1 * (0.5 * a - J * t1 / 6.0)) + hold * (v1 - 0.5 * p * hold)
    distance = distance + t3 * (v2 + t3 * (-0.5 * p + J * t3 / 6.0))
    end: Array = q + sign * distance
    return end
