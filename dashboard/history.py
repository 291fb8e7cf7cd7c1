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

from telemetry.store import Quality, Samples, Summary

STEPS = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800)
"""Lengths of a bucket people can read [s]."""
BAD = Quality.RANGE | Quality.RATE | Quality.STUCK
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


def as_measured(samples: Samples, start: float, end: float, *, interval: float) -> History:
    """Return single values of start <= at < end.

    Args:
        end: also where a gap at the end stops; not later than now.
        interval: how often the device measures; three of them without a value are a gap [s].
    """
    bad = (samples.quality & int(BAD)) != 0
    good = np.where(bad, np.nan, samples.value)
    return History(
        step=0.0,
        at=samples.at,
        mean=good,
        low=good,
        high=good,
        quality=samples.quality,
        gaps=_gaps(samples.at, samples.at, start, end, GAP_INTERVALS * interval),
        rejected=_rejected(samples.at[bad], samples.value[bad], samples.quality[bad]),
    )


def in_buckets(summary: Summary, start: float, end: float, *, step: float, interval: float) -> History:
    """Return buckets of `step` [s] at their middle; the rest as `as_measured`."""
    out = summary.left_out
    return History(
        step=step,
        at=summary.start + step / 2.0,
        mean=summary.mean,
        low=summary.low,
        high=summary.high,
        quality=summary.quality,
        gaps=_gaps(summary.first_at, summary.last_at, start, end, GAP_INTERVALS * interval),
        rejected=_rejected(out.at, out.value, out.quality),
    )


Column = npt.NDArray[np.float64]


def _gaps(first: Column, last: Column, start: float, end: float, limit: float) -> tuple[tuple[float, float], ...]:
    """Return where longer than `limit` [s] nothing was measured, given when each bucket's points begin and end."""
    ends = np.concatenate(([start], last))
    begins = np.concatenate((first, [max(start, end)]))
    wide = np.flatnonzero(begins - ends > limit)
    return tuple((float(ends[i]), float(begins[i])) for i in wide)


def _rejected(at: Column, value: Column, quality: npt.NDArray[np.uint8]) -> tuple[tuple[float, float, int], ...]:
    rows = zip(at[-MOST_REJECTED:].tolist(), value[-MOST_REJECTED:].tolist(), quality[-MOST_REJECTED:], strict=True)
    return tuple((at_, value_, int(flags)) for at_, value_, flags in rows)


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
