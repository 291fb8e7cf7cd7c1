"""An append-only log in SQLite: each entry carries the hash of the one before, so that a change shows."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from typing import Any

GENESIS = "0" * 64

TABLES = """
CREATE TABLE IF NOT EXISTS log (
    number INTEGER PRIMARY KEY,
    ref TEXT NOT NULL UNIQUE,
    at REAL NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS log_is_not_changed BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'the farm log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS log_is_not_deleted BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'the farm log is append-only'); END;
"""


class TamperError(Exception):
    """The log was changed outside this program; `number` is the first entry that does not fit."""

    code = "records_tampered"

    def __init__(self, number: int) -> None:
        super().__init__(f"farm log entry {number} does not fit the one before it: restore the log from a backup")
        self.number = number


class Chain:
    """The log on one connection; its owner opens transactions."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.executescript(TABLES)

    def append(self, *, ref: str, at: float, type: str, body: Mapping[str, Any]) -> bool:
        """Append one entry; an entry of the same `ref` is there already when this returns False.

        Args:
            ref: what makes it the same entry when it comes again.
            at: when it happened, UTC epoch [s].
            type: what happened.
            body: JSON values.
        """
        if self._connection.execute("SELECT 1 FROM log WHERE ref = ?", (ref,)).fetchone():
            return False
        row = self._connection.execute("SELECT number, hash FROM log ORDER BY number DESC LIMIT 1").fetchone()
        number, previous = (row[0] + 1, row[1]) if row else (1, GENESIS)
        text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        values = (number, ref, at, type, text, previous, entry_hash(number, ref, at, type, text, previous))
        self._connection.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        return True

    def verify(self) -> int:
        """Recompute every hash and return the number of entries.

        Raises:
            TamperError: an entry was changed, removed or put in.
        """
        previous, count = GENESIS, 0
        for number, *rest, before, digest in self._connection.execute("SELECT * FROM log ORDER BY number"):
            count += 1
            ref, at, type_, text = rest
            if number != count or before != previous or digest != entry_hash(number, ref, at, type_, text, before):
                raise TamperError(count)
            previous = digest
        return count

    def head(self) -> str:
        """Return the newest entry's hash: kept elsewhere, it also shows a log whose end was cut off."""
        row = self._connection.execute("SELECT hash FROM log ORDER BY number DESC LIMIT 1").fetchone()
        return str(row[0]) if row else GENESIS


def entry_hash(*values: object) -> str:
    """Return the SHA-256 of an entry's values in order, previous hash last."""
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
