"""A thread of the transport's own: it takes in what arrives while nobody polls, and sends what a flood holds back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from robot.ros.transport.bundle import LOOK

CARE = 0.2  # [s] without polling after which it takes in what has arrived
STALE = 0.02  # [s] the same for a thread that publishes, and while there is a flood


class Cared(Protocol):
    """What the caretaker looks after."""

    def is_stale(self, age: float) -> bool: ...

    def take_in(self) -> bool: ...

    def wake(self) -> None: ...

    def end_flood(self, ended: Callable[[], None]) -> None: ...


class Caretaker:
    """So that a program that does something else is no dead peer.

    Attributes:
        call: what a flood that begins calls, so that it is sent when its publisher pauses.
    """

    def __init__(self, transport: Cared) -> None:
        self._transport = transport
        self._called, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="ros-caretaker", daemon=True)
        self.start = self._thread.start
        self.call = self._called.set

    def _run(self) -> None:
        transport, called = self._transport, self._called
        while not self._ending.is_set():
            if called.wait(CARE) and not self._ending.wait(LOOK):
                transport.end_flood(called.clear)
            if transport.is_stale(STALE if called.is_set() else CARE) and transport.take_in():
                transport.wake()  # a thread that was about to poll looks at what came

    def end(self) -> None:
        """Ask it to end, from any thread."""
        self._ending.set()
        self._called.set()

    def join(self, timeout: float) -> None:
        """Wait until it has ended, at most so long [s], unless this is it."""
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)
