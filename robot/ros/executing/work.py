"""Count the callbacks that run, so that a shutdown can wait for them."""

from __future__ import annotations

import threading
from threading import get_ident


class WorkTracker:
    """Entered while a callback runs; any number of threads may be inside."""

    def __init__(self) -> None:
        self.inside: dict[int, int] = {}  # depth by thread; each thread touches its own entry only
        self.waiting = 0
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        thread = get_ident()
        self.inside[thread] = self.inside.get(thread, 0) + 1

    def __exit__(self, *_: object) -> None:
        thread = get_ident()
        self.leave(thread, self.inside.pop(thread) - 1)

    def leave(self, thread: int, depth: int) -> None:
        """Note that a thread, taken off already, is still inside at this depth, or tell that it has left."""
        if depth:
            self.inside[thread] = depth
        elif self.waiting:
            with self._changed:
                self._changed.notify_all()

    def is_inside(self) -> bool:
        """Tell whether this thread is inside."""
        return get_ident() in self.inside

    def wait(self, timeout_sec: float | None = None) -> bool:
        """Wait until no other thread is inside; False when the time (None or negative = no limit) was over before."""
        me = get_ident()
        limit = None if timeout_sec is None or timeout_sec < 0 else timeout_sec
        with self._changed:
            self.waiting += 1
            try:
                return self._changed.wait_for(lambda: all(thread == me for thread in tuple(self.inside)), limit)
            finally:
                self.waiting -= 1
