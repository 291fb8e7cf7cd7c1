"""Reads of the hot tier: points that are not sealed yet, and late ones of days that are. Used inside a snapshot."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from telemetry.store import REJECTED
from telemetry.store.rollup import EMPTY, HOUR, Flags, Floats, Ints, Table, merge, of_points, unpack

# Hours that have points, one seek each: hours without any cost nothing, however long the span.
HOURS = """
WITH RECURSIVE known (x) AS (
    SELECT min(hour) FROM point WHERE hour >= :first_hour
    UNION ALL SELECT (SELECT min(hour) FROM point WHERE hour > x) FROM known WHERE x < :last_hour
)
"""
ONE = "FROM known CROSS JOIN point WHERE hour = x AND series = :series AND at >= :first AND at < :end"
ALL = "FROM known CROSS JOIN point WHERE hour = x AND at >= :first AND at < :end"
NOT_SEALED = """
 AND NOT EXISTS (SELECT 1 FROM draining WHERE hour BETWEEN draining.first AND draining.last AND batch <= draining.batch)
"""
BUCKETS = """
SELECT series, at - (at % :step + :step) % :step AS start, total({value}), min({value}), max({value}), count({value}),
    min(at), max(at), count(*) - count({value})
"""
GOOD = "CASE WHEN quality & :without = 0 THEN value END"
BLOCK = 20_000


class Hot:
    """Reads on one connection; the owner opens the snapshot and names errors. Times in ms."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def points(self, series: int, first: int, end: int) -> tuple[Ints, Floats, Flags]:
        """Return time, value and quality of one series, oldest first."""
        rows = self._select("SELECT at, value, quality", ONE, first, end, series=series).fetchall()
        at, value, quality = zip(*rows, strict=True) if rows else ((), (), ())
        return np.array(at, np.int64), np.array(value, np.float64), np.array(quality, np.uint8)

    def columns(self, first: int, end: int, series: Iterable[int] | None = None) -> list[npt.NDArray[np.float64]]:
        """Return series, at, value, delay, quality and batch of all points, or of some series, in no given order."""
        chosen = None if series is None else set(series)
        parts = []
        cursor = self._select("SELECT series, at, value, delay, quality, batch", ALL, first, end)
        while rows := cursor.fetchmany(BLOCK):
            # float64 holds integers up to 2^53 exactly: times in ms until the year 287396.
            part = np.array(rows, np.float64)
            parts.append(part if chosen is None else part[np.isin(part[:, 0], list(chosen))])
        table = np.concatenate(parts) if parts else np.empty((0, 6))
        return list(table.T)

    def buckets(self, series: int | None, first: int, end: int, *, step: int, without: int) -> Table:
        """Return buckets of one series, or of all; computed in SQLite, without a Python object for each point."""
        which = ALL if series is None else ONE
        values = {"step": step, "without": without}
        flagged = self._select("SELECT series, at, quality", which + " AND quality != 0", first, end, series=series)
        flags = np.array(flagged.fetchall(), np.int64).reshape(-1, 3)
        # Judging each point costs a third more; most spans have none to leave out.
        text = BUCKETS.format(value=GOOD if (flags[:, 2] & without).any() else "value")
        found = self._select(text, which, first, end, series=series, tail="GROUP BY series, start", **values)
        rows = np.array(found.fetchall(), np.float64).reshape(-1, 9)
        order = np.lexsort((rows[:, 1], rows[:, 0]))
        rows = rows[order]
        whole = rows.astype(np.int64, copy=True) if not np.isnan(rows).any() else np.nan_to_num(rows).astype(np.int64)
        count = whole[:, 5]
        table = Table(
            series=whole[:, 0],
            start=whole[:, 1],
            total=rows[:, 2],
            low=np.where(count > 0, rows[:, 3], np.inf),
            high=np.where(count > 0, rows[:, 4], -np.inf),
            count=count,
            first=whole[:, 6],
            last=whole[:, 7],
            quality=np.zeros(len(rows), np.uint8),
            left_out=whole[:, 8],
        )
        return _flag(table, flags, step)

    def hours(self, first: int, end: int) -> list[int]:
        """Return the hours that have points."""
        rows = self._connection.execute(HOURS + "SELECT x FROM known WHERE x NOT NULL", _span(first, end)).fetchall()
        return [int(row[0]) for row in rows if row[0] <= (end - 1) // HOUR]

    def rolled(self, first: int, end: int, *, step: int) -> Table:
        """Return all series in buckets of whole hours without rejected points; `step` is a multiple of an hour [ms]."""
        query = "SELECT hour, body FROM hour WHERE hour >= ? AND hour <= ? AND length(body) > 0 ORDER BY hour"
        whole = range(-(-first // HOUR), end // HOUR)
        kept = self._connection.execute(query, (whole.start, whole.stop - 1)).fetchall() if whole else []
        done = {hour for hour, _ in kept}
        tables = [unpack(b"".join(body for _, body in kept))] if kept else []
        for hour in self.hours(first, end):
            if hour not in done:
                span = (max(first, hour * HOUR), min(end, (hour + 1) * HOUR))
                tables.append(self.buckets(None, *span, step=HOUR, without=int(REJECTED)))
        return merge(tables, step=step) if tables else EMPTY

    def draining(self) -> bool:
        return self._connection.execute("SELECT 1 FROM draining LIMIT 1").fetchone() is not None

    def _select(
        self, columns: str, source: str, first: int, end: int, *, series: int | None = None, tail: str = "", **more: int
    ) -> sqlite3.Cursor:
        hide = NOT_SEALED if self.draining() else ""
        values = {"series": series, "first": first, "end": end, **_span(first, end), **more}
        return self._connection.execute(f"{HOURS} {columns} {source} {hide} {tail}", values)


def _span(first: int, end: int) -> dict[str, int]:
    return {"first_hour": first // HOUR, "last_hour": (end - 1) // HOUR}


def _flag(table: Table, flags: Ints, step: int) -> Table:
    if not len(flags):
        return table
    series, at, quality = flags[np.lexsort((flags[:, 1], flags[:, 0]))].T
    extra = of_points(series, at, np.zeros(len(at)), quality.astype(np.uint8), step=step, without=0)
    key = table.series * 2**44 + table.start // step
    at = np.searchsorted(key, extra.series * 2**44 + extra.start // step)
    table.quality[at] |= extra.quality
    return table
