"""The embedded store's hot tier: one SQLite file in WAL mode, one writer at a time, any number of readers."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from telemetry.messages import Kind
from telemetry.store import Point, Quality, Samples, Series, Summary
from telemetry.store.entries import EntryTables
from telemetry.store.journal import Batch, Committed, Counters, DeadLetter, Entry, Gap
from telemetry.store.summary import summarize
from telemetry.store.tables import connect, errors, transaction

ENDLESS_MS = 2**62

INSERT_POINT = "INSERT OR IGNORE INTO point (series, at, value, delay, quality) VALUES (?, ?, ?, ?, ?)"
INSERT_LAST = """
INSERT INTO last (series, at, value, delay, quality) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (series) DO UPDATE SET at = excluded.at, value = excluded.value, delay = excluded.delay,
    quality = excluded.quality
WHERE excluded.at > last.at
"""
SELECT_LAST = """
SELECT site, zone, device, metric, at, value, delay, quality FROM last JOIN series ON series.id = last.series
"""

_Row = tuple[int, int, float, int, int]


class EmbeddedStore:
    """An `Archive` in one folder. A read-only one sees every commit of others and never makes a writer wait."""

    def __init__(self, directory: Path, *, read_only: bool, dead_letter_limit: int) -> None:
        self._connection: sqlite3.Connection = connect(directory, read_only=read_only)
        self._ids: dict[Series, int] = {}
        self._entries = EntryTables(self._connection, dead_letter_limit=dead_letter_limit)

    def write(self, points: Sequence[Point]) -> int:
        return self.commit(Batch(points=points)).points

    def commit(self, batch: Batch) -> Committed:
        try:
            with transaction(self._connection):
                new_points = self._write_points(batch.points)
                new_entries = self._entries.write(batch.entries)
                self._entries.bury(batch.dead_letters)
                repeated = self._entries.number(batch.stamps)
                self._entries.add_to_counters(
                    messages=batch.messages,
                    points=new_points,
                    points_duplicated=len(batch.points) - new_points,
                    entries=new_entries,
                    dead_letters=len(batch.dead_letters),
                    messages_repeated=repeated,
                )
        except BaseException:
            self._ids.clear()  # ids given in a transaction that was rolled back are void
            raise
        return Committed(points=new_points, entries=new_entries, repeated=repeated)

    def _write_points(self, points: Sequence[Point]) -> int:
        if not points:
            return 0
        rows: list[_Row] = []
        newest: dict[int, _Row] = {}
        for point in points:
            series = self._ids.get(point.series) or self._series_id(point.series)
            at = round(point.at * 1000.0)
            row = (series, at, point.value, round(point.received_at * 1000.0) - at, int(point.quality))
            rows.append(row)
            known = newest.get(series)
            if known is None or at > known[1]:
                newest[series] = row
        new = self._connection.executemany(INSERT_POINT, rows).rowcount
        self._connection.executemany(INSERT_LAST, newest.values())
        return new

    def _series_id(self, series: Series) -> int:
        name = (series.site, series.zone, series.device, series.metric)
        self._connection.execute("INSERT OR IGNORE INTO series (site, zone, device, metric) VALUES (?, ?, ?, ?)", name)
        found = self._find(series)
        if found is None:
            raise ValueError(f"expected text names, got {series}")
        return found

    def _find(self, series: Series) -> int | None:
        if series not in self._ids:
            query = "SELECT id FROM series WHERE site = ? AND zone = ? AND device = ? AND metric = ?"
            name = (series.site, series.zone, series.device, series.metric)
            row = self._connection.execute(query, name).fetchone()
            if row is None:
                return None
            self._ids[series] = int(row[0])
        return self._ids[series]

    def last(self, series: Sequence[Series] | None = None) -> dict[Series, Point]:
        with errors():
            if series is None:
                rows = self._connection.execute(SELECT_LAST).fetchall()
            else:
                ids = [found for found in map(self._find, series) if found is not None]
                rows = []
                for series_id in ids:
                    rows += self._connection.execute(SELECT_LAST + " WHERE last.series = ?", (series_id,)).fetchall()
        result: dict[Series, Point] = {}
        for site, zone, device, metric, at, value, delay, quality in rows:
            name = Series(site, zone, device, metric)
            result[name] = Point(
                series=name,
                at=at / 1000.0,
                value=value,
                received_at=(at + delay) / 1000.0,
                quality=Quality(quality),
            )
        return result

    def read(self, series: Series, start: float, end: float, *, step: float | None = None) -> Samples:
        if step is not None and not step >= 0.001:
            raise ValueError(f"step: expected at least 0.001 s, got {step}")
        with errors():
            query = "SELECT at, value, quality FROM point WHERE series = ? AND at >= ? AND at < ? ORDER BY at"
            rows = self._connection.execute(query, (self._find(series), _ms(start), _ms(end))).fetchall()
        columns = list(zip(*rows, strict=True)) or [(), (), ()]
        at = np.array(columns[0], dtype=np.int64)
        value = np.array(columns[1], dtype=np.float64)
        quality = np.array(columns[2], dtype=np.uint8)
        if step is not None and len(at):
            bucket = at // _ms(step)
            first = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
            counts = np.diff(first, append=len(at))
            at = bucket[first] * _ms(step)
            value = np.add.reduceat(value, first) / counts
            quality = np.bitwise_or.reduceat(quality, first)
        return Samples(series=series, at=at / 1000.0, value=value, quality=quality)

    def summary(self, series: Series, start: float, end: float, *, step: float, without: Quality) -> Summary:
        if not step >= 0.001:
            raise ValueError(f"step: expected at least 0.001 s, got {step}")
        span = (_ms(start), _ms(end))
        with errors():
            return summarize(self._connection, series, self._find(series), span=span, step=_ms(step), without=without)

    def series(self) -> list[Series]:
        with errors():
            rows = self._connection.execute("SELECT site, zone, device, metric FROM series").fetchall()
        return sorted(Series(*row) for row in rows)

    def count(self) -> int:
        return self.counters().points

    def entries(
        self,
        kind: Kind,
        *,
        type: str | None = None,
        start: float = float("-inf"),
        end: float = float("inf"),
        after: int = 0,
        limit: int | None = None,
    ) -> list[Entry]:
        with errors():
            most = -1 if limit is None else limit
            return self._entries.read(kind, type, start=_ms(start), end=_ms(end), after=after, limit=most)

    def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        with errors():
            return self._entries.dead_letters(limit)

    def gaps(self) -> list[Gap]:
        with errors():
            return self._entries.gaps()

    def counters(self) -> Counters:
        with errors():
            return self._entries.counters()

    def close(self) -> None:
        self._connection.close()


def open_store(directory: Path, *, read_only: bool = False, dead_letter_limit: int = 10_000) -> EmbeddedStore:
    """Open the farm's store in `directory`; with `read_only` it must exist.

    Raises:
        StoreError: `store_failed`, or `store_version` when a newer version wrote it.
    """
    return EmbeddedStore(directory, read_only=read_only, dead_letter_limit=dead_letter_limit)


def _ms(seconds: float) -> int:
    return round(max(-ENDLESS_MS / 1000.0, min(ENDLESS_MS / 1000.0, seconds)) * 1000.0)
