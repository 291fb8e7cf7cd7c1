"""Clocks: the machine's, or a context's scheduler's; a ROS clock may be overridden by simulated time, and jump."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from robot.ros.borrowed import finder
from robot.ros.clock_event import ClockEvent
from robot.ros.clock_handle import ClockHandle
from robot.ros.clock_jumps import (
    ClockChange,
    JumpHandle,
    JumpHandlePreCallbackType,
    JumpThreshold,
    TimeJump,
    TimeJumpDictionary,
)
from robot.ros.clock_type import ClockType
from robot.ros.duration import NANOSECONDS, Duration
from robot.ros.exceptions import NotInitializedException, RCLError
from robot.ros.scheduler import Scheduler
from robot.ros.time import Time

if TYPE_CHECKING:
    from robot.ros.context import Context

__all__ = [
    "BaseClock",
    "Clock",
    "ClockChange",
    "ClockEvent",
    "ClockHandle",
    "ClockType",
    "Duration",
    "JumpHandle",
    "JumpHandlePreCallbackType",
    "JumpThreshold",
    "ROSClock",
    "Time",
    "TimeJump",
    "TimeJumpDictionary",
]


def _told(callback: Callable[[TimeJump], Any]) -> Callable[[TimeJumpDictionary], None]:
    def tell(jump: TimeJumpDictionary) -> None:
        callback(TimeJump(jump["clock_change"], Duration(nanoseconds=jump["delta"])))

    return tell


class BaseClock:
    """Tell the time of one type, and call back when it jumps; of type ROS_TIME it is a `ROSClock`.

    Args:
        scheduler: where the time comes from; None = the machine.
    """

    def __new__(cls, *, clock_type: ClockType = ClockType.SYSTEM_TIME, scheduler: Scheduler | None = None) -> BaseClock:
        if not isinstance(clock_type, ClockType):
            raise TypeError("Clock type must be a ClockType enum")
        return super().__new__(ROSClock if clock_type == ClockType.ROS_TIME else cls)

    def __init__(self, *, clock_type: ClockType = ClockType.SYSTEM_TIME, scheduler: Scheduler | None = None) -> None:
        self._clock_type = clock_type
        self._scheduler = scheduler
        self._handle = ClockHandle(self)

    @property
    def clock_type(self) -> ClockType:
        return self._clock_type

    @property
    def handle(self) -> ClockHandle:
        return self._handle

    def __repr__(self) -> str:
        return f"Clock(clock_type={self.clock_type.name})"

    def nanoseconds(self) -> int:
        steady = self._clock_type == ClockType.STEADY_TIME
        if self._scheduler is None:
            return time.monotonic_ns() if steady else time.time_ns()
        return round((self._scheduler.monotonic() if steady else self._scheduler.now()) * NANOSECONDS)

    def now(self) -> Time:
        self._handle.check()
        return Time(nanoseconds=self.nanoseconds(), clock_type=self._clock_type)

    def create_jump_callback(
        self,
        threshold: JumpThreshold,
        *,
        pre_callback: Callable[[], Any] | None = None,
        post_callback: Callable[[TimeJump], Any] | None = None,
    ) -> JumpHandle:
        """Call back before and after time jumps, for as long as the handle is not unregistered."""
        tell = None if post_callback is None else _told(post_callback) if callable(post_callback) else post_callback
        return JumpHandle(clock=self, threshold=threshold, pre_callback=pre_callback, post_callback=tell)

    # --- simulated time, which clocks of type ROS_TIME have

    @property
    def ros_time_is_active(self) -> bool:
        """Whether the time is a simulated one; raises RCLError unless the clock's type is ROS_TIME."""
        raise self._no_ros_clock()

    def _set_ros_time_is_active(self, enabled: bool) -> None:
        raise self._no_ros_clock()

    def set_ros_time_override(self, time: Time) -> None:
        """Set simulated time; raises RCLError unless the clock's type is ROS_TIME."""
        raise self._no_ros_clock()

    def _no_ros_clock(self) -> RCLError:
        return RCLError(f"expected a clock of type ROS_TIME, got {self._clock_type.name}")

    def is_set(self) -> bool:
        """Tell whether somebody sets this clock, so that it does not run by itself."""
        return False


