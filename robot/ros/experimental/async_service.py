"""The service of an `AsyncNode`, by rclpy's name."""

from robot.ros.experimental.asyncio import AsyncService

__all__ = ["AsyncService"]
