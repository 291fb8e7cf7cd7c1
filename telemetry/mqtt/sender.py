"""From a device's outbox to the broker: live while the line is free, in arrays marked as history after an outage."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from telemetry.messages import Kind
from telemetry.messages.wire import MAX_BYTES
from telemetry.mqtt import Client
from telemetry.mqtt.outbox import Outbox, Record

ARRAY_LENGTH = 200
"""Measurements in one array after an outage, fewer where that is too large for a message."""
WINDOW_BYTES = 8 * 1024 * 1024
"""So much may be on its way to a broker that has not confirmed it."""
HISTORY = b',"hist":true}'


class Sender:
    """Hands records over in the order of the outbox, each once per connection of this process; confirmed ones go.

    What the process before this one has not seen confirmed is sent again: receivers know their numbers. What the broker
    refuses (an account without the right) stays, is counted, and is sent again by the next process.

    Args:
        topics: by kind, where records go.
    """

    def __init__(self, client: Client, topics: dict[Kind, str], outbox: Outbox) -> None:
        self._client = client
        self._topics = topics
        self._outbox = outbox
        self._handed = 0
        self._waiting = len(outbox)
        self._on_its_way = 0

    def waiting(self) -> int:
        """Return how many records are not handed over yet."""
        return self._waiting

    def send(self, record: Record) -> None:
        """Send a record that was just appended, at once when nothing older waits."""
        self._waiting += 1
        if not self._client.connected:
            return
        if self._waiting > 1:
            self.pump()
        elif self._on_its_way < WINDOW_BYTES:
            self._publish([record], record.body)

    def pump(self) -> None:
        """Hand over what waits, as much as may be on its way."""
        while self._client.connected and self._on_its_way < WINDOW_BYTES:
            records = self._outbox.after(self._handed, limit=ARRAY_LENGTH)
            if not records:
                self._waiting = 0
                return
            for kind, group in groupby(records, key=lambda record: record.kind):
                if kind is Kind.DATA:
                    self._publish_array(list(group))
                else:
                    for record in group:
                        self._publish([record], record.body)

    def _publish_array(self, records: Sequence[Record]) -> None:
        body = b"[" + b",".join(_late(record.body) for record in records) + b"]"
        if len(body) > MAX_BYTES and len(records) > 1:
            half = len(records) // 2
            self._publish_array(records[:half])
            self._publish_array(records[half:])
            return
        self._publish(records, body)

    def _publish(self, records: Sequence[Record], body: bytes) -> None:
        numbers = [record.id for record in records]
        self._handed = numbers[-1]
        self._waiting = max(0, self._waiting - len(numbers))
        self._on_its_way += len(body)

        def confirmed() -> None:
            self._on_its_way -= len(body)
            self._outbox.remove(numbers)
            if self._waiting:
                self.pump()

        def refused() -> None:
            self._on_its_way -= len(body)
            self._outbox.refuse(len(numbers))
            if self._waiting:
                self.pump()

        self._client.publish(self._topics[records[0].kind], body, qos=1, done=confirmed, refused=refused)


def _late(body: bytes) -> bytes:
    """Return one measurement's JSON object, marked as history."""
    return body if body.endswith(HISTORY) else body[:-1] + HISTORY
