"""Where frames of many streams wait: a few per stream, the oldest dropped first, taken out in turn."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True, kw_only=True)
class Count:
    """What became of a stream's frames: how many came, and how many were dropped for newer ones."""

    received: int = 0
    dropped: int = 0


class Post:
    """Frames that wait. For use from several threads.

    Args:
        streams: how many.
        capacity: frames that wait per stream; more make results older, fewer make gaps where cameras come in bursts.
    """

    def __init__(self, streams: int, capacity: int = 2) -> None:
        self._waiting: list[deque[Any]] = [deque() for _ in range(streams)]
        self._capacity = capacity
        self._turn = 0
        self._open = True
        self._changed = threading.Condition()
        self.counts = [Count() for _ in range(streams)]

    def put(self, stream: int, frame: Any, *, wait: bool = False) -> None:
        """Add a frame; with `wait` until there is room (a file), else in place of the oldest (a camera)."""
        with self._changed:
            queue = self._waiting[stream]
            if wait:
                self._changed.wait_for(lambda: len(queue) < self._capacity or not self._open)
            self.counts[stream].received += 1
            while len(queue) >= self._capacity:
                queue.popleft()
                self.counts[stream].dropped += 1
            queue.append(frame)
            self._changed.notify_all()

    def take(self) -> tuple[int, Any] | None:
        """Return the stream and its oldest waiting frame, each stream in turn; None when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: any(self._waiting) or not self._open)
            for step in range(len(self._waiting)):
                stream = (self._turn + step) % len(self._waiting)
                if self._waiting[stream]:
                    self._turn = (stream + 1) % len(self._waiting)
                    frame = self._waiting[stream].popleft()
                    self._changed.notify_all()
                    return stream, frame
            return None

    def close(self) -> None:
        """Take no more; what waits is still given out."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
