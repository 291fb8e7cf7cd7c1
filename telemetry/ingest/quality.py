"""Flags on arriving values: range, rate, stuck, late, stale, wrong clock, numbered twice. Values stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from telemetry.messages import Birth, Data, Kind, Topic
from telemetry.messages.tables import Metric
from telemetry.messages.wire import UNNUMBERED
from telemetry.store import Block, Point, Quality, Series

# Plain integers inside: operations on flags cost more than all the rest of taking a value.
RANGE, RATE, STUCK = int(Quality.RANGE), int(Quality.RATE), int(Quality.STUCK)
LATE, SKEW, DUPLICATE = int(Quality.LATE), int(Quality.SKEW), int(Quality.DUPLICATE)
STALE = int(Quality.STALE)
STALE_INTERVALS = 3.0


@dataclass(slots=True)
class _Track:
    """What is known of one series: its limits, newest time, last plausible value, and since when it rests."""

    index: int
    low: float = -inf
    high: float = inf
    rate: float = inf
    stuck: float = inf
    stale: float = inf
    at: float = -inf
    good_at: float = -inf
    good: float = 0.0
    resting_since: float = -inf
    resting: float = 0.0

    def flags(self, at: float, value: float) -> int:
        """Return the flags of a new value; older ones than the newest are only held against the range."""
        flags = 0 if self.low <= value <= self.high else RANGE
        if at <= self.at:
            return flags
        if self.at == -inf or value != self.resting:
            self.resting, self.resting_since = value, at
        elif at - self.resting_since > self.stuck:
            flags |= STUCK
        self.at = at
        # Noise within a minute is no rate: the change allowed in one minute is allowed at once.
        change = abs(value - self.good)
        if change > self.rate and self.good_at != -inf and change > self.rate * (at - self.good_at) / 60.0:
            flags |= RATE
        if not flags & (RANGE | RATE):
            self.good, self.good_at = value, at
        return flags


class Columns:
    """Points of one batch, collected in columns as `Block` has them; `series` counts into the flagger's names."""

    __slots__ = ("at", "delay", "quality", "series", "value")

    def __init__(self) -> None:
        self.series: list[int] = []
        self.at: list[int] = []
        self.value: list[float] = []
        self.delay: list[int] = []
        self.quality: list[int] = []

    def block(self, names: Sequence[Series]) -> Block | None:
        """Return them as a block of the series that occur; None when there are none."""
        if not self.at:
            return None
        used, series = np.unique(np.array(self.series, np.int64), return_inverse=True)
        return Block(
            names=tuple(names[i] for i in used.tolist()),
            series=series.astype(np.int32),
            at=np.array(self.at, np.int64),
            value=np.array(self.value, np.float64),
            delay=np.array(self.delay, np.int64),
            quality=np.array(self.quality, np.uint8),
        )


class Flagger:
    """Turns measurements into points with flags.

    Args:
        metrics: the farm's table; a device's birth may narrow or widen its ranges.
        late_s: a value that arrives later than this after its time is `LATE`, as is one from an outage [s]. One that
            claims to be live and is older than three of its device's intervals, and than `skew_s`, is `STALE`.
        skew_s: a device's clock that is ahead by more than this is `SKEW` [s].
    """

    def __init__(self, metrics: Mapping[str, Metric], *, late_s: float, skew_s: float) -> None:
        self._metrics = metrics
        self._late_s = late_s
        self._skew_s = skew_s
        self._tracks: dict[Topic, dict[str, _Track]] = {}
        self._numbered: dict[Topic, tuple[str, int, float]] = {}
        self.names: list[Series] = []
        """Every series that was seen; columns count into it."""

    def unknown(self, topic: Topic, names: Iterable[str]) -> int:
        """Return how many of a device's metrics were never seen."""
        tracks = self._tracks.get(topic) or self._tracks.get(_device(topic.site, topic.zone, topic.device)) or {}
        return sum(name not in tracks for name in names)

    def learn_names(self, topic: Topic, names: Iterable[str]) -> None:
        """Know a device's metrics from now on."""
        for name in names:
            self._track(topic, name)

    def learn_birth(self, topic: Topic, birth: Birth) -> None:
        """Take a device's own ranges over the farm's table."""
        for name, info in birth.metrics.items():
            track = self._track(topic, name)
            track.low, track.high = info.minimum, info.maximum
            track.stale = max(self._skew_s, STALE_INTERVALS * info.interval) if info.interval > 0.0 else inf

    def learn_point(self, point: Point) -> None:
        """Take the newest stored point as what was seen before."""
        series = point.series
        if not point.quality & (Quality.RANGE | Quality.RATE):
            self._track(_device(series.site, series.zone, series.device), series.metric).flags(point.at, point.value)

    def take(self, topic: Topic, data: Data, received_at: float, into: Columns) -> None:
        """Add the points of one message to `into`."""
        common = self._times(data, received_at) | self._numbers(topic, data)
        age = 0.0 if data.historical else received_at - data.at
        tracks = self._tracks.get(topic) or {}
        when = data.at
        at = round(when * 1000.0)
        delay = round(received_at * 1000.0) - at
        for name, value in data.metrics.items():
            track = tracks.get(name) or self._track(topic, name)
            flags = common | track.flags(when, value)
            into.quality.append(flags | STALE if age > track.stale else flags)
            into.series.append(track.index)
            into.at.append(at)
            into.value.append(value)
            into.delay.append(delay)

    def _track(self, topic: Topic, name: str) -> _Track:
        device = _device(topic.site, topic.zone, topic.device)
        tracks = self._tracks.setdefault(device, {})
        if name not in tracks:
            track = tracks[name] = _Track(len(self.names))
            self.names.append(Series(topic.site, topic.zone, topic.device, name))
            metric = self._metrics.get(name)
            if metric is not None:
                track.low, track.high, track.rate, track.stuck = (
                    metric.minimum,
                    metric.maximum,
                    metric.rate,
                    metric.stuck,
                )
        return tracks[name]

    def _times(self, data: Data, received_at: float) -> int:
        delay = received_at - data.at
        if data.historical or delay > self._late_s:
            return LATE
        return SKEW if delay < -self._skew_s else 0

    def _numbers(self, topic: Topic, data: Data) -> int:
        if data.boot == UNNUMBERED:
            return 0
        known = self._numbered.get(topic)
        self._numbered[topic] = (data.boot, data.seq, data.at)
        if known is not None and known[:2] == (data.boot, data.seq) and known[2] != data.at:
            return DUPLICATE
        return 0


def _device(site: str, zone: str, device: str) -> Topic:
    return Topic(site=site, zone=zone, device=device, kind=Kind.DATA)
