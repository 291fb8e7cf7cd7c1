"""What one robot has sent and nobody has looked at yet: bounded, whatever it sends."""

from __future__ import annotations

import logging
import threading
from collections import deque

from robot.ros.bridge.seldom import Seldom

log = logging.getLogger(__name__)

HELLO, FRAME = b"h", b"f"
FRAMES = 200  # that wait; more are dropped
OCTETS = 256 * 1024 * 1024  # of all that wait, beyond which no second frame waits
HELLO_MAX = 1024 * 1024  # bytes of an announcement


class Inbox:
    """The messages of one robot, in order: one thread puts, another takes.

    Announcements are not dropped for want of room: of two in a row only the second, which says all, is kept.
    """

    def __init__(self, robot: str) -> None:
        self._robot = robot
        self._lock = threading.Lock()
        self._waiting: deque[tuple[list[bytes], int]] = deque()
        self._frames, self._octets = 0, 0
        self._dropped = Seldom()

    def put(self, parts: list[bytes]) -> bool:
        """Keep a message, if there is room; tell whether there is one more to take now."""
        size = sum(map(len, parts))
        with self._lock:
            if parts[0] == HELLO:
                if size > HELLO_MAX:
                    return self._drop(f"an announcement of {size} bytes, {HELLO_MAX} are taken")
                if self._waiting and self._waiting[-1][0][0] == HELLO:
                    self._octets += size - self._waiting[-1][1]
                    self._waiting[-1] = parts, size
                    return False
            elif self._frames >= FRAMES or (self._frames and self._octets + size > OCTETS):
                return self._drop(f"{self._frames} messages wait already")
            else:
                self._frames += 1
            self._octets += size
            self._waiting.append((parts, size))
            return True

    def take(self) -> list[bytes]:
        """Take the oldest message; there is one for every `put` that returned true."""
        with self._lock:
            parts, size = self._waiting.popleft()
            self._octets -= size
            self._frames -= parts[0] != HELLO
            return parts

    def _drop(self, why: str) -> bool:
        if self._dropped.again():
            log.warning("dropped a message of %s: %s (%d dropped so far)", self._robot, why, self._dropped.count)
        return False
