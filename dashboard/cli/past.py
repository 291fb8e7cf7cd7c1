"""Lay down a simulated past in an empty store, before a demo begins: charts and days to compare with."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dashboard.cli.prepare import Order
    from telemetry.farm import Farm
    from telemetry.messages import Data, Topic

DELAY_S = 0.05
"""From a measurement to its arrival [s]."""
MOST_VALUES = 1_000_000
"""Some 30 s of computing."""
KPI_EVERY = 2
"""The brain's figures are computed from every second measurement: less often would look like gaps in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """How much past was laid down."""

    days: int
    points: int
    entries: int
    lots: int


def begin_with_past(order: Order, farm: str, say: Callable[[str], None]) -> None:
    """Lay down the past that a demo begins with; `farm` is the text of its farm file."""
    from telemetry.farm import parse_farm

    if order.history <= 0 or _has_data(order.data):
        return
    parsed = parse_farm(farm)
    days = affordable(parsed, order.history)
    say(f"laying down {days} days of simulated past")
    began = time.monotonic()
    laid = lay_down(order.data, parsed, seed=order.seed, end_at=float(int(time.time())), days=days)
    if laid is not None:
        say(f"{laid.points} values, {laid.entries} events, {laid.lots} lots, in {time.monotonic() - began:.0f} s")


def affordable(farm: Farm, days: int) -> int:
    """Return how many of `days` a farm of this size may have laid down without making people wait for minutes."""
    per_day = sum(86400.0 / device.interval * len(device.metrics) for device in farm.devices)
    return max(1, min(days, int(MOST_VALUES / max(per_day, 1.0))))


def lay_down(data: Path, farm: Farm, *, seed: int, end_at: float, days: int) -> Laid | None:
    """Fill the store, the journal and the farm log with `days` before `end_at` [UTC epoch s].

    Everything carries the boot id "history". Returns None, and does nothing, when there is data already. It is made
    beside and moved into place when it is whole, so that an interruption leaves nothing behind.
    """
    import shutil

    if days <= 0 or _has_data(data):
        return None
    part = data / "past.part"
    shutil.rmtree(part, ignore_errors=True)
    try:
        laid = _make(part, farm, seed=seed, end_at=end_at, days=days)
        for name in ("records", "store"):
            shutil.rmtree(data / name, ignore_errors=True)
            (part / name).rename(data / name)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return laid


def _has_data(data: Path) -> bool:
    from telemetry.store.embedded import open_store

    if not (data / "store").exists():
        return False
    store = open_store(data / "store")
    try:
        counters = store.counters()
    finally:
        store.close()
    return counters.points + counters.entries > 0


def _make(folder: Path, farm: Farm, *, seed: int, end_at: float, days: int) -> Laid:
    from sim.history import Past, PastSettings
    from telemetry.ingest.quality import Columns, Flagger
    from telemetry.messages.tables import metrics
    from telemetry.records.records import Records
    from telemetry.store.embedded import open_store
    from telemetry.store.journal import Batch, Entry, entry_at

    store = open_store(folder / "store")
    try:
        flagger = Flagger(metrics(), late_s=120.0, skew_s=30.0)
        figures = [_Figures(farm, zone.id) for zone in farm.zones]
        points = entries = 0
        for day in Past(PastSettings(farm=farm, seed=seed, start_at=end_at - days * 86400.0, end_at=end_at)).days():
            messages = [*day.data, *(message for figure in figures for message in figure.of(day.data))]
            columns = Columns()
            for topic, data in messages:
                flagger.take(topic, data, data.at + DELAY_S, columns)
            batch = Batch(
                block=columns.block(flagger.names),
                entries=[
                    Entry(topic=topic, payload=payload, received_at=min(entry_at(payload), end_at - 1.0))
                    for topic, payload in day.entries
                ],
            )
            committed = store.commit(batch)
            points, entries = points + committed.points, entries + committed.entries
        records = Records(store, folder / "records", timezone=farm.site.timezone)
        while records.update():
            pass
        lots = len(records.lots())
        records.close()
    finally:
        store.close()
    return Laid(days=days, points=points, entries=entries, lots=lots)


class _Figures:
    """VPD, dew point and the day's sums of a zone, as the brain would have published them."""

    def __init__(self, farm: Farm, zone: str) -> None:
        from telemetry.brain.node import address
        from telemetry.messages import Kind, Topic

        needed = {"air_temperature", "relative_humidity", "ppfd"}
        devices = [d for d in farm.devices if d.zone == zone and needed <= set(d.metrics)]
        self._device = devices[0] if devices else None
        self._farm = farm
        at = address(farm, zone)
        self._topic = Topic(site=at.site, zone=at.zone, device=at.device, kind=Kind.DATA)
        self._count = 0
        self._midnight = self._tomorrow = 0.0
        self._dli = self._gdd = 0.0

    def of(self, messages: list[tuple[Topic, Data]]) -> Iterator[tuple[Topic, Data]]:
        """Yield the figures that a day's measurements give."""
        from dataclasses import replace

        from telemetry.agronomy import humidity, light, thermal
        from telemetry.brain.kpis import midnight

        device = self._device
        if device is None:
            return
        for topic, data in messages:
            if (topic.zone, topic.device) != (device.zone, device.id):
                continue
            if not self._midnight <= data.at < self._tomorrow:
                self._midnight = midnight(self._farm, data.at)
                self._tomorrow = midnight(self._farm, self._midnight + 30.0 * 3600.0)
                self._dli = self._gdd = 0.0
            values: dict[str, Any] = data.metrics
            temperature, rh = values["air_temperature"], max(1.0, values["relative_humidity"])
            self._dli += light.light_integral([values["ppfd"]], device.interval)
            self._gdd += thermal.degree_days([temperature], device.interval, base=0.0, upper=25.0)
            self._count += 1
            if self._count % KPI_EVERY == 0:
                figures = {"vpd": humidity.air_vpd(temperature, rh), "dew_point": humidity.dew_point(temperature, rh)}
                figures |= {"dli": self._dli, "gdd": self._gdd}
                yield self._topic, replace(data, metrics=figures, seq=self._count // KPI_EVERY)
