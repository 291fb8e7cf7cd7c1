"""A scheduler in real time: a heap of timers and a queue of callbacks, run from whoever polls."""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable
from itertools import count


def _nothing() -> None:
    """What a cancelled event runs."""


class Event:
    """A posted callback that can be cancelled, which lets go of it."""

    __slots__ = ("callback", "cancelled")

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True
        self.callback = _nothing  # a timer of an hour would keep its node for that long


class Loop:
    """Callbacks in order of (time, sequence).

    Args:
        now: UTC epoch seconds; another clock makes timers and stamps follow that one.
        monotonic: never goes back [s].
    """

    def __init__(
        self, *, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.now, self.monotonic = now, monotonic
        self._ready: deque[Event] = deque()
        self._timers: list[tuple[float, int, Event]] = []
        self._sequence = count()

    def post(self, callback: Callable[[], None], *, delay: float = 0.0) -> Event:
        event = Event(callback)
        if delay <= 0.0:
            self._ready.append(event)
        else:
            heapq.heappush(self._timers, (self.monotonic() + delay, next(self._sequence), event))
        return event

    def run_due(self) -> bool:
        """Run what is due now, not what that posts; return whether anything ran."""
        if self._timers:
            now = self.monotonic()
            while self._timers and self._timers[0][0] <= now:
                if (entry := self._pop()) and entry[0] <= now:
                    self._ready.append(entry[2])
                elif entry:
                    heapq.heappush(self._timers, entry)
        ran = False
        for _ in range(len(self._ready)):
            event = self._ready.popleft()
            if not event.cancelled:
                event.callback()
                ran = True
        return ran

    def _pop(self) -> tuple[float, int, Event] | None:
        """Take the first timer: not always the one looked at, as other threads make and take some; None = none."""
        try:
            return heapq.heappop(self._timers)
        except IndexError:
            return None

    def until_next(self) -> float | None:
        """Return the seconds until something is due, None when nothing is."""
        if self._ready:
            return 0.0
        while self._timers and self._timers[0][2].cancelled:
            if (entry := self._pop()) and not entry[2].cancelled:
                heapq.heappush(self._timers, entry)
        return max(0.0, self._timers[0][0] - self.monotonic()) if self._timers else None
