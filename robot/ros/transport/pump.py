"""Let any number of threads wait on one transport: one of them polls it, the others sleep until there is news for them.

A thread that has finished polling hands the polling to one that sleeps, so messages are taken in while it runs a
callback. With one thread this costs two uncontended locks per wait.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import get_ident
from typing import Any, Protocol

from robot.ros.transport import Transport


class Waiter:
    """One thread's place to wait. `wake` may be called from any thread and from signal handlers."""

    __slots__ = ("_polling", "_pump", "_tokens", "ident")

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self.ident = get_ident()
        self._tokens: SimpleQueue[None] = SimpleQueue()
        self._polling = False

    def wake(self) -> None:
        """End the wait, or the next one; a thread that hands over what it took in looks again by itself."""
        if get_ident() == self.ident == self._pump.transport.handing_over:
            return
        self.nudge()

    def nudge(self) -> None:
        if self._tokens.empty():  # one is enough, also for a wait that is long inside another
            self._tokens.put(None)
        if self._polling:
            self._pump.transport.wake()

    def wait(self, timeout: float | None) -> None:
        """Take in what arrives, or sleep while another thread does; return when anything may have changed."""
        pump, tokens = self._pump, self._tokens
        try:
            if pump.leading.acquire(False):  # nearly always
                try:
                    self._polling = True
                    pump.transport.poll(timeout if tokens.empty() else 0.0)
                finally:
                    self._polling = False
                    pump.leading.release()
                if pump.watchers:
                    pump.tell_watchers()
            else:
                pump.idle[self] = None
                if pump.leading.locked():  # or whoever led has not seen that this one is idle: the wait is tried again
                    tokens.get(timeout=timeout)
        except Empty:
            pass
        finally:
            if pump.idle:
                pump.idle.pop(self, None)
                pump.hand_over()
        while not tokens.empty():
            try:
                tokens.get_nowait()
            except Empty:
                break


class Helped(Protocol):
    """An executor, as far as a thread that waits can help it."""

    waiters: dict[Waiter, None]

    def run_other(self) -> bool: ...


class Pump:
    """What the threads of one context share to wait on its transport."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.leading = threading.Lock()
        self.idle: dict[Waiter, None] = {}
        self.waiting_for: dict[int, Any] = {}  # callback groups, by the thread whose call a service of theirs answers
        self.watchers: dict[Waiter, None] = {}

    def hand_over(self) -> None:
        """Let a thread that sleeps poll, when nobody does."""
        while self.idle and not self.leading.locked():
            try:
                next(iter(self.idle)).nudge()
            except (StopIteration, RuntimeError):  # changed by another thread meanwhile
                continue
            return

    def refresh(self) -> None:
        """Take in what has arrived, so that the graph is fresh; nothing is run."""
        if not self.transport.closed:
            if self.transport.take_in():
                self.news()  # what was taken in may have been to wake a thread that is about to poll
            self.tell_watchers()

    def take_in(self, waiting: int = 0) -> None:
        """Take in what has arrived and what is due, without waiting, unless another thread is at it.

        Args:
            waiting: messages that were taken in and wait for their callbacks; so many fewer are taken in now.
        """
        if self.transport.external or self.transport.closed:
            return
        if self.leading.acquire(blocking=False):
            try:
                self.transport.poll(0.0, waiting)
            finally:
                self.leading.release()
            self.tell_watchers()
            self.hand_over()

    def tell_watchers(self) -> None:
        """Make `wait_until` look again."""
        if self.watchers:
            for waiter in tuple(self.watchers):
                waiter.wake()

    def wake_all(self) -> None:
        """End all waits, from any thread and from signal handlers."""
        for waiter in (*self.watchers, *self.idle):
            waiter.nudge()
        if not self.transport.closed:
            self.transport.wake()

    def news(self) -> None:
        """Let the thread that polls look at its timers again."""
        if self.leading.locked():
            self.transport.wake()

    def wait_until(
        self, condition: Callable[[], bool], timeout_sec: float | None, helped: Helped | None = None
    ) -> bool:
        """Wait until `condition()` holds, the time is over or the transport closes; return the condition.

        Args:
            timeout_sec: None or negative = no limit.
            helped: its callbacks run meanwhile, as far as their groups let them.
        """
        if self.transport.external:
            return condition()
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        waiter = Waiter(self)
        self.watchers[waiter] = None
        if helped is not None:
            helped.waiters[waiter] = None
        try:
            while not condition() and not self.transport.closed:
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0.0:
                    break
                if helped is None or not helped.run_other():
                    waiter.wait(left)
        finally:
            self.watchers.pop(waiter, None)
            if helped is not None:
                del helped.waiters[waiter]
        return condition()
