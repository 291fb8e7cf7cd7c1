"""Contexts of one machine and user, each with one inbox: a PULL socket that peers push their frames into.

A context connects to a peer once, so frames of all topics keep their order, and a frame sent after the connection call
is never lost to a slow start. Peers find each other through `directory` and push their endpoints at every change, so
nothing polls for them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from threading import get_ident
from time import monotonic

import zmq

from robot.ros.exceptions import ROSError
from robot.ros.scheduler import Scheduler
from robot.ros.transport import Receiver
from robot.ros.transport.bundle import MOST, SMALL
from robot.ros.transport.caretaker import STALE, Caretaker
from robot.ros.transport.directory import Directory, runtime_directory
from robot.ros.transport.frame import Buffer, Frame, Split
from robot.ros.transport.loop import Loop
from robot.ros.transport.neighbours import Neighbours
from robot.ros.transport.outbox import Outbox
from robot.ros.transport.ring import Loan

AT_ONCE = 20e-6  # [s] who got a frame in no longer did not wait for it: there may be more
CLOSING = 2.0  # [s] that a close waits for a thread which polls or sends; later, that thread closes


class ZeroMQ:
    """The transport between processes. Any thread of the process that opened it may send; one at a time may poll.

    Args:
        domain_id: None = ROS_DOMAIN_ID, else 0.
        folder: replaces the folder that follows from the environment.
        loop: clock and timers of the context; None = the machine's. Waiting and looking for peers keep to real time.
    """

    def __init__(self, *, domain_id: int | None = None, folder: Path | None = None, loop: Loop | None = None) -> None:
        self.loop = loop or Loop()
        self.scheduler: Scheduler = self.loop
        self.prefix = os.urandom(8)
        self.external = False
        self.name = self.prefix.hex()
        self._folder = folder or runtime_directory(domain_id)
        self._caretaker = Caretaker(self)
        self._outbox = Outbox(self._caretaker.call)
        self._flood = self._outbox.flood
        self._sending = self._outbox.lock
        self._polling = threading.Lock()
        self._polled_at = 0.0
        self._polling_on = 0  # the thread that polls
        self.handing_over = 0
        self._sends = 0  # calls that send and have not ended; several only where a signal handler sends too
        self._to_close = False  # nothing has closed the sockets yet
        self.closed = True
        self._look_at = 0.0  # [monotonic s] when to look for peers again

    @property
    def dropped(self) -> int:
        """How many frames were dropped for peers that are behind."""
        return self._outbox.dropped

    def open(self, receiver: Receiver) -> None:
        self._zmq = zmq.Context()
        self._directory = Directory(self._folder, self.name)
        near = Neighbours(
            self._zmq, self._directory, prefix=self.prefix, receiver=receiver, outbox=self._outbox, now=self.loop.now
        )
        self._neighbours, self._inbox = near, near.inbox
        self.closed, self._to_close = False, True
        near.look()
        self._caretaker.start()

    def end_flood(self, ended: Callable[[], None]) -> None:
        """Send what a flood held back, if it is over; `ended` is called before another one can begin."""
        with self._sending:
            if not self.closed and self._flood.is_over():
                ended()
                self._outbox.flush()

    # --- sending

    def changed(self) -> None:
        self._check_process()
        self._neighbours.changed = True
        self._flood.peers = None
        if self._polling.locked():
            self.wake()

    def send(self, peers: Sequence[str], frame: Frame, payload: Buffer | Split, keep: Collection[str] = ()) -> None:
        if self._directory.forked:
            self._check_process()
        with self._sending:
            if self.closed:
                raise ROSError("the transport is closed")
            self._sends += 1
            try:
                if self._neighbours.changed or self._neighbours.untold:
                    peers = self._neighbours.prepare(peers)
                self._outbox.send(peers, frame, payload, keep)
            finally:
                self._sends -= 1
        if self.closed:
            self._finish_closing()

    def hold(self, peers: Sequence[str], data: bytes | bytearray) -> bool:
        flood = self._flood  # a forked child does not come here: its bus has no routes
        if peers is flood.peers and len(data) <= SMALL:
            with self._sending:
                if peers is not flood.peers:  # another thread has ended it
                    return False
                flood.frames.append(data)
                if len(flood.frames) >= MOST:
                    self._sends += 1
                    try:
                        self._outbox.flush()
                    finally:
                        self._sends -= 1
            return True
        now, near = monotonic(), self._neighbours
        if near.changed or near.untold or now - self._polled_at > STALE:
            return False
        with self._sending:
            if self.closed:
                return False
            self._sends += 1
            try:
                self._outbox.send_whole(peers, data, now)
            finally:
                self._sends -= 1
        if self.closed:
            self._finish_closing()
        return True

    def send_whole(self, peers: Sequence[str], data: bytes | bytearray) -> None:
        if self._directory.forked:
            self._check_process()
        with self._sending:
            if self.closed:
                raise ROSError("the transport is closed")
            self._sends += 1
            try:
                if self._neighbours.changed or self._neighbours.untold:
                    peers = self._neighbours.prepare(peers)
                self._outbox.send_whole(peers, data, monotonic())
            finally:
                self._sends -= 1
        if self.closed:
            self._finish_closing()

    def lend(self, size: int) -> Loan | None:
        self._check_process()
        with self._sending:
            return None if self.closed else self._outbox.writer.lend(size)

    def peers(self) -> list[str]:
        return sorted(self._outbox.peers)

    # --- receiving

    def poll(self, timeout: float | None, waiting: int = 0) -> None:
        if self._directory.forked:
            self._check_process()
        loop = self.loop
        with self._polling:
            if not self.closed:
                me = self._polling_on = get_ident()
                try:
                    now = monotonic()
                    if self._neighbours.changed or self._flood.frames or now >= self._look_at:
                        now = self._catch_up()
                    left = self._look_at - now
                    if timeout is not None and timeout < left:
                        left = timeout
                    if left > 0.0 and (loop.timers or loop.ready):
                        until_next = loop.until_next()
                        if until_next is not None and until_next < left:
                            left = until_next
                    self._polled_at = now
                    if left > 0.0:
                        data = self._inbox.wait(left)
                        self._polled_at = monotonic()
                    else:
                        data = self._inbox.look()
                    if data is not None:
                        self.handing_over = me
                        self._inbox.take_in(data, more=self._polled_at - now < AT_ONCE, waiting=waiting)
                finally:
                    self._polling_on = self.handing_over = 0
        if self.closed:
            self._finish_closing()
        if loop.timers or loop.ready:
            self.handing_over = get_ident()
            try:
                loop.run_due()
            finally:
                self.handing_over = 0

    def until_due(self) -> float | None:
        return self.loop.until_next()

    def take_in(self) -> bool:
        """Take in what has arrived, and run nothing that is due; no effect while another thread polls.

        Returns:
            Whether anything had arrived.
        """
        self._check_process()
        if not self._polling.acquire(blocking=False):
            return False
        arrived = False
        try:
            if not self.closed:
                self._polling_on = get_ident()
                self._polled_at = self._catch_up()
                if (data := self._inbox.look()) is not None:
                    arrived = True
                    self.handing_over = self._polling_on
                    self._inbox.take_in(data, more=True)
        finally:
            self._polling_on = self.handing_over = 0
            self._polling.release()
        if self.closed:
            self._finish_closing()
        return arrived

    def is_stale(self, age: float = STALE) -> bool:
        """Tell whether nobody has polled for a while [s]."""
        return monotonic() - self._polled_at > age

    def _catch_up(self) -> float:
        """Say and send what peers are still to be told, and look for them when it is time; return now [monotonic s]."""
        if self._neighbours.changed:
            self._neighbours.announce_to_all()
        if self._flood.frames:
            with self._sending:
                self._outbox.flush()
        now = monotonic()
        if now >= self._look_at:
            soon = self._neighbours.look()
            now = monotonic()
            self._look_at = now + soon
        return now

    def wake(self) -> None:
        if self._to_close and not self._directory.forked:
            self._inbox.ring()

    def _check_process(self) -> None:
        if self._directory.forked:
            raise ROSError("a context does not survive fork(): make a new one in the child, or start it with spawn")

    def close(self) -> None:
        """Say goodbye and remove what this context made. In a forked child nothing of the parent's is touched.

        A signal handler may call it while its thread polls or sends; the sockets are then closed when that has ended.
        """
        if self.closed or self._directory.forked:
            return
        self.closed = True
        self._flood.peers = None
        self._caretaker.end()
        self.wake()  # whoever polls lets go
        self._finish_closing(wait=self._polling_on != get_ident())
        self._caretaker.join(CLOSING)

    def _finish_closing(self, *, wait: bool = False) -> None:
        """Close the sockets once no thread uses them: who comes when another still does leaves it to that one."""
        limit = CLOSING if wait else 0.0
        if not self._polling.acquire(timeout=limit):
            return
        try:
            if self._sending.acquire(timeout=limit):
                try:
                    if self._to_close and not self._sends:
                        self._to_close = False
                        self._close()
                finally:
                    self._sending.release()
        finally:
            self._polling.release()

    def _close(self) -> None:
        self._neighbours.leave()
        self._zmq.term()
        self._outbox.release()
        self._inbox.reader.close()
