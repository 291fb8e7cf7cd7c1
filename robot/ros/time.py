"""An instant in whole nanoseconds of one clock type."""

from __future__ import annotations

from enum import IntEnum
from functools import total_ordering
from typing import Any, overload

from robot.ros.duration import NANOSECONDS, Duration


class ClockType(IntEnum):
    ROS_TIME = 1
    SYSTEM_TIME = 2
    STEADY_TIME = 3


@total_ordering
class Time:
    """An instant, as `rclpy.time.Time`; instants of different clock types do not compare."""

    __slots__ = ("clock_type", "nanoseconds")

    def __init__(
        self, *, seconds: float = 0, nanoseconds: int = 0, clock_type: ClockType = ClockType.SYSTEM_TIME
    ) -> None:
        total = int(seconds * NANOSECONDS) + int(nanoseconds)
        if seconds < 0 or nanoseconds < 0:
            raise ValueError(f"expected seconds and nanoseconds >= 0, got {seconds} and {nanoseconds}")
        if total >= 2**63:
            raise OverflowError(f"an instant has to fit 64 bits of nanoseconds, got {total}")
        self.nanoseconds = total
        self.clock_type = clock_type

    @classmethod
    def from_msg(cls, msg: Any, clock_type: ClockType = ClockType.ROS_TIME) -> Time:
        return cls(nanoseconds=msg.sec * NANOSECONDS + msg.nanosec, clock_type=clock_type)

    def to_msg(self) -> Any:
        from robot.ros.interfaces import builtin_interfaces

        seconds, nanoseconds = divmod(self.nanoseconds, NANOSECONDS)
        return builtin_interfaces.msg.Time(sec=seconds, nanosec=nanoseconds)

    def seconds_nanoseconds(self) -> tuple[int, int]:
        return divmod(self.nanoseconds, NANOSECONDS)

    def _same_clock(self, other: Time) -> None:
        if self.clock_type != other.clock_type:
            raise TypeError(f"cannot relate {self.clock_type.name} to {other.clock_type.name}")

    def __add__(self, other: Duration) -> Time:
        if not isinstance(other, Duration):
            return NotImplemented
        return Time(nanoseconds=self.nanoseconds + other.nanoseconds, clock_type=self.clock_type)

    __radd__ = __add__

    @overload
    def __sub__(self, other: Time) -> Duration: ...

    @overload
    def __sub__(self, other: Duration) -> Time: ...

    def __sub__(self, other: Time | Duration) -> Time | Duration:
        if isinstance(other, Time):
            self._same_clock(other)
            return Duration(nanoseconds=self.nanoseconds - other.nanoseconds)
        if isinstance(other, Duration):
            return Time(nanoseconds=self.nanoseconds - other.nanoseconds, clock_type=self.clock_type)
        return NotImplemented

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        self._same_clock(other)
        return self.nanoseconds == other.nanoseconds

    def __lt__(self, other: Time) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        self._same_clock(other)
        return self.nanoseconds < other.nanoseconds

    def __hash__(self) -> int:
        return hash((self.nanoseconds, self.clock_type))

    def __repr__(self) -> str:
        return f"Time(nanoseconds={self.nanoseconds}, clock_type={self.clock_type.name})"
