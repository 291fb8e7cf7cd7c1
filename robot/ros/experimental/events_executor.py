"""The executor driven by events, by rclpy's name: here all are."""

from __future__ import annotations

from robot.ros.executing.single import SingleThreadedExecutor


class EventsExecutor(SingleThreadedExecutor):
    """Run callbacks one after the other, in rounds in which each entity has one turn; events alone wake it."""
