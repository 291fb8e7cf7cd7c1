"""Run the callbacks of nodes on an asyncio event loop, where `async def` ones may await anything asyncio knows."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from robot.ros.executing.base import Executor
from robot.ros.executing.reasons import TimeoutException

if TYPE_CHECKING:
    from robot.ros.context import Context
    from robot.ros.gate import Item

LOOK = 0.1  # [s] after which a helper thread that waits for messages looks whether it is still wanted
BATCH = 100  # callbacks in a row before other tasks of the loop get their turn


class _Running:
    """A task of the loop, as callback groups observe it."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task

    def observe(self, observer: Callable[[], object]) -> None:
        self._task.add_done_callback(lambda _: observer())


class AsyncioExecutor(Executor):
    """Run callbacks on an event loop, as `rclpy.experimental.AsyncioExecutor`.

    Coroutines of callbacks are tasks of asyncio: they may await `asyncio.sleep`, other libraries and rclpy's futures. A
    helper thread waits for messages and hands over what is ready; every callback runs on the loop.

    Args:
        loop: None = the running one, or a new one that `spin` runs.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None, *, context: Context | None = None) -> None:
        super().__init__(context=context)
        if loop is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                loop = asyncio.new_event_loop()
        self._loop = loop
        self._tasks: set[asyncio.Task[Any]] = set()
        self._raised: list[BaseException] = []
        self._going: threading.Thread | None = None
        self._turn = threading.Semaphore(0)
        self._helper_ends = False
        self._news: asyncio.Event | None = None  # while it spins

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def spin(self) -> None:
        """Run the loop until the executor or the context is shut down."""
        self._loop.run_until_complete(self.spin_async())

    async def spin_async(self) -> None:
        """Run callbacks on the running loop until the executor or the context is shut down."""
        self._check()
        self._enter_spin()
        news = self._news = asyncio.Event()
        helper = threading.Thread(target=self._wait, args=(news,), name="ros-asyncio", daemon=True)
        helper.start()
        try:
            while self._context.ok() and not self._is_shutdown:
                await news.wait()
                news.clear()
                if self._run_some():
                    news.set()
                    await asyncio.sleep(0)
                    continue
                if self._raised:
                    raise self._raised.pop(0)
                self._turn.release()
        finally:
            self._helper_ends = True
            self._turn.release()
            self.wake()
            await self._loop.run_in_executor(None, helper.join)
            self._helper_ends, self._news = False, None
            self._is_spinning = False

    def _run_some(self) -> bool:
        """Run callbacks until none is ready, or for as long as other tasks of the loop may wait; tell which it was."""
        for _ in range(BATCH):
            item = None if self._is_shutdown else self._next()
            if item is None:
                return False
            self._start(item)
            if time.monotonic() >= self._look_at and self._agenda.has_ready():
                self._look()
                return True
        return True

    def _wait(self, news: asyncio.Event) -> None:
        """Wait for messages, tell the loop, and wait until it has taken what is ready."""
        while not self._helper_ends and not self._is_shutdown and self._context.ok():
            self._pump.wait_until(self._has_news, LOOK)
            self._loop.call_soon_threadsafe(news.set)
            self._turn.acquire(timeout=LOOK)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(news.set)

    def _has_news(self) -> bool:
        return self._agenda.has_ready() or self._is_shutdown or self._helper_ends or not self._context.ok()

    def enqueue(self, node: Any, entity: Any, run: Any, count: int = 1) -> None:
        super().enqueue(node, entity, run, count)
        self._pump.tell_watchers()

    def wake(self) -> None:
        super().wake()
        self._pump.tell_watchers()
        if self._news is not None and not self._loop.is_closed():  # also for what a group let go, which is no news
            self._loop.call_soon_threadsafe(self._news.set)

    def begin(self, coroutine: Coroutine[Any, Any, Any], node: Any) -> _Running:
        """Make a callback's coroutine a task of the loop."""
        task: asyncio.Task[Any] = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return _Running(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._raised.append(error)
        self.wake()

    def _start(self, item: Item) -> None:
        with self._work_tracker:
            self._run(item)

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Run one callback and what it leaves on the loop for now."""
        self._check()
        try:
            item = self._await(timeout_sec, None)
        except TimeoutException:
            return

        async def once() -> None:
            self._start(item)
            await asyncio.sleep(0)

        self._loop.run_until_complete(once())
        if self._raised:
            raise self._raised.pop(0)

    def create_future(self) -> Any:
        """Return a future of the loop."""
        return self._loop.create_future()

    async def shutdown_async(self) -> None:
        """Shut down and wait for the coroutines, which are cancelled."""
        super().shutdown(0)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __aenter__(self) -> AsyncioExecutor:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shutdown_async()
