"""Judges a trajectory before it begins: what the limiter would refuse on the way is refused at once, with a reason."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.kinematics.many import tool_positions
from robot.motion.trajectory import Trajectory
from robot.safety.limiter import ACCELERATION_SLACK, JERK_SLACK, POSITION_SLACK, VELOCITY_SLACK

Array = npt.NDArray[np.float64]
TICK = 0.004  # [s]
TOOL_EVERY = 6  # ticks between two looks at where the tool is


def refuse(arm: ArmDescription, trajectory: Trajectory) -> str:
    """Return why a trajectory cannot be followed, or an empty text.

    Looks at positions, velocities, accelerations, jerks (as differences of one tick) and the workspace. The tool's
    speed is not judged: the loop slows a trajectory down to it.
    """
    ticks: Array = np.arange(int(trajectory.duration / TICK) + 2, dtype=np.float64) * float(TICK)
    q, v, a = trajectory.sample_many(ticks)
    jerk = np.diff(a, axis=0, prepend=a[:1] * 0.0) / TICK
    outside = np.maximum(arm.position_min - q, q - arm.position_max)
    for name, values, limit in (
        ("position", outside, np.full(7, POSITION_SLACK)),
        ("velocity", np.abs(v), arm.velocity * VELOCITY_SLACK),
        ("acceleration", np.abs(a), arm.acceleration * ACCELERATION_SLACK),
        ("jerk", np.abs(jerk), arm.jerk * JERK_SLACK),
    ):
        excess = values > limit
        if excess.any():
            tick, joint = np.argwhere(excess)[0].tolist()
            where = f"{arm.joint_names[joint]} at {ticks[tick]:.3f} s"
            if name == "position":
                low, high = arm.position_min[joint], arm.position_max[joint]
                return f"expected position in {low:.3f}..{high:.3f}, got {q[tick, joint]:.3f} for {where}"
            return f"expected {name} at most {limit[joint]:.3f}, got {values[tick, joint]:.3f} for {where}"
    return _leaves_workspace(arm, q[::TOOL_EVERY])


def slow_down(arm: ArmDescription, trajectory: Trajectory) -> Trajectory:
    """Return the trajectory, as much longer as its velocities, accelerations and jerks between the knots demand."""
    ticks: Array = np.arange(int(trajectory.duration / TICK) + 2, dtype=np.float64) * float(TICK)
    _, v, a = trajectory.sample_many(ticks)
    jerk = np.diff(a, axis=0, prepend=a[:1] * 0.0) / TICK
    factor = max(
        float((np.abs(v) / arm.velocity).max()),
        float((np.abs(a) / arm.acceleration).max()) ** 0.5,
        float((np.abs(jerk) / arm.jerk).max()) ** (1.0 / 3.0),
    )
    return trajectory if factor <= 1.0 else trajectory.slower(factor)


def _leaves_workspace(arm: ArmDescription, q: Array) -> str:
    """Return where the tool goes further out of the workspace than it is at first, or an empty text."""
    places = tool_positions(arm, q)
    low, high = arm.safety.workspace_min, arm.safety.workspace_max
    outside = np.maximum(np.maximum(low - places, places - high), 0.0).max(axis=1)
    worst = int(outside.argmax())
    if outside[worst] <= outside[0] + POSITION_SLACK:
        return ""
    x, y, z = places[worst]
    return f"expected the tool inside the workspace, got ({x:.3f}, {y:.3f}, {z:.3f}) m"
