"""Answer a query from any store: choose the series, read them in the cheapest way, put days where people have them."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt

from telemetry.query import AGGREGATES, Answer, Query, QueryError
from telemetry.store import REJECTED, Buckets, Series, Store

HOUR_S, DAY_S = 3600.0, 86400.0
DENSE_S = 1.0
"""Values closer together than this are rare: shorter spans are read before they are counted."""
SHOWN = 12
UNITS = {"Cel": "°C", "K.d": "°C·d", "1": "", "[pH]": "", "[ppm]": "ppm", "dB[mW]": "dBm", "W/m2": "W/m²"}
UNITS |= {"mol/m2": "mol/m²", "umol/(m2.s)": "µmol/(m²·s)"}
"""UCUM codes that people write otherwise."""


def ask(store: Store, query: Query, units: Mapping[str, str]) -> Answer:
    """Return what the store knows.

    Args:
        units: UCUM code of each metric.

    Raises:
        QueryError: it cannot be answered; no series fits, the span is empty, or it has too many rows.
        StoreError: the store cannot be read.
    """
    if not query.start < query.end:
        raise QueryError("expected a time to begin before the time to end")
    unknown = [name for name in query.aggregates if name not in AGGREGATES]
    if unknown or not query.aggregates:
        raise QueryError(f"aggregate: expected some of {', '.join(AGGREGATES)}, got {', '.join(unknown) or 'none'}")
    names = choose(store.series(), query)
    shown = shown_units(names, units)
    _bounded(_expected(store, query, names), query)  # too many rows are refused before they are read
    if query.step:
        return _in_buckets(store, query, names, shown)
    block = store.block(names, query.start, query.end)
    kept = np.ones(len(block), np.bool_) if query.rejected else (block.quality & int(REJECTED)) == 0
    _bounded(int(kept.sum()), query)
    return Answer(
        names=block.names,
        units=shown,
        series=block.series[kept],
        at=block.at[kept] / 1000.0,
        values={"value": block.value[kept]},
        quality=block.quality[kept],
        timezone=query.timezone,
    )


def choose(known: Sequence[Series], query: Query) -> list[Series]:
    """Return the series that a query names.

    Raises:
        QueryError: there is none; says the nearest names.
    """
    found = list(known)
    for part in ("site", "zone", "device", "metric"):
        patterns: tuple[str, ...] = getattr(query, part + "s")
        if not patterns:
            continue
        there = sorted({getattr(name, part) for name in found})
        wanted = {name for name in there for pattern in patterns if _fits(name, pattern)}
        for pattern in patterns:
            if not any(_fits(name, pattern) for name in there):
                near = difflib.get_close_matches(pattern, there, SHOWN, 0.5) or there[:SHOWN]
                more = ", …" if len(near) == SHOWN < len(there) else ""
                raise QueryError(
                    f"{part}: nothing is stored of {pattern!r}; there is: {', '.join(near) or 'nothing'}{more}"
                )
        found = [name for name in found if getattr(name, part) in wanted]
    if not found:
        raise QueryError("no series fits all that was asked for" if known else "the store is empty")
    return found


def shown_units(names: Sequence[Series], units: Mapping[str, str]) -> tuple[str, ...]:
    """Return the unit of each series as people write it, given UCUM codes."""
    codes = [units.get(name.metric, "") for name in names]
    return tuple(UNITS.get(code, code) for code in codes)


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatch.fnmatchcase(name, pattern)


def _expected(store: Store, query: Query, names: Sequence[Series]) -> float:
    """Return how many rows there can be at most: of a span that may hold too many, by what each day of it holds."""
    newest = max((point.at for point in store.last(names).values()), default=0.0)
    most = len(names) * (min(query.end, newest) - query.start) / (query.step or DENSE_S)
    if most <= query.limit:
        return most if query.step else 0.0
    days = store.buckets(names, query.start, query.end, step=max(DAY_S, query.step or 0.0))
    held = (days.count + (days.left_out if query.rejected or query.step else 0)).astype(np.float64)
    if query.step:
        held = np.minimum(held, max(DAY_S / query.step, 1.0))
    return float(held.sum())


def _bounded(rows: float, query: Query) -> None:
    if rows > query.limit:
        raise QueryError(
            f"about {rows:.0f} rows, more than {query.limit}: ask for fewer series, a shorter time or a longer step"
        )


def _in_buckets(store: Store, query: Query, names: list[Series], shown: tuple[str, ...]) -> Answer:
    days = query.step / DAY_S
    if days >= 1.0 and days == int(days):
        table, series, at = _local_days(store, query, names, int(days))
    else:
        table = store.buckets(names, query.start, query.end, step=query.step)
        series, at = table.series, table.start
    columns: dict[str, npt.NDArray[Any]] = {
        "mean": table.mean,
        "min": table.low,
        "max": table.high,
        "count": table.count,
    }
    _bounded(len(at), query)
    return Answer(
        names=tuple(names),
        units=shown,
        series=series,
        at=at,
        values={name: columns[name] for name in query.aggregates},
        quality=table.quality,
        timezone=query.timezone,
    )


def _local_days(
    store: Store, query: Query, names: list[Series], days: int
) -> tuple[Buckets, np.ndarray[tuple[int], np.dtype[np.int32]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Make days of hours: a grower's day begins at local midnight, a kept one at midnight UTC."""
    hours = store.buckets(names, query.start, query.end, step=HOUR_S)
    begins = np.array(_midnights(query, days))
    place = np.searchsorted(begins, hours.start, side="right") - 1
    key = hours.series.astype(np.int64) * (len(begins) + 1) + place
    first = np.flatnonzero(np.diff(key, prepend=-1)) if len(key) else np.empty(0, np.int64)
    total = np.where(hours.count > 0, hours.mean * hours.count, 0.0)

    def sums(column: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.add.reduceat(column, first) if len(first) else np.empty(0)

    count = sums(hours.count.astype(np.float64))
    some = count > 0
    low, high = (np.where(hours.count > 0, c, f) for c, f in ((hours.low, np.inf), (hours.high, -np.inf)))
    table = Buckets(
        names=tuple(names),
        series=hours.series[first],
        start=begins[place[first]] if len(first) else np.empty(0),
        mean=np.divide(sums(total), count, out=np.full(len(first), np.nan), where=some),
        low=np.where(some, np.minimum.reduceat(low, first), np.nan) if len(first) else np.empty(0),
        high=np.where(some, np.maximum.reduceat(high, first), np.nan) if len(first) else np.empty(0),
        count=count.astype(np.int64),
        quality=np.bitwise_or.reduceat(hours.quality, first) if len(first) else np.empty(0, np.uint8),
        left_out=sums(hours.left_out.astype(np.float64)).astype(np.int64),
    )
    return table, table.series, table.start


def _midnights(query: Query, days: int) -> list[float]:
    """Return local midnights, every so many days, from before the begin to the end [UTC epoch s]."""
    zone: tzinfo = query.timezone
    day = datetime.fromtimestamp(query.start, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    begins = [day.timestamp()]
    while begins[-1] < query.end and len(begins) < 400_000:
        day = (day + timedelta(days=days)).replace(tzinfo=zone)
        begins.append(day.timestamp())
    return begins
