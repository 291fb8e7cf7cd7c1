"""When to try again: pauses double while attempts fail or connections break soon, and are short after a good one."""

from __future__ import annotations

STABLE_S = 5.0
"""A connection that lasted this long was a good one."""


class Retry:
    """Pauses between attempts, from `shortest` to `longest` [s]; instants are monotonic [s]."""

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest = shortest
        self._longest = longest
        self._pause = shortest
        self._due_at = float("-inf")
        self._begun_at = float("-inf")
        self.short_lives = 0
        """Connections in a row that broke soon."""

    def left(self, now: float) -> float:
        """Return how long to wait before the next attempt; 0 when it is due."""
        return max(0.0, self._due_at - now)

    def begun(self, now: float) -> None:
        """A connection stands."""
        self._begun_at = now

    def ended(self, now: float) -> None:
        """A connection that stood has broken."""
        if now - self._begun_at >= STABLE_S:
            self.short_lives = 0
            self._pause = self._shortest
        else:
            self.short_lives += 1
        self.failed(now)

    def failed(self, now: float) -> None:
        """An attempt has failed."""
        self._due_at = now + self._pause
        self._pause = min(self._longest, 2.0 * self._pause)
