"""Look for damage in a store, and take out what is damaged, so that the rest goes on."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from telemetry.store.cold import Cold
from telemetry.store.embedded import EmbeddedStore
from telemetry.store.hot_file import FILE, QUARANTINE
from telemetry.store.journal import StoreError
from telemetry.store.segments import Segment, checksum, segments
from telemetry.store.tables import DAMAGE, errors, transaction

log = logging.getLogger(__name__)

ENDLESS = 2**52


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One damaged file: what is wrong with it, and how many rows are in question."""

    file: str
    rows: int
    reason: str


def check(store: EmbeddedStore) -> list[Damage]:
    """Read the hot file and every sealed one to its end; return what is damaged, changing nothing."""
    with errors():
        found = [Damage(file=FILE, rows=0, reason=line) for line in hot_trouble(store.connection)]
    try:
        with errors():
            files = segments(store.connection, None, -ENDLESS, ENDLESS)
    except StoreError:
        return found
    for file in files:
        reason = trouble(store.cold, file)
        if reason:
            found.append(Damage(file=file.file, rows=file.rows, reason=reason))
    return found


def hot_trouble(connection: sqlite3.Connection) -> list[str]:
    """Return what SQLite finds wrong with its file, a line each.

    Raises:
        sqlite3.DatabaseError: it could not look, which says nothing about the file: busy, no memory, no right to.
    """
    try:
        rows = connection.execute("PRAGMA quick_check(5)").fetchall()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_ERROR, *DAMAGE):
            raise
        return [str(error)]
    return [line for row in rows for line in str(row[0]).splitlines() if line != "ok"]


def trouble(cold: Cold, file: Segment) -> str:
    """Return what is wrong with a sealed file; empty when nothing is."""
    path = cold.folder / file.file
    try:
        size, crc = checksum(path)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if size != file.bytes:
        return f"expected {file.bytes} bytes, got {size}"
    if crc != file.crc:
        return "its bytes have changed since it was written (checksum)"
    return "" if cold.sound(file) else "cannot be read as Parquet"


def quarantine(store: EmbeddedStore, file: Segment, reason: str, now: float) -> None:
    """Take a damaged file out of the store and keep it aside; what it held is read from what else there is."""
    folder = store.directory / QUARANTINE
    with errors():
        folder.mkdir(exist_ok=True)
        path = store.cold.folder / file.file
        if path.exists():
            path.replace(folder / Path(file.file).name)
    with transaction(store.connection):
        store.connection.execute("DELETE FROM segment WHERE kind = ? AND period = ?", (file.kind, file.period))
        row = (file.file, file.kind, file.period, file.rows, reason)
        store.connection.execute("INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?)", row)
        if file.kind == "raw":
            add = "INSERT INTO counter (name, value) VALUES ('points_removed', ?)"
            store.connection.execute(
                f"{add} ON CONFLICT (name) DO UPDATE SET value = value + excluded.value", (file.rows,)
            )
    log.error("sealed file %s, %d rows, is now in %s: %s", file.file, file.rows, folder, reason)


def quarantined(connection: sqlite3.Connection) -> list[Damage]:
    """Return what was taken out."""
    with errors():
        rows = connection.execute("SELECT file, rows, reason FROM quarantine ORDER BY file").fetchall()
    return [Damage(file=file, rows=rows_, reason=reason) for file, rows_, reason in rows]
