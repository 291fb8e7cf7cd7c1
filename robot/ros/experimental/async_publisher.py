"""The publisher of an `AsyncNode`, by rclpy's name."""

from robot.ros.experimental.asyncio import AsyncPublisher

__all__ = ["AsyncPublisher"]
