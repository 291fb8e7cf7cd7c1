"""What a timer's callback can learn of its call."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from robot.ros.clock_type import ClockType
from robot.ros.time import Time


class TimerInfo:
    """What a timer's callback gets that has an argument annotated with this class.

    Args:
        expected_call_time: when the call was due, on a clock of that type [ns].
        actual_call_time: when it came [ns].
    """

    __slots__ = ("_actual", "_expected")

    def __init__(
        self,
        *,
        expected_call_time: int = 0,
        actual_call_time: int = 0,
        clock_type: ClockType = ClockType.SYSTEM_TIME,
    ) -> None:
        if not isinstance(clock_type, ClockType):
            raise TypeError("Clock type must be a ClockType enum")
        if expected_call_time < 0 or actual_call_time < 0:
            raise ValueError("call time values must not be negative")
        self._expected = Time(nanoseconds=expected_call_time, clock_type=clock_type)
        self._actual = Time(nanoseconds=actual_call_time, clock_type=clock_type)

    @property
    def expected_call_time(self) -> Time:
        return self._expected

    @property
    def actual_call_time(self) -> Time:
        return self._actual


def info_argument(callback: Callable[..., Any]) -> str:
    """Name the argument of a callback that takes a `TimerInfo`, "" when there is none."""
    try:
        parameters = inspect.signature(callback).parameters.values()
    except (TypeError, ValueError):
        return ""
    for parameter in parameters:
        if parameter.annotation is TimerInfo or str(parameter.annotation).rpartition(".")[2] == "TimerInfo":
            return parameter.name
    return ""
