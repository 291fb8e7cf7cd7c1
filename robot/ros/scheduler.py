"""What runs a context: a clock and a queue of callbacks in order of (time, sequence)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class Scheduler(Protocol):
    """A clock and a queue. `now` is UTC epoch seconds, `monotonic` never goes back [s]."""

    def now(self) -> float: ...

    def monotonic(self) -> float: ...

    def post(self, callback: Callable[[], None], *, delay: float = 0.0) -> Cancellable:
        """Run `callback` after `delay` seconds, behind everything already due then."""
        ...
