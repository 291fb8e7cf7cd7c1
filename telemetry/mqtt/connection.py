"""What a `NetworkClient` needs of one connection to a broker, and the values that pass between the two."""

from __future__ import annotations

import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from telemetry.mqtt import MakeWill

MAX_PACKET = 32 * 1024 * 1024
"""The largest packet a client takes [byte]."""
REFUSED_VERSION = {0x01, 0x84}
"""CONNACK: unacceptable protocol version, in 3.1.1 and in 5."""
NO_SUBSCRIBERS = 0x10
"""PUBACK of MQTT 5: accepted, and thrown away because nobody has subscribed."""


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
    username: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to publish; `done` is called when it need not be sent again, `refused` when the broker refuses it."""

    topic: str
    payload: bytes
    retain: bool
    done: Callable[[], None] | None = None
    refused: Callable[[], None] | None = None


@dataclass(slots=True)
class Received:
    """A message that came over `link`; acknowledging it after that link broke does nothing. Not frozen: it is cheap."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    packet_id: int
    link: Link

    def ack(self) -> None:
        if self.qos:
            self.link.acknowledge(self.packet_id)


class Link(Protocol):
    """One connection: CONNECT is sent when it is made; `accepted` follows, `broken` ends it.

    Attributes:
        sent: published with QoS 1 and not acknowledged yet, oldest first.
        acknowledged: what the broker has acknowledged since the owner took it from here.
        received: what arrived and was not handled yet.
        window: how many messages the broker takes at once.
        refused: what the broker spoke against since the owner took it from here; it is not sent again.
        unheard: what the broker took and threw away, because nobody has subscribed to it, since the owner took it.
        refused_version: the broker spoke against the protocol version, or hung up instead of answering.
        alive_at: the broker lived after this instant [monotonic s]: nothing of it was unread then, and it spoke since.
    """

    settings: LinkSettings
    sent: dict[int, Outgoing]
    acknowledged: deque[Outgoing]
    received: deque[Received]
    window: int
    refused: deque[Outgoing]
    unheard: deque[Outgoing]
    accepted: bool
    broken: bool
    refused_version: bool
    alive_at: float

    def fileno(self) -> int:
        """Return the socket's descriptor, -1 when it is gone."""
        ...

    def turn(self, timeout: float) -> None:
        """Wait at most `timeout` [s] for the network, read what came and write what waits."""
        ...

    def flush(self) -> None:
        """Write what waits, as far as the network takes it now."""
        ...

    def send(self, message: Outgoing) -> bool:
        """Publish with QoS 1; False when no packet id is free."""
        ...

    def publish_once(self, message: Outgoing) -> None:
        """Publish with QoS 0."""
        ...

    def subscribe(self, filters: list[tuple[str, int]]) -> None:
        """Subscribe to (filter, QoS) pairs."""
        ...

    def unsubscribe(self, filters: list[str]) -> None:
        """Take filters out of the session."""
        ...

    def acknowledge(self, packet_id: int) -> None:
        """Acknowledge a message that came over this link."""
        ...

    def drop(self) -> None:
        """Close the socket without a word."""
        ...

    def close(self) -> None:
        """Say DISCONNECT and close."""
        ...


class LinkState:
    """What every `Link` has to tell its owner, as it is before the broker's first word.

    Args:
        timeout: longest wait for the broker's welcome [s].
    """

    def __init__(self, settings: LinkSettings, timeout: float) -> None:
        self.settings = settings
        self.sent: dict[int, Outgoing] = {}
        self.acknowledged: deque[Outgoing] = deque()
        self.received: deque[Received] = deque()
        self.window = 65535
        self.refused: deque[Outgoing] = deque()
        self.unheard: deque[Outgoing] = deque()
        self.accepted = False
        self.broken = False
        self.refused_version = True
        self.alive_at = float("-inf")
        self._quiet_at = time.monotonic()
        self._deadline = time.monotonic() + timeout


OpenLink = Callable[[LinkSettings, socket.socket, float], Link]
"""Opens a link over a connected socket that does not block, and owns it; waits at most so long for a welcome [s]."""
