"""Count the callbacks that run, so that a shutdown can wait for them."""

from __future__ import annotations

import threading
from threading import get_ident


class WorkTracker:
    """Entered while a callback runs; any number of threads may be inside."""

    def __init__(self) -> None:
        self._inside: dict[int, int] = {}  # depth by thread; each thread touches its own entry only
        self._changed = threading.Condition()
        self._waiting = 0

    def __enter__(self) -> None:
        thread = get_ident()
        self._inside[thread] = self._inside.get(thread, 0) + 1

    def __exit__(self, *_: object) -> None:
        thread = get_ident()
        depth = self._inside.pop(thread) - 1
        if depth:
            self._inside[thread] = depth
        elif self._waiting:
            with self._changed:
                self._changed.notify_all()

    def is_inside(self) -> bool:
        """Tell whether this thread is inside."""
        return get_ident() in self._inside

    def wait(self, timeout_sec: float | None = None) -> bool:
        """Wait until no other thread is inside; False when the time (None or negative = no limit) was over before."""
        me = get_ident()
        limit = None if timeout_sec is None or timeout_sec < 0 else timeout_sec
        with self._changed:
            self._waiting += 1
            try:
                return self._changed.wait_for(lambda: all(thread == me for thread in tuple(self._inside)), limit)
            finally:
                self._waiting -= 1
