"""Lines that the server has not taken yet, on the disk: what is in here survives kills and days without the server."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from telemetry.store.journal import StoreError
from telemetry.store.tables import errors

SCHEMA = "CREATE TABLE IF NOT EXISTS waiting (id INTEGER PRIMARY KEY AUTOINCREMENT, count INTEGER, lines TEXT)"


class Queue:
    """Batches of lines, oldest first; several processes may add and take.

    Args:
        most: so many bytes may wait.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._most = most
        with errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=15.0)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(SCHEMA)

    def add(self, lines: Sequence[str]) -> None:
        """Keep a batch durably.

        Raises:
            StoreError: `store_full` when too much waits already; `store_failed`.
        """
        with errors():
            if int(self._db.execute("SELECT coalesce(sum(length(lines)), 0) FROM waiting").fetchone()[0]) > self._most:
                raise StoreError("store_full", f"more than {self._most} byte wait for the time-series server")
            self._db.execute("INSERT INTO waiting (count, lines) VALUES (?, ?)", (len(lines), "\n".join(lines)))

    def first(self) -> tuple[int, list[str]] | None:
        """Return number and lines of the oldest batch; None when nothing waits."""
        with errors():
            row = self._db.execute("SELECT id, lines FROM waiting ORDER BY id LIMIT 1").fetchone()
        return None if row is None else (int(row[0]), str(row[1]).split("\n"))

    def drop(self, number: int) -> None:
        """Forget a batch that the server has."""
        with errors():
            self._db.execute("DELETE FROM waiting WHERE id = ?", (number,))

    def count(self) -> int:
        """Return how many lines wait."""
        with errors():
            return int(self._db.execute("SELECT coalesce(sum(count), 0) FROM waiting").fetchone()[0])

    def close(self) -> None:
        self._db.close()


def queue_status(path: Path) -> tuple[int, int]:
    """Return how many lines wait in a queue's file, and their bytes, changing nothing; 0 where there is none.

    Raises:
        StoreError: it cannot be read.
    """
    if not path.exists():
        return 0, 0
    query = "SELECT coalesce(sum(count), 0), coalesce(sum(length(lines)), 0) FROM waiting"
    with errors(), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=15.0)) as db:
        count, size = db.execute(query).fetchone()
    return int(count), int(size)
