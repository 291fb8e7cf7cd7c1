"""Motion: jerk-limited trajectories between joint vectors, along straight lines, and to a stop."""

from __future__ import annotations

from robot.motion.brake import brake, brake_along, stops
from robot.motion.check import refuse, slow_down
from robot.motion.faster import quicken
from robot.motion.plan import MotionError, joint_move, line_move, rebase, within_limits
from robot.motion.trajectory import Trajectory

__all__ = [
    "MotionError",
    "Trajectory",
    "brake",
    "brake_along",
    "joint_move",
    "line_move",
    "quicken",
    "rebase",
    "refuse",
    "slow_down",
    "stops",
    "within_limits",
]
