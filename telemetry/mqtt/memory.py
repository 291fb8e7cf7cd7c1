"""The MQTT twin for one process: a broker that carries the same encoded bytes over a scheduler, in a fixed order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from telemetry.mqtt import MakeWill, Will
from telemetry.mqtt.filters import matches
from telemetry.mqtt.memory_client import MemoryClient, MemoryMessage, Packet


class Scheduler(Protocol):
    def post(self, callback: Callable[[], None], *, delay: float = 0.0) -> object:
        """Run `callback` after `delay` [s], behind everything already due then."""
        ...


@dataclass(slots=True)
class _Session:
    """What the broker keeps of a client: filters, and what is not acknowledged yet, oldest first."""

    filters: dict[str, int] = field(default_factory=dict)
    waiting: dict[int, Packet] = field(default_factory=dict)
    ids: count[int] = field(default_factory=lambda: count(1))
    client: MemoryClient | None = None


class MemoryBroker:
    """A broker that loses nothing: retained messages, persistent sessions, last wills, QoS 0 and 1.

    Args:
        scheduler: drives every delivery; `sim.lockstep.Lockstep` in lock-step.
        delay: one way from a client to the broker or back [s].
    """

    def __init__(self, scheduler: Scheduler, *, delay: float = 0.0) -> None:
        self._scheduler = scheduler
        self._delay = delay
        self._retained: dict[str, Packet] = {}
        self._sessions: dict[str, _Session] = {}
        self._clients: dict[str, MemoryClient] = {}
        self._up = True
        self.published = 0

    def client(
        self,
        client_id: str,
        *,
        will: MakeWill | None = None,
        clean: bool = False,
        manual_ack: bool = False,
        queue_limit: int = 100_000,
    ) -> MemoryClient:
        """Return a connected client. One with the same id is cut off, as a restarted program takes over its session."""
        if client_id in self._clients:
            self._clients.pop(client_id).cut()
        client = MemoryClient(self, client_id, will=will, clean=clean, manual_ack=manual_ack, queue_limit=queue_limit)
        self._clients[client_id] = client
        self.restore(client_id)
        return client

    def cut(self, client_id: str) -> None:
        """Break one client's connection, as a pulled cable does: its will is published."""
        self._clients[client_id].cut()

    def restore(self, client_id: str) -> None:
        """Let one client connect again."""
        self._post(lambda: self._attach(client_id))

    def stop(self) -> None:
        """End the broker; sessions and retained messages are on its disk."""
        self._up = False
        for client in self._clients.values():
            client.detached()
        for session in self._sessions.values():
            session.client = None

    def start(self) -> None:
        """Start again; every client reconnects."""
        self._up = True
        for client_id in self._clients:
            self.restore(client_id)

    def _post(self, callback: Callable[[], None], *, delay: float = 0.0) -> None:
        self._scheduler.post(callback, delay=self._delay + delay)

    def _attach(self, client_id: str) -> None:
        client = self._clients.get(client_id)
        if client is None or not self._up or client.connected:
            return
        if client.clean:
            self._sessions.pop(client_id, None)
        session = self._sessions.setdefault(client_id, _Session())
        session.client = client
        link = client.begin()
        for packet_id, packet in list(session.waiting.items()):
            self._deliver(session, packet_id, packet, link)
        client.attached()

    def _receive(self, packet: Packet) -> None:
        self.published += 1
        if packet.retain:
            if packet.payload:
                self._retained[packet.topic] = packet
            else:
                self._retained.pop(packet.topic, None)
        for session in list(self._sessions.values()):
            for topic_filter, qos in session.filters.items():
                if matches(topic_filter, packet.topic):
                    self._route(session, packet, qos, retain=False)
                    break

    def _route(self, session: _Session, packet: Packet, qos: int, *, retain: bool) -> None:
        copy = Packet(topic=packet.topic, payload=packet.payload, qos=min(qos, packet.qos), retain=retain)
        if copy.qos == 0 and session.client is None:
            return
        packet_id = next(session.ids)
        if copy.qos > 0:
            session.waiting[packet_id] = copy
        if session.client is not None:
            self._deliver(session, packet_id, copy, session.client.link)

    def _deliver(self, session: _Session, packet_id: int, packet: Packet, link: int) -> None:
        client = session.client

        def forget() -> None:
            session.waiting.pop(packet_id, None)

        def acknowledge() -> None:
            if client is not None and client.link == link:
                self._post(forget)

        message = MemoryMessage(
            topic=packet.topic, payload=packet.payload, qos=packet.qos, retain=packet.retain, on_ack=acknowledge
        )
        if client is not None:
            self._post(lambda: client.deliver(message, link))

    def subscribe(self, client: MemoryClient, topic_filter: str, qos: int) -> None:
        """Serve a client's SUBSCRIBE."""
        session = self._sessions.get(client.client_id)
        if session is None or session.client is not client:
            return
        session.filters[topic_filter] = qos
        for packet in list(self._retained.values()):
            if matches(topic_filter, packet.topic):
                self._route(session, packet, qos, retain=True)

    def unsubscribe(self, client: MemoryClient, topic_filter: str) -> None:
        """Serve a client's UNSUBSCRIBE."""
        session = self._sessions.get(client.client_id)
        if session is not None and session.client is client:
            session.filters.pop(topic_filter, None)

    def detach(self, client: MemoryClient, *, will: bool) -> None:
        """Serve the end of a client's connection."""
        session = self._sessions.get(client.client_id)
        if session is None or session.client is not client:
            return
        session.client = None
        if client.clean:
            del self._sessions[client.client_id]
        if will and client.will is not None:
            self._publish_will(client, client.will)

    def _publish_will(self, client: MemoryClient, will: Will) -> None:
        packet = Packet(topic=will.topic, payload=will.payload, qos=will.qos, retain=will.retain)

        def publish() -> None:
            session = self._sessions.get(client.client_id)
            if will.delay == 0.0 or session is None or session.client is None:
                self._receive(packet)

        self._post(publish, delay=will.delay)

    def send(self, client: MemoryClient, packet: Packet, done: Callable[[], None]) -> None:
        """Carry a client's PUBLISH to the broker and its PUBACK back."""
        link = client.link

        def arrive() -> None:
            if client.link != link or not self._up:
                return
            self._receive(packet)
            if packet.qos > 0:
                self._post(lambda: done() if client.link == link else None)

        self._post(arrive)

    def control(self, callback: Callable[[], None]) -> None:
        """Carry any other packet of a client to the broker."""
        self._post(callback)
