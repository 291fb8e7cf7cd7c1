"""How a node's callbacks come to run: from an executor, or from the scheduler of a context driven from outside."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from robot.ros import task

if TYPE_CHECKING:
    from robot.ros.context import Context
    from robot.ros.executors import Executor


class Running:
    """The queue of a node."""

    context: Context
    _destroyed: bool

    def _init_running(self, context: Context) -> None:
        self.context = context
        self.scheduler = context.scheduler
        self._external = context.transport.external
        self._waiting: deque[Callable[[], None]] = deque()
        self._executor: Executor | None = None

    @property
    def executor(self) -> Executor | None:
        return self._executor

    @executor.setter
    def executor(self, executor: Executor | None) -> None:
        if self._executor is not None and self._executor is not executor:
            self._executor.remove_node(self)  # type: ignore[arg-type]
        self._executor = executor
        while executor is not None and self._waiting:
            executor.enqueue(self, self._waiting.popleft())  # type: ignore[arg-type]

    def post(self, callback: Callable[[], None]) -> None:
        """Run `callback` later, behind what is already due."""
        if self._external:
            self.scheduler.post(lambda: self._call(callback))
        elif self._executor is not None:
            self._executor.enqueue(self, callback)  # type: ignore[arg-type]
        else:
            self._waiting.append(callback)

    def _call(self, callback: Callable[[], None]) -> None:
        if not self._destroyed:
            callback()

    def run(self, callback: Callable[..., Any], *arguments: Any) -> task.Task[Any] | None:
        """Call a plain or `async def` callback now; return the task of a coroutine that awaits something."""
        return task.run(callback, *arguments, runner=self)

    def create_task(self, callback: Callable[..., Any], *arguments: Any) -> task.Future[Any]:
        """Run a plain or `async def` callback soon; the future gets its result."""
        return task.start(callback, *arguments, runner=self)

    def create_future(self) -> task.Future[Any]:
        return task.Future(executor=self)

    def wait_until(self, condition: Callable[[], bool], timeout_sec: float | None) -> bool:
        """Take in what arrives, running no callback, until `condition()` holds or the time is over."""
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        while not condition():
            left = None if end is None else end - time.monotonic()
            if self._external or not self.context.ok() or (left is not None and left <= 0.0):
                return condition()
            self.context.transport.poll(0.05 if left is None else min(left, 0.05))
        return True
