"""The 40-byte header before every payload: gid (16), sequence number, stamp and flags (8 each, little endian)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

Buffer = bytes | bytearray | memoryview

DATA, HISTORY, REQUEST, REPLY, HELLO, BYE = range(6)
KIND_MASK = 0xFF
SHARED = 0x100  # the payload is a descriptor of shared memory

_HEADER = struct.Struct("<16sQdQ")
SIZE = _HEADER.size
GID_SIZE = 16


class FrameError(ValueError):
    """Bytes that are not a frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A header.

    Attributes:
        kind: DATA, HISTORY, REQUEST, REPLY, HELLO or BYE.
        gid: the publisher; of a request and its reply, the client.
        sequence: counts per gid, from 1; a reply repeats its request's.
        stamp: instant of sending [epoch s].
        target: of HISTORY, the one subscription it is for; it follows the header.
    """

    kind: int
    gid: bytes
    sequence: int = 0
    stamp: float = 0.0
    target: bytes = b""


def pack(frame: Frame, flags: int = 0) -> bytes:
    return _HEADER.pack(frame.gid, frame.sequence, frame.stamp, frame.kind | flags) + frame.target


def unpack(data: bytes) -> tuple[Frame, int, memoryview]:
    """Return header, flags and payload; raises FrameError."""
    if len(data) < SIZE:
        raise FrameError(f"expected a header of {SIZE} bytes, got {len(data)} bytes")
    gid, sequence, stamp, flags = _HEADER.unpack_from(data)
    kind = flags & KIND_MASK
    if kind > BYE or flags & ~(KIND_MASK | SHARED):
        raise FrameError(f"unknown flags {flags:#x}")
    end = SIZE + GID_SIZE if kind == HISTORY else SIZE
    return Frame(kind, gid, sequence, stamp, data[SIZE:end]), flags & ~KIND_MASK, memoryview(data)[end:]
