"""Read a picture file's size and completeness from its header, before anything is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN = 0xDA


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Size of a picture [px] as its file claims it, and whether the file reaches its end marker."""

    width: int
    height: int
    complete: bool


def read_header(data: bytes) -> Header | None:
    """Return the header of a PNG, JPEG, GIF, BMP or WebP file; None for any other content."""
    for magic, reader in _READERS:
        if data.startswith(magic):
            try:
                return reader(data)
            except (struct.error, IndexError):
                return Header(width=0, height=0, complete=False)
    return None


def _png(data: bytes) -> Header:
    width, height = struct.unpack(">II", data[16:24])
    return Header(width=width, height=height, complete=b"IEND" in data[-4096:])


def _jpeg(data: bytes) -> Header:
    """Walk the segments to the first scan; an embedded thumbnail lies inside one and is stepped over."""
    at, width, height = 2, 0, 0
    while True:
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        if marker in _JPEG_WITHOUT_LENGTH:
            at += 1
            continue
        (length,) = struct.unpack(">H", data[at + 1 : at + 3])
        if marker in _JPEG_FRAME:
            height, width = struct.unpack(">HH", data[at + 4 : at + 8])
        at += 1 + length
        if marker == _JPEG_SCAN:
            return Header(width=width, height=height, complete=data.find(b"\xff\xd9", at) >= 0)


def _gif(data: bytes) -> Header:
    width, height = struct.unpack("<HH", data[6:10])
    return Header(width=width, height=height, complete=b"\x3b" in data[-64:])


def _bmp(data: bytes) -> Header:
    size, _, _, header_size, width, height = struct.unpack(
        "<IHHIIi", data[2:6] + data[6:10] + data[10:14] + data[18:26]
    )
    return Header(width=width, height=abs(height), complete=len(data) >= size > header_size)


def _webp(data: bytes) -> Header:
    (length,) = struct.unpack("<I", data[4:8])
    return Header(width=0, height=0, complete=data[8:12] == b"WEBP" and len(data) >= length + 8)


_READERS = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8", _jpeg),
    (b"GIF8", _gif),
    (b"BM", _bmp),
    (b"RIFF", _webp),
)
