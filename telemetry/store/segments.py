"""The sealed files and their list: what is where, written whole or not at all, checked, and taken out when damaged."""

from __future__ import annotations

import os
import sqlite3
import zlib
from dataclasses import dataclass
from pathlib import Path

COLD = "cold"
"""Folder of the sealed files, beside the hot file."""
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One sealed file.

    Attributes:
        kind: raw, minute or rollup.
        period: its first instant [ms]; a day's, for a roll-up a month's.
        file: path below the folder of the cold tier.
        crc: of all its bytes.
        first, last: times of its points or buckets [ms].
    """

    kind: str
    period: int
    file: str
    rows: int
    bytes: int
    crc: int
    first: int
    last: int


COLUMNS = "kind, period, file, rows, bytes, crc, first, last"


def segments(connection: sqlite3.Connection, kind: str | None, first: int, end: int) -> list[Segment]:
    """Return the files of a kind (all when None) with anything in first <= time < end [ms], oldest first."""
    query = f"SELECT {COLUMNS} FROM segment WHERE (? IS NULL OR kind = ?) AND first < ? AND last >= ? ORDER BY period"
    rows = connection.execute(query, (kind, kind, end, first)).fetchall()
    return [_segment(row) for row in rows]


def segment(connection: sqlite3.Connection, kind: str, period: int) -> Segment | None:
    query = f"SELECT {COLUMNS} FROM segment WHERE kind = ? AND period = ?"
    row = connection.execute(query, (kind, period)).fetchone()
    return None if row is None else _segment(row)


def _segment(row: tuple[str, int, str, int, int, int, int, int]) -> Segment:
    kind, period, file, rows, size, crc, first, last = row
    return Segment(kind=kind, period=period, file=file, rows=rows, bytes=size, crc=crc, first=first, last=last)


def enter(connection: sqlite3.Connection, new: Segment, now: float) -> None:
    """Let `new` take the place of the file of its period; the old one becomes garbage at `now` [UTC epoch s]."""
    leave(connection, new.kind, new.period, now)
    connection.execute(
        f"INSERT INTO segment ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (new.kind, new.period, new.file, new.rows, new.bytes, new.crc, new.first, new.last),
    )
    connection.execute("DELETE FROM garbage WHERE file = ?", (new.file,))  # a repair may have entered it before


def leave(connection: sqlite3.Connection, kind: str, period: int, now: float) -> None:
    """Take the file of a period out of the list, as garbage."""
    where = (kind, period)
    query = "INSERT OR REPLACE INTO garbage (file, since) SELECT file, ? FROM segment WHERE kind = ? AND period = ?"
    connection.execute(query, (now, *where))
    connection.execute("DELETE FROM segment WHERE kind = ? AND period = ?", where)


def settle(part: Path, final: Path) -> tuple[int, int]:
    """Give a complete file its name, durably; return its size [byte] and checksum."""
    size, crc = checksum(part)
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(final)
    sync_folder(final.parent)
    return size, crc


def checksum(path: Path) -> tuple[int, int]:
    """Return a file's size [byte] and CRC-32."""
    size = crc = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            size += len(block)
            crc = zlib.crc32(block, crc)
    return size, crc


def sync_folder(folder: Path) -> None:
    """Make names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
