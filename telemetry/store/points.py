"""Points on their way into the hot tier: what is new of them, the newest of each series, roll-ups taken back."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from telemetry.store import Block, Point
from telemetry.store.cold import Cold, MovedError
from telemetry.store.entries import EntryTables
from telemetry.store.hot_file import HotFile
from telemetry.store.journal import Batch
from telemetry.store.names import Names
from telemetry.store.rollup import DAY, HOUR
from telemetry.store.segments import segment

BEFORE_ALL_MS = -(2**52)

INSERT_POINT = (
    "INSERT OR IGNORE INTO point (hour, series, at, value, delay, quality, batch) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
INSERT_LAST = """
INSERT INTO last (series, at, value, delay, quality) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (series) DO UPDATE SET at = excluded.at, value = excluded.value, delay = excluded.delay,
    quality = excluded.quality
WHERE excluded.at > last.at
"""

Row = tuple[int, int, float, int, int]
"""Number of the series, time [ms], value, delay [ms], flags of quality."""


class PointWriter:
    """Keeps points, inside a transaction of its caller's, that neither the hot file nor a sealed one has."""

    def __init__(self, connection: HotFile, names: Names, cold: Cold, entries: EntryTables) -> None:
        self._connection = connection
        self._names = names
        self._cold = cold
        self._entries = entries

    def keep(self, batch: Batch) -> int:
        """Keep the points of `batch`; return how many were new.

        Raises:
            ValueError: a value is not finite.
        """
        new_points = self._insert_points(batch.points)
        if batch.block is not None and len(batch.block):
            ids = np.array([self._names.number(name) for name in batch.block.names], np.int64)
            new_points += self._insert_block(batch.block, ids)
        return new_points

    def _insert_points(self, points: Sequence[Point]) -> int:
        rows: list[Row] = []
        newest: dict[int, Row] = {}
        number = self._names.number
        for point in points:
            series = number(point.series)
            at = round(point.at * 1000.0)
            row = (series, at, point.value, round(point.received_at * 1000.0) - at, int(point.quality))
            rows.append(row)
            known = newest.get(series)
            if known is None or at > known[1]:
                newest[series] = row
        if not rows:
            return 0
        if any(row[2] - row[2] != 0.0 for row in rows):
            raise ValueError("value: expected finite numbers, got NaN or infinity")
        self._connection.executemany(INSERT_LAST, newest.values())
        if min(row[1] for row in rows) <= self._sealed_until():
            rows = self._not_sealed(rows)
        batch = self._next_batch()
        hours = {row[1] // HOUR for row in rows}
        self._unroll(hours)
        return self._connection.executemany(INSERT_POINT, [(row[1] // HOUR, *row, batch) for row in rows]).rowcount

    def _insert_block(self, block: Block, ids: npt.NDArray[np.int64]) -> int:
        series = ids[block.series]
        hour = block.at // HOUR
        order = np.lexsort((block.at, series, hour))
        columns = [column[order].tolist() for column in (series, block.at, block.value, block.delay, block.quality)]
        newest = {row[0]: row for row in zip(*columns, strict=True)}
        self._connection.executemany(INSERT_LAST, newest.values())
        rows: Iterable[Row] = zip(*columns, strict=True)
        if int(block.at.min()) <= self._sealed_until():
            rows = self._not_sealed(list(rows))
            hours: Iterable[int] = [row[1] // HOUR for row in rows]
        else:
            hours = hour[order].tolist()
        self._unroll(set(np.unique(hour).tolist()))
        batch = itertools.repeat(self._next_batch())
        full = ((at_hour, *row, number) for at_hour, row, number in zip(hours, rows, batch, strict=False))
        return self._connection.executemany(INSERT_POINT, full).rowcount

    def _sealed_until(self) -> int:
        row = self._connection.execute("SELECT max(last) FROM segment WHERE kind = 'raw'").fetchone()
        return BEFORE_ALL_MS if row[0] is None else int(row[0])

    def _not_sealed(self, rows: list[Row]) -> list[Row]:
        """Return the rows whose keys are in no sealed file."""
        by_day: dict[int, list[Row]] = {}
        for row in rows:
            by_day.setdefault(row[1] // DAY * DAY, []).append(row)
        kept: list[Row] = []
        for day, of_day in by_day.items():
            file = segment(self._connection, "raw", day)
            if file is None or file.last < min(row[1] for row in of_day):
                kept += of_day
                continue
            try:
                times = self._cold.has(file, {row[0] for row in of_day})
            except MovedError as error:  # the list cannot change meanwhile: the file is lost, its points are new ones
                self._cold.leave_out(error.files)
                kept += of_day
                continue
            sealed = {number: set(at.tolist()) for number, at in times.items()}
            kept += [row for row in of_day if row[1] not in sealed[row[0]]]
        return kept

    def _unroll(self, hours: set[int]) -> None:
        """Take back the buckets of hours that get more points."""
        newest = self._connection.execute("SELECT max(hour) FROM hour").fetchone()[0]
        if newest is not None:
            stale = [(hour,) for hour in hours if hour <= newest]
            self._connection.executemany("DELETE FROM hour WHERE hour = ?", stale)

    def _next_batch(self) -> int:
        self._entries.add_to_counters(commits=1)
        return int(self._connection.execute("SELECT value FROM counter WHERE name = 'commits'").fetchone()[0])
