"""A signed span of time in whole nanoseconds."""

from __future__ import annotations

from functools import total_ordering
from typing import Any

NANOSECONDS = 1_000_000_000


@total_ordering
class Duration:
    """A span of time, as `rclpy.duration.Duration`.

    Args:
        seconds: may have a fraction.
        nanoseconds: added to `seconds`.
    """

    __slots__ = ("nanoseconds",)

    def __init__(self, *, seconds: float = 0, nanoseconds: int = 0) -> None:
        total = int(seconds * NANOSECONDS) + int(nanoseconds)
        if not -(2**63) <= total < 2**63:
            raise OverflowError(f"a duration has to fit 64 bits of nanoseconds, got {total}")
        self.nanoseconds = total

    @classmethod
    def from_msg(cls, msg: Any) -> Duration:
        return cls(nanoseconds=msg.sec * NANOSECONDS + msg.nanosec)

    def to_msg(self) -> Any:
        from robot.ros.interfaces import builtin_interfaces

        seconds, nanoseconds = divmod(self.nanoseconds, NANOSECONDS)
        return builtin_interfaces.msg.Duration(sec=seconds, nanosec=nanoseconds)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.nanoseconds == other.nanoseconds

    def __lt__(self, other: Duration) -> bool:
        if not isinstance(other, Duration):
            return NotImplemented
        return self.nanoseconds < other.nanoseconds

    def __hash__(self) -> int:
        return hash(self.nanoseconds)

    def __repr__(self) -> str:
        return f"Duration(nanoseconds={self.nanoseconds})"
