"""One connection to a broker: a paho client that lives from CONNECT to the end of its socket, without threads."""

from __future__ import annotations

import logging
import select
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from paho.mqtt import MQTTException
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from telemetry.mqtt import MakeWill

log = logging.getLogger(__name__)

PACKETS_PER_TURN = 500
REFUSED_VERSION = {0x01, 0x84}
"""CONNACK: unacceptable protocol version, in 3.1.1 and in 5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    host: str
    port: int
    client_id: str
    will: MakeWill | None
    clean: bool
    keepalive_s: int
    session_s: int
    version5: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to publish."""

    topic: str
    payload: bytes
    retain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that came over `link`; acknowledging it after that link broke does nothing."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    packet_id: int
    link: Link

    def ack(self) -> None:
        if self.qos > 0:
            self.link.acknowledge(self.packet_id)


class Link:
    """CONNECT was sent; `accepted` follows, `broken` ends it.

    Attributes:
        sent: published with QoS 1 and not acknowledged yet, oldest first.
        acknowledged: what the broker has acknowledged since the owner took it from here.
        received: what arrived and was not handled yet.
        window: how many messages the broker takes at once.
        refused_version: the broker spoke against the protocol version, or hung up instead of answering.
    """

    def __init__(self, settings: LinkSettings, timeout: float) -> None:
        self.settings = settings
        self.sent: dict[int, Outgoing] = {}
        self.acknowledged: deque[Outgoing] = deque()
        self.received: deque[Received] = deque()
        self.window = 65535
        self.accepted = False
        self.broken = False
        self.refused_version = True
        self._deadline = time.monotonic() + timeout
        self._progress = 0
        self._owed: set[int] = set()
        self._client = self._make_client(timeout)
        properties = None
        if settings.version5 and not settings.clean:
            properties = _properties(PacketTypes.CONNECT, SessionExpiryInterval=settings.session_s)
        try:
            self._client.connect(
                settings.host,
                settings.port,
                settings.keepalive_s,
                clean_start=settings.clean if settings.version5 else MQTT_CLEAN_START_FIRST_ONLY,
                properties=properties,
            )
            connection = self._client.socket()
            if isinstance(connection, socket.socket):  # a command does not wait for the packet before it
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            log.info("cannot connect to %s:%d: %s", settings.host, settings.port, error)
            self.broken = True

    def _make_client(self, timeout: float) -> Client:
        settings = self.settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            settings.client_id,
            clean_session=None if settings.version5 else settings.clean,
            protocol=MQTTProtocolVersion.MQTTv5 if settings.version5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.max_inflight_messages = 0
        client.connect_timeout = timeout
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        if settings.will is not None:
            will = settings.will()
            properties = None
            if settings.version5 and will.delay > 0.0:
                properties = _properties(PacketTypes.WILLMESSAGE, WillDelayInterval=round(will.delay))
            client.will_set(will.topic, will.payload, will.qos, will.retain, properties)
        return client

    def fileno(self) -> int:
        """Return the socket's descriptor, -1 when it is gone."""
        connection = self._client.socket()
        return -1 if connection is None else connection.fileno()

    def turn(self, timeout: float) -> None:
        """Wait at most `timeout` [s], read what came and write what waits."""
        connection = self._client.socket()
        if connection is None or (not self.accepted and time.monotonic() > self._deadline):
            self.broken = True
            return
        wanted = [connection] if self._client.want_write() else []
        readable, writable, _ = select.select([connection], wanted, [], 0.0 if self.received else timeout)
        if writable:
            self._client.loop_write()
        if readable:
            self._read()
        self._client.loop_misc()
        self.broken = self.broken or self._client.socket() is None

    def _read(self) -> None:
        for _ in range(PACKETS_PER_TURN):
            before = self._progress
            try:
                code = self._client.loop_read()
            except (ValueError, IndexError, struct.error, MQTTException) as error:
                # A broker that answers MQTT 5 in the words of 3.1.1 cannot be parsed.
                log.info("answer not understood: %r", error)
                self.broken = True
                return
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self.broken = True
            if self.broken or self._progress == before:
                return

    def send(self, message: Outgoing) -> bool:
        """Publish with QoS 1; False when no packet id is free."""
        info = self._client.publish(message.topic, message.payload, 1, message.retain)
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            return False
        self.sent[info.mid] = message
        return True

    def publish_once(self, message: Outgoing) -> None:
        """Publish with QoS 0."""
        self._client.publish(message.topic, message.payload, 0, message.retain)

    def subscribe(self, filters: list[tuple[str, int]]) -> None:
        self._client.subscribe(filters)

    def acknowledge(self, packet_id: int) -> None:
        if packet_id in self._owed and not self.broken:
            self._owed.remove(packet_id)
            self._client.ack(packet_id, 1)

    def drop(self) -> None:
        """Close the socket without a word."""
        self.broken = True
        connection = self._client.socket()
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Say DISCONNECT and close."""
        self._client.disconnect()
        for _ in range(10):
            connection = self._client.socket()
            if connection is None:
                break
            select.select([], [connection], [], 0.1)
            self._client.loop_write()
        self.drop()

    def _on_connect(
        self, client: Client, userdata: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._progress += 1
        if reason.is_failure:
            self.broken = True
            self.refused_version = reason.value in REFUSED_VERSION
            log.warning("%s: the broker refuses the connection: %s", self.settings.client_id, reason)
            return
        self.accepted = True
        self.window = int(getattr(properties, "ReceiveMaximum", 65535))

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self.broken = True

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        self._progress += 1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "\ufffd"
        if message.qos > 0:
            self._owed.add(message.mid)
        self.received.append(
            Received(
                topic=topic,
                payload=bytes(message.payload),
                qos=message.qos,
                retain=message.retain,
                packet_id=message.mid,
                link=self,
            )
        )

    def _on_publish(
        self, client: Client, userdata: Any, packet_id: int, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._progress += 1
        message = self.sent.pop(packet_id, None)
        if message is None:
            return
        if reason.is_failure:
            log.error("the broker refuses a message on %s (%d byte): %s", message.topic, len(message.payload), reason)
            return
        self.acknowledged.append(message)

    def _on_subscribe(
        self, client: Client, userdata: Any, packet_id: int, reasons: list[ReasonCode], properties: Properties | None
    ) -> None:
        self._progress += 1
        for reason in reasons:
            if reason.is_failure:
                log.error("%s: the broker refuses a subscription: %s", self.settings.client_id, reason)


def _properties(packet_type: int, **values: int) -> Properties:
    properties = Properties(packet_type)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
