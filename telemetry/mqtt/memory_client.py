"""The client of the in-memory MQTT twin."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from telemetry.mqtt import Handler, MakeWill, Will
from telemetry.mqtt.filters import check_filter, check_size, check_topic, matches

if TYPE_CHECKING:
    from telemetry.mqtt.memory import MemoryBroker


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """What PUBLISH carries."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    done: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryMessage:
    """One delivery; `ack` reaches the broker only over the connection that brought it."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    on_ack: Callable[[], None]

    def ack(self) -> None:
        self.on_ack()


class MemoryClient:
    """A `Client` of a `MemoryBroker`; made by `MemoryBroker.client`."""

    def __init__(
        self,
        broker: MemoryBroker,
        client_id: str,
        *,
        will: MakeWill | None,
        clean: bool,
        manual_ack: bool,
        queue_limit: int,
    ) -> None:
        self.client_id = client_id
        self.make_will = will
        self.will: Will | None = None
        self.clean = clean
        self.link = 0
        self._broker = broker
        self._manual_ack = manual_ack
        self._queue_limit = queue_limit
        self._connected = False
        self._closed = False
        self._handlers: dict[str, tuple[int, Handler]] = {}
        self._left: list[str] = []
        self._on_connect: list[Callable[[], None]] = []
        self._unsent: deque[Packet] = deque()
        self._sent: dict[int, Packet] = {}
        self._ids = count(1)
        self._dropped = 0

    @property
    def connected(self) -> bool:
        return self._connected

    @property
    def dropped(self) -> int:
        return self._dropped

    def subscribe(self, topic_filter: str, handler: Handler, *, qos: int = 1) -> None:
        check_filter(topic_filter)
        self._handlers[topic_filter] = (qos, handler)
        self._left = [left for left in self._left if left != topic_filter]
        if self._connected:
            self._broker.control(lambda: self._broker.subscribe(self, topic_filter, qos))

    def unsubscribe(self, topic_filter: str) -> None:
        check_filter(topic_filter)
        self._handlers.pop(topic_filter, None)
        self._left.append(topic_filter)
        if self._connected:
            self._broker.control(lambda: self._broker.unsubscribe(self, topic_filter))

    def on_connect(self, callback: Callable[[], None]) -> None:
        self._on_connect.append(callback)
        if self._connected:
            callback()

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        done: Callable[[], None] | None = None,
        refused: Callable[[], None] | None = None,
    ) -> None:
        check_topic(topic)
        check_size(payload)
        packet = Packet(topic=topic, payload=bytes(payload), qos=qos, retain=retain, done=done)
        if self._connected:
            self._send(packet)
        elif qos > 0 and not self._closed:
            if len(self._unsent) >= self._queue_limit:
                self._unsent.popleft()
                self._dropped += 1
            self._unsent.append(packet)

    def unacknowledged(self) -> int:
        return len(self._unsent) + len(self._sent)

    def close(self) -> None:
        """Disconnect with a word: no will is published; a persistent session stays."""
        self._closed = True
        if self._connected:
            self._connected = False
            self._broker.control(lambda: self._broker.detach(self, will=False))

    def cut(self) -> None:
        """Lose the connection at once; the broker notices it and publishes the will."""
        if self._connected:
            self.detached()
            self._broker.detach(self, will=True)

    def begin(self) -> int:
        """Take note of a new connection and return its number."""
        self.link += 1
        self._connected = not self._closed
        self.will = self.make_will() if self.make_will is not None else None
        return self.link

    def attached(self) -> None:
        """Use a new connection: subscribe, send what waited, tell who asked."""
        if self._closed:
            return
        for topic_filter in self._left:
            self._broker.unsubscribe(self, topic_filter)
        for topic_filter, (qos, _) in self._handlers.items():
            self._broker.subscribe(self, topic_filter, qos)
        unsent = [*self._sent.values(), *self._unsent]
        self._sent.clear()
        self._unsent.clear()
        for packet in unsent:
            self._send(packet)
        for callback in self._on_connect:
            callback()

    def detached(self) -> None:
        """Take note of a lost connection."""
        self._connected = False
        self.link += 1

    def deliver(self, message: MemoryMessage, link: int) -> None:
        """Hand one message to the handlers, unless its connection is gone."""
        if link != self.link or not self._connected:
            return
        for topic_filter, (_, handler) in list(self._handlers.items()):
            if matches(topic_filter, message.topic):
                handler(message)
        if not self._manual_ack:
            message.ack()

    def _send(self, packet: Packet) -> None:
        packet_id = next(self._ids)
        if packet.qos > 0:
            self._sent[packet_id] = packet

        def acknowledged() -> None:
            self._sent.pop(packet_id, None)
            if packet.done is not None:
                packet.done()

        self._broker.send(self, packet, acknowledged)
