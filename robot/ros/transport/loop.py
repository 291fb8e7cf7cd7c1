"""A scheduler in real time: a heap of timers and a queue of callbacks, run from whoever polls."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count


def _nothing() -> None:
    """What a cancelled event runs."""


class Event:
    """A posted callback that can be cancelled, which lets go of it."""

    __slots__ = ("callback", "cancelled")
    callback: Callable[[], None]
    cancelled: bool

    def cancel(self) -> None:
        self.cancelled = True
        self.callback = _nothing  # a timer of an hour would keep its node for that long


class Loop:
    """Callbacks in order of (time, sequence).

    Args:
        now: UTC epoch seconds; another clock makes timers and stamps follow that one.
        monotonic: never goes back [s].

    Attributes:
        ready, timers: what was posted and has not run; when both are empty there is nothing to ask.
    """

    def __init__(
        self, *, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.now, self.monotonic = now, monotonic
        self.ready: deque[Event] = deque()
        self.timers: list[tuple[float, int, Event]] = []
        self._sequence = count()

    def post(self, callback: Callable[[], None], *, delay: float = 0.0) -> Event:
        event = Event()
        event.callback, event.cancelled = callback, False
        if delay <= 0.0:
            self.ready.append(event)
        else:
            heappush(self.timers, (self.monotonic() + delay, next(self._sequence), event))
        return event

    def run_due(self) -> bool:
        """Run what is due now, not what that posts; return whether anything ran."""
        timers, ready, first = self.timers, self.ready, None
        now = self.monotonic() if timers else 0.0
        try:
            while timers and timers[0][0] <= now:
                entry = heappop(timers)  # not always the one looked at, as other threads make and take some
                if entry[0] > now:
                    heappush(timers, entry)
                    break
                if first is None and not ready:
                    first = entry[2]
                else:
                    ready.append(entry[2])
        except IndexError:
            pass  # they took the last one
        ran, count = False, len(ready)
        if first is not None and not first.cancelled:
            first.callback()
            ran = True
        while count:
            count -= 1
            event = ready.popleft()
            if not event.cancelled:
                event.callback()
                ran = True
        return ran

    def _pop(self) -> tuple[float, int, Event] | None:
        """Take the first timer: not always the one looked at, as other threads make and take some; None = none."""
        try:
            return heappop(self.timers)
        except IndexError:
            return None

    def until_next(self) -> float | None:
        """Return the seconds until something is due, 0 or less when it is now, None when nothing is."""
        if self.ready:
            return 0.0
        while self.timers and self.timers[0][2].cancelled:
            if (entry := self._pop()) and not entry[2].cancelled:
                heappush(self.timers, entry)
        return self.timers[0][0] - self.monotonic() if self.timers else None
