"""The newest value of each metric with its age: live, stale, or no data. Nothing is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telemetry.farm import Farm
from telemetry.messages import Birth
from telemetry.messages.tables import Metric
from telemetry.store import Point, Series

STALE_INTERVALS = 3.0
"""A value older than this many of its device's intervals is stale (design, "Parts and states")."""
DEFAULT_INTERVAL_S = 60.0
"""Of a device that has not said how often it measures."""


def interval_of(farm: Farm, births: Mapping[tuple[str, str], Birth], zone: str, device: str, metric: str) -> float:
    """Return how often a device measures a metric [s]: as the farm file says, else as it said at birth."""
    for known in farm.devices:
        if known.id == device and metric in known.metrics:
            return known.interval
    birth = births.get((zone, device))
    info = birth.metrics.get(metric) if birth is not None else None
    return info.interval if info is not None and info.interval > 0.0 else DEFAULT_INTERVAL_S


def last_rows(
    farm: Farm,
    births: Mapping[tuple[str, str], Birth],
    metrics: Mapping[str, Metric],
    points: Mapping[Series, Point],
    now: float,
) -> list[dict[str, Any]]:
    """Return one row for each metric that is stored or should be, in the order of the farm file, then by name.

    Args:
        points: the newest of each series.
        now: the farm's time [UTC epoch s].
    """
    wanted = {(d.zone, d.id, m): None for d in farm.devices for m in d.metrics}
    found = {(s.zone, s.device, s.metric): p for s, p in points.items() if s.site == farm.site.id}
    rows = []
    for zone, device, metric in [*wanted, *sorted(set(found) - set(wanted))]:
        point = found.get((zone, device, metric))
        interval = interval_of(farm, births, zone, device, metric)
        row: dict[str, Any] = {"zone": zone, "device": device, "metric": metric, "interval": interval}
        row["unit"] = metrics[metric].unit if metric in metrics else _announced(births, zone, device, metric)
        if point is None:
            rows.append(row | {"at": None, "value": None, "quality": 0, "age": None, "state": "no_data"})
            continue
        age = now - point.at
        state = "live" if age <= STALE_INTERVALS * interval else "stale"
        rows.append(row | {"at": point.at, "value": point.value, "quality": int(point.quality), "state": state})
        rows[-1]["age"] = round(age, 1)
    return rows


def _announced(births: Mapping[tuple[str, str], Birth], zone: str, device: str, metric: str) -> str:
    birth = births.get((zone, device))
    return birth.metrics[metric].unit if birth is not None and metric in birth.metrics else ""
