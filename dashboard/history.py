"""A series over time for a chart or a table: down-sampled with its extremes, gaps left open, rejected values apart."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from telemetry.store import Quality, Samples

STEPS = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800)
"""Lengths of a bucket people can read [s]."""
BAD = int(Quality.RANGE | Quality.RATE | Quality.STUCK)
"""Values with these flags are kept in the store, shown as rejected, and left out of means and extremes."""
GAP_INTERVALS = 3.0
MOST_REJECTED = 200
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that begins so would be run by a spreadsheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Columns of equal length; means and extremes are NaN where only rejected values were. `step` 0 = as measured."""

    step: float
    at: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]
    gaps: tuple[tuple[float, float], ...]
    rejected: tuple[tuple[float, float, int], ...]

    def json(self) -> dict[str, Any]:
        """Return it as JSON; NaN becomes null."""
        columns = {"mean": self.mean, "min": self.low, "max": self.high}
        rounded = {name: [None if math.isnan(v) else v for v in np.round(c, 4).tolist()] for name, c in columns.items()}
        return {
            "step": self.step,
            "at": self.at.tolist(),
            **rounded,
            "quality": self.quality.tolist(),
            "gaps": [list(gap) for gap in self.gaps],
            "rejected": [list(point) for point in self.rejected],
        }


def step_for(start: float, end: float, points: int, interval: float) -> float:
    """Return the length of a bucket so that about `points` cover the span; 0 where single values do [s]."""
    wanted = (end - start) / max(1, points)
    if wanted <= interval:
        return 0.0
    return float(next((step for step in STEPS if step >= wanted), STEPS[-1]))


def downsample(samples: Samples, start: float, end: float, *, step: float, interval: float) -> History:
    """Return `samples` of start <= at < end in buckets of `step` seconds, or as they are.

    Args:
        end: also where a gap at the end stops; not later than now.
        interval: how often the device measures; three of them without a value are a gap [s].
    """
    at, value, quality = samples.at, samples.value, samples.quality
    bad = (quality & BAD) != 0
    rejected = [(float(at[i]), float(value[i]), int(quality[i])) for i in np.flatnonzero(bad)[-MOST_REJECTED:]]
    gaps = _gaps(at, start, end, GAP_INTERVALS * interval)
    good = np.where(bad, np.nan, value)
    if step <= 0.0 or not len(at):
        columns = (at, good, good, good, quality)
    else:
        bucket = np.floor(at / step)
        first = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1.0))
        counts = np.add.reduceat(~bad, first)
        sums = np.add.reduceat(np.where(bad, 0.0, value), first)
        empty = counts == 0
        mean = np.where(empty, np.nan, sums / np.maximum(counts, 1))
        low = np.where(empty, np.nan, np.minimum.reduceat(np.where(bad, np.inf, value), first))
        high = np.where(empty, np.nan, np.maximum.reduceat(np.where(bad, -np.inf, value), first))
        middle = bucket[first] * step + step / 2.0
        columns = (middle, mean, low, high, np.bitwise_or.reduceat(quality, first))
    return History(
        step=step,
        at=columns[0],
        mean=columns[1],
        low=columns[2],
        high=columns[3],
        quality=columns[4].astype(np.uint8),
        gaps=gaps,
        rejected=tuple(rejected),
    )


def _gaps(at: npt.NDArray[np.float64], start: float, end: float, limit: float) -> tuple[tuple[float, float], ...]:
    edges = np.concatenate(([start], at, [max(start, end)]))
    wide = np.flatnonzero(np.diff(edges) > limit)
    return tuple((float(edges[i]), float(edges[i + 1])) for i in wide)


def safe_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(FORMULA) else text


def to_csv(samples: Samples, unit: str, timezone: str) -> Iterable[str]:
    """Give the lines of a table of every stored value, in blocks."""
    zone, series = ZoneInfo(timezone), samples.series
    head = [safe_cell(text) for text in (series.zone, series.device, series.metric, unit)]
    yield _lines([["time_utc", "time_local", "zone", "device", "metric", "unit", "value", "quality"]])
    for begin in range(0, len(samples.at), 2000):
        rows = []
        block = slice(begin, begin + 2000)
        for at, value, quality in zip(samples.at[block], samples.value[block], samples.quality[block], strict=True):
            utc = datetime.fromtimestamp(float(at), UTC)
            local = utc.astimezone(zone).isoformat(timespec="seconds")
            rows.append([utc.strftime("%Y-%m-%dT%H:%M:%SZ"), local, *head, repr(float(value)), str(int(quality))])
        yield _lines(rows)


def _lines(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
