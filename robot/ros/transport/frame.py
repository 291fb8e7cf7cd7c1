"""The 40-byte header before every payload: gid (16), sequence number, stamp and flags (8 each, little endian)."""

from __future__ import annotations

import struct
from typing import NamedTuple

Buffer = bytes | bytearray | memoryview

DATA, HISTORY, REQUEST, REPLY, HELLO, BYE, ASSERT, PRESENT, TAKEN, BUNDLE = range(10)
_TARGETED = (HISTORY, PRESENT, TAKEN)
KIND_MASK = 0xFF
SHARED = 0x100  # the payload is a descriptor of shared memory

_HEADER = struct.Struct("<16sQdQ")
fill = struct.Struct("<Qd").pack_into
"""Write number and stamp into a frame with a `blank` header: `fill(data, GID_SIZE, sequence, stamp)`."""
numbers = struct.Struct("<Qd").unpack_from
"""Read number and stamp of a frame: `numbers(data, GID_SIZE)`."""
SIZE = _HEADER.size
GID_SIZE = 16
PREFIX_SIZE = 8  # of a gid: its context's
FLAGS_AT = SIZE - 8
PLAIN = bytes(8)  # the flags of DATA whose payload follows
LARGE = (DATA | SHARED).to_bytes(8, "little")  # those of DATA whose payload lies in shared memory
BUNDLED = bytes((BUNDLE, *bytes(7)))  # the flags of several frames in one, see `bundle`
STAMP_TOP = FLAGS_AT - 1  # the highest byte of the stamp: sign and exponent
NEAR = 0x41  # where that is no more, the stamp is from 0 to below 2**33 s (the year 2242)
LATEST = 1e10  # [epoch s], the year 2286


class FrameError(ValueError):
    """Bytes that are not a frame."""


class Frame(NamedTuple):
    """A header.

    Attributes:
        kind: what it heads, one of the ten above.
        gid: the publisher, also of TAKEN, which goes to it; of a request and its reply, the client.
        sequence: counts per gid, from 1; a reply repeats its request's.
        stamp: instant of sending [epoch s].
        target: of HISTORY and PRESENT, the one subscription it is for, of TAKEN the one it is from; follows the header.
    """

    kind: int
    gid: bytes
    sequence: int = 0
    stamp: float = 0.0
    target: bytes = b""


class Split:
    """A payload in two pieces, so that a large last field is copied only once, to where it is read."""

    __slots__ = ("_whole", "head", "tail")

    def __init__(self, head: Buffer, tail: Buffer) -> None:
        self.head = head
        self.tail = tail
        self._whole: bytes | None = None

    def __len__(self) -> int:
        return len(self.head) + len(self.tail)

    def whole(self) -> bytes:
        if self._whole is None:
            self._whole = b"".join((self.head, self.tail))
        return self._whole


def whole(payload: Buffer | Split) -> Buffer:
    return payload.whole() if isinstance(payload, Split) else payload


def blank(gid: bytes) -> bytes:
    """Return the header of a frame of DATA whose number and stamp are still to be `filled`."""
    return _HEADER.pack(gid, 0, 0.0, DATA)


def pack(frame: Frame, flags: int = 0) -> bytes:
    return _HEADER.pack(frame.gid, frame.sequence, frame.stamp, frame.kind | flags) + frame.target


def unpack(data: bytes) -> tuple[Frame, int, memoryview]:
    """Return header, flags and payload; raises FrameError."""
    if len(data) < SIZE:
        raise FrameError(f"expected a header of {SIZE} bytes, got {len(data)} bytes")
    gid, sequence, stamp, flags = _HEADER.unpack_from(data)
    kind = flags & KIND_MASK
    if kind > TAKEN or flags & ~(KIND_MASK | SHARED):
        raise FrameError(f"unknown flags {flags:#x}")
    if not 0.0 <= stamp < LATEST:
        raise FrameError(f"an impossible instant: {stamp} s")
    end = SIZE + GID_SIZE if kind in _TARGETED else SIZE
    return Frame(kind, gid, sequence, stamp, data[SIZE:end]), flags & ~KIND_MASK, memoryview(data)[end:]