class Clock(BaseClock):
    """A clock that can be slept on, as `rclpy.clock.Clock`."""

    waits: Callable[[Callable[[], bool], float | None], bool] | None = None  # a node's `wait_working`

    def sleep_until(self, until: Time, context: Context | None = None) -> bool:
        """Wait until an instant.

        Returns:
            False when it ended early: the context was shut down, or simulated time was switched on or off.

        Raises:
            ValueError: `until` is of another clock type.
            NotInitializedException: the context is not initialised.
        """
        if context is None:
            from robot.ros.utilities import get_default_context

            context = get_default_context()
        if not context.ok():
            raise NotInitializedException
        if until.clock_type != self._clock_type:
            raise ValueError("until's clock type does not match this clock's type")
        event = ClockEvent()
        context.on_shutdown(event.set)
        changed = False

        def on_jump(jump: TimeJump) -> None:
            nonlocal changed
            changed = changed or jump.clock_change != ClockChange.ROS_TIME_NO_CHANGE
            event.set()
            context.bus.pump.tell_watchers()

        threshold = JumpThreshold(
            min_forward=Duration(nanoseconds=1), min_backward=Duration(nanoseconds=-1), on_clock_change=True
        )
        with self.create_jump_callback(threshold, post_callback=on_jump):
            while context.ok() and not changed and self.nanoseconds() < until.nanoseconds:
                event.clear()
                if changed or not context.ok():
                    break
                if self.waits is None:
                    event.wait_until(self, until)
                else:
                    left = None if self.is_set() else (until.nanoseconds - self.nanoseconds()) / NANOSECONDS
                    self.waits(lambda: event.is_set() or not context.ok(), None if left is None else max(0.0, left))
        return context.ok() and not changed

    def sleep_for(self, rel_time: Duration, context: Context | None = None) -> bool:
        """Wait for a span of time; see `sleep_until`."""
        return self.sleep_until(self.now() + rel_time, context)


class ROSClock(Clock):
    """System time until simulated time is active, then what that was last set to."""

    def __new__(cls, *, scheduler: Scheduler | None = None, **_: Any) -> ROSClock:
        made: ROSClock = object.__new__(cls)
        return made

    def __init__(self, *, scheduler: Scheduler | None = None, clock_type: ClockType = ClockType.ROS_TIME) -> None:
        super().__init__(scheduler=scheduler, clock_type=ClockType.ROS_TIME)
        self._override = 0
        self._active = False

    @property
    def ros_time_is_active(self) -> bool:
        return self._active

    def is_set(self) -> bool:
        return self._active

    def nanoseconds(self) -> int:
        return self._override if self._active else super().nanoseconds()

    def _set_ros_time_is_active(self, enabled: bool) -> None:
        """Switch simulated time on or off; for time sources."""
        if enabled == self._active:
            return
        change = ClockChange.ROS_TIME_ACTIVATED if enabled else ClockChange.ROS_TIME_DEACTIVATED

        def switch() -> None:
            self._active = enabled

        self._jump(change, 0, switch)  # as in rcl: the change is told, not its length

    def set_ros_time_override(self, time: Time) -> None:
        """Set simulated time; it shows when that is active."""
        if not isinstance(time, Time):
            raise TypeError(f"Time must be specified as rclpy.time.Time. Received type: {type(time)}")

        def set_time() -> None:
            self._override = time.nanoseconds

        if self._active:
            self._jump(ClockChange.ROS_TIME_NO_CHANGE, time.nanoseconds - self._override, set_time)
        else:
            set_time()

    def _jump(self, change: ClockChange, delta: int, take_effect: Callable[[], None]) -> None:
        told = [handle for handle, threshold in tuple(self.handle.told.items()) if threshold.is_exceeded(change, delta)]
        for handle in told:
            if handle._pre_callback is not None:
                handle._pre_callback()
        take_effect()
        for handle in told:
            if handle._post_callback is not None:
                handle._post_callback({"clock_change": change, "delta": delta})


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
