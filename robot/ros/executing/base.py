"""What all executors share: nodes, a queue that events fill, and the wait for it; there is no wait set to rebuild."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from itertools import repeat
from threading import get_ident
from typing import TYPE_CHECKING, Any

from robot.ros.exceptions import NotInitializedException, ROSError
from robot.ros.executing.reasons import (
    ConditionReachedException,
    ExternalShutdownException,
    ShutdownException,
    TimeoutException,
)
from robot.ros.executing.work import WorkTracker
from robot.ros.gate import Gate, Item
from robot.ros.task import Future, Task, begin
from robot.ros.transport.pump import Waiter
from robot.ros.waitable import WaitSet

if TYPE_CHECKING:
    from robot.ros.context import Context
    from robot.ros.node_parts.running import Run, Running


class TimeoutObject:
    """A timeout that changes while it runs, as rclpy passes one."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout


class Executor:
    """The base of executors, as `rclpy.executors.Executor`; a custom one overrides `spin_once`.

    Nodes may be added and entities made and destroyed from any thread while it spins.

    Args:
        context: None = the default one.
    """

    def __init__(self, *, context: Context | None = None) -> None:
        if context is None:
            from robot.ros.utilities import get_default_context

            context = get_default_context()
        self._context = context
        self._bus = context.bus
        self._pump = self._bus.pump
        self._nodes: dict[Running, None] = {}
        self._nodes_lock = threading.RLock()
        self._queue: deque[Item] = deque()
        self._gate = Gate()
        self.waiters: dict[Waiter, None] = {}
        self._until_poll = 0
        self._work_tracker = WorkTracker()
        self._is_shutdown = False
        self._is_spinning = False
        self._ready: Iterator[tuple[Task[Any], Any, Any]] | None = None
        self._ready_arguments: tuple[object, ...] = ()
        context.on_shutdown(self.wake)

    @property
    def context(self) -> Context:
        return self._context

    @property
    def is_spinning(self) -> bool:
        return self._is_spinning

    # --- nodes

    def add_node(self, node: Any) -> bool:
        """Run the callbacks of a node from here on; False when that was so already."""
        with self._nodes_lock:
            if node in self._nodes:
                return False
            other = node.executor
            if other is not None and other is not self:
                other.remove_node(node)
            self._nodes[node] = None
            node._ros_attach(self)
        self.wake()
        return True

    def remove_node(self, node: Any) -> None:
        """Leave a node's callbacks alone; what was queued for it waits for its next executor."""
        with self._nodes_lock:
            if node not in self._nodes:
                return
            del self._nodes[node]
            if node.executor is self:
                node._ros_attach(None)
            taken = [self._queue.popleft() for _ in range(len(self._queue))]
            for item in taken:
                if item[0] is node:
                    node._ros_dispatch(item[1], item[2])
                else:
                    self._queue.append(item)
            for _, entity, run in self._gate.forget(node):
                node._ros_dispatch(entity, run)
        self.wake()

    def get_nodes(self) -> list[Any]:
        with self._nodes_lock:
            return list(self._nodes)

    # --- work

    def enqueue(self, node: Running | None, entity: Any, run: Run, count: int = 1) -> None:
        """Queue a callback of an entity, `count` times; callable from any thread."""
        self._queue.extend(repeat((node, entity, run), count))
        if self.waiters:
            self.wake()

    def wake(self) -> None:
        """End a wait, so that the executor looks again; callable from any thread and from signal handlers."""
        me = get_ident()
        for waiter in tuple(self.waiters):
            if waiter.ident != me:  # the thread itself is not waiting while it is here
                waiter.nudge()

    def create_task(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Task[Any]:
        """Run a plain or `async def` callback soon; the future gets its result."""
        task: Task[Any] = Task(callback, args, kwargs, executor=self)
        self._call_task_in_next_spin(task)
        return task

    def _call_task_in_next_spin(self, task: Task[Any]) -> None:
        self.enqueue(None, None, task.step)

    def begin(self, coroutine: Coroutine[Any, Any, Any], node: Any) -> Any:
        """Run a callback's coroutine up to where it awaits; return what can be observed until it has ended, or None."""
        return begin(coroutine, node)

    def create_future(self) -> Future[Any]:
        return Future(executor=self)

    def can_execute(self, entity: Any) -> bool:
        """Tell whether a callback of the entity may start now."""
        return entity.callback_group is not None and entity.callback_group.can_execute(entity)

    def _next(self, nodes: list[Any] | None = None) -> Item | None:
        """Take and begin the next callback that may run; None when there is none."""
        if self._gate.held and (held := self._gate.next_held()) is not None:
            return held
        for _ in range(len(self._queue)):
            try:
                item = self._queue.popleft()
            except IndexError:
                return None
            self._until_poll -= 1
            if nodes is not None and item[0] is not None and item[0] not in nodes:
                self._queue.append(item)
            elif self._gate.enter(*item):
                return item
        return None

    def _ask_waitables(self) -> None:
        """Queue the waitables that are ready."""
        for node in tuple(self._nodes):
            for waitable in tuple(node._ros_waitables):
                if waitable._executor_event:
                    continue
                wait_set = WaitSet()
                waitable.add_to_wait_set(wait_set)
                if waitable.is_ready(wait_set):
                    waitable._executor_event = True
                    self._queue.append((node, waitable, partial(self._run_waitable, node, waitable)))

    @staticmethod
    def _run_waitable(node: Any, waitable: Any) -> Any:
        data = waitable.take_data()
        waitable._executor_event = False
        return node._ros_run(waitable.execute, data)

    def _run(self, item: Item) -> None:
        self._gate.run(item[1], item[2], self.wake)

    def is_running_here(self) -> bool:
        """Tell whether a callback of this executor is running on this thread."""
        return self._work_tracker.is_inside()

    def run_other(self) -> bool:
        """Run one callback that may run while another one of this executor waits; False when there is none."""
        item = self._next()  # also after a shutdown, which waits for the callback that waits
        if item is None:
            return False
        self._run(item)
        return True

    # --- waiting

    def _check(self) -> None:
        if not self._context.ok():
            raise ExternalShutdownException
        if self._pump.transport.external:
            raise ROSError("an outside scheduler runs this context: run that instead of spinning an executor")

    def _await(self, timeout_sec: float | None, condition: Callable[[], bool], nodes: list[Any] | None = None) -> Item:
        """Take and begin the next callback that may run, waiting for it.

        Raises:
            TimeoutException, ConditionReachedException, ShutdownException, ExternalShutdownException: instead.
        """
        self._check_open(condition)
        if self._until_poll <= 0:
            if self._queue or timeout_sec == 0 or self._gate.holds():  # else the wait takes in what there is
                self._pump.take_in()
            self._ask_waitables()
            self._until_poll = len(self._queue)
        item = self._next(nodes)
        if item is not None:
            return item
        if timeout_sec == 0:
            raise TimeoutException
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        waiter = Waiter(self._pump)
        self.waiters[waiter] = None
        try:
            while (item := self._next(nodes)) is None:
                self._check_open(condition)
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0.0:
                    raise TimeoutException
                waiter.wait(left)
                self._ask_waitables()
                self._until_poll = len(self._queue)
        finally:
            del self.waiters[waiter]
        return item

    def _check_open(self, condition: Callable[[], bool]) -> None:
        if self._is_shutdown:
            raise ShutdownException
        if condition():
            raise ConditionReachedException
        if not self._context.ok() or self._pump.transport.closed:
            raise ExternalShutdownException

    def _wait_for_ready_callbacks(
        self,
        timeout_sec: float | TimeoutObject | None = None,
        nodes: list[Any] | None = None,
        condition: Callable[[], bool] = lambda: False,
    ) -> Iterator[tuple[Task[Any], Any, Any]]:
        timeout = timeout_sec.timeout if isinstance(timeout_sec, TimeoutObject) else timeout_sec
        try:
            item: Item | None = self._await(timeout, condition, nodes)
        except NotInitializedException as error:
            raise ExternalShutdownException from error
        for _ in range(len(self._queue) + 1):
            if item is None:
                return
            node, entity, run = item
            yield self._as_task(entity, run), entity, node
            item = self._next(nodes)

    def _as_task(self, entity: Any, run: Run) -> Task[Any]:
        owner = getattr(run, "__self__", None)
        if entity is None and isinstance(owner, Task):
            return owner
        executor = self

        async def handler() -> None:
            rest = executor._gate.run(entity, run, executor.wake)
            if rest is not None:
                await rest

        return Task(handler, executor=self)

    def wait_for_ready_callbacks(self, *args: Any, **kwargs: Any) -> tuple[Task[Any], Any, Any]:
        """Return (task, entity, node) of a callback that is ready, for custom executors; calling the task runs it.

        Args:
            timeout_sec: None or negative = no limit, 0 = do not wait.
            nodes: only of these; None = of all.
            condition: ends the wait when it holds.

        Raises:
            TimeoutException, ConditionReachedException, ShutdownException, ExternalShutdownException: as they say.
        """
        arguments = (args, tuple(kwargs.items()))
        while True:
            if self._ready is None or self._ready_arguments != arguments:
                self._ready = iter(self._wait_for_ready_callbacks(*args, **kwargs))
                self._ready_arguments = arguments
            try:
                return next(self._ready)
            except StopIteration:
                self._ready = None
            except Exception:
                self._ready = None
                raise

    # --- spinning

    def _enter_spin(self) -> None:
        with self._nodes_lock:
            if self._is_spinning:
                raise RuntimeError("Executor is already spinning")
            self._is_spinning = True

    def spin(self) -> None:
        """Run callbacks until the executor or the context is shut down."""
        while self._context.ok() and not self._is_shutdown:
            self.spin_once()

    def spin_until_future_complete(self, future: Future[Any], timeout_sec: float | None = None) -> None:
        """Run callbacks until a future is done or cancelled, the time is over or there is a shutdown."""
        future.wake(self.wake)
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        while self._context.ok() and not future.done() and not future.cancelled() and not self._is_shutdown:
            left = None if end is None else max(0.0, end - time.monotonic())
            self.spin_once_until_future_complete(future, left)
            if end is not None and time.monotonic() >= end:
                return

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Run one callback, waiting up to `timeout_sec` (None or negative: for ever, 0: not) for it."""
        raise NotImplementedError

    def spin_once_until_future_complete(
        self, future: Future[Any], timeout_sec: float | TimeoutObject | None = None
    ) -> None:
        """Run one callback, or none when the future is done before there is one."""
        raise NotImplementedError

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Stop, and wait for callbacks that run on other threads.

        Returns:
            False when some still run after `timeout_sec` (None or negative: no limit).
        """
        self._is_shutdown = True
        self.wake()
        if not self._work_tracker.wait(timeout_sec):
            return False
        for node in self.get_nodes():
            self.remove_node(node)
        self._ready = None
        return True

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
