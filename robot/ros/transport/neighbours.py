"""The other contexts of a domain: who is there, the ways to them, and what each is told of this one's endpoints."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

import zmq

from robot.ros.graph import Endpoint
from robot.ros.transport import Receiver
from robot.ros.transport.directory import Directory
from robot.ros.transport.frame import BYE, HELLO, Frame, FrameError, pack
from robot.ros.transport.inbox import Inbox
from robot.ros.transport.outbox import Outbox

log = logging.getLogger(__name__)

HOUSEKEEPING = 0.5  # [s] between looks for dead peers
REST = 0.1  # [s] after which a dead peer is lost once nothing waits in the inbox: that might be its last frames
REST_MAX = 10.0  # [s] the same while there is always something
LINGER = 500  # [ms] that last frames may take to leave


class Neighbours:
    """What a context knows of its peers, and they of it. The lock of the outbox guards what is announced.

    Args:
        prefix: what the gids of this context begin with.
        now: the context's clock [epoch s].

    Attributes:
        changed: the endpoints have changed since peers were told.
        untold: peers whose queue was full when they were to be told of a change.
        inbox: where peers send to.
    """

    def __init__(
        self,
        context: zmq.Context[Any],
        directory: Directory,
        *,
        prefix: bytes,
        receiver: Receiver,
        outbox: Outbox,
        now: Callable[[], float],
    ) -> None:
        self.changed = False
        self.untold: set[str] = set()
        self._zmq = context
        self._directory = directory
        self._prefix = prefix
        self._receiver = receiver
        self._outbox = outbox
        self._now = now
        self._gone: dict[str, float] = {}  # peers found dead and not lost yet, and since when [monotonic s]
        self.inbox = Inbox(context, self._address(directory.name), prefix, receiver, self)
        directory.appear()

    def _address(self, name: str) -> str:
        return f"ipc://{self._directory.socket(name)}"

    # --- who is there

    def look(self) -> float:
        """Meet who has come and lose who was killed; return the time after which to look again [s]."""
        alive, known = self._directory.peers(), set(self._outbox.peers)
        if alive != known or self._gone or self.untold:
            self._update(alive, known)
        return REST if self._gone else HOUSEKEEPING

    def _update(self, alive: set[str], known: set[str]) -> None:
        gone, now = known - alive, monotonic()
        rest = REST_MAX if gone and self.inbox.has_frame() else REST
        self._gone = {name: self._gone.get(name, now) for name in gone}
        for name, since in self._gone.items():
            if now - since >= rest:
                self._lose(name)
        for name in alive - known:
            self._connect(name)
        self.untold.intersection_update(self._outbox.peers)
        if self.untold:
            self._announce(self.untold)

    def _connect(self, name: str) -> None:
        with self._outbox.lock:
            self._outbox.connect(self._zmq, name, self._address(name))
            self._announce([name], ask=True)

    def _lose(self, name: str) -> None:
        with self._outbox.lock:
            self._outbox.disconnect(name)
            self.inbox.reader.forget(name)
        self._receiver.on_peer_lost(name)

    def on_bye(self, peer: str) -> None:
        """A peer said goodbye."""
        if peer in self._outbox.peers:
            self._lose(peer)

    def on_hello(self, peer: str, endpoints: list[Endpoint], *, asked: bool) -> None:
        """A peer announced its endpoints; raises FrameError when it cannot be one."""
        if peer not in self._outbox.peers:
            if peer == self._directory.name:
                raise FrameError("an announcement in this context's own name")
            if not self._directory.is_alive(peer):
                log.debug("dropped an announcement of %s, which has gone meanwhile", peer)
                return
            self._connect(peer)
        elif asked:
            self._announce([peer])
        self._receiver.on_peer(peer, endpoints)

    # --- what they are told

    def prepare(self, peers: Iterable[str]) -> list[str]:
        """Tell peers what they should know before a frame, and list those that do."""
        if self.changed:
            self.announce_to_all()
        peers = list(peers)
        if self.untold and (untold := self.untold.intersection(peers)):
            self._announce(untold)  # or they would get messages of endpoints that they do not know
            peers = [peer for peer in peers if peer not in self.untold]
        return peers

    def announce_to_all(self) -> None:
        with self._outbox.lock:
            self.changed = False  # before the endpoints are listed: one that comes meanwhile is announced again
            self._announce(self._outbox.peers)

    def _announce(self, peers: Iterable[str], *, ask: bool = False) -> None:
        """Push all endpoints to peers; `ask` for theirs in return. What others have yet to be told stays noted."""
        with self._outbox.lock:
            self._outbox.flood.peers = None
            self._outbox.flush()
            content = {"pid": os.getpid(), "ask": ask, "endpoints": [e.to_json() for e in self._receiver.announced()]}
            data = self._own_frame(HELLO) + json.dumps(content).encode()
            peers = list(peers)
            self.untold.difference_update(peers)
            self.untold.update(peer for peer in peers if not self._outbox.push(peer, data))

    def _own_frame(self, kind: int) -> bytes:
        return pack(Frame(kind, self._prefix + bytes(8), stamp=self._now()))

    def leave(self) -> None:
        """Say goodbye to all, and remove this context from the folder."""
        lingers = [(peer, LINGER if self._directory.is_alive(peer) else 0) for peer in self._outbox.peers]
        self._outbox.close(lingers, self._own_frame(BYE))
        self._directory.close()
        self.inbox.close()
