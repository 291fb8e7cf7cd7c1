"""The embedded store's file: its tables, how it is opened, and SQLite's errors in the farm's words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from telemetry.store.journal import StoreError

VERSION = 1
FILE = "hot.sqlite3"
BUSY_S = 15.0

TABLES = """
CREATE TABLE series (
    id INTEGER PRIMARY KEY, site TEXT NOT NULL, zone TEXT NOT NULL, device TEXT NOT NULL, metric TEXT NOT NULL,
    UNIQUE (site, zone, device, metric)
);
-- Times in ms, `delay` is arrival minus device time.
CREATE TABLE point (
    series INTEGER NOT NULL, at INTEGER NOT NULL, value REAL NOT NULL, delay INTEGER NOT NULL, quality INTEGER NOT NULL,
    PRIMARY KEY (series, at)
) WITHOUT ROWID;
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


def connect(directory: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open the file in `directory`, making it when it is to be written.

    Raises:
        StoreError: it cannot be opened, or a newer version wrote it.
    """
    path = directory / FILE
    if read_only and not path.exists():
        raise StoreError("store_failed", f"expected a store at {path}; is the data folder right, and has ingest run?")
    with errors():
        if not read_only:
            directory.mkdir(parents=True, exist_ok=True)
        uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        # FULL: a message is acknowledged after commit, its last other copy is gone: it must survive a power cut too.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -16000")
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA journal_size_limit = 67108864")
            _make_tables(connection)
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version != VERSION:
        connection.close()
        raise StoreError(
            "store_version", f"expected version {VERSION} in {path}, got {version}; upgrade, or use a backup"
        )
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
    finally:
        connection.execute("COMMIT")


@contextmanager
def errors() -> Iterator[None]:
    """Turn what SQLite or the file system says into a StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        raise StoreError("store_full" if full else "store_failed", str(error)) from error
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
