"""What a context receives: frames off its PULL socket, handed to those who hear them, bad ones dropped with a word."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import threading
from collections.abc import Callable
from typing import Any, Protocol

import zmq

from robot.ros.graph import Endpoint
from robot.ros.transport import Receiver
from robot.ros.transport.bundle import split
from robot.ros.transport.frame import (
    BUNDLED,
    BYE,
    DATA,
    FLAGS_AT,
    GID_SIZE,
    HELLO,
    LARGE,
    NEAR,
    PLAIN,
    PREFIX_SIZE,
    SHARED,
    SIZE,
    STAMP_TOP,
    Frame,
    FrameError,
    numbers,
    unpack,
)
from robot.ros.transport.shared import Reader, SharedMemoryError

log = logging.getLogger(__name__)

DRAIN = 1000  # messages taken in before callbacks get their turn
QUEUE = 10_000  # frames that wait here, and as many at each who sends them
LARGEST = 64 * 1024 * 1024  # bytes of a frame; a peer that sends more is disconnected
BELL = "inproc://bell"
FINE = 5e-3  # [s] shorter waits are not rounded up to a millisecond, or a timer of 1 kHz would miss every fifth period
FILES = 1024  # below which a file must be for that (select(2))
COARSE = 0.1  # [s] longer waits are made multiples of it, so that the socket is seldom told another one
_NOBLOCK, _EVENTS, _POLLIN, _PATIENCE = int(zmq.NOBLOCK), int(zmq.EVENTS), int(zmq.POLLIN), int(zmq.RCVTIMEO)


class Peers(Protocol):
    """Who is told of peers."""

    def on_hello(self, peer: str, endpoints: list[Endpoint], *, asked: bool) -> None: ...

    def on_bye(self, peer: str) -> None: ...


class Inbox:
    """The receiving side of a context; one thread uses it at a time, but any may `ring`.

    A long wait is one blocking `recv`: each call that only looks costs a system call more. What ends a wait is
    therefore a frame too, from within.

    Args:
        address: where peers send to.
        prefix: what the gids of this context begin with.
    """

    def __init__(
        self, context: zmq.Context[Any], address: str, prefix: bytes, receiver: Receiver, peers: Peers
    ) -> None:
        self.reader = Reader()
        socket: zmq.Socket[bytes] = context.socket(zmq.PULL)
        socket.setsockopt(zmq.RCVHWM, QUEUE)
        socket.setsockopt(zmq.MAXMSGSIZE, LARGEST)
        socket.setsockopt(zmq.LINGER, 0)
        socket.bind(address)
        socket.bind(BELL)
        self._socket = socket
        file = int(socket.get(zmq.FD))
        self._file = select.poll()
        self._file.register(file, select.POLLIN)
        self._fine = [file] if file < FILES else []
        self._bell: zmq.Socket[bytes] = context.socket(zmq.PUSH)
        self._bell.setsockopt(zmq.SNDHWM, 0)
        self._bell.setsockopt(zmq.LINGER, 0)
        self._bell.connect(BELL)
        self._sound = os.urandom(16)  # that no peer can imitate
        self._rung = threading.Lock()  # held from when somebody rings until that was heard
        self._ringing = threading.RLock()
        self._recv: Callable[[int], bytes] = super(zmq.Socket, socket).recv  # without the layer for draft sockets
        self._events: Callable[[int], Any] = super(zmq.Socket, socket).get
        self._set: Callable[[int, int], Any] = super(zmq.Socket, socket).set
        self._armed = False  # no frame waits, and nothing was received since: the file tells of the next
        self._patience = -1  # [ms]
        self._prefix = prefix
        self._receiver = receiver
        self._peers = peers

    def has_frame(self) -> bool:
        """Tell whether a frame waits."""
        self._armed = not self._events(_EVENTS) & _POLLIN
        return not self._armed

    def look(self) -> bytes | None:
        """Return the frame that waits; None when there is none."""
        if self._armed and not self._file.poll(0):
            return None
        return self._recv(_NOBLOCK) if self.has_frame() else None  # asking costs less than the exception

    def wait(self, timeout: float) -> bytes | None:
        """Return the next frame, waiting for it; None when none came in time [s], or somewhat before a long time."""
        if timeout <= COARSE:  # likely to be over before anything comes, and then an exception costs more than to look
            if (self._armed or not self.has_frame()) and not (
                select.select(self._fine, (), (), timeout)[0]
                if timeout < FINE and self._fine
                else self._file.poll(1000.0 * timeout)
            ):
                if self._rung.locked():
                    self._forget_ring()
                return None
            return self._recv(_NOBLOCK) if self.has_frame() else None
        patience = int(timeout * 10.0) * 100
        if patience != self._patience:
            self._patience = patience
            self._set(_PATIENCE, patience)
        self._armed = False
        try:
            return self._recv(0)
        except zmq.Again:
            self._armed = True
            self._forget_ring()
            return None

    def _forget_ring(self) -> None:
        """Let the next one ring, as none is in the inbox: an exception out of a signal handler may have lost one."""
        if self._rung.locked():
            self._rung.release()

    def ring(self) -> None:
        """End a `wait`, or the next one; callable from any thread and from signal handlers."""
        if self._rung.acquire(blocking=False):
            with self._ringing, contextlib.suppress(zmq.ZMQError):  # it is closed
                self._bell.send(self._sound, _NOBLOCK)

    def close(self) -> None:
        self._socket.close()
        with self._ringing:
            self._bell.close()

    def take_in(self, data: bytes, *, more: bool, waiting: int = 0) -> None:
        """Take in a frame and, if there may be `more`, those behind it up to a limit.

        Args:
            waiting: messages that wait for their callbacks already.
        """
        if (
            data[FLAGS_AT:SIZE] == PLAIN
            and data[STAMP_TOP] <= NEAR
            and (here := self._receiver.takers.get(data[:GID_SIZE])) is not None
        ):  # nearly always
            for take in here:
                take((data,))
        else:
            self.receive(data)
        if more and waiting < DRAIN and self.has_frame():  # cheaper than the exception that ends many
            self._drain(DRAIN - waiting)

    def _drain(self, left: int) -> None:
        """Take in what waits, frames of DATA in runs of one publisher."""
        recv, run, gid = self._recv, list[bytes](), b""
        try:
            while left > 0:
                data = recv(_NOBLOCK)
                if data[FLAGS_AT:SIZE] == PLAIN and data[STAMP_TOP] <= NEAR:
                    left -= 1
                    if data[:GID_SIZE] == gid:
                        run.append(data)
                        continue
                    before, run, whose, gid = run, [data], gid, data[:GID_SIZE]
                    self._hand_over(whose, before)
                    continue
                before, run = run, []
                self._hand_over(gid, before)
                left -= self.receive(data)
        except zmq.Again:
            pass
        finally:
            self._hand_over(gid, run)

    def receive(self, data: bytes) -> int:
        """Take in one frame; return how many it was."""
        flags = data[FLAGS_AT:SIZE]
        if flags == PLAIN and data[STAMP_TOP] <= NEAR:
            self._hand_over(data[:GID_SIZE], [data])
            return 1
        if data == self._sound:
            self._forget_ring()
            return 0
        try:
            if flags == LARGE and data[STAMP_TOP] <= NEAR and (hearers := self._receiver.hearers.get(data[:GID_SIZE])):
                gid = data[:GID_SIZE]
                peer = gid[:PREFIX_SIZE].hex()
                payload = self.reader.get(peer, data[SIZE:])
                frame = Frame(DATA, gid, *numbers(data, GID_SIZE))
                for deliver in hearers:
                    deliver(frame, payload, peer)
                return 1
            if flags == BUNDLED:
                frames = split(data)
                self._hand_over(data[:GID_SIZE], frames)
                return len(frames)
            self._receive(*unpack(data))
        except (FrameError, SharedMemoryError) as error:
            log.warning("dropped %d bytes: %s", len(data), error)
        return 1

    def _hand_over(self, gid: bytes, frames: list[bytes]) -> None:
        """Give frames of DATA of one publisher to those who hear it, in order."""
        while frames:
            here = self._receiver.takers.get(gid)
            if here is not None:
                for take in here:
                    take(frames)
                return
            frame, _, payload = unpack(frames[0])
            self._receiver.on_frame(gid[:8].hex(), frame, payload)  # finds who hears it
            frames = frames[1:]

    def _receive(self, frame: Frame, flags: int, payload: memoryview) -> None:
        prefix = frame.gid[:8]
        peer = prefix.hex()
        if flags & SHARED:
            owner = peer if prefix != self._prefix else ""  # a reply bears the gid of its receiver
            self._receiver.on_frame(peer, frame, self.reader.get(owner, payload))
        elif frame.kind == HELLO:
            self.on_hello(peer, payload)
        elif frame.kind == BYE:
            self._peers.on_bye(peer)
        else:
            self._receiver.on_frame(peer, frame, payload)

    def on_hello(self, peer: str, payload: memoryview) -> None:
        """Read an announcement; raises FrameError."""
        try:
            content: Any = json.loads(bytes(payload))
            endpoints = [Endpoint.from_json(entry) for entry in content["endpoints"]]
            asked = content["ask"] is True
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise FrameError(f"an announcement that cannot be read: {error!r}") from error
        if any(endpoint.gid[:8].hex() != peer for endpoint in endpoints):
            raise FrameError(f"{peer} announced endpoints of others")
        self._peers.on_hello(peer, endpoints, asked=asked)
