"""Timers on any clock, run by the process that owns them: the twin of `sim.lockstep` where time moves by itself."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from telemetry.clock import Clock


class Entry:
    """A callback that waits for its time and can be cancelled."""

    __slots__ = ("at", "callback", "cancelled")

    def __init__(self, at: float, callback: Callable[[], None]) -> None:
        self.at = at
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class ClockTimers:
    """Callbacks in order of (time, sequence) on `clock`'s monotonic time. The owner calls `run_due` in its loop.

    Attributes:
        entries: a heap of what waits, the same list for ever.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.entries: list[tuple[float, int, Entry]] = []
        self._sequence = count()

    def now(self) -> float:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def post(self, callback: Callable[[], None], *, delay: float = 0.0) -> Entry:
        """Run `callback` after `delay` seconds, behind everything already due then."""
        entry = Entry(self._clock.monotonic() + max(0.0, delay), callback)
        heapq.heappush(self.entries, (entry.at, next(self._sequence), entry))
        return entry

    def every(self, period: float, callback: Callable[[], None]) -> None:
        """Run `callback` each `period` seconds, first after one period; calls that were missed are not made up."""
        if period <= 0.0:
            raise ValueError(f"expected a period > 0 s, got {period}")
        start = self._clock.monotonic()

        def fire() -> None:
            self._wait(start, period, fire)
            callback()

        self._wait(start, period, fire)

    def run_due(self) -> int:
        """Run what is due now and return how many callbacks that were; what they post waits for the next call."""
        now = self._clock.monotonic()
        due = []
        while self.entries and self.entries[0][0] <= now:
            due.append(heapq.heappop(self.entries)[2])
        for entry in due:
            if not entry.cancelled:
                entry.callback()
        return len(due)

    def next_due(self) -> float | None:
        """Return when the next callback is due (monotonic [s]); None when none waits."""
        while self.entries and self.entries[0][2].cancelled:
            heapq.heappop(self.entries)
        return self.entries[0][0] if self.entries else None

    def _wait(self, start: float, period: float, fire: Callable[[], None]) -> None:
        elapsed = self._clock.monotonic() - start
        periods = int(elapsed / period + 1e-9) + 1
        self.post(fire, delay=start + periods * period - self._clock.monotonic())
