"""Flags on arriving values: range, rate, stuck, late, wrong clock, numbered twice. Values stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from telemetry.messages import Birth, Data, Topic
from telemetry.messages.tables import Metric
from telemetry.store import Point, Quality, Series


@dataclass(slots=True)
class _Track:
    """What is known of one series: its newest time, last plausible value with its time, and since when it rests."""

    at: float
    good_at: float
    good: float
    resting_since: float
    resting: float


class Flagger:
    """Turns measurements into points with flags.

    Args:
        metrics: the farm's table; a device's birth may narrow or widen its ranges.
        late_s: a value that arrives later than this after its time is `LATE`, as is one from an outage [s].
        skew_s: a device's clock that is ahead by more than this is `SKEW` [s].
    """

    def __init__(self, metrics: Mapping[str, Metric], *, late_s: float, skew_s: float) -> None:
        self._metrics = metrics
        self._late_s = late_s
        self._skew_s = skew_s
        self._ranges: dict[Series, tuple[float, float]] = {}
        self._tracks: dict[Series, _Track] = {}
        self._numbered: dict[tuple[str, str, str], tuple[str, int, float]] = {}

    def learn_birth(self, topic: Topic, birth: Birth) -> None:
        """Take a device's own ranges over the farm's table."""
        for name, info in birth.metrics.items():
            self._ranges[Series(topic.site, topic.zone, topic.device, name)] = (info.minimum, info.maximum)

    def learn_point(self, point: Point) -> None:
        """Take the newest stored point as what was seen before."""
        if not point.quality & (Quality.RANGE | Quality.RATE):
            self._tracks[point.series] = _Track(point.at, point.at, point.value, point.at, point.value)

    def points(self, topic: Topic, data: Data, received_at: float) -> list[Point]:
        """Return the points of one message."""
        common = self._times(data, received_at) | self._numbers(topic, data)
        result = []
        for name, value in data.metrics.items():
            series = Series(topic.site, topic.zone, topic.device, name)
            quality = common | self._value(series, data.at, value)
            result.append(Point(series=series, at=data.at, value=value, received_at=received_at, quality=quality))
        return result

    def _times(self, data: Data, received_at: float) -> Quality:
        delay = received_at - data.at
        if data.historical or delay > self._late_s:
            return Quality.LATE
        return Quality.SKEW if delay < -self._skew_s else Quality.GOOD

    def _numbers(self, topic: Topic, data: Data) -> Quality:
        device = (topic.site, topic.zone, topic.device)
        known = self._numbered.get(device)
        self._numbered[device] = (data.boot, data.seq, data.at)
        if known is not None and known[:2] == (data.boot, data.seq) and known[2] != data.at:
            return Quality.DUPLICATE
        return Quality.GOOD

    def _value(self, series: Series, at: float, value: float) -> Quality:
        metric = self._metrics.get(series.metric)
        low, high = self._ranges.get(series) or ((metric.minimum, metric.maximum) if metric else (value, value))
        quality = Quality.GOOD if low <= value <= high else Quality.RANGE
        track = self._tracks.get(series)
        if track is None:
            if quality is Quality.GOOD:
                self._tracks[series] = _Track(at, at, value, at, value)
            return quality
        if at <= track.at:
            return quality
        track.at = at
        if value != track.resting:
            track.resting, track.resting_since = value, at
        if metric is not None:
            if at - track.resting_since > metric.stuck:
                quality |= Quality.STUCK
            # Noise within a minute is no rate: the change allowed in one minute is allowed at once.
            if abs(value - track.good) > metric.rate * max(1.0, (at - track.good_at) / 60.0):
                quality |= Quality.RATE
        if not quality & (Quality.RANGE | Quality.RATE):
            track.good, track.good_at = value, at
        return quality
