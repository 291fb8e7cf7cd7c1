"""Watch that something happens often enough: a deadline, or a lease of liveliness."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from robot.ros.duration import NANOSECONDS

if TYPE_CHECKING:
    from robot.ros.node import Node
    from robot.ros.scheduler import Cancellable


class Watch:
    """Tell of each period in which `feed` was not called; a look that comes late tells once of all before it.

    Args:
        period_ns: [ns].
        missed: called from the thread that polls; must not block.
        once: tell of the first period only, until it is fed again.
    """

    def __init__(self, node: Node, period_ns: int, missed: Callable[[], None], *, once: bool = False) -> None:
        self._node = node
        self._period = period_ns / NANOSECONDS
        self._missed = missed
        self._once = once
        self._lock = threading.Lock()
        self._end = 0.0
        self._event: Cancellable | None = None
        self._closed = False

    def feed(self) -> None:
        """Begin a period; the first call starts the watch."""
        with self._lock:
            self._end = self._node._ros_scheduler.monotonic() + self._period
            if self._event is None and not self._closed:
                self._arm(self._period)

    def _arm(self, delay: float) -> None:
        self._event = self._node._ros_scheduler.post(self._look, delay=delay)
        self._node.context.bus.pump.news()

    def _look(self) -> None:
        with self._lock:
            if self._closed:
                return
            left = self._end - self._node._ros_scheduler.monotonic()
            late = left <= 1e-6
            self._event = None
            if late and not self._once:
                self._end += (max(0.0, -left) // self._period + 1) * self._period
                left = self._end - self._node._ros_scheduler.monotonic()
            if not (late and self._once):
                self._arm(max(left, 1e-6))
        if late:
            self._missed()

    def pause(self) -> None:
        """Tell of nothing until it is fed again."""
        with self._lock:
            if self._event is not None:
                self._event.cancel()
                self._event = None

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self.pause()
