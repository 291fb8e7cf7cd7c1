"""The executor that runs callbacks on the thread that spins it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from robot.ros.executing.base import Executor, TimeoutObject
from robot.ros.executing.reasons import ConditionReachedException, ShutdownException, TimeoutException
from robot.ros.gate import Item
from robot.ros.task import Future

SOME_MAX = 1000  # callbacks of one spin_some, in case they post for ever


def _never() -> bool:
    return False


class SingleThreadedExecutor(Executor):
    """Run callbacks one after the other in the order in which their events came."""

    def _spin_once_impl(
        self, timeout_sec: float | TimeoutObject | None = None, wait_condition: Callable[[], bool] = _never
    ) -> None:
        timeout = timeout_sec.timeout if isinstance(timeout_sec, TimeoutObject) else timeout_sec
        try:
            item = self._await(timeout, wait_condition)
        except (ShutdownException, TimeoutException, ConditionReachedException):
            return
        with self._work_tracker:
            self._run(item)

    def spin(self) -> None:
        if not self._context.ok():  # as in rclpy, where only a shutdown meanwhile raises
            return
        self._check()
        self._enter_spin()
        try:
            while self._context.ok() and not self._is_shutdown:
                self._run_ready()
                self._spin_once_impl()
        finally:
            self._is_spinning = False

    def _run_ready(self, until: Callable[[], bool] | None = None) -> None:
        """Run what the last look at the transport made ready, unless something is held back or the condition holds."""
        queue, held, pass_through = self._queue, self._gate.held, self._gate.pass_through
        ok, wake = self._context.ok, self.wake

        def goes_on() -> bool:
            return self._until_poll > 0 and not self._is_shutdown and ok() and (until is None or not until())

        def again(item: Item) -> bool:
            """Take the next callback from the queue if it is the same once more."""
            if not goes_on():
                return False
            try:
                if queue[0][2] is not item[2]:
                    return False
                following = queue.popleft()
            except IndexError:
                return False
            if following[2] is not item[2]:  # another thread took the one before it
                queue.appendleft(following)
                return False
            self._until_poll -= 1
            return True

        with self._work_tracker:
            while not held and goes_on():
                self._until_poll -= 1
                try:
                    item = queue.popleft()
                except IndexError:  # a callback that waits ran others
                    break
                pass_through(item, wake, again)

    def spin_until_future_complete(self, future: Future[Any], timeout_sec: float | None = None) -> None:
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        over: list[None] = []  # cheaper to ask, for each callback, than the future
        future.wake(lambda: over.append(None))
        future.wake(self.wake)

        def is_done() -> bool:
            return bool(over)

        def is_over() -> bool:
            return bool(over) or (end is not None and time.monotonic() >= end)

        while self._context.ok() and not self._is_shutdown and not over:
            self._check()
            self._enter_spin()
            try:
                self._run_ready(is_over)
                if self._context.ok():
                    self._spin_once_impl(None if end is None else max(0.0, end - time.monotonic()), is_done)
            finally:
                self._is_spinning = False
            if end is not None and time.monotonic() >= end:
                return

    def spin_once(self, timeout_sec: float | None = None) -> None:
        self._check()
        self._enter_spin()
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

    def spin_some(self, max_duration_sec: float | None = None) -> int:
        """Run everything that is ready and what that makes ready, without waiting; return how many callbacks ran.

        It stops after SOME_MAX callbacks or `max_duration_sec`. Not in rclpy: made for loops with a tick of their own.
        """
        self._check()
        self._pump.take_in()
        end = None if max_duration_sec is None else time.monotonic() + max_duration_sec
        ran = 0
        while ran < SOME_MAX and (end is None or time.monotonic() < end):
            item = self._next()
            if item is None:
                break
            self._run(item)
            ran += 1
        return ran
