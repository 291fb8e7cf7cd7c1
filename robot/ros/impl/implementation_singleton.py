"""Where scripts find the compiled part of rclpy; here it is Python too."""

from __future__ import annotations

from robot.ros import _rclpy_pybind11 as rclpy_implementation

__all__ = ["rclpy_implementation"]
