"""Keep the newest messages and give them out by time."""

from __future__ import annotations

from typing import Any

from robot.ros.packages.message_filters.simple_filter import SimpleFilter, stamp_of
from robot.ros.time import Time


class Cache(SimpleFilter):
    """The last `cache_size` messages of a filter, in the order in which they came.

    Args:
        f: the filter whose messages are kept.
        allow_headerless: take messages without a stamp at the time they come.
    """

    def __init__(self, f: SimpleFilter, cache_size: int = 1, allow_headerless: bool = False) -> None:
        super().__init__()
        self.cache_size = cache_size
        self.allow_headerless = allow_headerless
        self.cache_msgs: list[Any] = []
        self.cache_times: list[Time] = []
        self.connectInput(f)

    def connectInput(self, f: SimpleFilter) -> None:
        self.incoming_connection = f.registerCallback(self.add)

    def add(self, msg: Any) -> None:
        stamp = stamp_of(msg, "message_filters_cache", allow_headerless=self.allow_headerless)
        if stamp is None:
            return
        self.cache_times.append(stamp)
        self.cache_msgs.append(msg)
        del self.cache_times[: -self.cache_size], self.cache_msgs[: -self.cache_size]
        self.signalMessage(msg)

    def getInterval(self, from_stamp: Time, to_stamp: Time) -> list[Any]:
        """Return the messages stamped between two times, these included."""
        if from_stamp > to_stamp:
            raise AssertionError(f"expected from_stamp <= to_stamp, got {from_stamp} and {to_stamp}")
        return [message for message, time in self._kept() if from_stamp <= time <= to_stamp]

    def getElemAfterTime(self, stamp: Time) -> Any:
        """Return the first message stamped then or later, None when there is none."""
        return next((message for message, time in self._kept() if time >= stamp), None)

    def getElemBeforeTime(self, stamp: Time) -> Any:
        """Return the last message stamped then or earlier, None when there is none."""
        return next((message for message, time in reversed(self._kept()) if time <= stamp), None)

    def getLastestTime(self) -> Time | None:
        return self.cache_times[-1] if self.cache_times else None

    getLatestTime = getLastestTime

    def getOldestTime(self) -> Time | None:
        return self.cache_times[0] if self.cache_times else None

    def getLast(self) -> Any:
        newest = self.getLastestTime()
        return None if newest is None else self.getElemAfterTime(newest)

    def _kept(self) -> list[tuple[Any, Time]]:
        return list(zip(self.cache_msgs, self.cache_times, strict=True))
