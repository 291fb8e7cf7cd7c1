"""Generate fast XCDR1 (little endian) encoders and decoders from message specifications.

The code works on the private slots of the classes made in `generate`. Neighbouring numbers, also those of nested
messages, share one precompiled `struct`; padding is static where the position is known modulo the alignment. Decoding
copies nothing of `uint8[]`: the field is a read-only view of the received buffer.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from robot.ros.cdr.decode import make_decoder
from robot.ros.cdr.encode import make_encoder, make_head_encoder
from robot.ros.cdr.layout import DUMMY, FORMATS, Lookup
from robot.ros.fields import SMALL
from robot.ros.idl import Message

HEADER = b"\x00\x01\x00\x00"


class CdrError(ValueError):
    """Bytes that are not the expected message."""


def tail_field(spec: Message) -> str:
    """Name the last field when it is a sequence of octets: its bytes may follow what `make_head` encodes."""
    last = spec.fields[-1] if spec.fields else DUMMY
    return last.name if last.type.array == "sequence" and FORMATS.get(last.type.base) == "B" else ""


def _with_header(encode_body: Callable[[Any, bytearray], None]) -> Callable[[Any], bytearray]:
    def encode(message: Any) -> bytearray:
        out = bytearray(HEADER)
        encode_body(message, out)
        return out

    return encode


def make_head(spec: Message, lookup: Lookup) -> Callable[[Any], bytearray]:
    """Make `encode(message) -> bytearray` for all but the octets of the tail field."""
    return _with_header(make_head_encoder(spec, lookup))


def make_encode(spec: Message, lookup: Lookup) -> Callable[[Any], bytearray]:
    """Make `encode(message) -> bytearray`, with the encapsulation header."""
    return _with_header(make_encoder(spec, lookup, aligned=8))


def make_decode(
    spec: Message, lookup: Lookup, classes: Callable[[str], type], *, views: bool = True
) -> Callable[..., Any]:
    """Make `decode(bytes-like, start=0) -> message`, for bytes with the encapsulation header at `start`."""
    decode_body = make_decoder(spec, lookup, classes, aligned=8, views=views)

    representation = HEADER[:2]

    def decode(data: Any, start: int = 0) -> Any:
        body: bytes | memoryview
        if data.__class__ is bytes and len(data) <= SMALL and data.startswith(representation, start):
            body = data[start + 4 :]
        else:
            view = memoryview(data)
            if bytes(view[start : start + 2]) != representation:
                found = bytes(view[start : start + 4]).hex() or "nothing"
                raise CdrError(f"{spec.name}: expected little-endian XCDR1 (header 0001), got {found}")
            body = view[start + 4 :] if view.readonly else view[start + 4 :].toreadonly()
        try:
            message, end = decode_body(body, 0)
        except (struct.error, ValueError, OverflowError, MemoryError) as error:
            raise CdrError(f"{spec.name}: {error}") from error
        if end > len(body):
            raise CdrError(f"{spec.name}: expected {end} bytes, got {len(body)}")
        return message

    return decode
