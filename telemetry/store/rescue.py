"""What can be read of a damaged hot file, brought into a new one."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from telemetry.store.embedded import EmbeddedStore
from telemetry.store.hot_file import BUSY_S
from telemetry.store.journal import StoreError
from telemetry.store.salvage import salvage, salvage_names
from telemetry.store.tables import DAMAGE, errors, transaction

NUMBERED = ("series", "entry", "dead_letter", "stream")
KEYED = ("last", "gap", "counter", "segment", "garbage", "quarantine", "draining")
WRITE_LOCK = 120


@dataclass(slots=True)
class Repaired:
    """What was done. `unreadable`: places of the hot file that were left behind, a table's name for each."""

    hot_file_rebuilt: bool = False
    hot_points: int = 0
    unreadable: list[str] = field(default_factory=list)
    files_adopted: int = 0
    quarantined: list[str] = field(default_factory=list)


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


def copy_readable(old: sqlite3.Connection, path: Path, new: EmbeddedStore, done: Repaired) -> None:
    """Copy all rows of `old`, the damaged file at `path`, that can be read; `done` says which could not."""
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
