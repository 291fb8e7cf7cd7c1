"""The subscription of an `AsyncNode`, by rclpy's name."""

from robot.ros.experimental.asyncio import AsyncSubscription

__all__ = ["AsyncSubscription"]
