"""RTDE, protocol version 2, as Universal Robots' "Real-Time Data Exchange (RTDE) Guide" describes it.

A package is size (2 octets, header included), type (1), payload; big-endian. The controller listens on port 30004.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Protocol

PORT = 30004
VERSION, OUTPUTS, INPUTS, START, PAUSE, DATA, TEXT = (ord(letter) for letter in "VOISPUM")
HEADER = struct.Struct(">HB")
FORMATS = {"DOUBLE": "d", "VECTOR6D": "6d", "INT32": "i", "UINT32": "I", "UINT64": "Q", "UINT8": "B", "BOOL": "?"}


class RtdeError(Exception):
    """The controller refused something or said what cannot be understood."""


class Stream(Protocol):
    """A connection. It raises `OSError` when it is broken, or when nothing comes in time while it waits."""

    def send(self, data: bytes) -> None: ...

    def receive(self, *, wait: bool) -> bytes:
        """Return what has come; without `wait`, maybe nothing."""
        ...

    def close(self) -> None: ...


def package(kind: int, payload: bytes = b"") -> bytes:
    """Return one package."""
    return HEADER.pack(HEADER.size + len(payload), kind) + payload


def take(buffer: bytearray) -> tuple[int, bytes] | None:
    """Take one whole package off the buffer; None when there is none yet.

    Raises:
        RtdeError: the length is impossible: the stream is out of step.
    """
    if len(buffer) < HEADER.size:
        return None
    size, kind = HEADER.unpack_from(buffer)
    if size < HEADER.size:
        raise RtdeError(f"a package says that it has {size} octets")
    if len(buffer) < size:
        return None
    payload = bytes(buffer[HEADER.size : size])
    del buffer[:size]
    return kind, payload


def recipe_struct(types: str) -> struct.Struct:
    """Return how the variables of a recipe lie in a data package.

    Raises:
        RtdeError: a variable is not known there, or taken by another client.
    """
    kinds = types.split(",")
    unknown = [kind for kind in kinds if kind not in FORMATS]
    if unknown:
        raise RtdeError(f"the controller answers {', '.join(unknown)} to a variable; another client may write it")
    return struct.Struct(">" + "".join(FORMATS[kind] for kind in kinds))


class Rtde:
    """One client.

    Args:
        stream: connected to the controller.
        outputs, inputs: names of the variables to receive and to send.
        frequency: of what is received [Hz]; e-Series send up to 500.

    Raises:
        RtdeError: the controller speaks another version or refuses a recipe.
        OSError: it does not answer.
    """

    def __init__(self, stream: Stream, *, outputs: Sequence[str], inputs: Sequence[str], frequency: float) -> None:
        self._stream = stream
        self._buffer = bytearray()
        if self._ask(VERSION, struct.pack(">H", 2))[:1] != b"\x01":
            raise RtdeError("the controller does not speak RTDE version 2; PolyScope 3.4 or later is needed")
        reply = self._ask(OUTPUTS, struct.pack(">d", frequency) + ",".join(outputs).encode())
        self._output, self._received = reply[0], recipe_struct(reply[1:].decode())
        reply = self._ask(INPUTS, ",".join(inputs).encode())
        self._input, self._sent = reply[0], recipe_struct(reply[1:].decode())
        if self._ask(START) != b"\x01":
            raise RtdeError("the controller refuses to start sending")

    def _ask(self, kind: int, payload: bytes = b"") -> bytes:
        self._stream.send(package(kind, payload))
        while True:
            got = take(self._buffer)
            if got is None:
                self._buffer += self._stream.receive(wait=True)
            elif got[0] == kind:
                return got[1]

    def newest(self, *, wait: bool) -> tuple[float, ...] | None:
        """Return the newest data package's numbers in one row; None when none has come since."""
        self._buffer += self._stream.receive(wait=wait)
        found: tuple[float, ...] | None = None
        while (got := take(self._buffer)) is not None:
            kind, payload = got
            if kind == DATA and payload[:1] == bytes([self._output]):
                if len(payload) != 1 + self._received.size:
                    raise RtdeError(f"a data package has {len(payload)} octets instead of {1 + self._received.size}")
                found = self._received.unpack_from(payload, 1)
        return found

    def send(self, *values: float) -> None:
        """Send the input variables, in the order they were named."""
        self._stream.send(package(DATA, bytes([self._input]) + self._sent.pack(*values)))

    def close(self) -> None:
        self._stream.close()
