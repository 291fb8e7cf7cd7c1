"""Contexts of one machine and user, each with one inbox: a PULL socket that peers push their frames into.

A context connects to a peer once, so frames of all topics keep their order, and a frame sent after the connection call
is never lost to a slow start. Peers find each other through `directory` and push their endpoints at every change, so
nothing polls for them.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from threading import get_ident
from time import monotonic

import zmq

from robot.ros.exceptions import ROSError
from robot.ros.graph import Endpoint
from robot.ros.scheduler import Scheduler
from robot.ros.transport import Receiver
from robot.ros.transport.bundle import LOOK, MOST, SMALL
from robot.ros.transport.directory import Directory, runtime_directory
from robot.ros.transport.frame import BYE, HELLO, Buffer, Frame, FrameError, Split, pack
from robot.ros.transport.inbox import Inbox
from robot.ros.transport.loop import Loop
from robot.ros.transport.outbox import Outbox
from robot.ros.transport.ring import Loan

log = logging.getLogger(__name__)

HOUSEKEEPING = 0.5  # [s] between looks for dead peers
REST = 0.1  # [s] after which a dead peer is lost once nothing waits in the inbox: that might be its last frames
REST_MAX = 10.0  # [s] the same while there is always something
LINGER = 500  # [ms] that last frames may take to leave
CARE = 0.2  # [s] without polling after which a thread of the transport takes in what has arrived
STALE = 0.02  # [s] the same for a thread that publishes
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
        self._pid = os.getpid()
        self._changed = False
        self._untold: set[str] = set()  # peers whose queue was full when they were to be told of a change
        self._called = threading.Event()  # the caretaker, as something is held back or the transport closes
        self._outbox = Outbox(self._called.set)
        self._flood = self._outbox.flood
        self._sending = self._outbox.lock  # also guards what is announced
        self._polling = threading.Lock()
        self._polled_at = 0.0
        self._polling_on = 0  # the thread that polls
        self.handing_over = 0
        self._sends = 0  # calls that send and have not ended; several only where a signal handler sends too
        self._to_close = False  # nothing has closed the sockets yet
        self._ending = threading.Event()
        self._caretaker = threading.Thread(target=self._take_care, name="ros-caretaker", daemon=True)
        self.closed = True
        self._housekeeping_at = 0.0
        self._gone: dict[str, float] = {}  # peers found dead and not lost yet, and since when [monotonic s]

    @property
    def dropped(self) -> int:
        """How many frames were dropped for peers that are behind."""
        return self._outbox.dropped

    def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._zmq = zmq.Context()
        self._directory = Directory(self._folder, self.name)
        address = f"ipc://{self._directory.socket(self.name)}"
        self._inbox = Inbox(self._zmq, address, self.prefix, receiver, self)
        self.closed, self._to_close = False, True
        self._directory.appear()
        self._look_for_peers()
        self._caretaker.start()

    def _take_care(self) -> None:
        """Take in what arrives while nobody polls, so that a program that does something else is no dead peer.

        And in a flood send what is held back when its publisher pauses.
        """
        while not self._ending.is_set():
            if self._called.wait(CARE) and not self._ending.wait(LOOK):
                self._look_at_flood()
            if self.is_stale(STALE if self._called.is_set() else CARE) and self.take_in():
                self.wake()  # a thread that was about to poll looks at what came

    def _look_at_flood(self) -> None:
        with self._sending:
            if not self.closed and self._outbox.flood.is_over():
                self._called.clear()
                self._outbox.flush()

    # --- sending

    def changed(self) -> None:
        self._check_process()
        self._changed = True
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
                ready = self._prepare(peers) if self._changed or self._untold else peers
                self._outbox.send(ready, frame, payload, keep)
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
        now = monotonic()
        if self._changed or self._untold or now - self._polled_at > STALE:
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
                if self._changed or self._untold:
                    peers = self._prepare(peers)
                self._outbox.send_whole(peers, data, monotonic())
            finally:
                self._sends -= 1
        if self.closed:
            self._finish_closing()

    def lend(self, size: int) -> Loan | None:
        self._check_process()
        with self._sending:
            return None if self.closed else self._outbox.writer.lend(size)

    def _prepare(self, peers: Iterable[str]) -> list[str]:
        """Tell peers what they should know before a frame, and list those that do."""
        if self._changed:
            self._announce_to_all()
        peers = list(peers)
        if self._untold and (untold := self._untold.intersection(peers)):
            self._announce(untold)  # or they would get messages of endpoints that they do not know
            peers = [peer for peer in peers if peer not in self._untold]
        return peers

    def _announce_to_all(self) -> None:
        with self._sending:
            self._changed = False  # before the endpoints are listed: one that comes meanwhile is announced again
            self._announce(self._outbox.peers)

    def _announce(self, peers: Iterable[str], *, ask: bool = False) -> None:
        """Push all endpoints to peers; `ask` for theirs in return. What others have yet to be told stays noted."""
        with self._sending:
            self._flood.peers = None
            self._outbox.flush()
            endpoints = [endpoint.to_json() for endpoint in self._receiver.announced()]
            data = self._own_frame(HELLO) + json.dumps({"pid": self._pid, "ask": ask, "endpoints": endpoints}).encode()
            peers = list(peers)
            self._untold.difference_update(peers)
            self._untold.update(peer for peer in peers if not self._outbox.push(peer, data))

    def _own_frame(self, kind: int) -> bytes:
        return pack(Frame(kind, self.prefix + bytes(8), stamp=self.loop.now()))

    # --- peers

    def _look_for_peers(self) -> None:
        alive, known = self._directory.peers(), set(self._outbox.peers)
        if alive == known and not (self._gone or self._untold):
            return
        gone, now = known - alive, monotonic()
        rest = REST_MAX if gone and self._inbox.has_frame() else REST
        self._gone = {name: self._gone.get(name, now) for name in gone}
        for name, since in self._gone.items():
            if now - since >= rest:
                self._lose(name)
        for name in alive - known:
            self._connect(name)
        self._untold.intersection_update(self._outbox.peers)
        if self._untold:
            self._announce(self._untold)

    def _connect(self, name: str) -> None:
        with self._sending:
            self._outbox.connect(self._zmq, name, f"ipc://{self._directory.socket(name)}")
            self._announce([name], ask=True)

    def _lose(self, name: str) -> None:
        with self._sending:
            self._outbox.disconnect(name)
            self._inbox.reader.forget(name)
        self._receiver.on_peer_lost(name)

    def peers(self) -> list[str]:
        return sorted(self._outbox.peers)

    def on_bye(self, peer: str) -> None:
        """A peer said goodbye."""
        if peer in self._outbox.peers:
            self._lose(peer)

    def on_hello(self, peer: str, endpoints: list[Endpoint], *, asked: bool) -> None:
        """A peer announced its endpoints; raises FrameError when it cannot be one."""
        if peer not in self._outbox.peers:
            if peer == self.name:
                raise FrameError("an announcement in this context's own name")
            if not self._directory.is_alive(peer):
                log.debug("dropped an announcement of %s, which has gone meanwhile", peer)
                return
            self._connect(peer)
        elif asked:
            self._announce([peer])
        self._receiver.on_peer(peer, endpoints)

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
                    if self._changed or self._flood.frames or now >= self._housekeeping_at:
                        now = self._catch_up()
                    left = self._housekeeping_at - now
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
        if self._changed:
            self._announce_to_all()
        if self._flood.frames:
            with self._sending:
                self._outbox.flush()
        now = monotonic()
        if now >= self._housekeeping_at:
            self._look_for_peers()
            now = monotonic()
            self._housekeeping_at = now + (REST if self._gone else HOUSEKEEPING)
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
        self._ending.set()
        self._called.set()
        self.wake()  # whoever polls lets go
        self._finish_closing(wait=self._polling_on != get_ident())
        if threading.current_thread() is not self._caretaker:
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
        lingers = [(peer, LINGER if self._directory.is_alive(peer) else 0) for peer in self._outbox.peers]
        self._outbox.close(lingers, self._own_frame(BYE))
        self._directory.close()
        self._inbox.close()
        self._zmq.term()
        self._outbox.release()
        self._inbox.reader.close()
