"""Seal a day: its points from the hot tier into one Parquet file by (series, time), with its roll-ups, exactly once.

The files are complete and named before one short transaction puts them in the list and hides the hot points that are
in them; those are deleted afterwards in slices. A process killed at any moment leaves either the old state or the new.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from telemetry.store import REJECTED
from telemetry.store.cold import ROLLUP, bucket_query, prepare
from telemetry.store.embedded import EmbeddedStore
from telemetry.store.journal import StoreError
from telemetry.store.rollup import DAY, HOUR, MINUTE
from telemetry.store.segments import Segment, enter, leave, segment, segments, settle
from telemetry.store.tables import snapshot, transaction

if TYPE_CHECKING:
    import duckdb

SLICE = 5_000
"""Rows deleted in one transaction: 2 ms of CPU time, for which a writer waits, on a busy machine a multiple of it."""
DENSE = 2.0
"""A series with fewer points than this in its minutes has no roll-up of minutes: it would be the points again."""
WORKING_MEMORY = "512MB"
FORMAT = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE 122880"
COMBINE = """
SELECT step, series, start, sum(mean * count) FILTER (WHERE count > 0) / sum(count) AS mean, min(low) AS low,
    max(high) AS high, sum(count)::BIGINT AS count, min(first) AS first, max(last) AS last,
    bit_or(quality) AS quality, sum(left_out)::BIGINT AS left_out
