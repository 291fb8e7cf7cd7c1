"""Who is there: the endpoints of a context and of its peers, and which of them fit which."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Protocol

from robot.ros.flow import keeps_all
from robot.ros.graph import CLIENT, PUBLISHER, SERVICE, SUBSCRIPTION, Endpoint, mismatch
from robot.ros.qos import QoSPolicyKind
from robot.ros.transport.frame import Buffer, Frame

log = logging.getLogger(__name__)


class Local(Protocol):
    """An endpoint of this context.

    `deliver` takes a frame's payload: a message, a request (with the peer that awaits the reply) or a reply; `arrive`
    whole frames of DATA of one publisher, their headers too. `replay` gives the frames that a late subscription gets.
    `on_matched` tells of an endpoint of another that fits and has come (or gone), `on_incompatible` of one whose
    quality of service does not fit (policy None: whose type is another), `on_asserted` of a publisher that said it is
    alive, `on_taken` of a subscription that has taken what this publisher sent, up to a message.
    """

    endpoint: Endpoint

    def replay(self, subscription: bytes, give: Callable[[Frame, Buffer], None]) -> None: ...

    def deliver(self, frame: Frame, payload: Buffer, peer: str) -> None: ...

    def arrive(self, frames: Sequence[bytes]) -> None: ...

    def on_matched(self, other: Endpoint, here: bool) -> None: ...

    def on_incompatible(self, other: Endpoint, policy: QoSPolicyKind | None) -> None: ...

    def on_asserted(self, gid: bytes) -> None: ...

    def on_taken(self, subscription: bytes, sequence: int) -> None: ...


HERE = ""  # the peer name of this context
COUNTERPART = {PUBLISHER: SUBSCRIPTION, SUBSCRIPTION: PUBLISHER, SERVICE: CLIENT, CLIENT: SERVICE}
Route = tuple[list[Local], list[str], list[bytes], frozenset[str]]
"""Where a publisher's messages go: subscriptions here and peers; all the subscriptions that must not lose one, and the
peers that have such while the publisher waits for them."""


class Endpoints:
    """The endpoints of a context and of its peers. Any thread may call it.

    Attributes:
        lock: held for the tables only, never while an endpoint or the transport is called.
        local: the endpoints of this context, by gid.
        remote: those of others with their peers, by gid.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.local: dict[bytes, Local] = {}
        self.remote: dict[bytes, tuple[str, Endpoint]] = {}
        self._told: set[tuple[str, str]] = set()

    def locals(self) -> list[Local]:
        with self.lock:
            return list(self.local.values())

    def service(self, client: Endpoint) -> tuple[str, bytes] | None:
        """Return peer and gid of a service that fits the client, one in this context first."""
        for peer, endpoint in self.endpoints(SERVICE, client.name):
            if self.fits(endpoint, client):
                return peer, endpoint.gid
        return None

    def endpoints(self, kind: str | None = None, name: str | None = None) -> list[tuple[str, Endpoint]]:
        """List (peer, endpoint), those of this context first; `kind` and `name` None = all."""
        with self.lock:
            every = chain(((HERE, local.endpoint) for local in self.local.values()), self.remote.values())
            return [
                (peer, e) for peer, e in every if (kind is None or e.kind == kind) and (name is None or e.name == name)
            ]

    def matched(self, endpoint: Endpoint) -> int:
        """Count the subscriptions of a publisher or the publishers of a subscription."""
        if endpoint.kind == PUBLISHER:
            return sum(self.fits(endpoint, other) for _, other in self.endpoints(SUBSCRIPTION, endpoint.name))
        return sum(self.fits(other, endpoint) for _, other in self.endpoints(PUBLISHER, endpoint.name))

    def fits(self, offer: Endpoint, request: Endpoint) -> bool:
        if offer.name != request.name:
            return False
        reason, _ = mismatch(offer, request)
        if reason and (key := (offer.name, reason)) not in self._told:
            self._told.add(key)
            log.warning("%s: %s does not reach %s: %s", offer.name, offer.node, request.node, reason)
        return not reason

    def route(self, publisher: Endpoint) -> Route:
        keepers: list[bytes] = []
        here: list[Local] = []
        peers: dict[str, None] = {}
        keep: set[str] = set()
        waits = keeps_all(publisher.qos)  # or what a peer is behind with would be bounded by nothing
        for peer, endpoint in self.endpoints(SUBSCRIPTION, publisher.name):
            if not self.fits(publisher, endpoint):
                continue
            if keeps_all(endpoint.qos):
                keepers.append(endpoint.gid)
                if waits:
                    keep.add(peer)
            if peer == HERE:
                here.append(self.local[endpoint.gid])
            else:
                peers[peer] = None
        return here, list(peers), keepers, frozenset(keep)

    def replace(self, peer: str, endpoints: Iterable[Endpoint]) -> tuple[list[Endpoint], list[Endpoint]]:
        """Take what a peer announced last as all it has; return what has gone and what has come."""
        now = {endpoint.gid: endpoint for endpoint in endpoints}
        with self.lock:
            known = {gid: endpoint for gid, (owner, endpoint) in self.remote.items() if owner == peer}
            gone = [known[gid] for gid in known.keys() - now.keys()]
            come = [now[gid] for gid in now.keys() - known.keys()]
            for endpoint in gone:
                del self.remote[endpoint.gid]
            self.remote.update({gid: (peer, endpoint) for gid, endpoint in now.items()})
        return gone, come

    def sender(self, peer: str, gid: bytes) -> Endpoint | None:
        """Return the endpoint of a peer that sent a frame; None, and a line in the log, when it has none such."""
        known = self.remote.get(gid)
        if known is None or known[0] != peer:
            log.warning("dropped a frame from the unknown endpoint %s of %s", gid.hex(), peer)
            return None
        return known[1]
