"""A signed span of time in whole nanoseconds."""

from __future__ import annotations

import math
from functools import total_ordering
from typing import Any

from robot.ros.interfaces import registry

NANOSECONDS = 1_000_000_000
S_TO_NS = NANOSECONDS
MESSAGE = "builtin_interfaces/msg/Duration"


@total_ordering
class Duration:
    """A span of time, as `rclpy.duration.Duration`.

    Args:
        seconds: may have a fraction.
        nanoseconds: added to `seconds`; a fraction is cut off.
    """

    __slots__ = ("_nanoseconds",)

    def __init__(self, *, seconds: float = 0, nanoseconds: float = 0) -> None:
        total = int(seconds * NANOSECONDS) + int(nanoseconds)
        if not -(2**63) <= total < 2**63:
            raise OverflowError("Total nanoseconds value is too large to store in C duration.")
        self._nanoseconds = total

    @property
    def nanoseconds(self) -> int:
        return self._nanoseconds

    @classmethod
    def from_msg(cls, msg: Any) -> Duration:
        if not isinstance(msg, registry.message(MESSAGE)):
            raise TypeError("Must pass a builtin_interfaces.msg.Duration object")
        return cls(nanoseconds=msg.sec * NANOSECONDS + msg.nanosec)

    def to_msg(self) -> Any:
        seconds, nanoseconds = divmod(self._nanoseconds, NANOSECONDS)
        return registry.message(MESSAGE)(sec=seconds, nanosec=nanoseconds)

    def __add__(self, other: Duration) -> Duration:
        if isinstance(other, Duration):
            return Duration(nanoseconds=self._nanoseconds + other._nanoseconds)
        return NotImplemented

    def __sub__(self, other: Duration) -> Duration:
        if isinstance(other, Duration):
            return Duration(nanoseconds=self._nanoseconds - other._nanoseconds)
        return NotImplemented

    def __mul__(self, other: float) -> Duration:
        if isinstance(other, bool) or not isinstance(other, int | float):
            return NotImplemented
        if isinstance(other, float) and not math.isfinite(other):
            if other == math.inf:
                return Infinite
            raise ValueError("Can't multiply duration with nan")
        return Duration(nanoseconds=int(self._nanoseconds * other))

    __rmul__ = __mul__

    def __truediv__(self, other: float) -> Duration:
        if isinstance(other, bool) or not isinstance(other, int | float):
            return NotImplemented
        return Duration(nanoseconds=int(self._nanoseconds / other))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Duration):
            return NotImplemented
        return self._nanoseconds == other._nanoseconds

    def __lt__(self, other: Duration) -> bool:
        if not isinstance(other, Duration):
            return NotImplemented
        return self._nanoseconds < other._nanoseconds

    def __hash__(self) -> int:
        return hash(self._nanoseconds)

    def __repr__(self) -> str:
        return f"Duration(nanoseconds={self._nanoseconds})"

    def __str__(self) -> str:
        return "Infinite" if self._nanoseconds == INFINITE_NS else f"{self._nanoseconds} nanoseconds"

    def get_c_duration(self) -> Duration:
        return self

    @property
    def _duration_handle(self) -> Duration:
        """What functions of rclpy's compiled part take."""
        return self


INFINITE_NS = 2**63 - 1
Infinite = Duration(nanoseconds=INFINITE_NS)
