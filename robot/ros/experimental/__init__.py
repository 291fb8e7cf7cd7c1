"""Executors that rclpy calls experimental."""

from robot.ros.experimental.asyncio_executor import AsyncioExecutor
from robot.ros.experimental.events_executor import EventsExecutor

__all__ = ["AsyncioExecutor", "EventsExecutor"]
