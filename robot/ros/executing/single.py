"""The executor that runs callbacks on the thread that spins it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from threading import get_ident
from typing import Any

from robot.ros.executing.base import Executor
from robot.ros.executing.reasons import (
    ConditionReachedException,
    ShutdownException,
    TimeoutException,
    TimeoutObject,
)
from robot.ros.gate import run_entered
from robot.ros.task import Future

SOME_MAX = 1000  # callbacks of one spin_some, in case they post for ever


class SingleThreadedExecutor(Executor):
    """Run callbacks one after the other, in rounds in which each entity has one turn."""

    def _spin_once_impl(
        self, timeout_sec: float | TimeoutObject | None = None, wait_condition: Callable[[], bool] | None = None
    ) -> None:
        if isinstance(timeout_sec, TimeoutObject):
            timeout_sec = timeout_sec.timeout
        try:
            _, entity, run = self._await(timeout_sec, wait_condition)
        except (ShutdownException, TimeoutException, ConditionReachedException):
            return
        tracker, thread = self._work_tracker, get_ident()
        inside = tracker.inside  # as `with tracker` does, which is two calls more
        inside[thread] = inside.get(thread, 0) + 1
        try:
            run_entered(entity, run, self._agenda.held, self.wake)
        finally:
            depth = inside.pop(thread) - 1
            if depth or tracker.waiting:
                tracker.leave(thread, depth)

    def spin(self) -> None:
        if not self._context.ok():  # as in rclpy, where only a shutdown meanwhile raises
            return
        self._check()
        self._enter_spin()
        try:
            while self._context.ok() and not self._is_shutdown:
                self._run_ready()
                if self._context.ok():  # a callback that shuts it down ends this
                    self._spin_once_impl()
        finally:
            self._is_spinning = False

    def _run_ready(self, over: Collection[None] = (), end: float | None = None) -> None:
        """Run what is ready until it is time to look at the transport, something is in `over` or an instant came."""
        agenda, now, ok = self._agenda, time.monotonic, self._context.ok
        if not agenda.has_ready():
            return
        ends = self._look_at if end is None else min(end, self._look_at)
        others, is_alone, held, wake = agenda.others, agenda.is_alone, agenda.held, self.wake

        def goes_on() -> bool:
            return now() < ends and not self._is_shutdown and not over and ok()

        with self._work_tracker:
            while goes_on() and (item := agenda.take()) is not None:
                _, entity, first = item

                def burst(entity: Any = entity, run: Any = first) -> Any:
                    """Run callbacks of one entity for as long as nobody else is ready."""
                    runs = others(entity)
                    while (task := run()) is None and runs and is_alone() and goes_on():
                        try:
                            run = runs.popleft()
                        except IndexError:  # it was taken away from this executor
                            break
                    return task

                run_entered(entity, burst, held, wake)

    def spin_until_future_complete(self, future: Future[Any], timeout_sec: float | None = None) -> None:
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        over: list[None] = []  # cheaper to ask, for each callback, than the future

        def end_it() -> None:
            over.append(None)
            self.wake()

        def is_done() -> bool:
            return bool(over)

        future.wake(end_it)
        try:
            while self._context.ok() and not self._is_shutdown and not over:
                self._check()
                self._enter_spin()
                try:
                    self._run_ready(over, end)
                    if self._context.ok():
                        self._spin_once_impl(None if end is None else max(0.0, end - time.monotonic()), is_done)
                finally:
                    self._is_spinning = False
                if end is not None and time.monotonic() >= end:
                    return
        finally:
            future.unwake(end_it)

    def spin_once(self, timeout_sec: float | None = None) -> None:
        if self._is_shutdown or self._transport.external:  # a context that is closed is noticed before the wait
            self._check()
        if self._is_spinning:
            self._enter_spin()  # which refuses
        self._is_spinning = True
        try:
            self._spin_once_impl(timeout_sec)
        finally:
            self._is_spinning = False

    def spin_once_until_future_complete(
        self, future: Future[Any], timeout_sec: float | TimeoutObject | None = None
    ) -> None:
        self._check()
        self._enter_spin()
        future.wake(self.wake)
        try:
            self._spin_once_impl(timeout_sec, lambda: future.done() or future.cancelled())
        finally:
            self._is_spinning = False
            future.unwake(self.wake)

    def spin_some(self, max_duration_sec: float | None = None) -> int:
        """Run everything that is ready and what that makes ready, without waiting; return how many callbacks ran.

        It stops after SOME_MAX callbacks or `max_duration_sec`. Not in rclpy: made for loops with a tick of their own.
        """
        self._check()
        self._pump.take_in()
        if self._agenda.has_ready():
            self._look_later()
        end = None if max_duration_sec is None else time.monotonic() + max_duration_sec
        ran = 0
        while ran < SOME_MAX and (end is None or time.monotonic() < end):
            if ran and time.monotonic() >= self._look_at:
                self._look()
            item = self._next()
            if item is None:
                break
            self._run(item)
            ran += 1
        return ran
