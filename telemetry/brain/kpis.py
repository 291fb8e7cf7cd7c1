"""KPIs of a zone from stored measurements: too little data gives `unknown` and a reason, never an old value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from telemetry.brain.kpi_table import KPIS, Columns, Kpi, Window
from telemetry.farm import Device, Farm
from telemetry.store import Quality, Series, Store

MIN_COVERAGE = 0.9
"""Share of the window's intervals that must have a good value."""
BAD = Quality.RANGE | Quality.RATE | Quality.STUCK
"""Points with these flags are kept in the store and left out here."""
STORE_AWAY = ("数据库没有应答", "the store does not answer")
STALE_INTERVALS = 3.0
"""A value older than this many of its device's intervals says nothing about now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiValue:
    """A KPI at one instant. `value` is None when unknown, and then `reason_*` say why.

    `coverage`: share of the window with good data, 0-1; `source`: the device it was computed from.
    """

    key: str
    zone: str
    at: float
    unit: str
    value: float | None
    coverage: float
    source: str
    method: str
    reason_zh: str = ""
    reason_en: str = ""

    @property
    def known(self) -> bool:
        return self.value is not None


def zone_kpis(store: Store, farm: Farm, zone: str, now: float) -> list[KpiValue]:
    """Compute every KPI of a zone at `now` [UTC epoch s]; those without enough data are unknown."""
    return [_evaluate(store, farm, zone, kpi, now) for kpi in KPIS]


def unknown_kpis(zone: str, now: float) -> list[KpiValue]:
    """Return every KPI of a zone as unknown, because the store does not answer."""
    return [
        KpiValue(
            key=kpi.key,
            zone=zone,
            at=now,
            unit=kpi.unit,
            value=None,
            coverage=0.0,
            source="",
            method=kpi.method,
            reason_zh=STORE_AWAY[0],
            reason_en=STORE_AWAY[1],
        )
        for kpi in KPIS
    ]


def midnight(farm: Farm, now: float) -> float:
    """Return when the farm's day began [UTC epoch s]."""
    local = datetime.fromtimestamp(now, ZoneInfo(farm.site.timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def _evaluate(store: Store, farm: Farm, zone: str, kpi: Kpi, now: float) -> KpiValue:
    def result(value: float | None, coverage: float, source: str, zh: str = "", en: str = "") -> KpiValue:
        return KpiValue(
            key=kpi.key,
            zone=zone,
            at=now,
            unit=kpi.unit,
            value=value,
            coverage=coverage,
            source=source,
            method=kpi.method,
            reason_zh=zh,
            reason_en=en,
        )

    devices = [d for d in farm.devices if d.zone == zone and set(kpi.inputs) <= set(d.metrics)]
    if not devices:
        needed = ", ".join(kpi.inputs)
        return result(None, 0.0, "", f"本区没有设备测量 {needed}", f"no device of this zone measures {needed}")
    best = result(None, 0.0, "")
    for device in devices:
        grid = _grid(store, farm, kpi, device, now)
        problem = _problem(grid, device)
        if not problem:
            return result(kpi.compute(grid.columns, device.interval), grid.coverage, device.id)
        if not best.source or grid.coverage > best.coverage:
            best = result(None, grid.coverage, device.id, f"{device.id}：{problem[0]}", f"{device.id}: {problem[1]}")
    return best


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """Good values of a device on a grid of its interval; `age` of the newest [s], infinite without any."""

    columns: Columns
    coverage: float
    age: float


def _problem(grid: _Grid, device: Device) -> tuple[str, str] | tuple[()]:
    if math.isinf(grid.age):
        return "没有有效数据", "no good data"
    if grid.age > STALE_INTERVALS * device.interval:
        return f"最近的有效数据在 {grid.age:.0f} 秒前", f"last good value {grid.age:.0f} s ago"
    if grid.coverage < MIN_COVERAGE:
        return f"时段内只有 {grid.coverage:.0%} 的数据", f"only {grid.coverage:.0%} of the window has data"
    return ()


def _grid(store: Store, farm: Farm, kpi: Kpi, device: Device, now: float) -> _Grid:
    start = {
        Window.NOW: now - STALE_INTERVALS * device.interval,
        Window.TODAY: midnight(farm, now),
        Window.DAY: now - 86400.0,
    }[kpi.window]
    slots = max(1, round((now - start) / device.interval))
    filled: list[dict[int, float]] = []
    newest = math.inf
    for metric in kpi.inputs:
        samples = store.read(Series(farm.site.id, device.zone, device.id, metric), start, now + 1e-3)
        good = (samples.quality & int(BAD)) == 0
        at = samples.at[good]
        slot = np.minimum(((at - start) / device.interval).astype(np.int64), slots - 1)
        filled.append(dict(zip(slot.tolist(), samples.value[good].tolist(), strict=True)))
        newest = min(newest, float(at[-1])) if len(at) else -math.inf
    common = sorted(set.intersection(*map(set, filled)))
    columns = {
        metric: np.array([column[slot] for slot in common]) for metric, column in zip(kpi.inputs, filled, strict=True)
    }
    columns["hour"] = np.array([slot * device.interval // 3600.0 for slot in common])
    # For "now" one fresh sample is enough; longer windows must be filled.
    coverage = min(1.0, len(common) / (1 if kpi.window is Window.NOW else slots))
    return _Grid(columns=columns, coverage=coverage, age=now - newest if common else math.inf)
