"""Kinematics: poses and Jacobian of the arm on its rail, and the joint vectors that reach a pose."""

from __future__ import annotations

from robot.kinematics.analytic import analytic, is_ur_like
from robot.kinematics.chain import camera_pose, forward, jacobian, link_frames, tool_position
from robot.kinematics.numeric import polish
from robot.kinematics.solve import manipulability, solve

__all__ = [
    "analytic",
    "camera_pose",
    "forward",
    "is_ur_like",
    "jacobian",
    "link_frames",
    "manipulability",
    "polish",
    "solve",
    "tool_position",
]
