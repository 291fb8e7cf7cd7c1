"""The connection to the hot file: it notices when a damaged file was replaced, and goes on with the new one.

A damaged file is mended while the farm runs: a new one is built aside in `mending/`, the old one is put away and the
new one takes its name. Processes that have the old one open must neither write to it nor read it from then on. A
writer therefore looks, when it has the write lock, whether the file it locked is still the one of that name; the mender
holds this lock from before it copies until the names are changed. Whoever opens the file waits for such a change.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from telemetry.store.segments import sync_folder

FILE = "hot.sqlite3"
BUSY_S = 15.0
QUARANTINE = "quarantine"
"""Folder beside the store's files; what is in it was taken out, and is never read or removed by the store."""
MENDING = "mending"
"""Folder in which a new hot file is built."""
READY = "ready"
"""File in it: the new hot file is complete; its text marks what is put away for it."""
LOCK = "mending.lock"
SUSPECT = "hot.suspect"
"""File beside the hot file: a process found it damaged. Whoever writes next looks after it."""
SUFFIXES = ("-wal", "-shm", "")


class HotFile(sqlite3.Connection):
    """A connection that follows the name of its file.

    Attributes:
        renewed: called after it was opened again: what was remembered of the old file is void.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.renewed: list[Callable[[], None]] = []
        self._path = path
        self._mode = "ro" if read_only else "rwc"
        self._file = (0, 0)
        self._shut = True
        with mending(path.parent):
            self._open()
        self._mode = "ro" if read_only else "rw"  # a file that has gone is never made again, empty

    @property
    def in_transaction(self) -> bool:
        return not self._shut and super().in_transaction

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if self._shut or (not self.in_transaction and self.moved()):
            self._renew()
        cursor = super().execute(sql, parameters)
        if sql.startswith("BEGIN") and (self.moved() or self._replaced()):
            super().execute("ROLLBACK")
            self._renew()
            cursor = super().execute(sql, parameters)
        return cursor

    def close(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it could not be opened again: there is nothing to close
            super().close()

    def moved(self) -> bool:
        """Return whether another file, or none, has the name of this one now."""
        return self._file != _identity(self._path)

    def _replaced(self) -> bool:
        """Return whether a mender that was killed left a complete new file: what this one gets now would be lost."""
        return self._mode != "ro" and _ready(self._path.parent)

    def _open(self) -> None:
        self._shut = True
        uri, known = f"{self._path.absolute().as_uri()}?mode={self._mode}", dict(self.__dict__)
        # Once more on the same object, which others hold: it closes what was open, and forgets its attributes.
        try:
            super().__init__(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        finally:
            self.__dict__.update(known)
        # FULL: a message is acknowledged after commit, its last other copy is gone: it must survive a power cut too.
        super().execute("PRAGMA synchronous = FULL")
        super().execute("PRAGMA cache_size = -16000")
        if self._mode != "ro":
            super().execute("PRAGMA journal_mode = WAL")
            super().execute("PRAGMA journal_size_limit = 67108864")
        super().execute("PRAGMA user_version").fetchone()
        self._file = _identity(self._path)
        self._shut = False

    def _renew(self) -> None:
        with mending(self._path.parent):
            self._open()
        for forget in self.renewed:
            forget()


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_dev, found.st_ino


@contextmanager
def mending(directory: Path, *, alone: bool = False) -> Iterator[None]:
    """Keep the hot file's name as it is meanwhile; `alone`: change it, when nobody is just opening the file."""
    lock = directory / LOCK
    try:
        handle = lock.open("rb" if lock.exists() else "ab")
    except OSError:  # a folder that may only be read: nobody can mend it either
        yield
        return
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX if alone or _ready(directory) else fcntl.LOCK_SH)
        if _ready(directory):
            finish(directory)
        yield


def _ready(directory: Path) -> bool:
    return (directory / MENDING / READY).exists()


def finish(directory: Path) -> None:
    """Put the old hot file away and the new one in its place; one that was killed while it did so is followed up."""
    building, aside = directory / MENDING, directory / QUARANTINE
    mark = (building / READY).read_text(encoding="ascii")
    if (building / FILE).exists():
        aside.mkdir(exist_ok=True)
        for suffix in SUFFIXES:
            old = directory / (FILE + suffix)
            if old.exists():
                old.replace(aside / f"{mark}-{old.name}")
        (building / FILE).replace(directory / FILE)
        (directory / SUSPECT).unlink(missing_ok=True)  # it meant the old one
        sync_folder(directory)
    shutil.rmtree(building)


def declare_ready(directory: Path, mark: str) -> None:
    """Say that the new file in `MENDING` is complete, durably."""
    building = directory / MENDING
    for path, text in ((building / FILE, ""), (building / READY, mark)):
        with path.open("ab") as file:
            file.write(text.encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
    sync_folder(building)
