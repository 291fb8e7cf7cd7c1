"""Mend a damaged store, also one in use: what can be read is kept, what cannot is put aside, named and counted."""

from __future__ import annotations

import fcntl
import logging
import re
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from telemetry.store.check import hot_trouble, quarantine, trouble
from telemetry.store.cold import MovedError
from telemetry.store.embedded import INSERT_LAST, EmbeddedStore, open_store
from telemetry.store.hot_file import BUSY_S, FILE, LOCK, MENDING, QUARANTINE, HotFile, declare_ready, finish, mending
from telemetry.store.journal import StoreError
from telemetry.store.keeper import lead
from telemetry.store.rollup import DAY
from telemetry.store.salvage import salvage, salvage_names
from telemetry.store.seal import engine
from telemetry.store.segments import COLD, Segment, checksum, enter, segments
from telemetry.store.tables import DAMAGE, errors, transaction

log = logging.getLogger(__name__)

NUMBERED = ("series", "entry", "dead_letter", "stream")
KEYED = ("last", "gap", "counter", "segment", "garbage", "quarantine", "draining")
PERIOD = re.compile(r"(raw|minute|rollup)/(\d{4}-\d{2}-\d{2})-[0-9a-f]{8}\.parquet")
ENDLESS = 2**52
WRITE_LOCK = 120


@dataclass(slots=True)
class Repaired:
    """What was done. `unreadable`: places of the hot file that were left behind, a table's name for each."""

    hot_file_rebuilt: bool = False
    hot_points: int = 0
    unreadable: list[str] = field(default_factory=list)
    files_adopted: int = 0
    quarantined: list[str] = field(default_factory=list)


def repair(directory: Path) -> Repaired:
    """Mend the store in `directory`; one that is sound stays as it is.

    Raises:
        StoreError: it is in use, or there is no room for a new hot file.
    """
    done = Repaired()
    with errors():
        directory.mkdir(parents=True, exist_ok=True)
    lock = lead(directory)
    if lock is None:
        raise StoreError("store_failed", f"a process keeps the store in {directory}: end it first")
    with lock:
        with mending(directory, alone=True):
            if _hot_is_damaged(directory):
                _rebuild(directory, done)
        store = open_store(directory)
        try:
            for file in segments(store.connection, None, -ENDLESS, ENDLESS):
                reason = trouble(store.cold, file)
                if reason:
                    quarantine(store, file, reason, 0.0)
                    done.quarantined.append(f"{file.file}: {reason}")
        finally:
            store.close()
    return done


def mend_at_start(directory: Path) -> Repaired | None:
    """Mend a store whose hot file is damaged, before the processes of a farm open it; None when it is sound.

    Raises:
        StoreError: it could not be mended.
    """
    return repair(directory) if directory.exists() and _hot_is_damaged(directory) else None


def mend_running(directory: Path, connection: HotFile) -> None:
    """Mend the hot file that `connection` found damaged, while others have it open too; what it can be read of stays.

    Raises:
        StoreError: it could not be done; everything is as it was.
    """
    with errors(), mending(directory, alone=True):
        if not connection.moved():  # else another process was quicker
            _rebuild(directory, Repaired())


def mend_closed(directory: Path) -> None:
    """Mend a hot file that could not even be opened; others may have it open.

    Raises:
        StoreError: it could not be done.
    """
    with errors(), mending(directory, alone=True):
        if _hot_is_damaged(directory):
            _rebuild(directory, Repaired())


def _hot_is_damaged(directory: Path) -> bool:
    path = directory / FILE
    if not path.exists():
        return (directory / COLD).exists()
    with errors(), closing(sqlite3.connect(path, timeout=BUSY_S)) as connection:
        return bool(hot_trouble(connection))


def _rebuild(directory: Path, done: Repaired) -> None:
    """Put a new hot file in place of a damaged one, with all rows that can be read; nobody else opens it meanwhile."""
    building, mark = directory / MENDING, secrets.token_hex(4)
    old = directory / FILE
    with errors():
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        (directory / QUARANTINE).mkdir(exist_ok=True)
    with held(old) as damaged:
        new = EmbeddedStore(directory, read_only=False, hot=building)
        try:
            if damaged is not None:
                _copy(damaged, old, new, done)
            _learn_names(new, done)
            _keep_apart(new)
            if damaged is None or any(place.startswith("segment:") for place in done.unreadable):
                _adopt(new, done)
            lost = _settle(new)
            reason = "; ".join(done.unreadable)[:500] or "damaged"
            with transaction(new.connection):
                row = (f"{mark}-{FILE}", "hot", 0, lost, reason)
                new.connection.execute("INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?)", row)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)  # it may be what fills the disk
            raise
        finally:
            new.close()
        with errors():
            (building / LOCK).unlink(missing_ok=True)
            declare_ready(directory, mark)
            finish(directory)
    done.hot_file_rebuilt = True
    log.error(
        "the hot file was damaged; a new one holds %d points of it, %d are lost; the old one is %s",
        done.hot_points,
        lost,
        directory / QUARANTINE / f"{mark}-{FILE}",
    )


