"""rclpy's Node with what our nodes use beyond it: a scheduler that calls back later."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

Base: Any = import_module("rclpy.node").Node
NANOSECONDS = 1_000_000_000


class Later:
    """A call that is due once, on a timer of the node."""

    def __init__(self, node: Any, callback: Callable[[], None], delay: float) -> None:
        self._node, self._callback = node, callback
        self._timer: Any = node.create_timer(max(delay, 0.0), self._fire)

    def _fire(self) -> None:
        self.cancel()
        self._callback()

    def cancel(self) -> None:
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None


class Scheduler:
    """The node's clock and timers, in the shape of `robot.ros.scheduler.Scheduler`."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def now(self) -> float:
        """Return the node's time [s]: simulated where `use_sim_time` is set."""
        return float(self._node.get_clock().now().nanoseconds) / NANOSECONDS

    monotonic = now

    def post(self, callback: Callable[[], None], *, delay: float = 0.0) -> Later:
        return Later(self._node, callback, delay)


class Node(Base):  # type: ignore[misc]
    """A node of ROS 2 that our nodes can be built on."""

    def __init__(self, node_name: str, **options: Any) -> None:
        super().__init__(node_name, **options)
        self.scheduler = Scheduler(self)
