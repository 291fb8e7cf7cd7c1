"""Sparkplug B payloads as bytes: the part of its Protocol Buffers message that carries plain values (version 3.0, 6.4).

Written by hand: each field is a key (number and wire type) and a value, and fields that are not named here are skipped.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from telemetry.messages.fields import MessageError, Reason

SIGNED_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
"""Data types Int8 to Int64; they travel as unsigned numbers in two's complement."""
NUMBERS = frozenset({*SIGNED_BITS, 5, 6, 7, 8, 9, 10, 11})
"""Data types that are measurements: the whole numbers, float, double and boolean. Not: texts, times, tables."""
BOOLEAN = 11
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


@dataclass(slots=True, kw_only=True)
class SparkplugMetric:
    """One metric of a payload; what it leaves out is None. `value` is as it travels, before its data type is known."""

    name: str = ""
    alias: int | None = None
    ms: int | None = None
    datatype: int | None = None
    historical: bool = False
    transient: bool = False
    null: bool = False
    value: int | float | None = None

    def number(self, datatype: int) -> float | None:
        """Return the value of a `datatype`; None when there is none or it is no measurement."""
        if self.null or self.value is None or datatype not in NUMBERS:
            return None
        bits = SIGNED_BITS.get(datatype)
        if bits is not None and isinstance(self.value, int):
            value = self.value & (1 << bits) - 1
            return float(value - (1 << bits) if value >> bits - 1 else value)
        return float(self.value)


@dataclass(slots=True, kw_only=True)
class SparkplugPayload:
    """What a message says; `seq` counts from 0 to 255 and again."""

    metrics: list[SparkplugMetric]
    ms: int | None = None
    seq: int | None = None


def read_payload(data: bytes) -> SparkplugPayload:
    """Read a payload.

    Raises:
        MessageError: it is no Sparkplug B payload.
    """
    payload = SparkplugPayload(metrics=[])
    try:
        for number, value in _fields(data):
            if number == 1 and isinstance(value, int):
                payload.ms = value
            elif number == 2 and isinstance(value, bytes):
                payload.metrics.append(_metric(value))
            elif number == 3 and isinstance(value, int):
                payload.seq = value
    except (IndexError, UnicodeDecodeError, struct.error) as error:
        detail = f"expected a Sparkplug B payload, got {data[:32]!r}"
        raise MessageError(Reason.BAD_TYPE, detail) from error
    return payload


def rebirth(ms: int) -> bytes:
    """Return the command by which a node is asked to say its births again (NCMD), at `ms` [ms since 1970]."""
    name = b"Node Control/Rebirth"
    metric = b"\x0a" + _varint(len(name)) + name + b"\x18" + _varint(ms) + b"\x20" + _varint(BOOLEAN) + b"\x70\x01"
    return b"\x08" + _varint(ms) + b"\x12" + _varint(len(metric)) + metric


def _metric(data: bytes) -> SparkplugMetric:
    metric = SparkplugMetric()
    for number, value in _fields(data):
        if number == 1 and isinstance(value, bytes):
            metric.name = value.decode()
        elif number in (12, 13) and isinstance(value, bytes):
            metric.value = struct.unpack("<f" if number == 12 else "<d", value)[0]
        elif not isinstance(value, int):
            continue
        elif number == 2:
            metric.alias = value
        elif number == 3:
            metric.ms = value
        elif number == 4:
            metric.datatype = value
        elif number == 5:
            metric.historical = bool(value)
        elif number == 6:
            metric.transient = bool(value)
        elif number == 7:
            metric.null = bool(value)
        elif number in (10, 11, 14):
            metric.value = value
    return metric


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield (field number, value): an int where it travels as one, else its bytes. Raises `IndexError` at a cut end."""
    at, end = 0, len(data)
    while at < end:
        key, at = _read_varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _read_varint(data, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _read_varint(data, at)
        elif kind in (_EIGHT, _FOUR):
            size = 8 if kind == _EIGHT else 4
        else:
            raise IndexError
        if at + size > end:
            raise IndexError
        yield key >> 3, data[at : at + size]
        at += size


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 2**64 - 1, at
    raise IndexError


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
