"""The executor that runs callbacks on a pool of threads."""

from __future__ import annotations

import os
import threading
import warnings
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from robot.ros.executing.reasons import (
    ConditionReachedException,
    ExternalShutdownException,
    ShutdownException,
    TimeoutException,
    TimeoutObject,
)
from robot.ros.executing.single import SingleThreadedExecutor
from robot.ros.gate import Item

if TYPE_CHECKING:
    from robot.ros.context import Context


class MultiThreadedExecutor(SingleThreadedExecutor):
    """Run callbacks on several threads; callback groups say which may run at the same time.

    An exception of a callback comes out of the spin that follows it.

    Args:
        num_threads: None = one per processor this process may use.
        context: None = the default one.
    """

    def __init__(self, num_threads: int | None = None, *, context: Context | None = None) -> None:
        super().__init__(context=context)
        if num_threads is None:
            num_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
        if num_threads == 1:
            warnings.warn(
                "MultiThreadedExecutor is used with a single thread.\nUse the SingleThreadedExecutor instead.",
                stacklevel=2,
            )
        self._executor = ThreadPoolExecutor(num_threads, thread_name_prefix="ros")
        self._most = 2 * num_threads  # callbacks given to the threads at a time: what waits for one keeps its order
        self._given: list[None] = []  # one for each
        self._handed: deque[Item] = deque()  # those that no thread has begun
        self._raised: deque[BaseException] = deque()

    def _spin_once_impl(
        self,
        timeout_sec: float | TimeoutObject | None = None,
        wait_condition: Callable[[], bool] | None = None,
    ) -> None:
        timeout = timeout_sec.timeout if isinstance(timeout_sec, TimeoutObject) else timeout_sec
        try:
            item = self._await(timeout, lambda: bool(self._raised) or (wait_condition is not None and wait_condition()))
        except (ShutdownException, TimeoutException, ConditionReachedException, ExternalShutdownException):
            item = None
        if item is not None:
            self._given.append(None)
            self._handed.append(item)
            if self._is_shutdown:  # by another thread, just now
                self._put_back()
            else:
                with suppress(RuntimeError):  # the same
                    self._executor.submit(self._work)
                os.sched_yield()
        if self._raised:
            raise self._raised.popleft()

    def _next(self, nodes: list[Any] | None = None) -> Item | None:
        return None if len(self._given) >= self._most else super()._next(nodes)

    def _run_ready(self, over: Collection[None] = (), end: float | None = None) -> None:
        """Leave it to the threads."""

    def _work(self) -> None:
        try:
            item = self._handed.popleft()
        except IndexError:  # it was put back
            return
        try:
            with self._work_tracker:
                self._run(item)
        except Exception as error:  # noqa: BLE001 (raised again by the spin)
            self._raised.append(error)
        self._given.pop()
        self.wake()

    def _put_back(self) -> None:
        """Let what no thread has begun wait for the next executor of its node, and its group be free."""
        with suppress(IndexError):
            while True:
                self._agenda.put_back(self._handed.pop())
                self._given.pop()

    def shutdown(self, timeout_sec: float | None = None, *, wait_for_threads: bool = True) -> bool:
        """Stop, and wait for the callbacks and, unless told otherwise, for the threads.

        Returns:
            False when some callbacks still run after `timeout_sec` (None or negative: no limit).
        """
        self._is_shutdown = True
        self._put_back()
        ended = super().shutdown(timeout_sec)
        inside = threading.current_thread().name.startswith("ros_") and threading.current_thread() in getattr(
            self._executor, "_threads", ()
        )
        self._executor.shutdown(wait=wait_for_threads and ended and not inside, cancel_futures=True)
        return ended
