"""Time, as handed to every node: two callables. Nodes never read wall time themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Return UTC epoch seconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never step back, from an arbitrary origin."""
        ...


class Timers(Protocol):
    """Periodic work, driven by whoever runs the node."""

    def every(self, period: float, callback: Callable[[], None]) -> None:
        """Call `callback` each `period` seconds of the node's clock; missed calls are not made up."""
        ...
