"""Call back each period of a clock, on a grid that does not drift."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from robot.ros.borrowed import finder
from robot.ros.clock import BaseClock, ClockChange, JumpThreshold, ROSClock, TimeJump
from robot.ros.clock_type import ClockType
from robot.ros.duration import NANOSECONDS, Duration
from robot.ros.exceptions import RCLError, TimerCancelledError
from robot.ros.rate import Rate
from robot.ros.timer_handle import TimerHandle
from robot.ros.timer_info import TimerInfo, info_argument
from robot.ros.type_names import AsyncTimerCallbackType, TimerCallbackType, TimerCallbackUnion

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.context import Context
    from robot.ros.node import Node
    from robot.ros.scheduler import Cancellable
    from robot.ros.task import Task

__all__ = [
    "TOLERANCE",
    "AsyncTimerCallbackType",
    "BaseTimer",
    "ClockType",
    "Rate",
    "Timer",
    "TimerCallbackType",
    "TimerCallbackUnion",
    "TimerInfo",
]

TOLERANCE = 1000  # [ns] a clock read as float seconds is not exact


class Timer:
    """A timer, made by `Node.create_timer`; one made without a node only says when it is due.

    Periods that passed while the callback could not run are skipped. On a ROS clock it follows simulated time: when
    that goes back the timer starts anew, and when it is switched on or off the part of the period that has passed
    counts.

    Args:
        callback: None = only `is_ready` tells.
        timer_period_ns: [ns], >= 0.
        context: None = the node's, or the default one.
        autostart: whether it runs at once, or from the first `reset` on.
    """

    def __init__(
        self,
        callback: Callable[..., Any] | None,
        callback_group: CallbackGroup | None,
        timer_period_ns: int,
        clock: BaseClock,
        *,
        context: Context | None = None,
        autostart: bool = True,
        node: Node | None = None,
    ) -> None:
        if timer_period_ns < 0:
            raise RCLError(f"failed to create timer: expected a period >= 0, got {timer_period_ns} ns")
        self._node = node
        self._context = self._given(context, node)
        self._scheduler = self._context.scheduler
        self.callback = callback
        self.callback_group = node.default_callback_group if callback_group is None and node else callback_group
        if self.callback_group is not None:
            self.callback_group.add_entity(self)
        self._clock = clock
        self._ros_clock = clock if isinstance(clock, ROSClock) else None
        self._pump = self._context.bus.pump
        self._period = timer_period_ns
        self._lock = threading.RLock()
        self._running = autostart
        self._posted = False
        self._last = self._expected = self._now()
        self._next = self._last + timer_period_ns
        self._credit = 0
        self._event: Cancellable | None = None
        self._signature: tuple[object, str] = (None, "")
        self._handle = TimerHandle(self, self._release)
        self._jumps = (
            clock.create_jump_callback(
                JumpThreshold(min_forward=Duration(nanoseconds=1), min_backward=Duration(nanoseconds=-1)),
                pre_callback=self._before_jump,
                post_callback=self._after_jump,
            )
            if isinstance(clock, ROSClock)
            else None
        )
        self._arm()

    @staticmethod
    def _given(context: Context | None, node: Node | None) -> Context:
        if context is None and node is not None:
            context = node.context
        elif context is None:
            from robot.ros.utilities import get_default_context

            context = get_default_context()
        if context.handle is None:
            raise RuntimeError("Context must be initialized before create a _rclpy.Timer.")
        return context

    @property
    def handle(self) -> TimerHandle:
        return self._handle

    @property
    def node(self) -> Node | None:
        return self._node

    @property
    def clock(self) -> BaseClock:
        return self._clock

    @property
    def timer_period_ns(self) -> int:
        with self._handle:
            return self._period

    @timer_period_ns.setter
    def timer_period_ns(self, value: int) -> None:
        """Change the period [ns] from the next call on."""
        with self._handle:
            self._period = int(value)

    def is_canceled(self) -> bool:
        with self._handle:
            return not self._running

    def is_ready(self) -> bool:
        with self._handle:
            return self._running and self._now() >= self._next - TOLERANCE

    def time_since_last_call(self) -> int:
        """Return the nanoseconds since the last call, or since the start."""
        with self._handle:
            return self._now() - self._last

    def time_until_next_call(self) -> int | None:
        """Return the nanoseconds until the next call, negative when it is overdue, None when cancelled."""
        with self._handle:
            return self._next - self._now() if self._running else None

    def cancel(self) -> None:
        with self._handle, self._lock:
            self._running = False
            self._disarm()

    def reset(self) -> None:
        """Start (again): the next call is one period from now."""
        with self._handle, self._lock:
            self._running = True
            self._next = self._now() + self._period
            self._arm()
        self._handle.was_reset()

    def call(self) -> tuple[int, int]:
        """Begin the next period, due or not; return when that was due and when it came, on the clock [ns].

        Raises:
            TimerCancelledError: the timer is cancelled.
        """
        with self._lock:
            if not self._running:
                raise TimerCancelledError("Failed to call timer: the timer was cancelled")
            now = self._now()
            expected = self._step(now, simulated=self._simulated())
        offset = self._clock.nanoseconds() - now
        return expected + offset, now + offset

    def destroy(self) -> None:
        if not self._handle.destroyed:
            self._handle.destroy_when_not_in_use()

    def __enter__(self) -> Timer:
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()

    def _release(self) -> None:
        with self._lock:
            self._running = False
            self._disarm()
        if self._jumps is not None:
            self._jumps.unregister()
        if self._node is not None:
            self._node._ros_forget(self)

    def _simulated(self) -> bool:
        clock = self._ros_clock
        return clock is not None and clock.ros_time_is_active

    def _now(self) -> int:
        if self._simulated():
            return self._clock.nanoseconds()
        return round(self._scheduler.monotonic() * NANOSECONDS)

    def _disarm(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def _arm(self) -> None:
        with self._lock:
            self._disarm()
            if self._running and not self._simulated():
                left = max(0, self._next - self._now())
                self._event = self._scheduler.post(self._expire, delay=left / NANOSECONDS)
        self._pump.news()

    def _before_jump(self) -> None:
        self._credit = self._next - self._now()

    def _after_jump(self, jump: TimeJump) -> None:
        now = self._now()
        if jump.clock_change in (ClockChange.ROS_TIME_ACTIVATED, ClockChange.ROS_TIME_DEACTIVATED):
            self._last, self._next = now, now + min(max(self._credit, 0), self._period)
            self._arm()
        elif now < self._last - TOLERANCE:
            self._last, self._next = now, now + self._period
        if self._simulated():
            self._due()

    def _due(self) -> None:
        if self._now() >= self._next - TOLERANCE:
            self._expire()

    def _expire(self) -> None:
        self._event = None
        if self._posted or not self._running or self._node is None:  # no node: who waits for it looks again
            return
        self._posted = True  # where two threads come here at once, the second call is none
        node, reference = self._node, self._node._ros_executor
        if reference is not None and not node._ros_external and (executor := reference()) is not None:  # nearly always
            executor.enqueue(node, self, self._fire)
            if node._ros_executor is not reference:  # it went to another one just now
                node._ros_fetch(executor)
        else:
            node._ros_dispatch(self, self._fire)

    def _step(self, now: int, *, simulated: bool) -> int:
        """Begin the next period, or the one after those that passed; return when this one was due."""
        expected: int = self._next
        left = expected + self._period - now
        if left <= TOLERANCE:
            left = left - (left - TOLERANCE) // self._period * self._period if self._period else 0
        self._last = now
        self._next = now + left
        if self._event is not None:
            self._disarm()
        if not simulated:
            self._event = self._scheduler.post(self._expire, delay=left / NANOSECONDS)
            if self._pump.leading.locked():
                self._pump.news()
        return expected

    def _fire(self) -> Task[Any] | None:
        with self._lock:
            self._posted = False
            if not self._running or self._handle._destroyed:
                return None
            simulated = self._ros_clock is not None and self._ros_clock.ros_time_is_active
            now = self._clock.nanoseconds() if simulated else round(self._scheduler.monotonic() * NANOSECONDS)
            if now < self._next - TOLERANCE:
                return None  # it was reset meanwhile
            expected = self._step(now, simulated=simulated)
        callback = self.callback
        if callback is None or self._node is None:
            return None
        if self._signature[0] is not callback:
            self._signature = callback, info_argument(callback)
        name = self._signature[1]
        if not name:
            outcome = callback()
            return None if outcome is None else self._node._ros_follow(outcome)
        kind = self._clock.clock_type
        offset = self._clock.nanoseconds() - now
        info = TimerInfo(
            expected_call_time=max(0, expected + offset), actual_call_time=max(0, now + offset), clock_type=kind
        )
        return self._node._ros_run(partial(callback, **{name: info}))


BaseTimer = Timer

if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