@contextmanager
def held(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Read a damaged file while nobody can write to it; None when there is none.

    Raises:
        StoreError: a writer does not let go of it.
    """
    if not path.exists():
        yield None
        return
    with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.DatabaseError as error:
            if (error.sqlite_errorcode & 0xFF) not in DAMAGE:
                raise StoreError("store_failed", str(error)) from error
            with _locked_log(path):
                yield connection
            return
        yield connection


@contextmanager
def _locked_log(path: Path) -> Iterator[None]:
    """Keep those from writing who still remember the page that makes the file one of SQLite's: they commit on.

    The lock is the one they take themselves, WAL_WRITE_LOCK at octet 120 (sqlite.org/walformat.html, 2.3).
    """
    index = path.with_name(path.name + "-shm")
    if not index.exists():
        yield
        return
    with errors(), index.open("r+b") as handle:
        fcntl.lockf(handle, fcntl.LOCK_EX, 1, WRITE_LOCK)
        yield


def _copy(old: sqlite3.Connection, path: Path, new: EmbeddedStore, done: Repaired) -> None:
    target = new.connection
    for table in (*NUMBERED, *KEYED):
        width = len(target.execute(f"PRAGMA table_info({table})").fetchall())
        insert = f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * width)})"
        with transaction(target):
            for row in _rows(old, table, done):
                if len(row) == width:
                    target.execute(insert, row)
    with transaction(target):  # a number that was given stays given: who follows the entries goes on by it
        for name, most in _rows(old, "sqlite_sequence", done):
            target.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
            target.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, most))
    log_path = path.with_name(path.name + "-wal")
    if any(place.startswith("series:") for place in done.unreadable):
        names = "INSERT OR IGNORE INTO series (id, site, zone, device, metric) VALUES (?, ?, ?, ?, ?)"
        with errors(), transaction(target):
            target.executemany(names, salvage_names(path, log_path))
    insert = "INSERT OR IGNORE INTO point VALUES (?, ?, ?, ?, ?, ?, ?)"
    for hour in _hours(old, done):
        try:
            rows = old.execute("SELECT * FROM point WHERE hour = ?", (hour,)).fetchall()
        except sqlite3.DatabaseError as error:
            done.unreadable.append(f"point: {error} in the hour {datetime.fromtimestamp(hour * 3600, UTC):%F %H:%M}")
            continue
        with transaction(target):
            done.hot_points += target.executemany(insert, rows).rowcount
    if any(place.startswith("point:") for place in done.unreadable):
        with errors(), transaction(target):
            found = target.executemany(insert, salvage(path, log_path)).rowcount
        done.hot_points += found
        done.unreadable.append(f"point: {found} found page by page")


def _rows(old: sqlite3.Connection, table: str, done: Repaired) -> Iterator[tuple[object, ...]]:
    """Give the rows of a table from its begin, and, of a numbered one, from its end, to where it cannot be read."""
    seen = 0
    for order in ("", "DESC") if table in NUMBERED else ("",):
        by = f" ORDER BY rowid {order}" if table in NUMBERED else ""
        try:
            for row in old.execute(f"SELECT * FROM {table}{by}"):
                seen += 1
                yield row
            return
        except sqlite3.DatabaseError as error:
            done.unreadable.append(f"{table}: {error}")


def _hours(old: sqlite3.Connection, done: Repaired) -> list[int]:
    try:
        return [int(row[0]) for row in old.execute("SELECT DISTINCT hour FROM point")]
    except sqlite3.DatabaseError as error:
        done.unreadable.append(f"point: {error}")
        return []


def _learn_names(store: EmbeddedStore, done: Repaired) -> None:
    """Take the names of series from beside the sealed files, where the hot file has lost them."""
    import duckdb

    path = store.cold.folder / "series.parquet"
    if not path.exists():
        return
    query = "SELECT series, site, zone, device, metric FROM read_parquet(?)"
    try:
        with engine(store.cold.folder) as db:
            rows = db.execute(query, [str(path)]).fetchall()
    except duckdb.Error as error:
        done.unreadable.append(f"{path.name}: {error}")
        return
    with transaction(store.connection):
        insert = "INSERT OR IGNORE INTO series (id, site, zone, device, metric) VALUES (?, ?, ?, ?, ?)"
        store.connection.executemany(insert, rows)


def _keep_apart(store: EmbeddedStore) -> None:
    """Give series whose names are lost made-up ones: their numbers must not become those of others."""
    query = """SELECT series FROM (SELECT series FROM point UNION SELECT series FROM last)
        WHERE series NOT IN (SELECT id FROM series)"""
    with transaction(store.connection):
        rows = [(number, f"series-{number}") for (number,) in store.connection.execute(query).fetchall()]
        insert = "INSERT INTO series (id, site, zone, device, metric) VALUES (?, 'lost', 'names', ?, 'unknown')"
        store.connection.executemany(insert, rows)


def _adopt(store: EmbeddedStore, done: Repaired) -> None:
    """Enter sealed files that the list does not know: the newest of each period, when the list has none."""
    known = {(file.kind, file.period) for file in segments(store.connection, None, -ENDLESS, ENDLESS)}
    garbage = {row[0] for row in store.connection.execute("SELECT file FROM garbage").fetchall()}
    found: dict[tuple[str, int], Path] = {}
    for path in sorted(store.cold.folder.glob("*/*.parquet"), key=lambda path: path.stat().st_mtime):
        name = path.relative_to(store.cold.folder).as_posix()
        match = PERIOD.fullmatch(name)
        if match is not None and name not in garbage:
            period = round(datetime.fromisoformat(match[2]).replace(tzinfo=UTC).timestamp() * 1000.0)
            found[match[1], period] = path
    for (kind, period), path in found.items():
        if (kind, period) in known:
            continue
        file = _describe(store, kind, period, path)
        if file is None:
            done.quarantined.append(f"{path.name}: cannot be read as Parquet")
            path.replace(store.directory / QUARANTINE / path.name)
            continue
        with transaction(store.connection):
            enter(store.connection, file, 0.0)
        done.files_adopted += 1


def _settle(store: EmbeddedStore) -> int:
    """Make a new hot file agree with the sealed files: no point twice, newest values and counts as they are.

    Returns:
        How many points were counted and are not there any more.
    """
    raw = segments(store.connection, "raw", -ENDLESS, ENDLESS)
    for file in raw:
        for hour in store.hot.hours(file.period, file.period + DAY):
            with transaction(store.connection):
                query = "SELECT hour, series, at FROM point WHERE hour = ?"
                keys = store.connection.execute(query, (hour,)).fetchall()
                sealed = {n: set(at.tolist()) for n, at in _times(store, file, {key[1] for key in keys}).items()}
                twice = [key for key in keys if key[2] in sealed[key[1]]]
                store.connection.executemany("DELETE FROM point WHERE hour = ? AND series = ? AND at = ?", twice)
    newest: list[tuple[int, int, float, int, int]] = []
    newest_file = next((file for file in reversed(raw) if store.cold.sound(file)), None)
    if newest_file is not None:
        with engine(store.cold.folder) as db:
            query = """SELECT series, max(ts), arg_max(value, ts), arg_max(delay, ts)::BIGINT * 1000,
                arg_max(quality, ts) FROM read_parquet(?) GROUP BY series"""
            newest = db.execute(query, [str(store.cold.folder / newest_file.file)]).fetchall()
    with transaction(store.connection):
        hot = "SELECT series, max(at), value, delay, quality FROM point GROUP BY series"
        newest += store.connection.execute(hot).fetchall()
        store.connection.executemany(INSERT_LAST, newest)
        stored = store.connection.execute("SELECT count(*) FROM point").fetchone()[0] + sum(file.rows for file in raw)
        known = dict(store.connection.execute("SELECT name, value FROM counter").fetchall())
        removed, batch = int(known.get("points_removed", 0)), int(known.get("commits", 0))
        lost = max(0, int(known.get("points", 0)) - removed - int(stored))
        last = store.connection.execute("SELECT coalesce(max(batch), 0) FROM point").fetchone()[0]
        rows = {"points": stored + removed + lost, "points_removed": removed + lost, "commits": max(batch, last)}
        store.connection.executemany("INSERT OR REPLACE INTO counter VALUES (?, ?)", list(rows.items()))
    return lost


def _times(store: EmbeddedStore, file: Segment, series: set[int]) -> dict[int, npt.NDArray[np.int64]]:
    """Return the sealed times of each series; none of a file that is damaged or gone too, which the keeper names."""
    try:
        return store.cold.has(file, series)
    except MovedError as error:
        store.cold.leave_out(error.files)
        return store.cold.has(file, series)


def _describe(store: EmbeddedStore, kind: str, period: int, path: Path) -> Segment | None:
    import duckdb

    time = "ts" if kind == "raw" else "start"
    (store.directory / QUARANTINE).mkdir(exist_ok=True)
    try:
        with engine(store.cold.folder) as db:
            query = f"SELECT count(*), min({time}), max({time}) FROM read_parquet(?)"
            rows, first, last = db.execute(query, [str(path)]).fetchall()[0]
    except duckdb.Error:
        return None
    size, crc = checksum(path)
    name = path.relative_to(store.cold.folder).as_posix()
    return Segment(kind=kind, period=period, file=name, rows=rows, bytes=size, crc=crc, first=first, last=last)
