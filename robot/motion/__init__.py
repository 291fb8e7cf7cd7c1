"""Motion: jerk-limited trajectories between joint vectors, along straight lines, and to a stop."""

from __future__ import annotations

from robot.motion.brake import brake, brake_along
from robot.motion.check import refuse, slow_down
from robot.motion.plan import MotionError, joint_move, line_move, rebase, within_limits
from robot.motion.trajectory import Trajectory

__all__ = [
    "MotionError",
    "Trajectory",
    "brake",
    "brake_along",
    "joint_move",
    "line_move",
    "rebase",
    "refuse",
    "slow_down",
    "within_limits",
]
