"""Mend a damaged store, also one in use: what can be read is kept, what cannot is put aside, named and counted."""

from __future__ import annotations

import logging
import secrets
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from telemetry.store.agree import adopt, keep_apart, learn_names, settle
from telemetry.store.check import hot_trouble, quarantine, trouble
from telemetry.store.embedded import EmbeddedStore, open_store
from telemetry.store.hot_file import BUSY_S, FILE, LOCK, MENDING, QUARANTINE, HotFile, declare_ready, finish, mending
from telemetry.store.journal import StoreError
from telemetry.store.keeper import lead
from telemetry.store.rescue import Repaired, copy_readable, held
from telemetry.store.segments import COLD, segments
from telemetry.store.tables import errors, transaction

log = logging.getLogger(__name__)

ENDLESS = 2**52


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
                copy_readable(damaged, old, new, done)
            learn_names(new, done)
            keep_apart(new)
            if damaged is None or any(place.startswith("segment:") for place in done.unreadable):
                adopt(new, done)
            lost = settle(new)
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
