"""Cut a stream of bytes into MQTT packets: the bytes of a packet may arrive in any pieces."""

from __future__ import annotations

from collections.abc import Iterator

from telemetry.mqtt import MqttError

LONGEST_HEAD = 5


class PacketStream:
    """Takes bytes in and gives whole packets out.

    Args:
        limit: a packet that says it is longer than this ends the connection [byte]: it would fill the memory.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._need = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes, int, int]]:
        """Yield (first byte, bytes, begin, end) of each packet that is whole: its body is bytes[begin:end].

        Raises:
            MqttError: the bytes are no MQTT, or a packet is too large.
        """
        if self._rest:
            self._rest += data
            if len(self._rest) < self._need:
                return
            data = bytes(self._rest)
            self._rest.clear()
        at, end, stop = 0, len(data), 0
        while at + 2 <= end:
            body = at + 2
            size = data[at + 1]
            if size >= 128:
                head = self._long(data, at, end)
                if head is None:
                    stop = at + LONGEST_HEAD
                    break
                size, body = head
            stop = body + size
            if stop > end:
                break
            yield data[at], data, body, stop
            at = stop
        if at < end:
            self._need = max(stop - at, 2)
            self._rest += data[at:]

    def _long(self, data: bytes, at: int, end: int) -> tuple[int, int] | None:
        """Return the size of a packet's body and where it begins; None while its head is not whole."""
        size = 0
        for i in range(1, LONGEST_HEAD):
            if at + i >= end:
                return None
            byte = data[at + i]
            size |= (byte & 0x7F) << 7 * (i - 1)
            if byte < 128:
                if size > self._limit:
                    raise MqttError("broker_lost", f"expected packets of at most {self._limit} byte, got {size}")
                return size, at + i + 1
        raise MqttError("broker_lost", f"expected MQTT, got {data[at : at + 16]!r}")
