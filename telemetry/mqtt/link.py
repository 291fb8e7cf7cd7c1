"""One connection to a broker: a paho client that lives from CONNECT to the end of its socket, without threads."""

from __future__ import annotations

import logging
import select
import socket
import ssl
import struct
import time
from typing import Any

from paho.mqtt import MQTTException
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from telemetry.mqtt.connection import (
    MAX_PACKET,
    NO_SUBSCRIBERS,
    REFUSED_VERSION,
    LinkSettings,
    LinkState,
    Outgoing,
    Received,
)

log = logging.getLogger(__name__)

PACKETS_PER_TURN = 500
WAITING_BYTES = 2 * 1024 * 1024
"""Messages of QoS 0 are let go while more than this waits for a slow network."""
SHAKE_S = 2.0
"""Longest wait for TLS; unlike all else it blocks whoever drives the client, because paho shakes hands that way [s]."""
HEAD_BYTES = 16
"""A PUBLISH is its topic, its payload, and at most this."""


class PahoLink(LinkState):
    """A `Link` through paho.

    Args:
        connection: shows that the broker listens, and is closed: paho opens its own.
        timeout: longest wait for the broker's welcome [s].
    """

    def __init__(self, settings: LinkSettings, connection: socket.socket, timeout: float) -> None:
        super().__init__(settings, timeout)
        self._progress = 0
        self._owed: set[int] = set()
        self._once: set[int] = set()
        self._publishing_once = False
        self._waiting = 0
        self._max_packet = MAX_PACKET
        self._client = self._make_client(timeout)
        connection.close()
        properties = None
        if settings.version5:
            properties = _properties(PacketTypes.CONNECT, MaximumPacketSize=MAX_PACKET)
            if not settings.clean:
                properties.SessionExpiryInterval = settings.session_s
        try:
            self._client.connect(
                settings.host,
                settings.port,
                settings.keepalive_s,
                clean_start=settings.clean if settings.version5 else MQTT_CLEAN_START_FIRST_ONLY,
                properties=properties,
            )
            opened = self._client.socket()
            if isinstance(opened, socket.socket):  # a command does not wait for the packet before it
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, ValueError) as error:  # a certificate for another name is a ValueError
            self.broken = True
            self.refused_version = False
            secure = isinstance(error, ssl.SSLError | ValueError)
            what = "no secure connection to" if secure else "cannot connect to"
            log.log(logging.ERROR if secure else logging.INFO, "%s: %s %s: %s", self._who(), what, settings.host, error)

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
        client.connect_timeout = min(timeout, SHAKE_S)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        if settings.username:
            client.username_pw_set(settings.username, settings.password or None)
        if settings.tls is not None:
            client.tls_set_context(settings.tls)
        if settings.will is not None:
            will = settings.will()
            properties = None
            if settings.version5 and will.delay > 0.0:
                properties = _properties(PacketTypes.WILLMESSAGE, WillDelayInterval=round(will.delay))
            client.will_set(will.topic, will.payload, will.qos, will.retain, properties)
        return client

    def _who(self) -> str:
        return self.settings.client_id

    def fileno(self) -> int:
        connection = self._client.socket()
        return -1 if connection is None else connection.fileno()

    def turn(self, timeout: float) -> None:
        connection = self._client.socket()
        if connection is None or self.broken or (not self.accepted and time.monotonic() > self._deadline):
            self.broken = True
            return
        began_at = time.monotonic()
        decrypted = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
        wanted = [connection] if self._client.want_write() else []
        wait = 0.0 if self.received or decrypted else timeout
        readable, writable, _ = select.select([connection], wanted, [], wait)
        if writable:
            self._client.loop_write()
        if readable or decrypted:
            self._read(began_at)
        else:
            self._quiet_at = began_at
        self._client.loop_misc()
        self.broken = self.broken or self._client.socket() is None

    def _read(self, began_at: float) -> None:
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
            if self.broken:
                return
            self.alive_at = self._quiet_at
            if self._progress == before:
                self._quiet_at = began_at
                return

    def flush(self) -> None:
        if not self.broken:
            self._client.loop_write()

    def send(self, message: Outgoing) -> bool:
        size = len(message.topic.encode()) + len(message.payload) + HEAD_BYTES
        if size > self._max_packet:
            log.error("a message on %s is let go: the broker takes %d byte", message.topic, self._max_packet)
            self.refused.append(message)
            return True
        info = self._client.publish(message.topic, message.payload, 1, message.retain)
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            return False
        self.sent[info.mid] = message
        return True

    def publish_once(self, message: Outgoing) -> None:
        if not self._client.want_write():
            self._waiting = 0
        size = len(message.topic.encode()) + len(message.payload) + HEAD_BYTES
        if self._waiting > WAITING_BYTES or size > self._max_packet:
            return
        self._waiting += size
        self._publishing_once = True
        info = self._client.publish(message.topic, message.payload, 0, message.retain)
        self._publishing_once = False
        if not info.is_published():
            self._once.add(info.mid)

    def subscribe(self, filters: list[tuple[str, int]]) -> None:
        self._client.subscribe(filters)

    def unsubscribe(self, filters: list[str]) -> None:
        self._client.unsubscribe(filters)

    def acknowledge(self, packet_id: int) -> None:
        if packet_id in self._owed and not self.broken:
            self._owed.remove(packet_id)
            self._client.ack(packet_id, 1)

    def drop(self) -> None:
        self.broken = True
        connection = self._client.socket()
        if connection is not None:
            connection.close()

    def close(self) -> None:
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
            words = str(reason).lower()
            log.warning("%s: the broker refuses the connection: %s", self._who(), words)
            return
        self.accepted = True
        self.window = int(getattr(properties, "ReceiveMaximum", 65535))
        self._max_packet = int(getattr(properties, "MaximumPacketSize", MAX_PACKET))

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            log.warning("%s: the broker ends the connection: %s", self._who(), str(reason).lower())
        self.broken = True

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        self._progress += 1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "\ufffd"
        if message.qos > 0:
            self._owed.add(message.mid)
        self.received.append(Received(topic, bytes(message.payload), message.qos, message.retain, message.mid, self))

    def _on_publish(
        self, client: Client, userdata: Any, packet_id: int, reason: ReasonCode, properties: Properties | None
    ) -> None:
        """Note what left: of QoS 1, when the broker has acknowledged it; of QoS 0, when it was written."""
        self._progress += 1
        if self._publishing_once:
            return
        if packet_id in self._once:
            self._once.remove(packet_id)
            return
        message = self.sent.pop(packet_id, None)
        if message is None:
            return
        if reason.is_failure:
            log.error("the broker refuses a message on %s (%d byte): %s", message.topic, len(message.payload), reason)
            self.refused.append(message)
            return
        (self.unheard if reason.value == NO_SUBSCRIBERS and message.done else self.acknowledged).append(message)

    def _on_subscribe(
        self, client: Client, userdata: Any, packet_id: int, reasons: list[ReasonCode], properties: Properties | None
    ) -> None:
        self._progress += 1
        for reason in reasons:
            if reason.is_failure:
                log.error("%s: the broker refuses a subscription: %s", self._who(), reason)


def _properties(packet_type: int, **values: int) -> Properties:
    properties = Properties(packet_type)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
