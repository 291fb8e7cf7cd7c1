"""What arrives becomes a batch to commit: decoded, flagged, numbered; what is refused becomes a dead letter."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from telemetry.ingest.quality import Columns, Flagger
from telemetry.ingest.sparkplug import PREFIX, Sparkplug
from telemetry.messages import Birth, Data, Event, Payload, Topic
from telemetry.messages.fields import MessageError, Reason
from telemetry.messages.tables import metrics
from telemetry.messages.thingsboard import GATEWAY, read_gateway
from telemetry.messages.wire import UNNUMBERED, decode, parse_topic
from telemetry.store import Point
from telemetry.store.journal import Batch, DeadLetter, Entry, Stamp

log = logging.getLogger(__name__)

HOUR_S = 3600.0
DEAD_PAYLOAD_BYTES = 16 * 1024
"""So much of a refused payload is kept."""
MOST_LINES = 20
"""Of dead letters in a minute's log: a stranger who floods the farm must not fill its disk with words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeSettings:
    """What is let in and what is flagged.

    Attributes:
        late_s, skew_s: see `Flagger`.
        future_s: a time further ahead than this is no time but a mistake, and would hide all that follows it.
        series_limit: most series of a farm, and most devices: who makes up names must not fill memory and store.
        new_series_per_hour: so many, with new devices, may be new in an hour; a large farm that starts needs thousands.
    """

    late_s: float = 120.0
    skew_s: float = 30.0
    future_s: float = 86400.0
    series_limit: int = 200_000
    new_series_per_hour: int = 10_000


class Intake:
    """Collects one batch after another.

    Args:
        last: the newest stored points, from which it learns what was seen before.
        site, zone: where devices stand whose message does not say it.
        whole: it hears every measurement, so that missing numbers are losses; False where several share them.
    """

    def __init__(
        self,
        settings: IntakeSettings,
        last: Iterable[Point],
        *,
        site: str = "farm",
        zone: str = "farm",
        whole: bool = True,
    ) -> None:
        self._site, self._zone = site, zone
        self._whole = whole
        self._minute, self._lines = 0, 0
        self._settings = settings
        self._flagger = Flagger(metrics(), late_s=settings.late_s, skew_s=settings.skew_s)
        self._devices: set[tuple[str, str, str]] = set()
        for point in last:
            self._flagger.learn_point(point)
            self._devices.add((point.series.site, point.series.zone, point.series.device))
        self.sparkplug = Sparkplug(site)
        self._new: deque[float] = deque()
        self.crowded_at = float("-inf")
        """When a series was refused last because there are too many [UTC epoch s]."""
        self._clear()

    def _clear(self) -> None:
        self._columns = Columns()
        self._entries: list[Entry] = []
        self._stamps: list[Stamp] = []
        self._dead: list[DeadLetter] = []

    def batch(self, messages: int) -> Batch:
        """Return what was taken since the last `clear`; `messages`: how many those were."""
        return Batch(
            block=self._columns.block(self._flagger.names),
            entries=self._entries,
            dead_letters=self._dead,
            stamps=self._stamps,
            messages=messages,
        )

    def births(self) -> list[tuple[Topic, Birth]]:
        """Return the births in this batch."""
        return [(entry.topic, entry.payload) for entry in self._entries if isinstance(entry.payload, Birth)]

    def clear(self) -> None:
        """Begin a new batch: this one is committed."""
        self._clear()

    def take(self, name: str, payload: bytes, now: float) -> bool:
        """Take one message that arrived `now` [UTC epoch s]; return False when it becomes a dead letter."""
        try:
            self._take(name, payload, now)
        except MessageError as error:
            self._say(f"dead letter from {name[:200]}: {error}", now)
            self._dead.append(
                DeadLetter(
                    topic=name,
                    payload=payload[:DEAD_PAYLOAD_BYTES],
                    size=len(payload),
                    reason=error.code.value,
                    detail=error.detail,
                    at=now,
                )
            )
            return False
        return True

    def _take(self, name: str, payload: bytes, now: float) -> None:
        if name == GATEWAY:
            messages: list[tuple[Topic, Payload]] = [*read_gateway(payload, site=self._site, zone=self._zone)]
        elif name.startswith(PREFIX):
            told = self.sparkplug.read(name, payload, now)
            messages = told.messages
            self._stamps += told.stamps
        else:
            topic = parse_topic(name)
            messages = [(topic, item) for item in decode(topic.kind, payload)]
        self.accept(messages, now)

    def accept(self, messages: Sequence[tuple[Topic, Payload]], now: float) -> None:
        """Take what one message said, all of it or nothing.

        Raises:
            MessageError: a time is ahead of any clock, or there are too many new series.
        """
        latest = now + self._settings.future_s
        for topic, item in messages:
            if isinstance(item, Data | Event | Birth) and item.at > latest:
                ahead = item.at - now
                raise MessageError(Reason.BAD_TIMESTAMP, f"expected a time up to now, got {ahead:.0f} s ahead")
            device = (topic.site, topic.zone, topic.device)
            new = self._flagger.unknown(topic, item.metrics) if isinstance(item, Data | Birth) else 0
            if new or device not in self._devices:
                self._let_in(new, int(device not in self._devices), now)
                self._devices.add(device)
            if new and isinstance(item, Data | Birth):
                self._flagger.learn_names(topic, item.metrics)
        for topic, item in messages:
            if isinstance(item, Data):
                self._flagger.take(topic, item, now, self._columns)
            else:
                self._entries.append(Entry(topic=topic, payload=item, received_at=now))
            if isinstance(item, Data | Event):
                if item.boot != UNNUMBERED and (self._whole or isinstance(item, Event)):
                    self._stamps.append(Stamp(topic=topic, boot=item.boot, seq=item.seq))
            elif isinstance(item, Birth):
                self._flagger.learn_birth(topic, item)

    def _say(self, text: str, now: float) -> None:
        """Log a dead letter; of many in a minute only the first, and how many more there were."""
        minute = int(now // 60.0)
        if minute != self._minute:
            if self._lines > MOST_LINES:
                log.warning("%d more dead letters in that minute: berrybrain deadletters", self._lines - MOST_LINES)
            self._minute, self._lines = minute, 0
        self._lines += 1
        if self._lines <= MOST_LINES:
            log.warning("%s", text)

    def _let_in(self, series: int, devices: int, now: float) -> None:
        """Count new names, unless they are too many."""
        settings, new = self._settings, self._new
        while new and now - new[0] > HOUR_S:
            new.popleft()
        known, count = len(self._flagger.names), series + devices
        over = known + series > settings.series_limit or len(self._devices) + devices > settings.series_limit
        if over or len(new) + count > settings.new_series_per_hour:
            self.crowded_at = now
            limit = f"{settings.series_limit} series, {settings.new_series_per_hour} new ones an hour"
            raise MessageError(Reason.TOO_MANY_SERIES, f"expected at most {limit}; got {count} more than {known}")
        new.extend([now] * count)
