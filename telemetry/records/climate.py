"""The climate of one hour in a zone, as it was measured: what is missing is said to be unknown."""

from __future__ import annotations

import statistics
from typing import Any

from telemetry.store import Quality, Series, Store

METRICS = ("air_temperature", "relative_humidity", "co2", "ppfd", "vpd", "dew_point", "dli", "gdd")
RUNNING = frozenset({"dli", "gdd"})
"""Sums since midnight: the hour's last value counts, not its mean."""
BAD = Quality.RANGE | Quality.RATE | Quality.STUCK


def climate_of_hour(store: Store, site: str, zone: str, start: float) -> dict[str, dict[str, Any]]:
    """Return each metric of the hour from `start` [UTC epoch s]: value, how many samples, and which device.

    A metric without a good sample has the value None and `known` False.
    """
    rows: dict[str, dict[str, Any]] = {}
    by_metric = {s.metric: s for s in reversed(store.series()) if s.site == site and s.zone == zone}
    for metric in METRICS:
        values: list[float] = []
        series: Series | None = by_metric.get(metric)
        if series is not None:
            samples = store.read(series, start, start + 3600.0)
            values = [float(v) for v in samples.value[(samples.quality & int(BAD)) == 0]]
        value = (values[-1] if metric in RUNNING else statistics.fmean(values)) if values else None
        rows[metric] = {
            "value": value,
            "known": value is not None,
            "samples": len(values),
            "device": series.device if series is not None else "",
        }
    return rows
