"""Futures, and tasks that run a function or a coroutine step by step on an executor; both may be used by any thread."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
import warnings
from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import ref

from robot.ros.borrowed import finder

T = TypeVar("T")


class _Driver(threading.local):
    """How many tasks of ours run on this thread, one inside the other."""

    depth = 0


_driver = _Driver()


def _no_executor() -> None:
    """Stand for the weak reference to an executor that is gone."""


class Future(Generic[T]):
    """A result to come, as `rclpy.task.Future`. Any coroutine may await it, also one that asyncio runs.

    Args:
        executor: an executor or a node, whose `create_task` runs the done callbacks; without one, or when it is gone,
            they run at once.
    """

    def __init__(self, *, executor: Any = None) -> None:
        self._executor: Callable[[], Any] = _no_executor if executor is None else ref(executor)
        self._done = False
        self._cancelled = False
        self._result: T | None = None
        self._exception: BaseException | None = None
        self._exception_fetched = False
        self._callbacks: list[Callable[[Any], object]] = []
        self._waiters: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def __del__(self) -> None:
        if getattr(self, "_exception", None) is not None and not self._exception_fetched and sys.stderr is not None:
            sys.stderr.write(f"The following exception was never retrieved: {self._exception}\n")

    def done(self) -> bool:
        """Tell whether there is a result or an exception; a cancelled future is not done, as in rclpy."""
        return self._done

    def cancelled(self) -> bool:
        return self._cancelled

    def result(self) -> T | None:
        """Return the result, None while there is none; raise the exception when there is one."""
        exception = self.exception()
        if exception is not None:
            raise exception
        return self._result

    def exception(self) -> BaseException | None:
        self._exception_fetched = True
        return self._exception

    def set_result(self, result: T) -> None:
        with self._lock:
            self._result = result
            self._done, self._cancelled = True, False
        self._finish()

    def set_exception(self, exception: BaseException) -> None:
        with self._lock:
            self._exception = exception
            self._exception_fetched = False
            self._done, self._cancelled = True, False
        self._finish()

    def cancel(self) -> None:
        with self._lock:
            if not self._done:
                self._cancelled = True
        self._finish()

    def add_done_callback(self, callback: Callable[[Any], object]) -> None:
        """Run `callback(future)` when the future is done or cancelled; soon, when it is so already."""
        with self._lock:
            if not self._done and not self._cancelled:
                self._callbacks.append(callback)
                return
        executor = self._executor()
        if executor is not None:
            executor.create_task(callback, self)
        else:
            callback(self)

    def remove_done_callback(self, callback: Callable[[Any], object]) -> bool:
        with self._lock:
            if callback not in self._callbacks:
                return False
            self._callbacks.remove(callback)
            return True

    def wake(self, waiter: Callable[[], object]) -> None:
        """Call `waiter` once, from whatever thread, as soon as the future is done or cancelled. It must not block."""
        with self._lock:
            if not self._done and not self._cancelled:
                self._waiters.append(waiter)
                return
        waiter()

    def unwake(self, waiter: Callable[[], object]) -> None:
        """Forget one call of `wake`, if its waiter was not called: nobody waits for the future any more."""
        with self._lock, suppress(ValueError):
            self._waiters.remove(waiter)

    def _set_executor(self, executor: Any) -> None:
        self._executor = _no_executor if executor is None else ref(executor)

    def _finish(self) -> None:
        with self._lock:
            callbacks, self._callbacks = self._callbacks, []
            waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter()
        executor = self._executor() if callbacks else None
        for callback in callbacks:
            if executor is not None:
                executor.create_task(callback, self)
                continue
            try:
                callback(self)
            except Exception as error:  # noqa: BLE001 (the callbacks behind it have to run)
                warnings.warn(f"Unhandled exception in done callback: {error}", stacklevel=2)

    def __await__(self) -> Generator[Any, None, T | None]:
        while not self._done:
            loop = None if _driver.depth else asyncio._get_running_loop()
            if loop is None:
                if self._cancelled:  # there will be no result, as in rclpy
                    return None
                yield self
            else:
                yield from self._in_asyncio(loop).__await__()
        return self.result()

    def _in_asyncio(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        twin: asyncio.Future[None] = loop.create_future()

        def finish() -> None:
            if self._cancelled:
                twin.cancel()
            elif not twin.done():
                twin.set_result(None)

        self.wake(lambda: loop.call_soon_threadsafe(finish))
        return twin


class Task(Future[T]):
    """A function or coroutine being run; calling the task runs it, a coroutine up to the next thing it waits for.

    Args:
        handler: a function, a coroutine function or a coroutine.
        executor: where the next step is queued when what the coroutine waits for is there.
    """

    def __init__(
        self,
        handler: Any,
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        executor: Any = None,
    ) -> None:
        super().__init__(executor=executor)
        self._args, self._kwargs = tuple(args or ()), dict(kwargs or {})
        self._handler: Any = handler
        self._coroutine: Coroutine[Any, Any, T] | None = None
        if inspect.iscoroutinefunction(handler):
            self._coroutine = handler(*self._args, **self._kwargs)
        elif isinstance(handler, Coroutine):
            self._coroutine = handler
        self._executing = False
        self._raised_now = False
        self._observers: list[Callable[[], object]] = []
        self._task_lock = threading.RLock()

    def executing(self) -> bool:
        return self._executing

    def __call__(self) -> None:
        with self._task_lock:
            if self._executing or self._done:
                return
            if self._cancelled:
                self._close()
                return
            self._executing = True
            _driver.depth += 1
            try:
                self._run()
            finally:
                _driver.depth -= 1
                self._executing = False

    def observe(self, observer: Callable[[], object]) -> None:
        """Call `observer` once when the task has ended; unlike one who waits, it is not told how."""
        with self._lock:
            if not self._done and not self._cancelled:
                self._observers.append(observer)
                return
        observer()

    def _finish(self) -> None:
        super()._finish()
        with self._lock:
            observers, self._observers = self._observers, []
        for observer in observers:
            observer()

    def step(self) -> None:
        """Run as a call does, and raise the task's exception, also where somebody awaits it, as in rclpy."""
        self()
        if self._raised_now and self._exception is not None:
            self._raised_now = False
            raise self.exception()  # type: ignore[misc]

    def cancel(self) -> None:
        """Stop; a coroutine ends where it waits now and runs its clean-up."""
        super().cancel()
        if self._cancelled:
            self._queue_step()

    def _run(self) -> None:
        try:
            if self._coroutine is None:
                outcome = self._handler(*self._args, **self._kwargs)
                if not isinstance(outcome, Coroutine):
                    self._complete()
                    self.set_result(outcome)
                    return
                self._coroutine = outcome
            waits_for = self._coroutine.send(None)
        except StopIteration as end:
            self._complete()
            self.set_result(end.value)
        except Exception as error:  # noqa: BLE001 (whoever awaits gets it)
            self._complete()
            self._raised_now = True
            self.set_exception(error)
        else:
            if isinstance(waits_for, Future):
                waits_for.wake(self._queue_step)
            elif hasattr(waits_for, "add_done_callback"):
                waits_for._asyncio_future_blocking = False
                waits_for.add_done_callback(lambda _: self._queue_step())
            else:
                self._queue_step()

    def _queue_step(self) -> None:
        queue = getattr(self._executor(), "_call_task_in_next_spin", None)
        if queue is not None:
            queue(self)

    def _complete(self) -> None:
        self._handler, self._coroutine, self._args, self._kwargs = None, None, (), {}

    def _close(self) -> None:
        if self._coroutine is not None:
            self._coroutine.close()
        self._complete()


def begin(coroutine: Coroutine[Any, Any, Any], executor: Any) -> Task[Any] | None:
    """Run a coroutine up to where it awaits; return its task when it has more steps, which `executor` runs."""
    task: Task[Any] = Task(coroutine, executor=executor)
    task.step()
    return None if task.done() else task


async def await_or_execute(callback: Callable[..., Any], *arguments: Any) -> Any:
    """Call a plain callback, or call and await an `async def` one."""
    outcome = callback(*arguments)
    return await outcome if isinstance(outcome, Coroutine) else outcome


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
