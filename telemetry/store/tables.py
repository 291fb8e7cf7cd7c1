"""The embedded store's file: its tables, how it is opened and brought up to date, SQLite's errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from telemetry.store.hot_file import FILE, HotFile, mending
from telemetry.store.journal import StoreError

VERSION = 2
DAMAGED = "store_damaged"
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
"""What SQLite says of a file whose bytes make no sense: primary codes, the lowest byte of an extended one."""

POINT = """
-- Times in ms, `delay` is arrival minus device time. Hours first: what arrives together lies together. `batch` counts
-- commits, so that one can tell what was there when a day was sealed.
CREATE TABLE point (
    hour INTEGER NOT NULL, series INTEGER NOT NULL, at INTEGER NOT NULL, value REAL NOT NULL, delay INTEGER NOT NULL,
    quality INTEGER NOT NULL, batch INTEGER NOT NULL,
    PRIMARY KEY (hour, series, at)
) WITHOUT ROWID
"""
TIERS = """
-- Sealed files. `kind`: raw (a day), minute (a day) or rollup (a month), `period`: its first instant.
CREATE TABLE segment (
    kind TEXT NOT NULL, period INTEGER NOT NULL, file TEXT NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL,
    crc INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (kind, period)
) WITHOUT ROWID;
-- Hours whose points up to a batch are sealed, and no longer counted here, until they are deleted.
CREATE TABLE draining (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, batch INTEGER NOT NULL);
-- Complete hours that are not sealed, in buckets of an hour (empty while those are made). Deleted when another point
-- arrives for one.
CREATE TABLE hour (hour INTEGER PRIMARY KEY, body BLOB NOT NULL);
-- Files that no segment names any more. They are removed when no reader can still be about to open them.
CREATE TABLE garbage (file TEXT PRIMARY KEY, since REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE quarantine (
    file TEXT PRIMARY KEY, kind TEXT NOT NULL, period INTEGER NOT NULL, rows INTEGER NOT NULL, reason TEXT NOT NULL
) WITHOUT ROWID;
"""
TABLES = (
    """
CREATE TABLE series (
    id INTEGER PRIMARY KEY, site TEXT NOT NULL, zone TEXT NOT NULL, device TEXT NOT NULL, metric TEXT NOT NULL,
    UNIQUE (site, zone, device, metric)
);
CREATE TABLE last (
    series INTEGER PRIMARY KEY, at INTEGER NOT NULL, value REAL NOT NULL, delay INTEGER NOT NULL,
    quality INTEGER NOT NULL
);
CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    site TEXT NOT NULL, zone TEXT NOT NULL, device TEXT NOT NULL, kind TEXT NOT NULL,
    key TEXT NOT NULL, type TEXT NOT NULL, at INTEGER NOT NULL, received INTEGER NOT NULL, json TEXT NOT NULL,
    UNIQUE (kind, site, zone, device, key)
);
CREATE INDEX entry_by_time ON entry (kind, type, at);
CREATE TABLE dead_letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    size INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE TABLE stream (
    id INTEGER PRIMARY KEY, site TEXT NOT NULL, zone TEXT NOT NULL, device TEXT NOT NULL, kind TEXT NOT NULL,
    boot TEXT NOT NULL, following INTEGER NOT NULL, lost INTEGER NOT NULL,
    UNIQUE (site, zone, device, kind, boot)
);
CREATE TABLE gap (
    stream INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (stream, first)
) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
    + POINT
    + ";"
    + TIERS
)
# Version 1 kept all points in one table by (series, at) and had no tiers. Hours before 1970 round down as after it.
TO_VERSION_2 = (
    "ALTER TABLE point RENAME TO point_1;"
    + POINT
    + """;
INSERT INTO point SELECT (at - ((at % 3600000) + 3600000) % 3600000) / 3600000, series, at, value, delay, quality, 0
FROM point_1 ORDER BY 1, 2, 3;
DROP TABLE point_1;
"""
    + TIERS
)
UPGRADES = {1: TO_VERSION_2}
"""From which version, what to do. Each is done whole or not at all."""


def connect(directory: Path, *, read_only: bool) -> HotFile:
    """Open the file in `directory`, making it, or bringing it up to date, when it is to be written.

    Raises:
        StoreError: it cannot be opened, it is damaged, or another version wrote it.
    """
    path = directory / FILE
    with mending(directory):  # while a file takes the place of another there is none
        missing = read_only and not path.exists()
    if missing:
        raise StoreError("store_failed", f"expected a store at {path}; is the data folder right, and has ingest run?")
    with errors():
        if not read_only:
            directory.mkdir(parents=True, exist_ok=True)
        connection = HotFile(path, read_only=read_only)
        if not read_only:
            _bring_up_to_date(connection)
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version != VERSION:
        connection.close()
        what = "start the farm once with this version" if version < VERSION else "upgrade, or use a backup"
        raise StoreError("store_version", f"expected version {VERSION} in {path}, got {version}; {what}")
    return connection


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        while version < VERSION:
            for statement in (UPGRADES[version] if version else TABLES).split(";"):
                connection.execute(statement)
            version = version + 1 if version else VERSION
            connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def errors() -> Iterator[None]:
    """Turn what SQLite or the file system says into a StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        name = "store_full" if code == sqlite3.SQLITE_FULL else DAMAGED if code in DAMAGE else "store_failed"
        raise StoreError(name, str(error)) from error
    except OSError as error:
        raise StoreError("store_failed", str(error)) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all or nothing; other writers wait."""
    with errors():
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Read one state of the file, whatever is written meanwhile."""
    with errors():
        if connection.in_transaction:
            yield
            return
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.execute("COMMIT")
