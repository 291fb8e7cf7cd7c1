"""Contexts of one machine and user, each with one inbox: a PULL socket that peers push their frames into.

A context connects to a peer once, so frames of all topics keep their order, and a frame sent after the connection call
is never lost to a slow start. Peers find each other through `directory` and push their endpoints at every change, so
nothing polls for them.
"""

from __future__ import annotations

import json
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from threading import get_ident
from typing import Any

import zmq
from zmq.backend import zmq_poll

from robot.ros.exceptions import ROSError
from robot.ros.graph import Endpoint
from robot.ros.scheduler import Scheduler
from robot.ros.transport import Receiver
from robot.ros.transport.bell import Bell
from robot.ros.transport.directory import Directory, runtime_directory
from robot.ros.transport.frame import (
    BYE,
    DATA,
    FLAGS_AT,
    GID_SIZE,
    HELLO,
    NEAR,
    PLAIN,
    SHARED,
    SIZE,
    STAMP_TOP,
    Buffer,
    Frame,
    FrameError,
    Split,
    pack,
    unpack,
    whole,
)
from robot.ros.transport.loop import Loop
from robot.ros.transport.ring import Loan, Writer
from robot.ros.transport.shared import THRESHOLD, Reader, SharedMemoryError

log = logging.getLogger(__name__)

