"""Clocks over a context's scheduler; a ROS clock may be overridden by `/clock`."""

from __future__ import annotations

from collections.abc import Callable

from robot.ros.duration import NANOSECONDS
from robot.ros.scheduler import Scheduler
from robot.ros.time import ClockType, Time


class Clock:
    """Tell the time of one type, as `rclpy.clock.Clock`."""

    def __init__(self, *, scheduler: Scheduler, clock_type: ClockType = ClockType.SYSTEM_TIME) -> None:
        self.clock_type = clock_type
        self._scheduler = scheduler

    def nanoseconds(self) -> int:
        steady = self.clock_type == ClockType.STEADY_TIME
        return round((self._scheduler.monotonic() if steady else self._scheduler.now()) * NANOSECONDS)

    def now(self) -> Time:
        return Time(nanoseconds=self.nanoseconds(), clock_type=self.clock_type)


class ROSClock(Clock):
    """System time until an override is active, then what `/clock` last said (0 before its first message)."""

    def __init__(self, *, scheduler: Scheduler) -> None:
        super().__init__(scheduler=scheduler, clock_type=ClockType.ROS_TIME)
        self._override: int | None = None
        self._jump_callbacks: list[Callable[[], None]] = []

    @property
    def ros_time_is_active(self) -> bool:
        return self._override is not None

    def nanoseconds(self) -> int:
        return super().nanoseconds() if self._override is None else self._override

    def set_ros_time_override(self, time: Time) -> None:
        self.override(time.nanoseconds)

    def override(self, nanoseconds: int | None) -> None:
        """Set simulated time; None returns to system time. Timers on this clock are told."""
        self._override = nanoseconds
        for callback in tuple(self._jump_callbacks):
            callback()

    def add_jump_callback(self, callback: Callable[[], None]) -> None:
        self._jump_callbacks.append(callback)

    def remove_jump_callback(self, callback: Callable[[], None]) -> None:
        if callback in self._jump_callbacks:
            self._jump_callbacks.remove(callback)
