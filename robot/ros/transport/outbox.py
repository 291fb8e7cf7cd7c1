"""What a context sends: through a PUSH socket per peer, large payloads through shared memory, small ones bundled."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import zmq

from robot.ros.transport import frame as frames
from robot.ros.transport.bundle import GAP, SMALL, Flood
from robot.ros.transport.frame import Buffer, Frame, Split, pack, whole
from robot.ros.transport.inbox import LARGEST, QUEUE
from robot.ros.transport.ring import Loan, Writer
from robot.ros.transport.shared import THRESHOLD

log = logging.getLogger(__name__)

_NOBLOCK = int(zmq.NOBLOCK)


class Outbox:
    """The sending side of a context. Its caller holds `lock` while it calls anything.

    Args:
        on_flood: called when a flood begins; who ends it, when `flood.is_over`, calls `flush`.
    """

    def __init__(self, on_flood: Callable[[], object]) -> None:
        self.lock = threading.RLock()
        self.writer = Writer()
        self.flood = Flood()
        self._flooded: Sequence[str] = ()
        self.dropped = 0
        self._on_flood = on_flood
        self._sockets: dict[str, zmq.Socket[bytes]] = {}
        self._send_to: dict[str, Callable[[Any, int], Any]] = {}

    def connect(self, context: zmq.Context[Any], name: str, address: str) -> None:
        socket: zmq.Socket[bytes] = context.socket(zmq.PUSH)
        socket.setsockopt(zmq.SNDHWM, QUEUE)
        socket.connect(address)
        self._sockets[name] = socket
        self._send_to[name] = super(zmq.Socket, socket).send  # without the layer for draft sockets

    def disconnect(self, name: str, linger: int = 0) -> None:
        """Close the way to a peer; what waits for it may take `linger` [ms] to leave."""
        del self._send_to[name]
        self._sockets.pop(name).close(linger=linger)
        self.writer.forget(name)

    @property
    def peers(self) -> Collection[str]:
        return self._sockets.keys()

    def send(self, peers: Sequence[str], frame: Frame, payload: Buffer | Split, keep: Collection[str] = ()) -> None:
        if self.flood.frames:
            self.flush()
        if isinstance(payload, Loan) or len(payload) >= THRESHOLD:
            peers = self._share(peers, frame, payload, keep)
            if not peers:
                return
        data = b"".join((pack(frame), whole(payload)))
        for peer in peers:
            self.push(peer, data)

    def send_whole(self, peers: Sequence[str], data: bytes | bytearray, now: float) -> None:
        """Send a frame of DATA that is packed already and not large, or hold it back as the first one in a flood.

        Args:
            now: [monotonic s].
        """
        flood = self.flood
        if flood.frames:
            self.flush()
        if now - flood.last >= GAP or peers is not flood.row_of:
            flood.row_of, flood.row, flood.last = peers, 0, now
        elif flood.begins(peers, now) and len(data) <= SMALL:
            self._flooded = peers
            flood.frames.append(data)
            self._on_flood()
            return
        flood.peers = None
        send_to = self._send_to
        for peer in peers:
            try:
                send_to[peer](data, _NOBLOCK)
            except (KeyError, zmq.Again):  # it is gone, or its queue is full
                self.push(peer, data)

    def flush(self) -> None:
        """Send what is held back."""
        if self.flood.frames:
            peers = self._flooded
            data, count = self.flood.take()
            for peer in peers:
                self.push(peer, data, count)

    def push(self, peer: str, data: bytes | bytearray, count: int = 1) -> bool:
        """Send a frame, or `count` in one; False when that peer is gone or its queue is full."""
        send = self._send_to.get(peer)
        if send is None:
            return False
        try:
            send(data, _NOBLOCK)
        except zmq.Again:
            self.drop(peer, f"{QUEUE} frames wait for it", count)
            return False
        return True

    def drop(self, peer: str, reason: str, count: int = 1) -> None:
        before, self.dropped = self.dropped, self.dropped + count
        if before.bit_length() != self.dropped.bit_length():  # at 1, 2, 4 …
            log.warning("dropped a frame for %s: %s (%d dropped so far)", peer, reason, self.dropped)

    def _share(self, peers: Sequence[str], frame: Frame, payload: Buffer | Split, keep: Collection[str]) -> list[str]:
        """Send a large payload through shared memory; return the peers behind with it that must get it all the same."""
        descriptors = self.writer.put(payload, peers)
        header = pack(frame, frames.SHARED)
        inline = []
        for peer in peers:
            if peer in descriptors:
                if not self.push(peer, header + descriptors[peer]):
                    self.writer.take_back(peer)
            elif frame.kind == frames.DATA and peer not in keep:
                self.drop(peer, "it is behind with large messages")
            elif len(header) + len(payload) > LARGEST:
                self.drop(peer, f"it is behind with large messages, and {len(payload)} bytes fit no socket")
            else:
                inline.append(peer)
        return inline

    def close(self, peers: Iterable[tuple[str, int]], last: bytes) -> None:
        """Send what is held back and a last frame to each peer, and close the way to it within its time [ms]."""
        self.flush()
        for peer, linger in peers:
            self.push(peer, last)
            self.disconnect(peer, linger)
        self.flood.peers = None  # it may have begun since the close was asked for, by a signal handler

    def release(self) -> None:
        """Let go of the shared memory."""
        self.writer.close()