QUEUE = 10_000  # frames that wait for a peer; more are dropped
LARGEST = 64 * 1024 * 1024  # bytes of a frame; a peer that sends more is disconnected
DRAIN = 1000  # frames taken in before callbacks get their turn
HOUSEKEEPING = 0.5  # [s] between looks for dead peers
LINGER = 500  # [ms] that last frames may take to leave
CARE = 0.2  # [s] without polling after which a thread of the transport takes in what has arrived
_NOBLOCK = int(zmq.NOBLOCK)
STALE = 0.02  # [s] the same for a thread that publishes
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
        self.dropped = 0
        self._folder = folder or runtime_directory(domain_id)
        self._pid = os.getpid()
        self._peers: dict[str, zmq.Socket[bytes]] = {}
        self._send_to: dict[str, Callable[[bytes, int], Any]] = {}
        self._writer, self._reader = Writer(), Reader()
        self._changed = False
        self._untold: set[str] = set()  # peers whose queue was full when they were to be told of a change
        self._sending = threading.RLock()  # also guards the peers and the shared memory written
        self._polling = threading.Lock()
        self._polled_at = 0.0
        self._polling_on = 0  # the thread that polls
        self._sends = 0  # calls of `send` that have not ended; several only where a signal handler sends too
        self._to_close = False  # nothing has closed the sockets yet
        self._bell: Bell | None = None
        self._ending = threading.Event()
        self._caretaker = threading.Thread(target=self._take_care, name="ros-caretaker", daemon=True)
        self.closed = True
        self._housekeeping_at = 0.0

    def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._zmq = zmq.Context()
        self._directory = Directory(self._folder, self.name)
        self._inbox = self._zmq.socket(zmq.PULL)
        self._inbox.setsockopt(zmq.RCVHWM, QUEUE)
        self._inbox.setsockopt(zmq.MAXMSGSIZE, LARGEST)
        self._inbox.setsockopt(zmq.LINGER, 0)
        self._inbox.bind(f"ipc://{self._directory.socket(self.name)}")
        bell = self._bell = Bell()
        self._polled: list[tuple[Any, int]] = [(self._inbox, zmq.POLLIN), (bell.fd, zmq.POLLIN)]
        self.closed, self._to_close = False, True
        self._directory.appear()
        self._look_for_peers()
        self._caretaker.start()

    def _take_care(self) -> None:
        """Take in what arrives while nobody polls, so that a program that does something else is no dead peer."""
        while not self._ending.wait(CARE):
            if self.is_stale(CARE) and self.take_in():
                self.wake()  # a thread that was about to poll looks at what came

    # --- sending

    def changed(self) -> None:
        self._check_process()
        self._changed = True
        if self._polling.locked():
            self.wake()

    def send(self, peers: Iterable[str], frame: Frame, payload: Buffer | Split, keep: Collection[str] = ()) -> None:
        self._check_process()
        with self._sending:
            if self.closed:
                raise ROSError("the transport is closed")
            self._sends += 1
            try:
                self._send(peers, frame, payload, keep)
            finally:
                self._sends -= 1
        if self.closed:
            self._finish_closing()

    def lend(self, size: int) -> Loan | None:
        self._check_process()
        with self._sending:
            return None if self.closed else self._writer.lend(size)

    def _send(self, peers: Iterable[str], frame: Frame, payload: Buffer | Split, keep: Collection[str]) -> None:
        if self._changed:
            self._announce_to_all()
        if self._untold and (untold := self._untold.intersection(peers := list(peers))):
            self._announce(untold)  # or they would get messages of endpoints that they do not know
            peers = [peer for peer in peers if peer not in self._untold]
        if len(payload) >= THRESHOLD:
            peers = self._share(list(peers), frame, payload, keep)
            if not peers:
                return
        data = b"".join((pack(frame), whole(payload)))
        for peer in peers:
            self._push(peer, data)

    def _share(self, peers: list[str], frame: Frame, payload: Buffer | Split, keep: Collection[str]) -> list[str]:
        """Send a large payload through shared memory; return the peers behind with it that must get it all the same."""
        descriptors = self._writer.put(payload, peers)
        header = pack(frame, SHARED)
        inline = []
        for peer in peers:
            if peer in descriptors:
                if not self._push(peer, header + descriptors[peer]):
                    self._writer.take_back(peer)
            elif frame.kind == DATA and peer not in keep:
                self._drop(peer, "it is behind with large messages")
            elif len(header) + len(payload) > LARGEST:
                self._drop(peer, f"it is behind with large messages, and {len(payload)} bytes fit no socket")
            else:
                inline.append(peer)
        return inline

    def _push(self, peer: str, data: bytes) -> bool:
        send = self._send_to.get(peer)
        if send is None:
            return False
        try:
            send(data, _NOBLOCK)
        except zmq.Again:
            self._drop(peer, f"{QUEUE} frames wait for it")
            return False
        return True

    def _drop(self, peer: str, reason: str) -> None:
        self.dropped += 1
        if self.dropped & (self.dropped - 1) == 0:
            log.warning("dropped a frame for %s: %s (%d dropped so far)", peer, reason, self.dropped)

    def _announce_to_all(self) -> None:
        with self._sending:
            self._changed = False  # before the endpoints are listed: one that comes meanwhile is announced again
            self._announce(self._peers)

    def _announce(self, peers: Iterable[str], *, ask: bool = False) -> None:
        """Push all endpoints to peers; `ask` for theirs in return. What others have yet to be told stays noted."""
        with self._sending:
            endpoints = [endpoint.to_json() for endpoint in self._receiver.announced()]
            data = self._own_frame(HELLO) + json.dumps({"pid": self._pid, "ask": ask, "endpoints": endpoints}).encode()
            peers = list(peers)
            self._untold.difference_update(peers)
            self._untold.update(peer for peer in peers if not self._push(peer, data))

    def _own_frame(self, kind: int) -> bytes:
        return pack(Frame(kind, self.prefix + bytes(8), stamp=self.loop.now()))

    # --- peers

    def _look_for_peers(self) -> None:
        alive = self._directory.peers()
        for name in self._peers.keys() - alive:
            self._lose(name)
        for name in alive - self._peers.keys():
            self._connect(name)
        self._untold &= self._peers.keys()
        if self._untold:
            self._announce(self._untold)

    def _connect(self, name: str) -> None:
        with self._sending:
            socket = self._zmq.socket(zmq.PUSH)
            socket.setsockopt(zmq.SNDHWM, QUEUE)
            socket.connect(f"ipc://{self._directory.socket(name)}")
            self._peers[name] = socket
            self._send_to[name] = super(zmq.Socket, socket).send  # without the layer for draft sockets
            self._announce([name], ask=True)

    def _lose(self, name: str) -> None:
        with self._sending:
            del self._send_to[name]
            self._peers.pop(name).close(linger=0)
            self._writer.forget(name)
            self._reader.forget(name)
        self._receiver.on_peer_lost(name)

    def peers(self) -> list[str]:
        return sorted(self._peers)

    # --- receiving

    def poll(self, timeout: float | None) -> None:
        self._check_process()
        with self._polling:
            if not self.closed:
                self._poll(timeout)
        if self.closed:
            self._finish_closing()
        self.loop.run_due()

    def take_in(self) -> bool:
        """Take in what has arrived, and run nothing that is due; no effect while another thread polls.

        Returns:
            Whether anything had arrived.
        """
        self._check_process()
        if not self._polling.acquire(blocking=False):
            return False
        try:
            arrived = not self.closed and self._poll(0.0)
        finally:
            self._polling.release()
        if self.closed:
            self._finish_closing()
        return arrived

    def is_stale(self, age: float = STALE) -> bool:
        """Tell whether nobody has polled for a while [s]."""
        return time.monotonic() - self._polled_at > age

    def _poll(self, timeout: float | None) -> bool:
        self._polling_on = get_ident()
        try:
            return self._poll_here(timeout)
        finally:
            self._polling_on = 0

    def _poll_here(self, timeout: float | None) -> bool:
        if self._changed:
            self._announce_to_all()
        if time.monotonic() >= self._housekeeping_at:
            self._look_for_peers()
            self._housekeeping_at = time.monotonic() + HOUSEKEEPING
        ready = zmq_poll(self._polled, 0 if timeout == 0.0 else self._wait_ms(timeout))
        if ready:
            self._take_in(ready)
        self._polled_at = time.monotonic()
        return bool(ready)

    def _wait_ms(self, timeout: float | None) -> int:
        wait = max(0.0, self._housekeeping_at - time.monotonic())
        if timeout is not None:
            wait = min(wait, timeout)
        until_next = self.loop.until_next()
        if until_next is not None:
            wait = min(wait, until_next)
        return math.ceil(wait * 1000.0)

    def _take_in(self, ready: list[tuple[Any, int]]) -> None:
        for source, _ in ready:
            if source is not self._inbox:
                if self._bell is not None:
                    self._bell.silence()
                continue
            self._receive(self._inbox.recv(_NOBLOCK))
            if self._inbox.getsockopt(zmq.EVENTS) & zmq.POLLIN:  # cheaper than the exception that ends many
                self._drain()

    def _drain(self) -> None:
        receive, recv, takers = self._receive, self._inbox.recv, self._receiver.takers
        try:
            for _ in range(DRAIN):
                data = recv(_NOBLOCK)
                if (
                    data[FLAGS_AT:SIZE] != PLAIN
                    or data[STAMP_TOP] > NEAR
                    or (here := takers.get(data[:GID_SIZE])) is None
                ):
                    receive(data)
                    continue
                for take in here:
                    take(data)
        except zmq.Again:
            pass

    def _receive(self, data: bytes) -> None:
        plain = data[FLAGS_AT:SIZE] == PLAIN and data[STAMP_TOP] <= NEAR
        if plain and (here := self._receiver.takers.get(data[:GID_SIZE])) is not None:
            for take in here:
                take(data)
            return
        try:
            frame, flags, payload = unpack(data)
            peer = frame.gid[:8].hex()
            if frame.kind == HELLO:
                self._on_hello(peer, payload)
            elif frame.kind == BYE:
                if peer in self._peers:
                    self._lose(peer)
            elif flags & SHARED:
                self._receiver.on_frame(peer, frame, self._reader.get(self._owner(frame, payload), payload))
            else:
                self._receiver.on_frame(peer, frame, payload)
        except (FrameError, SharedMemoryError) as error:
            log.warning("dropped %d bytes: %s", len(data), error)

    def _owner(self, frame: Frame, descriptor: memoryview) -> str:
        """Name the peer whose memory a descriptor is of; a reply bears the gid of its receiver."""
        return frame.gid[:8].hex() if frame.gid[:8] != self.prefix else ""

    def _on_hello(self, peer: str, payload: memoryview) -> None:
        try:
            content = json.loads(bytes(payload))
            endpoints = [Endpoint.from_json(entry) for entry in content["endpoints"]]
            asked = content["ask"] is True
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise FrameError(f"an announcement that cannot be read: {error!r}") from error
        if any(endpoint.gid[:8].hex() != peer for endpoint in endpoints):
            raise FrameError(f"{peer} announced endpoints of others")
        if peer not in self._peers:
            if peer == self.name:
                raise FrameError("an announcement in this context's own name")
            if not self._directory.is_alive(peer):
                log.debug("dropped an announcement of %s, which has gone meanwhile", peer)
                return
            self._connect(peer)
        elif asked:
            self._announce([peer])
        self._receiver.on_peer(peer, endpoints)

    def wake(self) -> None:
        bell = self._bell
        if bell is not None:
            bell.ring()

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
        self._ending.set()
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
        bye = self._own_frame(BYE)
        for peer, socket in self._peers.items():
            self._push(peer, bye)
            socket.close(linger=LINGER if self._directory.is_alive(peer) else 0)
        self._directory.close()
        self._inbox.close()
        self._peers.clear()
        self._send_to.clear()
        self._zmq.term()
        self._writer.close()
        self._reader.close()
        self._bell = None
