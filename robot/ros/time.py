"""An instant in whole nanoseconds of one clock type."""

from __future__ import annotations

from datetime import datetime
from functools import total_ordering
from typing import TYPE_CHECKING, Any, overload

from robot.ros.borrowed import finder
from robot.ros.clock_type import ClockType
from robot.ros.duration import NANOSECONDS, Duration
from robot.ros.interfaces import registry

__all__ = ["CONVERSION_CONSTANT", "ClockType", "Duration", "Time"]

CONVERSION_CONSTANT = NANOSECONDS
MESSAGE = "builtin_interfaces/msg/Time"


@total_ordering
class Time:
    """An instant, as `rclpy.time.Time`; instants of different clock types do not compare.

    Args:
        seconds: since the clock's epoch, may have a fraction.
        nanoseconds: added to `seconds`; a fraction is cut off.
    """

    __slots__ = ("_clock_type", "_nanoseconds")

    def __init__(
        self, *, seconds: float = 0, nanoseconds: float = 0, clock_type: ClockType = ClockType.SYSTEM_TIME
    ) -> None:
        if not isinstance(clock_type, ClockType):
            raise TypeError("Clock type must be a ClockType enum")
        if seconds < 0:
            raise ValueError("Seconds value must not be negative")
        if nanoseconds < 0:
            raise ValueError("Nanoseconds value must not be negative")
        total = int(seconds * NANOSECONDS) + int(nanoseconds)
        if total >= 2**63:
            raise OverflowError("Total nanoseconds value is too large to store in C time point.")
        self._nanoseconds = total
        self._clock_type = clock_type

    @property
    def nanoseconds(self) -> int:
        return self._nanoseconds

    @property
    def clock_type(self) -> ClockType:
        return self._clock_type

    @property
    def _time_handle(self) -> Time:
        """What functions of rclpy's compiled part take."""
        return self

    @classmethod
    def from_msg(cls, msg: Any, clock_type: ClockType = ClockType.ROS_TIME) -> Time:
        if not isinstance(msg, registry.message(MESSAGE)):
            raise TypeError("Must pass a builtin_interfaces.msg.Time object")
        return cls(nanoseconds=msg.sec * NANOSECONDS + msg.nanosec, clock_type=clock_type)

    def to_msg(self) -> Any:
        seconds, nanoseconds = divmod(self._nanoseconds, NANOSECONDS)
        return registry.message(MESSAGE)(sec=seconds, nanosec=nanoseconds)

    def to_datetime(self) -> datetime:
        """Return the local time, of a clock that counts from 1970."""
        if self._clock_type not in (ClockType.ROS_TIME, ClockType.SYSTEM_TIME):
            raise TypeError("Time object's clock type should be either ROS_TIME or SYSTEM_TIME")
        return datetime.fromtimestamp(self._nanoseconds / NANOSECONDS)

    def seconds_nanoseconds(self) -> tuple[int, int]:
        return divmod(self._nanoseconds, NANOSECONDS)

    def __add__(self, other: Duration) -> Time:
        if not isinstance(other, Duration):
            return NotImplemented
        try:
            return Time(nanoseconds=self._nanoseconds + other.nanoseconds, clock_type=self._clock_type)
        except OverflowError as error:
            raise OverflowError("Addition leads to overflow in C storage.") from error

    __radd__ = __add__

    @overload
    def __sub__(self, other: Time) -> Duration: ...

    @overload
    def __sub__(self, other: Duration) -> Time: ...

    def __sub__(self, other: Time | Duration) -> Time | Duration:
        if isinstance(other, Time):
            if self._clock_type != other._clock_type:
                raise TypeError("Can't subtract times with different clock types")
            return Duration(nanoseconds=self._nanoseconds - other._nanoseconds)
        if not isinstance(other, Duration):
            return NotImplemented
        try:
            return Time(nanoseconds=self._nanoseconds - other.nanoseconds, clock_type=self._clock_type)
        except ValueError as error:
            raise ValueError("Subtraction leads to negative time.") from error

    def _same_clock(self, other: Time) -> None:
        if self._clock_type != other._clock_type:
            raise TypeError("Can't compare times with different clock types")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        self._same_clock(other)
        return self._nanoseconds == other._nanoseconds

    def __lt__(self, other: Time) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        self._same_clock(other)
        return self._nanoseconds < other._nanoseconds

    def __hash__(self) -> int:
        return hash((self._nanoseconds, self._clock_type))

    def __repr__(self) -> str:
        return f"Time(nanoseconds={self._nanoseconds}, clock_type={self._clock_type.name})"


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
