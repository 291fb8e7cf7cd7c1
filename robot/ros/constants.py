"""Numbers by rclpy's names."""

from __future__ import annotations

from robot.ros.duration import NANOSECONDS

S_TO_NS = NANOSECONDS
