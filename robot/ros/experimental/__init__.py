"""What rclpy calls experimental: executors, and nodes for asyncio."""

from robot.ros.experimental.asyncio import (
    AsyncClient,
    AsyncClock,
    AsyncNode,
    AsyncPublisher,
    AsyncService,
    AsyncSubscription,
    AsyncTimer,
)
from robot.ros.experimental.asyncio_executor import AsyncioExecutor
from robot.ros.experimental.events_executor import EventsExecutor

__all__ = [
    "AsyncClient",
    "AsyncClock",
    "AsyncNode",
    "AsyncPublisher",
    "AsyncService",
    "AsyncSubscription",
    "AsyncTimer",
    "AsyncioExecutor",
    "EventsExecutor",
]
