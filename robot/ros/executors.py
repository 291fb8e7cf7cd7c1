"""Run the callbacks of nodes: a queue filled by events, with no wait set to rebuild."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from robot.ros import task
from robot.ros.exceptions import ROSError

if TYPE_CHECKING:
    from robot.ros.context import Context
    from robot.ros.node import Node

SOME_MAX = 1000  # callbacks of one spin_some, in case they post for ever


class ExternalShutdownException(Exception):  # noqa: N818 (rclpy's name)
    """The context was shut down while an executor was spinning."""


class Executor:
    """Run callbacks one after the other in the order in which their events came, as `rclpy.executors`.

    Args:
        context: None = the default one made by `robot.ros.init`.
    """

    def __init__(self, *, context: Context | None = None) -> None:
        if context is None:
            from robot.ros import get_default_context

            context = get_default_context()
        self.context = context
        self._nodes: list[Node] = []
        self._queue: deque[tuple[Node | None, Callable[[], None]]] = deque()
        self._transport = context.transport
        self._until_poll = 0
        self._stopped = False

    def add_node(self, node: Node) -> bool:
        if node in self._nodes:
            return False
        self._nodes.append(node)
        node.executor = self
        return True

    def remove_node(self, node: Node) -> None:
        if node in self._nodes:
            self._nodes.remove(node)
            kept = [item for item in self._queue if item[0] is not node]
            self._queue = deque(kept)
            node.executor = None

    def get_nodes(self) -> list[Node]:
        return list(self._nodes)

    def enqueue(self, node: Node, callback: Callable[[], None]) -> None:
        self._queue.append((node, callback))

    def post(self, callback: Callable[[], None]) -> None:
        self._queue.append((None, callback))

    def create_task(self, callback: Callable[..., Any], *arguments: Any) -> task.Future[Any]:
        return task.start(callback, *arguments, runner=self)

    def create_future(self) -> task.Future[Any]:
        return task.Future(executor=self)

    # --- spinning

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Run at most one callback, waiting up to `timeout_sec` (None or negative: for ever) for it."""
        self._check()
        if not self._queue:
            self._wait(timeout_sec)
        elif self._until_poll <= 0:
            self._poll(0.0)
        if self._queue:
            self._until_poll -= 1
            self._queue.popleft()[1]()

    def spin_some(self, max_duration_sec: float | None = None) -> int:
        """Run everything that is ready and what that makes ready, without waiting; return how many callbacks ran.

        It stops after SOME_MAX callbacks or `max_duration_sec`. Not in rclpy: made for loops with a tick of their own.
        """
        self._check()
        self._poll(0.0)
        end = None if max_duration_sec is None else time.monotonic() + max_duration_sec
        ran = 0
        for _ in range(SOME_MAX):
            if not self._queue or (end is not None and time.monotonic() >= end):
                break
            self._queue.popleft()[1]()
            ran += 1
        return ran

    def spin(self) -> None:
        """Run callbacks until the executor or the context is shut down."""
        while not self._stopped and self.context.ok():
            self.spin_once()

    def spin_until_future_complete(self, future: task.Future[Any], timeout_sec: float | None = None) -> None:
        self._spin_until(future.done, timeout_sec)

    def spin_once_until_future_complete(self, future: task.Future[Any], timeout_sec: float | None = None) -> None:
        if not future.done():
            self.spin_once(timeout_sec)

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        self._stopped = True
        for node in tuple(self._nodes):
            self.remove_node(node)
        if self.context.ok():
            self._transport.wake()
        return True

    def wake(self) -> None:
        """End a spin that waits; callable from any thread and from signal handlers."""
        self._transport.wake()

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def _spin_until(self, condition: Callable[[], bool], timeout_sec: float | None) -> None:
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        while not condition() and not self._stopped:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0.0:
                return
            self.spin_once(left)

    def _check(self) -> None:
        if not self.context.ok():
            raise ExternalShutdownException("the context was shut down")
        if self._transport.external:
            raise ROSError("an outside scheduler runs this context: run that instead of spinning an executor")

    def _wait(self, timeout_sec: float | None) -> None:
        if timeout_sec is None or timeout_sec < 0:
            while not self._queue and not self._stopped:
                self._poll(None)
            return
        end = time.monotonic() + timeout_sec
        self._poll(timeout_sec)
        while not self._queue and not self._stopped and (left := end - time.monotonic()) > 0.0:
            self._poll(left)

    def _poll(self, timeout: float | None) -> None:
        if self._transport.closed:
            raise ExternalShutdownException("the context was shut down")
        self._transport.poll(timeout)
        self._until_poll = len(self._queue)


class SingleThreadedExecutor(Executor):
    """The one executor there is so far."""
