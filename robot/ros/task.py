"""Futures, and tasks that run coroutines step by step on whatever posts their steps."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


class Runner(Protocol):
    """Runs callbacks later, in order: an executor or a node."""

    def post(self, callback: Callable[[], None]) -> None: ...


class Future(Generic[T]):
    """A result to come, as `rclpy.task.Future`.

    Args:
        executor: runs the done callbacks later; without one they run at once.
    """

    def __init__(self, *, executor: Runner | None = None) -> None:
        self._executor = executor
        self._done = False
        self._cancelled = False
        self._result: T | None = None
        self._exception: BaseException | None = None
        self._callbacks: list[Callable[[Future[T]], object]] = []

    def done(self) -> bool:
        return self._done or self._cancelled

    def cancelled(self) -> bool:
        return self._cancelled

    def result(self) -> T | None:
        """Return the result, None while there is none; raise the exception when there is one."""
        if self._exception is not None:
            raise self._exception
        return self._result

    def exception(self) -> BaseException | None:
        return self._exception

    def set_result(self, result: T) -> None:
        self._result = result
        self._finish()

    def set_exception(self, exception: BaseException) -> None:
        self._exception = exception
        self._finish()

    def cancel(self) -> None:
        if not self._done:
            self._cancelled = True
            self._run_callbacks()

    def add_done_callback(self, callback: Callable[[Future[T]], object]) -> None:
        self._callbacks.append(callback)
        if self.done():
            self._run_callbacks()

    def remove_done_callback(self, callback: Callable[[Future[T]], object]) -> bool:
        if callback in self._callbacks:
            self._callbacks.remove(callback)
            return True
        return False

    def _finish(self) -> None:
        self._done = True
        self._cancelled = False
        self._run_callbacks()

    def _run_callbacks(self) -> None:
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            self._invoke(callback)

    def _invoke(self, callback: Callable[[Future[T]], object]) -> None:
        if self._executor is None:
            callback(self)
        else:
            runner = self._executor
            runner.post(lambda: _run(callback, self, runner))

    def __await__(self) -> Generator[Future[T], None, T | None]:
        while not self.done():
            yield self
        return self.result()


class Task(Future[T]):
    """A coroutine being run. An exception nobody asks for is raised where the step ran, so that it is not lost."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], *, runner: Runner) -> None:
        super().__init__(executor=runner)
        self._coroutine = coroutine
        self._runner = runner

    def step(self) -> None:
        """Run the coroutine until it waits for something or ends."""
        if self.done():
            self._coroutine.close()
            return
        try:
            waits_for = self._coroutine.send(None)
        except StopIteration as end:
            self.set_result(end.value)
        except Exception as error:
            awaited = bool(self._callbacks)
            self.set_exception(error)
            if not awaited:
                raise
        else:
            if isinstance(waits_for, Future):
                waits_for.add_done_callback(lambda _: self._runner.post(self.step))
            else:
                self._runner.post(self.step)

    def cancel(self) -> None:
        """Stop at the point where the coroutine waits now."""
        super().cancel()
        self._runner.post(self._coroutine.close)


def run(callback: Callable[..., object], *arguments: Any, runner: Runner | None) -> Task[Any] | None:
    """Call a plain or `async def` callback; return a coroutine's task when it has more steps, which go to `runner`."""
    outcome = callback(*arguments)
    if outcome is None or not isinstance(outcome, Coroutine):
        return None
    if runner is None:
        raise TypeError(f"{callback!r} is a coroutine, but nothing runs its steps")
    task: Task[Any] = Task(outcome, runner=runner)
    task.step()
    return None if task.done() else task


def _run(callback: Callable[..., object], future: Future[Any], runner: Runner) -> None:
    run(callback, future, runner=runner)


def start(callback: Callable[..., Any], *arguments: Any, runner: Runner) -> Task[Any]:
    """Run a plain or `async def` callback soon, as a task."""

    async def coroutine() -> Any:
        outcome = callback(*arguments)
        return await outcome if hasattr(outcome, "__await__") else outcome

    task: Task[Any] = Task(coroutine(), runner=runner)
    runner.post(task.step)
    return task