FROM {source} GROUP BY step, series, start ORDER BY step, series, start
"""
NAMES = "SELECT id, site, zone, device, metric FROM series ORDER BY id"


class Sealer:
    """Seals days of a store that may be written; only the process that holds the keeper's lock may use one."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store
        self._folder = store.cold.folder

    def days(self) -> dict[int, int]:
        """Return the days of which the hot tier has points [ms], with how many of their hours have any."""
        with snapshot(self._store.connection):
            hidden = self._store.connection.execute("SELECT first, last FROM draining").fetchall()
            hours = self._store.hot.hours(-(2**52), 2**52)
        days: dict[int, int] = {}
        for hour in hours:
            if not any(first <= hour <= last for first, last in hidden):
                days[hour * HOUR // DAY * DAY] = days.get(hour * HOUR // DAY * DAY, 0) + 1
        return days

    def seal(self, day: int, now: float) -> int:
        """Seal what the hot tier has of a day, together with what is sealed of it already; return how many rows.

        Args:
            day: its first instant [ms].
            now: when what the files replace becomes garbage [UTC epoch s].

        Raises:
            StoreError: it could not be done (`store_full`: no room); everything is as it was.
        """
        import duckdb

        connection = self._store.connection
        for kind in ("raw", "minute", "rollup"):
            (self._folder / kind).mkdir(parents=True, exist_ok=True)
        with engine(self._folder) as db:
            try:
                with snapshot(connection):
                    batch, moved = self._collect(db, day)
                    old = segment(connection, "raw", day)
                    month = month_of(day)
                    rollup = segment(connection, "rollup", month)
                    days = [file for file in segments(connection, "raw", *month_span(day)) if file.period != day]
                if not moved:
                    return 0
                if old is not None:
                    db.execute(
                        f"INSERT INTO point SELECT series, ts, value, delay, quality FROM {_source(self._folder, old)}"
                    )
                new = [self._raw(db, day)]
                minute = self._minute(db, day)
                # Without a roll-up of the month, damaged or lost, it is made again of all its points.
                for file in [] if rollup else days:
                    db.execute(
                        f"INSERT INTO point SELECT series, ts, value, delay, quality FROM {_source(self._folder, file)}"
                    )
                new.append(self._rollup(db, day, rollup, replace=old is not None))
                self._write_names(db)
            except duckdb.Error as error:
                raise _error(error) from error
        with transaction(connection):
            for file in new:
                enter(connection, file, now)
            if minute is None:
                leave(connection, "minute", day, now)
            else:
                enter(connection, minute, now)
            hours = (day // HOUR, day // HOUR + 23)
            connection.execute("INSERT OR REPLACE INTO draining (first, last, batch) VALUES (?, ?, ?)", (*hours, batch))
            connection.execute("DELETE FROM hour WHERE hour BETWEEN ? AND ?", hours)
        return moved

    def drain(self) -> bool:
        """Delete one slice of what is sealed from the hot tier; return whether there may be more."""
        connection = self._store.connection
        row = connection.execute("SELECT first, last, batch FROM draining ORDER BY first LIMIT 1").fetchone()
        if row is None:
            return False
        first, batch = row[0], row[2]
        where = "hour BETWEEN ? AND ? AND batch <= ?"
        with transaction(connection):
            hour = connection.execute(f"SELECT min(hour) FROM point WHERE {where}", row).fetchone()[0]
            if hour is None:
                connection.execute("DELETE FROM draining WHERE first = ?", (first,))
                return True
            bound = connection.execute(
                "SELECT series FROM point WHERE hour = ? AND batch <= ? LIMIT 1 OFFSET ?", (hour, batch, SLICE)
            ).fetchone()
            limit = 2**62 if bound is None else max(int(bound[0]), self._smallest(hour, batch) + 1)
            connection.execute("DELETE FROM point WHERE hour = ? AND series < ? AND batch <= ?", (hour, limit, batch))
        return True

    def _smallest(self, hour: int, batch: int) -> int:
        query = "SELECT min(series) FROM point WHERE hour = ? AND batch <= ?"
        return int(self._store.connection.execute(query, (hour, batch)).fetchone()[0])

    def _collect(self, db: duckdb.DuckDBPyConnection, day: int) -> tuple[int, int]:
        """Copy the hot points of a day into the engine; return the last commit that they come from, and how many."""
        db.execute("CREATE TABLE point (series INTEGER, ts BIGINT, value DOUBLE, delay INTEGER, quality UTINYINT)")
        connection = self._store.connection
        row = connection.execute("SELECT value FROM counter WHERE name = 'commits'").fetchone()
        total = 0
        for hour in self._store.hot.hours(day, day + DAY):
            series, at, value, delay, quality, _ = self._store.hot.columns(hour * HOUR, (hour + 1) * HOUR)
            seconds = np.clip(np.round(delay / 1000.0), -(2**31), 2**31 - 1)
            columns = {"a": series, "b": at, "c": value, "d": seconds, "e": quality}
            db.register("slice", columns)
            db.execute(
                "INSERT INTO point SELECT a::INTEGER, b::BIGINT, c, d::INTEGER, e::UTINYINT FROM slice ORDER BY a, b"
            )
            db.unregister("slice")
            total += len(at)
        return (0 if row is None else int(row[0])), total

    def _raw(self, db: duckdb.DuckDBPyConnection, day: int) -> Segment:
        # A point may be in the hot tier although it is sealed, when its file could not be read as it arrived.
        distinct = "SELECT DISTINCT ON (series, ts) * FROM point"
        several = db.execute("SELECT count(*) - count(DISTINCT (series, ts)) FROM point").fetchall()[0][0]
        source = distinct if several else "SELECT * FROM point"
        if several:
            db.execute(f"CREATE OR REPLACE TABLE point AS {distinct}")
        return self._file(db, "raw", day, f"{source} ORDER BY series, ts", "ts")

    def _minute(self, db: duckdb.DuckDBPyConnection, day: int) -> Segment | None:
        dense = f"""SELECT series FROM point GROUP BY series
            HAVING count(*) >= {DENSE} * count(DISTINCT ts // {MINUTE})"""
        if not db.execute(f"SELECT EXISTS({dense})").fetchall()[0][0]:
            return None
        query = bucket_query("point", MINUTE, int(REJECTED), f"AND series IN ({dense})")
        query = query.replace("?", str(day), 1).replace("?", str(day + DAY), 1)
        source = f"SELECT {MINUTE // 1000}::INTEGER AS step, {ROLLUP} FROM ({query}) ORDER BY series, start"
        return self._file(db, "minute", day, source, "start")

    def _rollup(self, db: duckdb.DuckDBPyConnection, day: int, old: Segment | None, *, replace: bool) -> Segment:
        """Write the month's roll-up again; buckets of the day are replaced, or added to where its points are gone."""
        parts = []
        for length in (HOUR, DAY):
            query = bucket_query("point", length, int(REJECTED)).replace("?", str(-(2**52)), 1)
            parts.append(
                f"SELECT {length // 1000}::INTEGER AS step, {ROLLUP} FROM ({query.replace('?', str(2**52), 1)})"
            )
        if old is not None:
            other = f" WHERE NOT (start >= {day} AND start < {day + DAY})" if replace else ""
            parts.append(f"SELECT step, {ROLLUP} FROM {_source(self._folder, old)}{other}")
        source = COMBINE.format(source=f"({' UNION ALL '.join(parts)})")
        return self._file(db, "rollup", month_of(day), source, "start")

    def _file(self, db: duckdb.DuckDBPyConnection, kind: str, period: int, source: str, time: str) -> Segment:
        name = f"{kind}/{datetime.fromtimestamp(period / 1000.0, UTC):%Y-%m-%d}-{secrets.token_hex(4)}.parquet"
        path = self._folder / name
        part = path.with_suffix(".part")
        db.execute(f"COPY ({source}) TO '{_quoted(part)}' ({FORMAT})")
        rows, first, last = db.execute(
            f"SELECT count(*), min({time}), max({time}) FROM read_parquet('{_quoted(part)}')"
        ).fetchall()[0]
        size, crc = settle(part, path)
        return Segment(kind=kind, period=period, file=name, rows=rows, bytes=size, crc=crc, first=first, last=last)

    def _write_names(self, db: duckdb.DuckDBPyConnection) -> None:
        """Keep the names beside the files, so that these can be read without the hot file."""
        rows = np.array(self._store.connection.execute(NAMES).fetchall(), dtype=object).T
        columns = dict(zip(("series", "site", "zone", "device", "metric"), rows, strict=True))
        db.register("names", {"series": columns.pop("series").astype(np.int32), **columns})
        part = self._folder / "series.part"
        db.execute(f"COPY (SELECT * FROM names ORDER BY series) TO '{_quoted(part)}' ({FORMAT})")
        db.unregister("names")
        settle(part, self._folder / "series.parquet")


@contextmanager
def engine(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an engine of its own for one piece of work; what does not fit in its memory goes to a folder beside."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": WORKING_MEMORY, "threads": 2}
    config["temp_directory"] = str(folder / "spill")
    with duckdb.connect(config=config) as db:
        prepare(db)
        yield db


def month_of(day: int) -> int:
    """Return the first instant of the month that a day lies in [ms]."""
    date = datetime.fromtimestamp(day / 1000.0, UTC)
    return round(date.replace(day=1).timestamp() * 1000.0)


def month_span(day: int) -> tuple[int, int]:
    """Return the first instant of a day's month and of the next [ms]."""
    first = month_of(day)
    return first, month_of(first + 31 * DAY)


def _source(folder: Path, file: Segment) -> str:
    return f"read_parquet('{_quoted(folder / file.file)}')"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _error(error: Exception) -> StoreError:
    text = str(error).splitlines()[0]
    full = any(word in text for word in ("No space left", "File too large", "Disk quota", "not enough space"))
    return StoreError("store_full" if full else "store_failed", text)


def damaged_by(error: sqlite3.Error) -> bool:
    """Tell whether an error says that the hot file itself is damaged."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
