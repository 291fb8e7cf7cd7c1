"""The ingest node: messages are collected, committed together, and only then acknowledged."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from telemetry.clock import Clock, Timers
from telemetry.ingest.intake import HOUR_S, Intake, IntakeSettings
from telemetry.ingest.sparkplug import filters
from telemetry.messages import Birth, Kind, MetricInfo, Topic
from telemetry.messages.home_assistant import discovery
from telemetry.messages.tables import metrics
from telemetry.messages.thingsboard import GATEWAY
from telemetry.mqtt import Client, Message
from telemetry.mqtt.device import Address, DevicePublisher, Identity
from telemetry.store import Point
from telemetry.store.journal import Archive, StoreError

log = logging.getLogger(__name__)

STORED = (Kind.BIRTH, Kind.DATA, Kind.STATE, Kind.EVENT, Kind.CMD, Kind.ACK)
MAX_WAITING = 10_000
"""Messages without acknowledgement (QoS 0) are let go beyond this many while the store fails."""
COMMIT_SHARE = 5.0
LONGEST_S = 0.5
"""A commit is followed by five times its duration without one, at most this long [s], unless the batch is full."""
TOO_MANY_SERIES = "too_many_series"
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
        discovery: prefix of Home Assistant's discovery topics; empty = it is not told of the sensors.
        sparkplug: group of Sparkplug B nodes that are heard too, `+` = every group; empty = none.
        share: group of ingesters of which each measurement goes to one; births, states, events and commands go to all.
            Empty = this one takes all.
        left: groups it was in before: its session still listens to them until the broker is told.
        intake: what is let in and what is flagged.
        retry_s: pause after a failed commit.
    """

    address: Address
    boot: str
    batch_messages: int = 1000
    batch_s: float = 0.05
    discovery: str = ""
    sparkplug: str = ""
    share: str = ""
    left: tuple[str, ...] = ()
    intake: IntakeSettings = field(default_factory=IntakeSettings)
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
        address = settings.address
        self._intake = Intake(
            settings.intake, _newest(store), site=address.site, zone=address.zone, whole=not settings.share
        )
        self._client = client
        self._metrics = metrics()
        self._announced: dict[tuple[str, str, str], set[str]] = {}
        self._messages: list[Callable[[], None]] = []
        self._retry_at = 0.0
        self._latency = 0.0
        self._committed_at = float("-inf")
        for group in settings.left:
            for topic_filter in _measurements(group):
                client.unsubscribe(topic_filter)
        # Retained messages are never shared (MQTT 5, 4.8.2), and every member must know the births.
        others = [f"gh/1/+/+/+/{kind}" for kind in STORED if kind is not Kind.DATA]
        for topic_filter in (*_measurements(settings.share), *others):
            client.subscribe(topic_filter, self._on_message, qos=1)
        for topic_filter in filters(settings.sparkplug) if settings.sparkplug else ():
            client.subscribe(topic_filter, self._on_message, qos=1)
        identity = Identity(
            boot=settings.boot, model="berrybrain-ingest", firmware="", metrics=_report_metrics(settings.report_s)
        )
        self._publisher = DevicePublisher(client, settings.address, clock, identity)
        timers.every(settings.batch_s, self._tick)
        timers.every(settings.report_s, self.report)

    def pending(self) -> int:
        """Return how many messages are received and not committed."""
        return len(self._messages)

    def _tick(self) -> None:
        """Commit, unless the disk is slow: then less often, so that it does not take the time of receiving."""
        if self._clock.monotonic() - self._committed_at >= min(LONGEST_S, COMMIT_SHARE * self._latency):
            self.flush()

    def flush(self) -> None:
        """Commit what was received, then acknowledge it; after a failure everything stays for the next try."""
        if not self._messages or self._clock.monotonic() < self._retry_at:
            return
        started = self._clock.monotonic()
        try:
            self._store.commit(self._intake.batch(len(self._messages)))
        except StoreError as error:
            log.error(
                "%d messages are not stored, next try in %.1f s: %s", len(self._messages), self._settings.retry_s, error
            )
            self._retry_at = started + self._settings.retry_s
            self._publisher.state("faulty", fault=error.code)
            return
        self._committed_at = self._clock.monotonic()
        self._latency = self._committed_at - started
        if self._settings.discovery:
            self._announce(self._intake.births())
        acknowledge, self._messages = self._messages, []
        self._intake.clear()
        for each in acknowledge:
            each()
        for topic, command in self._intake.sparkplug.wanted(self._clock.now()):
            self._client.publish(topic, command)
        crowded = self._clock.now() - self._intake.crowded_at < HOUR_S
        self._publisher.state("faulty" if crowded else "online", fault=TOO_MANY_SERIES if crowded else "")

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

    def _announce(self, births: list[tuple[Topic, Birth]]) -> None:
        """Tell Home Assistant of the sensors of devices, and take back those that are no more."""
        for topic, birth in births:
            found = discovery(topic, birth, self._metrics, prefix=self._settings.discovery)
            device = (topic.site, topic.zone, topic.device)
            gone = self._announced.get(device, set()) - set(found)
            self._announced[device] = set(found)
            for name, payload in [*found.items(), *((name, b"") for name in gone)]:
                self._client.publish(name, payload, qos=1, retain=True)

    def close(self) -> None:
        """Commit what is there and say offline."""
        self.flush()
        self._publisher.close()

    def _on_message(self, message: Message) -> None:
        now = self._clock.now()
        if message.qos == 0 and len(self._messages) >= MAX_WAITING:
            return  # the store does not take anything; only what the broker keeps can wait
        self._intake.take(message.topic, message.payload, now)
        self._messages.append(message.ack)
        if len(self._messages) >= self._settings.batch_messages:
            self.flush()


def _measurements(share: str) -> tuple[str, str]:
    """Return what to listen to for measurements, in a group or alone."""
    shared = f"$share/{share}/" if share else ""
    return f"{shared}gh/1/+/+/+/{Kind.DATA}", shared + GATEWAY


def _report_metrics(interval: float) -> dict[str, MetricInfo]:
    table = metrics()
    return {
        name: MetricInfo(
            unit=table[name].unit, minimum=table[name].minimum, maximum=table[name].maximum, interval=interval
        )
        for name in REPORTED
    }


def _newest(store: Archive) -> list[Point]:
    """Return the newest points, to hold new ones against; none when a server outside is away: ingest goes on."""
    try:
        return list(store.last().values())
    except StoreError as error:
        log.warning("the newest points cannot be read, flags begin anew: %s", error)
        return []
