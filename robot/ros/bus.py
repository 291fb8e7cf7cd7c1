"""Match endpoints, deliver encoded messages to those in this context and pass them to the transport for the others."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Protocol

from robot.ros.graph import CLIENT, PUBLISHER, SERVICE, SUBSCRIPTION, Endpoint, mismatch
from robot.ros.transport import Transport
from robot.ros.transport.frame import DATA, HISTORY, REPLY, REQUEST, Buffer, Frame, Split, whole

log = logging.getLogger(__name__)


class Local(Protocol):
    """An endpoint of this context.

    `deliver` takes a frame's payload: a message, a request (with the peer that awaits the reply) or a reply.
    `history` are the frames a late subscription gets.
    """

    endpoint: Endpoint

    @property
    def history(self) -> Sequence[tuple[Frame, Buffer]]: ...

    def deliver(self, frame: Frame, payload: Buffer, peer: str) -> None: ...


HERE = ""  # the peer name of this context


class Bus:
    """The local and remote endpoints of one context and the routes between them."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._local: dict[bytes, Local] = {}
        self._remote: dict[bytes, tuple[str, Endpoint]] = {}
        self._routes: dict[bytes, tuple[list[Local], list[str]]] = {}
        self._told: set[tuple[str, str]] = set()

    def open(self) -> None:
        self.transport.open(self)

    # --- local endpoints

    def add(self, local: Local) -> None:
        """Add an endpoint and give a latched subscription what was published before it came."""
        self._local[local.endpoint.gid] = local
        self._routes.clear()
        self.transport.changed()
        if local.endpoint.kind == SUBSCRIPTION and local.endpoint.qos.latched:
            for publisher in list(self._local.values()):
                if publisher.endpoint.kind == PUBLISHER and self._fits(publisher.endpoint, local.endpoint):
                    for frame, payload in publisher.history:
                        local.deliver(frame, payload, HERE)

    def remove(self, gid: bytes) -> None:
        if self._local.pop(gid, None) is not None:
            self._routes.clear()
            self.transport.changed()

    def announced(self) -> list[Endpoint]:
        return [local.endpoint for local in self._local.values()]

    # --- sending

    def publish(self, gid: bytes, frame: Frame, payload: Buffer | Split) -> None:
        route = self._routes.get(gid)
        if route is None:
            route = self._routes[gid] = self._route(self._local[gid].endpoint)
        for subscription in route[0]:
            subscription.deliver(frame, whole(payload), HERE)
        if route[1]:
            self.transport.send(route[1], frame, payload)

    def request(self, client: Endpoint, frame: Frame, payload: Buffer) -> bool:
        """Send a request to one service of the client's name; False when there is none."""
        found = self.service(client)
        if found is None:
            return False
        peer, gid = found
        if peer == HERE:
            self._local[gid].deliver(frame, payload, HERE)
        else:
            self.transport.send([peer], frame, payload)
        return True

    def reply(self, peer: str, frame: Frame, payload: Buffer) -> None:
        if peer != HERE:
            self.transport.send([peer], frame, payload)
        elif (client := self._local.get(frame.gid)) is not None:
            client.deliver(frame, payload, HERE)

    # --- matching

    def service(self, client: Endpoint) -> tuple[str, bytes] | None:
        """Return peer and gid of a service that fits the client, one in this context first."""
        for peer, endpoint in self.endpoints(SERVICE, client.name):
            if self._fits(endpoint, client):
                return peer, endpoint.gid
        return None

    def endpoints(self, kind: str, name: str | None = None) -> list[tuple[str, Endpoint]]:
        """List (peer, endpoint) of one kind, those of this context first; `name` None = all."""
        every = chain(((HERE, local.endpoint) for local in self._local.values()), self._remote.values())
        return [(peer, e) for peer, e in every if e.kind == kind and (name is None or e.name == name)]

    def matched(self, endpoint: Endpoint) -> int:
        """Count the subscriptions of a publisher or the publishers of a subscription."""
        if endpoint.kind == PUBLISHER:
            return sum(self._fits(endpoint, other) for _, other in self.endpoints(SUBSCRIPTION, endpoint.name))
        return sum(self._fits(other, endpoint) for _, other in self.endpoints(PUBLISHER, endpoint.name))

    def _route(self, publisher: Endpoint) -> tuple[list[Local], list[str]]:
        here: list[Local] = []
        peers: dict[str, None] = {}
        for peer, endpoint in self.endpoints(SUBSCRIPTION, publisher.name):
            if not self._fits(publisher, endpoint):
                continue
            if peer == HERE:
                here.append(self._local[endpoint.gid])
            else:
                peers[peer] = None
        return here, list(peers)

    def _fits(self, offer: Endpoint, request: Endpoint) -> bool:
        if offer.name != request.name:
            return False
        reason = mismatch(offer, request)
        if reason and (key := (offer.name, reason)) not in self._told:
            self._told.add(key)
            log.warning("%s: %s does not reach %s: %s", offer.name, offer.node, request.node, reason)
        return not reason

    # --- receiving

    def on_peer(self, peer: str, endpoints: Iterable[Endpoint]) -> None:
        known = {gid for gid, (owner, _) in self._remote.items() if owner == peer}
        now = {endpoint.gid: endpoint for endpoint in endpoints}
        for gid in known - now.keys():
            del self._remote[gid]
        self._remote.update({gid: (peer, endpoint) for gid, endpoint in now.items()})
        self._routes.clear()
        for gid in now.keys() - known:
            if now[gid].kind == SUBSCRIPTION and now[gid].qos.latched:
                self._send_history(peer, now[gid])

    def on_peer_lost(self, peer: str) -> None:
        self.on_peer(peer, ())

    def _send_history(self, peer: str, subscription: Endpoint) -> None:
        for local in self._local.values():
            if local.endpoint.kind == PUBLISHER and self._fits(local.endpoint, subscription):
                for frame, payload in local.history:
                    again = Frame(
                        kind=HISTORY,
                        gid=frame.gid,
                        sequence=frame.sequence,
                        stamp=frame.stamp,
                        target=subscription.gid,
                    )
                    self.transport.send([peer], again, payload)

    def on_frame(self, peer: str, frame: Frame, payload: Buffer) -> None:
        if frame.kind == REPLY:
            if (client := self._local.get(frame.gid)) is not None and client.endpoint.kind == CLIENT:
                client.deliver(frame, payload, peer)
            return
        sender = self._remote.get(frame.gid)
        if sender is None or sender[0] != peer:
            log.warning("dropped a frame from the unknown endpoint %s of %s", frame.gid.hex(), peer)
        elif frame.kind == REQUEST:
            for _, endpoint in self.endpoints(SERVICE, sender[1].name):
                if endpoint.gid in self._local and self._fits(endpoint, sender[1]):
                    self._local[endpoint.gid].deliver(frame, payload, peer)
                    break
        elif frame.kind == HISTORY:
            target = self._local.get(frame.target)
            if target is not None and self._fits(sender[1], target.endpoint):
                target.deliver(frame, payload, peer)
        elif frame.kind == DATA:
            self._receive(sender[1], frame, payload, peer)

    def _receive(self, publisher: Endpoint, frame: Frame, payload: Buffer, peer: str) -> None:
        route = self._routes.get(publisher.gid)
        if route is None:
            route = self._routes[publisher.gid] = self._route(publisher)
        for subscription in route[0]:
            subscription.deliver(frame, payload, peer)

    def node_names(self) -> list[str]:
        """List the full names of all nodes that have an endpoint."""
        every = chain((local.endpoint for local in self._local.values()), (e for _, e in self._remote.values()))
        return sorted({endpoint.node for endpoint in every})

    def graph(self) -> dict[str, Any]:
        """Return all endpoints by kind, for tools."""
        return {kind: [e for _, e in self.endpoints(kind)] for kind in (PUBLISHER, SUBSCRIPTION, SERVICE, CLIENT)}
