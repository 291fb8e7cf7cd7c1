"""How a bag is compressed besides its storage's own way: not, each file, or each message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class CompressionMode(IntEnum):
    NONE = 0
    FILE = 1
    MESSAGE = 2


@dataclass(slots=True)
class CompressionOptions:
    """Threads and queues are taken and not looked at: messages are compressed where they are written."""

    compression_format: str = ""
    compression_mode: CompressionMode = CompressionMode.NONE
    compression_queue_size: int = 1
    compression_threads: int = 0


def compression_mode_from_string(name: str) -> CompressionMode:
    try:
        return CompressionMode[name.upper() or "NONE"]
    except KeyError:
        raise ValueError(f"expected none, file or message, got {name!r}") from None


def compression_mode_to_string(mode: CompressionMode) -> str:
    return mode.name
