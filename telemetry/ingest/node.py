"""The ingest node: messages are collected, committed together, and only then acknowledged."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from telemetry.clock import Clock, Timers
from telemetry.ingest.quality import Flagger
from telemetry.messages import Birth, Data, Event, Kind, MetricInfo
from telemetry.messages.fields import MessageError, Reason
from telemetry.messages.tables import metrics
from telemetry.messages.wire import decode, parse_topic
from telemetry.mqtt import Client, Message
from telemetry.mqtt.device import Address, DevicePublisher, Identity
from telemetry.store import Point
from telemetry.store.journal import Archive, Batch, DeadLetter, Entry, Stamp, StoreError

log = logging.getLogger(__name__)

STORED = (Kind.BIRTH, Kind.DATA, Kind.STATE, Kind.EVENT, Kind.CMD, Kind.ACK)
MAX_WAITING = 10_000
"""Messages without acknowledgement (QoS 0) are let go beyond this many while the store fails."""
REPORTED = (
    "messages_received",
    "points_stored",
    "points_duplicated",
    "dead_letters",
    "messages_lost",
    "commit_latency",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """How ingest collects and what it flags.

    Attributes:
        address: where it reports its own counters, every `report_s`.
        boot: new at each start.
        batch_messages, batch_s: a batch is committed at this size or age; well below the broker's window of 4000 in
            flight, so that the next batch arrives while one is committed.
        late_s, skew_s: see `Flagger`.
        future_s: a time further ahead than this is no time but a mistake, and would hide all that follows it.
        retry_s: pause after a failed commit.
    """

    address: Address
    boot: str
    batch_messages: int = 1000
    batch_s: float = 0.05
    late_s: float = 120.0
    skew_s: float = 30.0
    future_s: float = 86400.0
    retry_s: float = 1.0
    report_s: float = 60.0


class Ingest:
    """Subscribes to what is stored, by kind; never to `live` or `video`.

    Args:
        client: made with `manual_ack=True` and a stable id, so that the broker keeps what was not committed.
        store: points and journal; a message is acknowledged when its commit has returned.
    """

    def __init__(self, client: Client, store: Archive, clock: Clock, timers: Timers, settings: IngestSettings) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._flagger = Flagger(metrics(), late_s=settings.late_s, skew_s=settings.skew_s)
        for point in store.last().values():
            self._flagger.learn_point(point)
        self._messages: list[Message] = []
        self._points: list[Point] = []
        self._entries: list[Entry] = []
        self._stamps: list[Stamp] = []
        self._dead: list[DeadLetter] = []
        self._retry_at = 0.0
        self._latency = 0.0
        for kind in STORED:
            client.subscribe(f"gh/1/+/+/+/{kind}", self._on_message, qos=1)
        identity = Identity(
            boot=settings.boot, model="berrybrain-ingest", firmware="", metrics=_report_metrics(settings.report_s)
        )
        self._publisher = DevicePublisher(client, settings.address, clock, identity)
        timers.every(settings.batch_s, self.flush)
        timers.every(settings.report_s, self.report)

    def pending(self) -> int:
        """Return how many messages are received and not committed."""
        return len(self._messages)

    def flush(self) -> None:
        """Commit what was received, then acknowledge it; after a failure everything stays for the next try."""
        if not self._messages or self._clock.monotonic() < self._retry_at:
            return
        started = self._clock.monotonic()
        batch = Batch(
            points=self._points,
            entries=self._entries,
            dead_letters=self._dead,
            stamps=self._stamps,
            messages=len(self._messages),
        )
        try:
            self._store.commit(batch)
        except StoreError as error:
            log.error(
                "%d messages are not stored, next try in %.1f s: %s", len(self._messages), self._settings.retry_s, error
            )
            self._retry_at = started + self._settings.retry_s
            self._publisher.state("faulty", fault=error.code)
            return
        self._latency = self._clock.monotonic() - started
        committed = self._messages
        self._messages, self._points, self._entries, self._stamps, self._dead = [], [], [], [], []
        for message in committed:
            message.ack()
        self._publisher.state("online")

    def report(self) -> None:
        """Publish the counters as this device's own data."""
        counters = self._store.counters()
        values = (
            counters.messages,
            counters.points,
            counters.points_duplicated,
            counters.dead_letters,
            counters.messages_lost,
            self._latency,
        )
        self._publisher.data(dict(zip(REPORTED, map(float, values), strict=True)))

    def close(self) -> None:
        """Commit what is there and say offline."""
        self.flush()
        self._publisher.close()

    def _on_message(self, message: Message) -> None:
        now = self._clock.now()
        if message.qos == 0 and len(self._messages) >= MAX_WAITING:
            return  # the store does not take anything; only what the broker keeps can wait
        try:
            self._take(message, now)
        except MessageError as error:
            log.warning("dead letter from %s: %s", message.topic[:200], error)
            payload = message.payload
            self._dead.append(
                DeadLetter(
                    topic=message.topic,
                    payload=payload,
                    size=len(payload),
                    reason=error.code.value,
                    detail=error.detail,
                    at=now,
                )
            )
        self._messages.append(message)
        if len(self._messages) >= self._settings.batch_messages:
            self.flush()

    def _take(self, message: Message, now: float) -> None:
        topic = parse_topic(message.topic)
        payloads = decode(topic.kind, message.payload)
        latest = now + self._settings.future_s
        for payload in payloads:
            if isinstance(payload, Data | Event | Birth) and payload.at > latest:
                ahead = payload.at - now
                raise MessageError(Reason.BAD_TIMESTAMP, f"expected a time up to now, got {ahead:.0f} s ahead")
        for payload in payloads:
            if isinstance(payload, Data):
                self._points += self._flagger.points(topic, payload, now)
            else:
                self._entries.append(Entry(topic=topic, payload=payload, received_at=now))
            if isinstance(payload, Data | Event):
                self._stamps.append(Stamp(topic=topic, boot=payload.boot, seq=payload.seq))
            elif isinstance(payload, Birth):
                self._flagger.learn_birth(topic, payload)


def _report_metrics(interval: float) -> dict[str, MetricInfo]:
    table = metrics()
    return {
        name: MetricInfo(
            unit=table[name].unit, minimum=table[name].minimum, maximum=table[name].maximum, interval=interval
        )
        for name in REPORTED
    }
