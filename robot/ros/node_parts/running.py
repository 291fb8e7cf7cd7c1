"""How a node's callbacks come to run: from an executor, or from the scheduler of a context driven from outside."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from itertools import repeat
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from robot.ros import task
from robot.ros.exceptions import ROSInterruptException
from robot.ros.gate import Gate

if TYPE_CHECKING:
    from robot.ros.context import Context
    from robot.ros.executors import Executor

Run = Callable[[], Any]


class Tasks:
    """Run tasks, and what waits for futures, on whatever executor a node has."""

    def __init__(self, node: Running) -> None:
        self._node = node

    def create_task(self, callback: Callable[..., Any], *arguments: Any, **keywords: Any) -> task.Task[Any]:
        """Run a plain or `async def` callback soon; the future gets its result."""
        made: task.Task[Any] = task.Task(callback, arguments, keywords, executor=self)
        self._call_task_in_next_spin(made)
        return made

    def _call_task_in_next_spin(self, made: task.Task[Any]) -> None:
        self._node._ros_dispatch(None, made.step)

    def create_future(self) -> task.Future[Any]:
        return task.Future(executor=self)


class Running:
    """The queue of a node.

    What rclpy's nodes do not have is called `_ros_…` here, so that subclasses may use every other name.
    """

    context: Context
    _ros_destroyed: bool
    _ros_owned: dict[int, Any]

    def _ros_init_running(self, context: Context) -> None:
        self.context = self._context = context  # the second is rclpy's own name for it
        self._ros_scheduler = context.scheduler
        self._ros_tasks = Tasks(self)
        self._ros_external = context.transport.external
        self._ros_waiting: deque[tuple[Any, Run]] = deque()
        self._ros_executor: ReferenceType[Executor] | None = None
        self._ros_waitables: dict[Any, None] = {}
        self._ros_gate = Gate()  # of a context driven from outside; otherwise the executor has one

    @property
    def executor(self) -> Executor | None:
        return None if self._ros_executor is None else self._ros_executor()

    @executor.setter
    def executor(self, executor: Executor | None) -> None:
        current = self.executor
        if current is executor:
            return
        if current is not None:
            current.remove_node(self)
        if executor is not None:
            executor.add_node(self)

    def _ros_attach(self, executor: Executor | None) -> None:
        """Belong to an executor, which gets what waits for one; None = to none."""
        self._ros_executor = None if executor is None else ref(executor)
        self._ros_hand_over(executor)

    def _ros_hand_over(self, executor: Executor | None) -> None:
        """Give an executor what waits for one."""
        if executor is not None:
            with suppress(IndexError):  # there is none left, or another thread took it
                while self._ros_waiting:
                    executor.enqueue(self, *self._ros_waiting.popleft())

    def _wake_executor(self) -> None:
        """Let the executor look again."""
        executor = self.executor
        if executor is not None:
            executor.wake()

    @property
    def waitables(self) -> Iterator[Any]:
        """What was added, the node's action clients and servers, and the event handlers of its endpoints."""
        yield from tuple(self._ros_waitables)
        for entity in tuple(self._ros_owned.values()):
            if hasattr(entity, "get_num_entities"):
                yield entity
            yield from getattr(entity, "event_handlers", ())

    def add_waitable(self, waitable: Any) -> None:
        """Let the executor of this node look after a waitable."""
        self._ros_waitables[waitable] = None
        self._wake_executor()

    def remove_waitable(self, waitable: Any) -> None:
        self._ros_waitables.pop(waitable, None)
        self._wake_executor()

    def _ros_dispatch(self, entity: Any, run: Run, count: int = 1) -> None:
        """Run a callback of `entity` later, behind what is already due and when its callback group lets it.

        Args:
            entity: has a `callback_group`; None = no group holds it back.
            run: calls it; returns the task of a coroutine that has not ended.
            count: how many times.
        """
        reference = self._ros_executor
        if self._ros_external:
            for _ in range(count):
                self._ros_scheduler.post(lambda: self._ros_run_external(entity, run))
        elif reference is not None and (executor := reference()) is not None:
            executor.enqueue(self, entity, run, count)
            if self._ros_executor is not reference:
                self._ros_fetch(executor)
        else:
            self._ros_waiting.extend(repeat((entity, run), count))
            if self._ros_executor is not reference:
                self._ros_hand_over(self.executor)

    def _ros_fetch(self, former: Executor) -> None:
        """Take along what was left with an executor just after the node went from it."""
        for entity, run in former._agenda.forget(self):
            self._ros_dispatch(entity, run)

    def _ros_post(self, callback: Callable[[], None]) -> None:
        """Run `callback` later, whatever the callback groups say."""
        self._ros_dispatch(None, callback)

    def _ros_run_external(self, entity: Any, run: Run) -> None:
        if not self._ros_destroyed and self._ros_gate.enter(self, entity, run):
            self._ros_gate.run(entity, run, self._ros_let_in)

    def _ros_let_in(self) -> None:
        following = self._ros_gate.next_held()
        if following is not None:
            _, entity, run = following
            self._ros_scheduler.post(lambda: self._ros_run_held(entity, run))

    def _ros_run_held(self, entity: Any, run: Run) -> None:
        self._ros_gate.run(entity, run, self._ros_let_in)

    def _ros_run(self, callback: Callable[..., Any], *arguments: Any) -> task.Task[Any] | None:
        """Call a plain or `async def` callback now; return the task of a coroutine that awaits something."""
        outcome = callback(*arguments)
        return None if outcome is None else self._ros_follow(outcome)

    def _ros_follow(self, outcome: object) -> task.Task[Any] | None:
        """Run what a callback returned where that is a coroutine; return its task unless it has ended."""
        if not isinstance(outcome, Coroutine):
            return None
        executor = self.executor
        running: task.Task[Any] | None = (
            executor.begin(outcome, self._ros_tasks) if executor else task.begin(outcome, self._ros_tasks)
        )
        return running

    def _ros_wait_until(self, condition: Callable[[], bool], timeout_sec: float | None) -> bool:
        """Take in what arrives, running no callback, until `condition()` holds or the time is over.

        In a context driven from outside nothing can wait: it only looks.
        """
        self.context.bus.pump.wait_until(lambda: condition() or not self.context.ok(), timeout_sec)
        return self.context.ok() and condition()

    def _ros_wait_for_others(self, ready: Callable[[], bool], timeout_sec: float | None) -> bool:
        """Wait as `wait_until` does for what others offer.

        Raises:
            ROSInterruptException: there was a shutdown; a loop that asks until it is ready would go on for ever.
        """
        if not self._ros_wait_until(ready, timeout_sec):
            if not self.context.ok():
                raise ROSInterruptException
            return False
        return True

    def _ros_wait_working(self, condition: Callable[[], bool], timeout_sec: float | None) -> bool:
        """Wait as `wait_until` does; in a callback, other callbacks run meanwhile, as far as their groups let them."""
        executor = self.executor
        helped = executor if executor is not None and executor.is_running_here() else None
        self.context.bus.pump.wait_until(lambda: condition() or not self.context.ok(), timeout_sec, helped)
        return self.context.ok() and condition()
