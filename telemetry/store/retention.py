"""What is let go when it is old or the disk is full: points first, oldest first; roll-ups of hours and days stay."""

from __future__ import annotations

import fcntl
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from telemetry.store.embedded import EmbeddedStore
from telemetry.store.rollup import DAY, HOUR
from telemetry.store.segments import Segment, leave, segments
from telemetry.store.tables import errors, transaction

log = logging.getLogger(__name__)

GARBAGE_S = 120.0
"""A reader that looked at the list before opens a file within this time, or reads the list again."""
COPYING = "copying.lock"
ENDLESS = 2**52


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is kept; 0 = no limit. Hours and days of roll-ups are always kept.

    Attributes:
        raw_days, minute_days: age at which points, and roll-ups of minutes, are let go [d].
        disk_bytes: of the sealed files; the oldest points go first, then the oldest minutes.
        free_bytes: room that the disk must keep; below it points go in the same order.
    """

    raw_days: int = 0
    minute_days: int = 0
    disk_bytes: int = 0
    free_bytes: int = 0


def retire(store: EmbeddedStore, limits: Limits, now: float) -> list[Segment]:
    """Let go what the limits say; return the files. The newest day of points always stays."""
    with errors():
        files = segments(store.connection, None, -ENDLESS, ENDLESS)
    raw, minute = ([file for file in files if file.kind == kind] for kind in ("raw", "minute"))
    gone = [*_older(raw, limits.raw_days, now), *_older(minute, limits.minute_days, now)]
    total = sum(file.bytes for file in files) - sum(file.bytes for file in gone)
    free = shutil.disk_usage(store.directory).free if limits.free_bytes else 0
    # What became garbage is not free yet: it must not make more garbage.
    with errors():
        waiting = [row[0] for row in store.connection.execute("SELECT file FROM garbage").fetchall()]
    free += sum(_size(store.cold.folder / name) for name in waiting) + sum(file.bytes for file in gone)
    for file in [*raw[:-1], *minute[:-1]]:
        over = (limits.disk_bytes and total > limits.disk_bytes) or (limits.free_bytes and free < limits.free_bytes)
        if over and file not in gone:
            gone.append(file)
            total, free = total - file.bytes, free + file.bytes
    for file in gone:
        with transaction(store.connection):
            leave(store.connection, file.kind, file.period, now)
            if file.kind == "raw":
                _count_removed(store, file.rows)
        log.info("let go %s, %d rows: older or larger than the limits", file.file, file.rows)
    _drop_late(store, limits, now)
    return gone


def collect_garbage(store: EmbeddedStore, now: float) -> None:
    """Remove files that no list names any more, unless a copy of the store is being made."""
    folder = store.cold.folder
    if not folder.exists():
        return
    with copying(store.directory, alone=True) as allowed:
        if not allowed:
            return
        query = "SELECT file FROM garbage WHERE since <= ? OR since > ?"  # a clock that was set back keeps nothing
        with errors():
            names = [row[0] for row in store.connection.execute(query, (now - GARBAGE_S, now)).fetchall()]
            for name in names:
                (folder / name).unlink(missing_ok=True)
        with transaction(store.connection):
            store.connection.executemany("DELETE FROM garbage WHERE file = ?", [(name,) for name in names])
            known = {
                row[0] for row in store.connection.execute("SELECT file FROM segment UNION SELECT file FROM garbage")
            }
        # Left by a process that was killed before its files were entered in the list; only the keeper makes files.
        for path in folder.glob("*/*"):
            if path.parent.name != "spill" and str(path.relative_to(folder)) not in known:
                path.unlink(missing_ok=True)


@contextmanager
def copying(directory: Path, *, alone: bool = False) -> Iterator[bool]:
    """Keep files from being removed while they are copied; with `alone`, tell whether nobody copies."""
    with (directory / COPYING).open("ab") as handle:
        try:
            fcntl.flock(handle, (fcntl.LOCK_EX | fcntl.LOCK_NB) if alone else fcntl.LOCK_SH)
        except BlockingIOError:
            yield False
            return
        yield True


def _older(files: list[Segment], days: int, now: float) -> list[Segment]:
    return [file for file in files if days and (file.period + DAY) / 1000.0 < now - days * 86400.0]


def _drop_late(store: EmbeddedStore, limits: Limits, now: float) -> None:
    """Let go points that arrived for days that are no longer kept."""
    if not limits.raw_days:
        return
    last = round((now - limits.raw_days * 86400.0) * 1000.0) // DAY * (DAY // HOUR) - 1
    for hour in store.hot.hours(-ENDLESS, (last + 1) * HOUR):
        with transaction(store.connection):
            removed = store.connection.execute("DELETE FROM point WHERE hour = ?", (hour,)).rowcount
            store.connection.execute("DELETE FROM hour WHERE hour = ?", (hour,))
            _count_removed(store, removed)


def _count_removed(store: EmbeddedStore, rows: int) -> None:
    add = "INSERT INTO counter (name, value) VALUES ('points_removed', ?)"
    store.connection.execute(f"{add} ON CONFLICT (name) DO UPDATE SET value = value + excluded.value", (rows,))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
