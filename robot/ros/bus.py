"""Deliver encoded messages to the endpoints of this context and pass them to the transport for the others."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar
from weakref import WeakSet

from robot.ros.exceptions import ROSError
from robot.ros.graph import CLIENT, PUBLISHER, SERVICE, SUBSCRIPTION, Endpoint, mismatch
from robot.ros.matching import COUNTERPART, HERE, Endpoints, Local, Route
from robot.ros.transport import Transport
from robot.ros.transport.frame import (
    ASSERT,
    DATA,
    HISTORY,
    PRESENT,
    REPLY,
    REQUEST,
    SIZE,
    TAKEN,
    Buffer,
    Frame,
    Split,
    whole,
)
from robot.ros.transport.pump import Pump

__all__ = ["HERE", "Bus", "Local"]


class _NoRoutes(dict[bytes, Route]):
    """The routes of a forked child: whoever asks for one is refused."""

    def get(self, *_: object) -> Any:
        raise ROSError("a context does not survive fork(): make a new one in the child, or start it with spawn")


class Bus:
    """The routes between the endpoints of one context and those of its peers. Any thread may call it."""

    _all: ClassVar[WeakSet[Bus]] = WeakSet()

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.pump = Pump(transport)
        self._all.add(self)
        self._known = known = Endpoints()
        self._local, self._remote = known.local, known.remote
        self.endpoints, self.service, self.matched = known.endpoints, known.service, known.matched
        self._routes: dict[bytes, Route] = {}
        self.takers: dict[bytes, list[Callable[[Sequence[bytes]], None]]] = {}  # who hears a remote publisher
        self.hearers: dict[bytes, list[Callable[[Frame, Buffer, str], None]]] = {}  # for what is taken one by one

    @classmethod
    def on_fork(cls) -> None:
        """In a forked child nobody is left to release a lock that another thread held: the refusal must not wait."""
        for bus in cls._all:
            bus._known.lock = threading.RLock()
            if not bus.transport.external:
                bus._routes = _NoRoutes()

    def open(self) -> None:
        self.transport.open(self)

    # --- local endpoints

    def add(self, local: Local) -> None:
        """Add an endpoint and give a latched subscription what was published before it came."""
        with self._known.lock:
            self._local[local.endpoint.gid] = local
            self._forget_routes()
        self.transport.changed()
        self._tell_counterparts(local.endpoint, here=True)
        for _, other in self.endpoints(COUNTERPART[local.endpoint.kind], local.endpoint.name):
            self._tell(local, other, here=True)
        if local.endpoint.qos.latched:
            if local.endpoint.kind == SUBSCRIPTION:
                self._replay_to(HERE, local.endpoint)
            elif local.endpoint.kind == PUBLISHER:
                for peer, subscription in self.endpoints(SUBSCRIPTION, local.endpoint.name):
                    self._replay(local, peer, subscription)
        self.pump.tell_watchers()

    def remove(self, gid: bytes) -> None:
        with self._known.lock:
            removed = self._local.pop(gid, None)
            self._forget_routes()
        if removed is not None:
            self.transport.changed()
            self._tell_counterparts(removed.endpoint, here=False)
            self.pump.tell_watchers()

    def announced(self) -> list[Endpoint]:
        return [local.endpoint for local in self._known.locals()]

    def announce(self) -> None:
        """What peers should know of an endpoint has changed otherwise than by `add` and `remove`."""
        self.transport.changed()

    # --- sending

    def publish(self, gid: bytes, frame: Frame, payload: Buffer | Split) -> None:
        if self.transport.is_stale():
            self.pump.refresh()
        here, peers, _, keep = self._routes.get(gid) or self._find_route(gid)
        for subscription in here:
            subscription.deliver(frame, whole(payload), HERE)
        if peers:
            self.transport.send(peers, frame, payload, keep)

    def publish_whole(self, gid: bytes, data: bytearray, sequence: int, stamp: float) -> None:
        """Send a frame of DATA that is packed already and not large."""
        transport = self.transport
        route = self._routes.get(gid)
        if route is not None and not route[0] and transport.hold(route[1], data):
            return
        if transport.is_stale():
            self.pump.refresh()
        here, peers, _, _ = self._routes.get(gid) or self._find_route(gid)
        if here:
            frame, payload = Frame(DATA, gid, sequence, stamp), bytes(memoryview(data)[SIZE:])
            for subscription in here:
                subscription.deliver(frame, payload, HERE)
        if peers:
            transport.send_whole(peers, data)

    def assert_liveliness(self, gid: bytes) -> None:
        """Let those who listen to a publisher know that it is alive."""
        here, peers, *_ = self._routes.get(gid) or self._find_route(gid)
        for subscription in here:
            subscription.on_asserted(gid)
        if peers:
            self.transport.send(peers, Frame(kind=ASSERT, gid=gid), b"")

    def keepers(self, gid: bytes) -> list[bytes]:
        """List the subscriptions that must not lose a message of this publisher."""
        return (self._routes.get(gid) or self._find_route(gid))[2]

    def tell_taken(self, subscription: bytes, publisher: bytes, sequence: int) -> None:
        """Let a publisher know how far a subscription has come."""
        if (local := self._local.get(publisher)) is not None:
            local.on_taken(subscription, sequence)
            self.pump.tell_watchers()
        elif (known := self._remote.get(publisher)) is not None:
            self.transport.send([known[0]], Frame(TAKEN, publisher, sequence, target=subscription), b"")

    def is_heard(self, gid: bytes) -> bool:
        """Tell whether any subscription gets what this publisher sends."""
        route = self._routes.get(gid)
        if route is None:
            route = self._find_route(gid)
        return bool(route[0] or route[1])

    def request(self, client: Endpoint, frame: Frame, payload: Buffer) -> bool:
        """Send a request to one service of the client's name; False when there is none."""
        found = self.service(client)
        if found is None:
            return False
        peer, gid = found
        if peer != HERE:
            self.transport.send([peer], frame, payload)
        elif (service := self._local.get(gid)) is not None:
            service.deliver(frame, payload, HERE)
        return True

    def reply(self, peer: str, frame: Frame, payload: Buffer) -> None:
        if peer != HERE:
            self.transport.send([peer], frame, payload)
        elif (client := self._local.get(frame.gid)) is not None:
            client.deliver(frame, payload, HERE)
            self.pump.tell_watchers()

    # --- matching

    def _forget_routes(self) -> None:
        self._routes.clear()
        self.takers.clear()
        self.hearers.clear()

    def _find_route(self, gid: bytes) -> Route:
        with self._known.lock:
            local = self._local.get(gid)
            route: Route = ([], [], [], frozenset())
            if local is not None:
                self._routes[gid] = route = self._known.route(local.endpoint)
            return route

    def _tell_counterparts(self, endpoint: Endpoint, *, here: bool) -> None:
        kind = COUNTERPART[endpoint.kind]
        for local in self._known.locals():
            if local.endpoint.kind == kind and local.endpoint.name == endpoint.name:
                self._tell(local, endpoint, here=here)

    def _tell(self, local: Local, other: Endpoint, *, here: bool) -> None:
        pair = (local.endpoint, other) if local.endpoint.kind in (PUBLISHER, SERVICE) else (other, local.endpoint)
        reason, policy = mismatch(*pair)
        if not reason:
            local.on_matched(other, here)
        elif here:
            local.on_incompatible(other, policy)

    # --- receiving

    def on_peer(self, peer: str, endpoints: Iterable[Endpoint]) -> None:
        with self._known.lock:
            gone, come = self._known.replace(peer, endpoints)
            self._forget_routes()
        for endpoint in gone:
            self._tell_counterparts(endpoint, here=False)
        for endpoint in come:
            self._tell_counterparts(endpoint, here=True)
            if endpoint.kind == SUBSCRIPTION and endpoint.qos.latched:
                self._replay_to(peer, endpoint)

    def on_peer_lost(self, peer: str) -> None:
        self.on_peer(peer, ())

    def _replay_to(self, peer: str, subscription: Endpoint) -> None:
        for local in self._known.locals():
            if local.endpoint.kind == PUBLISHER:
                self._replay(local, peer, subscription)

    def _replay(self, publisher: Local, peer: str, subscription: Endpoint) -> None:
        """Let a publisher give a subscription that may have come late what it has kept, even if that is nothing."""
        if not (subscription.qos.latched and self._known.fits(publisher.endpoint, subscription)):
            return
        if peer != HERE:
            publisher.replay(subscription.gid, lambda frame, payload: self.transport.send([peer], frame, payload))
        elif (local := self._local.get(subscription.gid)) is not None:
            publisher.replay(subscription.gid, lambda frame, payload: local.deliver(frame, payload, HERE))

    def on_frame(self, peer: str, frame: Frame, payload: Buffer) -> None:
        if frame.kind == DATA:
            hearers = self.hearers.get(frame.gid)
            if hearers is None:  # as found now: another thread may forget them again
                hearers = [local.deliver for local in self._find_incoming(peer, frame.gid)]
            for deliver in hearers:
                deliver(frame, payload, peer)
            return
        if frame.kind == REPLY:
            if (client := self._local.get(frame.gid)) is not None and client.endpoint.kind == CLIENT:
                client.deliver(frame, payload, peer)
            return
        if frame.kind == TAKEN:
            if (publisher := self._local.get(frame.gid)) is not None and frame.target in self._remote:
                publisher.on_taken(frame.target, frame.sequence)
            return
        sender = self._known.sender(peer, frame.gid)
        if sender is None:
            return
        if frame.kind == REQUEST:
            for _, endpoint in self.endpoints(SERVICE, sender.name):
                service = self._local.get(endpoint.gid)
                if service is not None and self._known.fits(endpoint, sender):
                    service.deliver(frame, payload, peer)
                    break
        elif frame.kind in (HISTORY, PRESENT):
            target = self._local.get(frame.target)
            if target is not None and self._known.fits(sender, target.endpoint):
                target.deliver(frame, payload, peer)
        elif frame.kind == ASSERT:
            for subscription in self._find_incoming(peer, frame.gid):
                subscription.on_asserted(frame.gid)

    def _find_incoming(self, peer: str, gid: bytes) -> list[Local]:
        with self._known.lock:
            sender = self._known.sender(peer, gid)
            if sender is None or sender.kind != PUBLISHER:
                return []
            here = self._known.route(sender)[0]
            self.takers[gid] = [local.arrive for local in here]
            self.hearers[gid] = [local.deliver for local in here]
            return here

    # --- looking

    def local(self, gid: bytes) -> Local | None:
        return self._local.get(gid)

    def node_names(self) -> list[str]:
        """List the full names of all nodes that have an endpoint."""
        return sorted({endpoint.node for _, endpoint in self.endpoints()})

    def graph(self) -> dict[str, Any]:
        """Return all endpoints by kind, for tools."""
        return {kind: [e for _, e in self.endpoints(kind)] for kind in (PUBLISHER, SUBSCRIPTION, SERVICE, CLIENT)}


os.register_at_fork(after_in_child=Bus.on_fork)
