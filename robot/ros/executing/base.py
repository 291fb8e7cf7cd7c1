"""What all executors share: nodes, an agenda that events fill, and the wait for it; there is no wait set to rebuild."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any

from robot.ros.exceptions import ROSError
from robot.ros.executing import waitables
from robot.ros.executing.agenda import Agenda
from robot.ros.executing.handing_out import HandingOut
from robot.ros.executing.reasons import (
    ConditionReachedException,
    ExternalShutdownException,
    ShutdownException,
    TimeoutException,
    TimeoutObject,
)
from robot.ros.executing.work import WorkTracker
from robot.ros.gate import Item, run_entered
from robot.ros.task import Future, Task, begin
from robot.ros.transport.pump import Waiter

if TYPE_CHECKING:
    from robot.ros.context import Context
    from robot.ros.node_parts.running import Run, Running


LOOK = 5e-3  # [s] between two looks at the transport while callbacks are ready and no timer is due


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
        self._transport = self._bus.transport
        self._nodes: dict[Running, None] = {}
        self._nodes_lock = threading.RLock()
        self._agenda = Agenda()
        self._look_at = 0.0  # [monotonic s] when the transport is to be looked at again, though callbacks are ready
        self.waiters: dict[Waiter, None] = {}
        self._spare: Waiter | None = None
        self._waits_on = 0  # the thread that waits in `_await`
        self._asks = True  # there may be waitables
        self._work_tracker = WorkTracker()
        self._is_shutdown = False
        self._is_spinning = False
        self._handing_out = HandingOut()
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
            for entity, run in self._agenda.forget(node):
                node._ros_dispatch(entity, run)
        self.wake()

    def get_nodes(self) -> list[Any]:
        with self._nodes_lock:
            return list(self._nodes)

    # --- work

    def enqueue(self, node: Running | None, entity: Any, run: Run, count: int = 1) -> None:
        """Queue a callback of an entity, `count` times; callable from any thread."""
        self._agenda.add((node, entity, run, count))
        if self.waiters:
            me = self._waits_on  # it looks by itself when it has handed over what it took in, or is woken
            if self._transport.handing_over != me or len(self.waiters) > 1 or me != get_ident():
                self._nudge()

    def wake(self) -> None:
        """End a wait, so that the executor looks again; callable from any thread and from signal handlers."""
        self._asks = True
        self._nudge()

    def _nudge(self) -> None:
        for waiter in tuple(self.waiters):
            waiter.wake()

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
        return self._agenda.take(nodes)

    def _look(self) -> None:
        """Take in what has arrived and what is due, no more than the callbacks that wait leave room for."""
        self._pump.take_in(len(self._agenda))
        self._ask_waitables()
        self._look_later()

    def _look_later(self) -> None:
        """Say when to look again, though callbacks are ready: when a timer is due, and now and then for the rest."""
        left = self._pump.transport.until_due()
        self._look_at = monotonic() + (LOOK if left is None or left > LOOK else left)

    def _ask_waitables(self) -> None:
        """Queue the waitables that are ready."""
        self._asks = False  # before: one that comes meanwhile is asked next time
        if waitables.ask(tuple(self._nodes), self._agenda.add):
            self._asks = True

    def _run(self, item: Item) -> None:
        run_entered(item[1], item[2], self._agenda.held, self.wake)

    def is_running_here(self) -> bool:
        """Tell whether a callback of this executor is running on this thread."""
        return self._work_tracker.is_inside()

    def run_other(self) -> bool:
        """Run one callback that may run while another one of this executor waits; False when there is none."""
        if monotonic() >= self._look_at and self._agenda.has_ready():
            self._look()
        item = self._agenda.take()  # also after a shutdown, which waits for the callback that waits
        if item is None:
            return False
        self._run(item)
        return True

    # --- waiting

    def _check(self) -> None:
        if not self._context.ok():
            raise ExternalShutdownException
        if self._transport.external:
            raise ROSError("an outside scheduler runs this context: run that instead of spinning an executor")

    def _await(
        self, timeout_sec: float | None, condition: Callable[[], bool] | None, nodes: list[Any] | None = None
    ) -> Item:
        """Take and begin the next callback that may run, waiting for it.

        Raises:
            TimeoutException, ConditionReachedException, ShutdownException, ExternalShutdownException: instead.
        """
        agenda = self._agenda
        if timeout_sec == 0 or agenda.arrived or agenda.heap:
            self._check_open(condition)
            if monotonic() < self._look_at and (item := self._next(nodes)) is not None:
                return item
            self._look()
            if (item := self._next(nodes)) is not None:
                return item
            if timeout_sec == 0:
                raise TimeoutException
        elif self._asks:
            self._ask_waitables()
        left, end = timeout_sec, 0.0
        if left is not None and left < 0.0:
            left = None
        me = get_ident()
        waiter, self._spare = self._spare, None
        if waiter is None or waiter.ident != me:
            waiter = Waiter(self._pump)
        self.waiters[waiter] = None
        self._waits_on = me
        try:
            while not (agenda.arrived or agenda.heap or agenda.held) or (item := self._next(nodes)) is None:
                if condition is not None or self._is_shutdown or self._transport.closed or not self._context.ok():
                    self._check_open(condition)
                if left is not None:
                    now = monotonic()
                    end = end or now + left
                    left = end - now
                    if left <= 0.0:
                        raise TimeoutException
                waiter.wait(left)
                if self._asks:
                    self._ask_waitables()
        finally:
            self._waits_on = 0
            del self.waiters[waiter]
            self._spare = waiter
        if agenda.arrived or agenda.heap:
            self._look_later()
        return item

    def _check_open(self, condition: Callable[[], bool] | None) -> None:
        if self._is_shutdown:
            raise ShutdownException
        if condition is not None and condition():
            raise ConditionReachedException
        if self._transport.closed or not self._context.ok():
            raise ExternalShutdownException

    def wait_for_ready_callbacks(self, *args: Any, **kwargs: Any) -> tuple[Task[Any], Any, Any]:
        """Return (task, entity, node) of a callback that is ready, for custom executors; calling the task runs it.

        Args:
            timeout_sec: None or negative = no limit, 0 = do not wait.
            nodes: only of these; None = of all.
            condition: ends the wait when it holds.

        Raises:
            TimeoutException, ConditionReachedException, ShutdownException, ExternalShutdownException: as they say.
        """
        return self._handing_out.next(self, args, kwargs)

    # --- spinning

    def _enter_spin(self) -> None:
        if self._is_spinning:  # the interpreter lets neither thread nor signal come between
            raise RuntimeError("Executor is already spinning")
        self._is_spinning = True

    def spin(self) -> None:
        """Run callbacks until the executor or the context is shut down."""
        while self._context.ok() and not self._is_shutdown:
            self.spin_once()

    def spin_until_future_complete(self, future: Future[Any], timeout_sec: float | None = None) -> None:
        """Run callbacks until a future is done or cancelled, the time is over or there is a shutdown."""
        future.wake(self.wake)
        end = None if timeout_sec is None or timeout_sec < 0 else monotonic() + timeout_sec
        while self._context.ok() and not future.done() and not future.cancelled() and not self._is_shutdown:
            left = None if end is None else max(0.0, end - monotonic())
            self.spin_once_until_future_complete(future, left)
            if end is not None and monotonic() >= end:
                break
        future.unwake(self.wake)

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
        self._handing_out.forget()
        return True

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
