"""Virtual time for one process: events in order of (time, sequence); time advances only when nothing is due."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count


class Event:
    """A scheduled callback that can be cancelled."""

    __slots__ = ("at", "callback", "cancelled")

    def __init__(self, at: float, callback: Callable[[], None]) -> None:
        self.at = at
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Lockstep:
    """Scheduler and clock in one. The ROS bus, the in-memory MQTT and the physics all post their work here.

    Args:
        epoch: UTC epoch seconds at monotonic time 0.
    """

    def __init__(self, epoch: float) -> None:
        self._epoch = epoch
        self._time = 0.0
        self._events: list[tuple[float, int, Event]] = []
        self._sequence = count()

    def now(self) -> float:
        return self._epoch + self._time

    def monotonic(self) -> float:
        return self._time

    def post(self, callback: Callable[[], None], *, delay: float = 0.0) -> Event:
        """Run `callback` after `delay` seconds of virtual time, behind everything already due then."""
        event = Event(self._time + max(0.0, delay), callback)
        heapq.heappush(self._events, (event.at, next(self._sequence), event))
        return event

    def every(self, period: float, callback: Callable[[], None]) -> None:
        """Run `callback` each `period` seconds, first after one period, on a grid that does not drift."""
        if period <= 0.0:
            raise ValueError(f"period must be > 0 s, got {period}")
        start = self._time

        def fire(n: int) -> None:
            callback()
            self.post(lambda: fire(n + 1), delay=start + (n + 1) * period - self._time)

        self.post(lambda: fire(1), delay=period)

    def run(self, *, until: Callable[[], bool] | None = None, seconds: float = float("inf")) -> None:
        """Run events until `until()` is true, `seconds` of virtual time have passed or nothing is left."""
        end = self._time + seconds
        while self._events and not (until is not None and until()):
            at, _, event = self._events[0]
            if at > end:
                break
            heapq.heappop(self._events)
            if event.cancelled:
                continue
            self._time = max(self._time, at)
            event.callback()
        else:
            return
        self._time = max(self._time, end) if end != float("inf") else self._time
