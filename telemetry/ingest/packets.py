"""MQTT packets as bytes, 3.1.1 and 5: the few that a client of QoS 0 and 1 sends and reads (OASIS MQTT 5.0, chapter 3).

For `receive`, which says why ingest has them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from telemetry.mqtt import MqttError, Will

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP, DISCONNECT = 0x20, 0x30, 0x40, 0x90, 0xD0, 0xE0
"""First byte of what a client reads, without its flags."""
PINGREQ = b"\xc0\x00"
GOODBYE = b"\xe0\x00"
ACKNOWLEDGE = b"\x40\x02"
"""A PUBACK's head; the packet id follows."""
MAX_REMAINING = 268_435_455

SESSION_EXPIRY, SERVER_KEEP_ALIVE, WILL_DELAY, RECEIVE_MAXIMUM, MAXIMUM_PACKET = 0x11, 0x13, 0x18, 0x21, 0x27
_BYTE, _TWO, _FOUR, _VARIABLE, _TEXT, _PAIR = range(6)
_PROPERTY_KINDS = {
    _BYTE: (0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A),
    _TWO: (0x13, 0x21, 0x22, 0x23),
    _FOUR: (0x02, 0x11, 0x18, 0x27),
    _VARIABLE: (0x0B,),
    _TEXT: (0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F),
    _PAIR: (0x26,),
}
_KIND_OF = {number: kind for kind, numbers in _PROPERTY_KINDS.items() for number in numbers}
"""How each property is written (MQTT 5.0, table 2-4)."""

REFUSALS = {
    0x01: "protocol version",
    0x02: "client id",
    0x03: "server unavailable",
    0x04: "bad user name or password",
    0x05: "not authorized",
    0x84: "protocol version",
    0x85: "client id",
    0x86: "bad user name or password",
    0x87: "not authorized",
    0x88: "server unavailable",
    0x89: "server busy",
    0x8A: "banned",
    0x8E: "session taken over",
    0x8F: "topic filter invalid",
    0x90: "topic name invalid",
    0x95: "packet too large",
    0x97: "quota exceeded",
    0x9A: "retain not supported",
    0x9B: "QoS not supported",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What CONNECT carries. `session_s` [s] is for MQTT 5; `max_packet` [byte] is the largest the client takes."""

    client_id: str
    clean: bool
    keepalive_s: int
    session_s: int
    max_packet: int
    will: Will | None = None
    username: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What CONNACK says; `code` 0 is yes. `keepalive_s` is None where the client's own holds."""

    code: int
    window: int = 65535
    keepalive_s: int | None = None


def reason(code: int) -> str:
    """Return the words for a broker's refusal."""
    return f"{REFUSALS.get(code, 'refused')} (0x{code:02x})"


def connect(login: Login, *, version5: bool) -> bytes:
    """Return CONNECT."""
    will = login.will
    flags = 0x02 if login.clean else 0
    if will is not None:
        flags |= 0x04 | will.qos << 3 | will.retain << 5
    flags |= bool(login.username) << 7 | bool(login.password) << 6
    body = _text("MQTT") + struct.pack(">BBH", 5 if version5 else 4, flags, login.keepalive_s)
    if version5:
        properties = struct.pack(">BI", MAXIMUM_PACKET, login.max_packet)
        if not login.clean:
            properties += struct.pack(">BI", SESSION_EXPIRY, login.session_s)
        body += _length(len(properties)) + properties
    body += _text(login.client_id)
    if will is not None:
        if version5:
            properties = struct.pack(">BI", WILL_DELAY, round(will.delay)) if will.delay > 0.0 else b""
            body += _length(len(properties)) + properties
        body += _text(will.topic) + struct.pack(">H", len(will.payload)) + will.payload
    body += _text(login.username) if login.username else b""
    body += _text(login.password) if login.password else b""
    return b"\x10" + _length(len(body)) + body


def publish(topic: str, payload: bytes, *, packet_id: int, retain: bool, version5: bool) -> bytes:
    """Return PUBLISH: with QoS 1, or with QoS 0 where `packet_id` is 0."""
    name = topic.encode()
    head = struct.pack(">H", len(name)) + name
    if packet_id:
        head += packet_id.to_bytes(2, "big")
    if version5:
        head += b"\x00"
    first = PUBLISH | (2 if packet_id else 0) | retain
    return bytes((first,)) + _length(len(head) + len(payload)) + head + payload


def subscribe(filters: Sequence[tuple[str, int]], *, packet_id: int, version5: bool) -> bytes:
    """Return SUBSCRIBE for (filter, QoS) pairs."""
    body = packet_id.to_bytes(2, "big") + (b"\x00" if version5 else b"")
    body += b"".join(_text(topic_filter) + bytes((qos,)) for topic_filter, qos in filters)
    return b"\x82" + _length(len(body)) + body


def unsubscribe(filters: Sequence[str], *, packet_id: int, version5: bool) -> bytes:
    """Return UNSUBSCRIBE."""
    body = packet_id.to_bytes(2, "big") + (b"\x00" if version5 else b"")
    body += b"".join(map(_text, filters))
    return b"\xa2" + _length(len(body)) + body


def read_connack(body: bytes, *, version5: bool) -> Welcome:
    """Read CONNACK. Raises `MqttError` when it is none; a 3.1.1 broker's answer to MQTT 5 has no properties."""
    if len(body) < 2:
        raise MqttError("broker_lost", f"expected CONNACK of at least 2 byte, got {body!r}")
    values = read_properties(body, 2) if version5 and len(body) > 2 else {}
    return Welcome(
        code=body[1],
        window=values.get(RECEIVE_MAXIMUM, 65535),
        keepalive_s=values.get(SERVER_KEEP_ALIVE),
    )


def read_properties(body: bytes, at: int) -> dict[int, int]:
    """Return the properties from `at` on that are numbers.

    Raises:
        MqttError: they cannot be read.
    """
    try:
        size, at = _read_length(body, at)
        end, values = at + size, {}
        if end > len(body):
            raise IndexError
        while at < end:
            number = body[at]
            kind, at = _KIND_OF[number], at + 1
            if kind == _VARIABLE:
                values[number], at = _read_length(body, at)
            elif kind in (_TEXT, _PAIR):
                for _ in range(2 if kind == _PAIR else 1):
                    at += 2 + int.from_bytes(body[at : at + 2], "big")
            else:
                width = (1, 2, 4)[kind]
                values[number], at = int.from_bytes(body[at : at + width], "big"), at + width
    except (IndexError, KeyError):
        raise MqttError("broker_lost", f"properties not understood: {body[:64]!r}") from None
    return values


def properties_end(body: bytes, at: int) -> int:
    """Return where the properties that begin at `at` end."""
    size, at = _read_length(body, at)
    return at + size


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def _length(size: int) -> bytes:
    """Return a number in 1 to 4 byte of seven bits, least first."""
    if size < 128:
        return bytes((size,))
    if size > MAX_REMAINING:
        raise ValueError(f"expected a packet of at most {MAX_REMAINING} byte, got {size}")
    out = bytearray()
    while size >= 128:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out)


def _read_length(body: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in (0, 7, 14, 21):
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 128:
            return value, at
    raise IndexError
