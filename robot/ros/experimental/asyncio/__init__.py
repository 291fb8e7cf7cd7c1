"""Nodes for asyncio, by rclpy's names."""

from robot.ros.experimental.async_client import AsyncClient
from robot.ros.experimental.async_clock import AsyncClock
from robot.ros.experimental.async_node import AsyncNode
from robot.ros.publisher import Publisher as AsyncPublisher
from robot.ros.service import Service as AsyncService
from robot.ros.subscription import Subscription as AsyncSubscription
from robot.ros.timer import Timer as AsyncTimer

__all__ = [
    "AsyncClient",
    "AsyncClock",
    "AsyncNode",
    "AsyncPublisher",
    "AsyncService",
    "AsyncSubscription",
    "AsyncTimer",
]
