"""The timer of an `AsyncNode`, by rclpy's name."""

from robot.ros.experimental.asyncio import AsyncTimer

__all__ = ["AsyncTimer"]
