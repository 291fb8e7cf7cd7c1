"""Count what each process publishes over MQTT, in memory that survives the process being killed."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path

from telemetry.messages import Data, Kind
from telemetry.messages.wire import MessageError, decode, parse_topic
from telemetry.mqtt import Client, Handler

_FIELDS = ("messages", "points")
_SIZE = 8 * len(_FIELDS)
FOLDER = "tally"
UNSTORED = frozenset({Kind.LIVE, Kind.VIDEO})


class Tally:
    """Two counters in a file: messages of stored kinds, and the points in their measurements."""

    def __init__(self, run: Path, name: str) -> None:
        folder = run / FOLDER
        folder.mkdir(exist_ok=True)
        path = folder / name
        if not path.exists():
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)
        self._view = memoryview(self._map).cast("q")

    def note(self, topic: str, payload: bytes) -> None:
        """Count one message; what is not of the farm's contract is not counted."""
        try:
            kind = parse_topic(topic).kind
            if kind in UNSTORED:
                return
            payloads = decode(kind, payload) if kind is Kind.DATA else []
        except MessageError:
            return
        self._view[0] += 1
        self._view[1] += sum(len(item.metrics) for item in payloads if isinstance(item, Data))

    def close(self) -> None:
        self._view.release()
        self._map.close()


def total(run: Path) -> dict[str, int]:
    """Return the sum over all processes of a run: `messages` and `points`."""
    sums = [0] * len(_FIELDS)
    for path in sorted((run / FOLDER).glob("*")):
        for index, value in enumerate(memoryview(path.read_bytes()).cast("q")):
            sums[index] += value
    return dict(zip(_FIELDS, sums, strict=True))


class CountedClient:
    """An MQTT client that notes in a tally what passes through `publish`."""

    def __init__(self, client: Client, tally: Tally) -> None:
        self._client = client
        self._tally = tally

    @property
    def connected(self) -> bool:
        return self._client.connected

    @property
    def dropped(self) -> int:
        return self._client.dropped

    def subscribe(self, topic_filter: str, handler: Handler, *, qos: int = 1) -> None:
        self._client.subscribe(topic_filter, handler, qos=qos)

    def unsubscribe(self, topic_filter: str) -> None:
        self._client.unsubscribe(topic_filter)

    def on_connect(self, callback: Callable[[], None]) -> None:
        self._client.on_connect(callback)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        done: Callable[[], None] | None = None,
        refused: Callable[[], None] | None = None,
    ) -> None:
        self._client.publish(topic, payload, qos=qos, retain=retain, done=done, refused=refused)
        if done is None:  # what comes from an outbox is counted when it is put there: it may be sent twice
            self._tally.note(topic, payload)

    def unacknowledged(self) -> int:
        return self._client.unacknowledged()

    def close(self) -> None:
        self._client.close()
