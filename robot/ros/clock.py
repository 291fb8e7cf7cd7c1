"""Clocks: the machine's, or a context's scheduler's; a ROS clock may be overridden by simulated time, and jump."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from robot.ros.clock_type import ClockType
from robot.ros.duration import NANOSECONDS, Duration
from robot.ros.exceptions import NotInitializedException, RCLError
from robot.ros.handle import Handle
from robot.ros.scheduler import Scheduler
from robot.ros.time import Time

if TYPE_CHECKING:
    from robot.ros.context import Context


class ClockChange(IntEnum):
    """What happened to the source of a ROS clock's time, numbered as rcl's."""

    ROS_TIME_NO_CHANGE = 1
    ROS_TIME_ACTIVATED = 2
    ROS_TIME_DEACTIVATED = 3
    SYSTEM_TIME_NO_CHANGE = 4


class JumpThreshold:
    """Which jumps to tell of.

    Args:
        min_forward: shortest jump forward, > 0; None = none.
        min_backward: shortest jump back, < 0; None = none.
        on_clock_change: also when simulated time is switched on or off.
    """

    def __init__(
        self, *, min_forward: Duration | None, min_backward: Duration | None, on_clock_change: bool = True
    ) -> None:
        if min_forward is not None and min_forward.nanoseconds <= 0:
            raise ValueError("min_forward must be a positive non-zero duration")
        if min_backward is not None and min_backward.nanoseconds >= 0:
            raise ValueError("min_backward must be a negative non-zero duration")
        if min_forward is None and min_backward is None and not on_clock_change:
            raise ValueError("At least one jump threshold must be enabled")
        self.min_forward = min_forward
        self.min_backward = min_backward
        self.on_clock_change = on_clock_change

    def is_exceeded(self, jump: TimeJump) -> bool:
        if jump.clock_change in (ClockChange.ROS_TIME_ACTIVATED, ClockChange.ROS_TIME_DEACTIVATED):
            return self.on_clock_change
        if self.min_forward is not None and jump.delta >= self.min_forward:
            return True
        return self.min_backward is not None and jump.delta <= self.min_backward


class TimeJump:
    """A jump: what changed, and by how much."""

    def __init__(self, clock_change: ClockChange, delta: Duration) -> None:
        if not isinstance(clock_change, ClockChange):
            raise TypeError("clock_change must be an instance of rclpy.clock.ClockChange")
        self._clock_change = clock_change
        self._delta = delta

    @property
    def clock_change(self) -> ClockChange:
        return self._clock_change

    @property
    def delta(self) -> Duration:
        return self._delta


class JumpHandle:
    """A registered pair of callbacks; enter it to unregister them at the end of a block."""

    def __init__(
        self,
        *,
        clock: Clock,
        threshold: JumpThreshold,
        pre_callback: Callable[[], Any] | None,
        post_callback: Callable[[TimeJump], Any] | None,
    ) -> None:
        if pre_callback is None and post_callback is None:
            raise ValueError("One of pre_callback or post_callback must be callable")
        if pre_callback is not None and not callable(pre_callback):
            raise ValueError("pre_callback must be callable if given")
        if post_callback is not None and not callable(post_callback):
            raise ValueError("post_callback must be callable if given")
        self.threshold = threshold
        self.pre_callback = pre_callback
        self.post_callback = post_callback
        self._clock: Clock | None = clock
        clock._jumps[self] = None

    def unregister(self) -> None:
        if self._clock is not None:
            self._clock._jumps.pop(self, None)
            self._clock = None

    def __enter__(self) -> JumpHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.unregister()


class ClockHandle(Handle):
    """What `Clock.handle` gives."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("a clock")
        self.clock = clock

    def _ros(self) -> ROSClock:
        if not isinstance(self.clock, ROSClock):
            raise RCLError(f"expected a clock of type ROS_TIME, got {self.clock.clock_type.name}")
        return self.clock

    def get_now(self) -> Time:
        return self.clock.now()

    def get_ros_time_override_is_enabled(self) -> bool:
        return self._ros().ros_time_is_active

    def set_ros_time_override_is_enabled(self, enabled: bool) -> None:
        self._ros()._set_ros_time_is_active(enabled)

    def set_ros_time_override(self, time_point: Any) -> None:
        """Set simulated time to an instant that has nanoseconds; raises RCLError for a clock of another type."""
        self._ros().set_ros_time_override(Time(nanoseconds=time_point.nanoseconds, clock_type=ClockType.ROS_TIME))


class Clock:
    """Tell the time of one type, as `rclpy.clock.Clock`; of type ROS_TIME it is a `ROSClock`.

    Args:
        scheduler: where the time comes from; None = the machine.
    """

    def __new__(cls, *, clock_type: ClockType = ClockType.SYSTEM_TIME, scheduler: Scheduler | None = None) -> Clock:
        if not isinstance(clock_type, ClockType):
            raise TypeError("Clock type must be a ClockType enum")
        return super().__new__(ROSClock if clock_type == ClockType.ROS_TIME else cls)

    def __init__(self, *, clock_type: ClockType = ClockType.SYSTEM_TIME, scheduler: Scheduler | None = None) -> None:
        self._clock_type = clock_type
        self._scheduler = scheduler
        self._jumps: dict[JumpHandle, None] = {}
        self.waits: Callable[[Callable[[], bool], float | None], bool] | None = None  # a node's `wait_working`
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
        return Time(nanoseconds=self.nanoseconds(), clock_type=self._clock_type)

    def create_jump_callback(
        self,
        threshold: JumpThreshold,
        *,
        pre_callback: Callable[[], Any] | None = None,
        post_callback: Callable[[TimeJump], Any] | None = None,
    ) -> JumpHandle:
        """Call back before and after time jumps, for as long as the handle is not unregistered."""
        return JumpHandle(clock=self, threshold=threshold, pre_callback=pre_callback, post_callback=post_callback)

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
                    left = None if self._is_set() else (until.nanoseconds - self.nanoseconds()) / NANOSECONDS
                    self.waits(lambda: event.is_set() or not context.ok(), None if left is None else max(0.0, left))
        return context.ok() and not changed

    def _is_set(self) -> bool:
        """Tell whether somebody sets this clock, so that it does not run by itself."""
        return False

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

    def _is_set(self) -> bool:
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
        jump = TimeJump(change, Duration(nanoseconds=delta))
        told = [handle for handle in tuple(self._jumps) if handle.threshold.is_exceeded(jump)]
        for handle in told:
            if handle.pre_callback is not None:
                handle.pre_callback()
        take_effect()
        for handle in told:
            if handle.post_callback is not None:
                handle.post_callback(jump)


class ClockEvent:
    """A flag that can be waited for until an instant of a clock, as `rclpy.clock.ClockEvent`."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def clear(self) -> None:
        self._event.clear()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait_until(self, clock: Clock, until: Time) -> None:
        """Wait until the flag is set or, on a clock that runs by itself, the instant has come."""
        if isinstance(clock, ROSClock) and clock.ros_time_is_active:
            self._event.wait()
            return
        self._event.wait(max(0, until.nanoseconds - clock.nanoseconds()) / NANOSECONDS)

    wait_until_steady = wait_until_system = wait_until

    def wait_until_ros(self, clock: Clock, until: Time) -> None:
        """Wait as `wait_until` does; raises RCLError for a clock of another type."""
        if clock.clock_type != ClockType.ROS_TIME:
            raise RCLError(f"expected a clock of type ROS_TIME, got {clock.clock_type.name}")
        self.wait_until(clock, until)
