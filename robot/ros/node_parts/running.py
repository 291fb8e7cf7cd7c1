"""How a node's callbacks come to run: from an executor, or from the scheduler of a context driven from outside."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from robot.ros import task
from robot.ros.gate import Gate

if TYPE_CHECKING:
    from robot.ros.context import Context
    from robot.ros.executors import Executor

Run = Callable[[], Any]


class Running:
    """The queue of a node."""

    context: Context
    _destroyed: bool
    _owned: dict[int, Any]

    def _init_running(self, context: Context) -> None:
        self.context = context
        self.scheduler = context.scheduler
        self._external = context.transport.external
        self._waiting: deque[tuple[Any, Run]] = deque()
        self._executor: ReferenceType[Executor] | None = None
        self._waitables: dict[Any, None] = {}
        self._gate = Gate()  # of a context driven from outside; otherwise the executor has one

    @property
    def executor(self) -> Executor | None:
        return None if self._executor is None else self._executor()

    @executor.setter
    def executor(self, executor: Executor | None) -> None:
        current = self.executor
        if current is executor:
            return
        if current is not None:
            current.remove_node(self)
        if executor is not None:
            executor.add_node(self)

    def attach(self, executor: Executor | None) -> None:
        """Belong to an executor, which gets what waits for one; None = to none."""
        self._executor = None if executor is None else ref(executor)
        while executor is not None and self._waiting:
            executor.enqueue(self, *self._waiting.popleft())

    def wake(self) -> None:
        """Let the executor look again."""
        executor = self.executor
        if executor is not None:
            executor.wake()

    @property
    def waitables(self) -> Iterator[Any]:
        """What was added, the node's action clients and servers, and the event handlers of its endpoints."""
        yield from tuple(self._waitables)
        for entity in tuple(self._owned.values()):
            if hasattr(entity, "get_num_entities"):
                yield entity
            yield from getattr(entity, "event_handlers", ())

    @property
    def polled(self) -> tuple[Any, ...]:
        """The waitables that an executor has to ask; all others tell it themselves."""
        return tuple(self._waitables)

    def add_waitable(self, waitable: Any) -> None:
        """Let the executor of this node look after a waitable."""
        self._waitables[waitable] = None
        self.wake()

    def remove_waitable(self, waitable: Any) -> None:
        self._waitables.pop(waitable, None)
        self.wake()

    def dispatch(self, entity: Any, run: Run) -> None:
        """Run a callback of `entity` later, behind what is already due and when its callback group lets it.

        Args:
            entity: has a `callback_group`; None = no group holds it back.
            run: calls it; returns the task of a coroutine that has not ended.
        """
        reference = self._executor
        if self._external:
            self.scheduler.post(lambda: self._run_external(entity, run))
        elif reference is not None and (executor := reference()) is not None:
            executor.enqueue(self, entity, run)
        else:
            self._waiting.append((entity, run))

    def post(self, callback: Callable[[], None]) -> None:
        """Run `callback` later, whatever the callback groups say."""
        self.dispatch(None, callback)

    def _run_external(self, entity: Any, run: Run) -> None:
        if not self._destroyed and self._gate.enter(self, entity, run):
            self._gate.run(entity, run, self._let_in)

    def _let_in(self) -> None:
        following = self._gate.next_held()
        if following is not None:
            _, entity, run = following
            self.scheduler.post(lambda: self._run_held(entity, run))

    def _run_held(self, entity: Any, run: Run) -> None:
        self._gate.run(entity, run, self._let_in)

    def run(self, callback: Callable[..., Any], *arguments: Any) -> task.Task[Any] | None:
        """Call a plain or `async def` callback now; return the task of a coroutine that awaits something."""
        outcome = callback(*arguments)
        if outcome is None or not isinstance(outcome, Coroutine):
            return None
        executor = self.executor
        running: task.Task[Any] | None = executor.begin(outcome, self) if executor else task.begin(outcome, self)
        return running

    def create_task(self, callback: Callable[..., Any], *arguments: Any, **keywords: Any) -> task.Task[Any]:
        """Run a plain or `async def` callback soon; the future gets its result."""
        made: task.Task[Any] = task.Task(callback, arguments, keywords, executor=self)
        self._call_task_in_next_spin(made)
        return made

    def _call_task_in_next_spin(self, made: task.Task[Any]) -> None:
        self.dispatch(None, made.step)

    def create_future(self) -> task.Future[Any]:
        return task.Future(executor=self)

    def wait_until(self, condition: Callable[[], bool], timeout_sec: float | None) -> bool:
        """Take in what arrives, running no callback, until `condition()` holds or the time is over.

        In a context driven from outside nothing can wait: it only looks.
        """
        self.context.bus.pump.wait_until(lambda: condition() or not self.context.ok(), timeout_sec)
        return self.context.ok() and condition()

    def wait_working(self, condition: Callable[[], bool], timeout_sec: float | None) -> bool:
        """Wait as `wait_until` does; in a callback, other callbacks run meanwhile, as far as their groups let them."""
        executor = self.executor
        helped = executor if executor is not None and executor.is_running_here() else None
        self.context.bus.pump.wait_until(lambda: condition() or not self.context.ok(), timeout_sec, helped)
        return self.context.ok() and condition()
