"""Points in buckets: made from points, merged with each other, and made longer. The same table from every tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.uint8]

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
"""Lengths of the kept buckets [ms]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Buckets: columns of shape (n,), by series, then oldest first. Where `count` is 0: sum 0, low inf, high -inf.

    Attributes:
        series: number of the series in the file.
        start: multiple of the length [ms].
        total, low, high: sum and extremes of the `count` points that are not left out.
        first, last: times of all points [ms].
        quality: flags of all points.
        left_out: how many points are not in `count`.
    """

    series: Ints
    start: Ints
    total: Floats
    low: Floats
    high: Floats
    count: Ints
    first: Ints
    last: Ints
    quality: Flags
    left_out: Ints

    def __len__(self) -> int:
        return len(self.start)

    @property
    def mean(self) -> Floats:
        """Return means; NaN where there are none."""
        mean: Floats = np.divide(self.total, self.count, out=np.full(len(self), np.nan), where=self.count > 0)
        return mean

    def extreme(self, name: str) -> Floats:
        """Return `low` or `high`; NaN where there are none."""
        column: Floats = getattr(self, name)
        return column if self.count.all() else np.where(self.count > 0, column, np.nan)

    def where(self, chosen: npt.NDArray[np.bool_] | Ints) -> Table:
        """Return the rows that a mask, or numbers of rows, choose."""
        return Table(**{name: column[chosen] for name, column in self._columns().items()})

    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def pack(self) -> bytes:
        """Return the table as bytes."""
        rows = np.empty(len(self), PACKED)
        for name, column in self._columns().items():
            rows[name] = column
        return rows.tobytes()


DTYPES = {
    "series": "<i8",
    "start": "<i8",
    "total": "<f8",
    "low": "<f8",
    "high": "<f8",
    "count": "<i8",
    "first": "<i8",
    "last": "<i8",
    "quality": "u1",
    "left_out": "<i8",
}
PACKED = np.dtype(list(DTYPES.items()))
EMPTY = Table(**{name: np.empty(0, kind) for name, kind in DTYPES.items()})


def unpack(body: bytes) -> Table:
    """Return what `pack` made bytes of; of several, one after the other."""
    rows = np.frombuffer(body, PACKED)
    return Table(**{name: rows[name] for name in DTYPES})


def of_points(series: Ints, at: Ints, value: Floats, quality: Flags, *, step: int, without: int) -> Table:
    """Put points into buckets.

    Args:
        series, at: sorted by series, then time [ms].
        step: length of a bucket [ms].
        without: points with any of these flags are left out of sum, count and extremes.
    """
    if not len(at):
        return EMPTY
    start = at // step * step
    first = _begins(series, start)
    good = (quality & without) == 0
    counts = np.diff(first, append=len(at))
    count = np.add.reduceat(good.astype(np.int64), first)
    return Table(
        series=series[first].astype(np.int64),
        start=start[first],
        total=np.add.reduceat(np.where(good, value, 0.0), first),
        low=np.minimum.reduceat(np.where(good, value, np.inf), first),
        high=np.maximum.reduceat(np.where(good, value, -np.inf), first),
        count=count,
        first=at[first],
        last=at[first + counts - 1],
        quality=np.bitwise_or.reduceat(quality, first),
        left_out=counts - count,
    )


REDUCE: dict[str, np.ufunc] = {
    "total": np.add,
    "low": np.minimum,
    "high": np.maximum,
    "count": np.add,
    "first": np.minimum,
    "last": np.maximum,
    "quality": np.bitwise_or,
    "left_out": np.add,
}


def merge(tables: Sequence[Table], *, step: int) -> Table:
    """Return one table of buckets of `step` [ms]: buckets that fall into the same one are added up.

    Tables whose `first` and `last` are their `start` itself, because nobody asks for them, stay so.
    """
    parts = [table for table in tables if len(table)]
    if not parts:
        return EMPTY
    brief = all(part.first is part.start and part.last is part.start for part in parts)
    wanted = [name for name in DTYPES if not brief or name not in {"first", "last"}]
    columns = {
        name: getattr(parts[0], name) if len(parts) == 1 else np.concatenate([getattr(part, name) for part in parts])
        for name in wanted
    }
    columns["start"] = columns["start"] // step * step
    order = _order(columns["series"], columns["start"])
    if order is not None:
        columns = {name: column[order] for name, column in columns.items()}
    first = _begins(columns["series"], columns["start"])
    if len(first) < len(columns["start"]):
        columns = {
            name: REDUCE[name].reduceat(column, first) if name in REDUCE else column[first]
            for name, column in columns.items()
        }
    if brief:
        columns |= {"first": columns["start"], "last": columns["start"]}
    return Table(**columns)


def _order(series: Ints, start: Ints) -> Ints | None:
    """Return what sorts rows by series, then start; None when they are sorted already."""
    later = (series[1:] > series[:-1]) | ((series[1:] == series[:-1]) & (start[1:] >= start[:-1]))
    if later.all():
        return None
    low, high = int(start.min()), int(start.max())
    if high - low < 2**42 and int(series.max()) < 2**20:
        # One key: a stable sort is quick where few sorted runs follow each other, as tables of several tiers do.
        return np.argsort(series * 2**42 + (start - low), kind="stable")
    return np.lexsort((start, series))


def level(step: int) -> int:
    """Return the longest kept bucket that buckets of `step` [ms] can be made of; 0 when only points will do."""
    return next((kept for kept in (DAY, HOUR, MINUTE) if step % kept == 0), 0)


def _begins(series: Ints, start: Ints) -> Ints:
    changed = np.ones(len(start), np.bool_)
    changed[1:] = (series[1:] != series[:-1]) | (start[1:] != start[:-1])
    return np.flatnonzero(changed)
