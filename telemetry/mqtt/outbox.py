"""What a device has to say and the farm has not confirmed: on disk, so that a kill or days of outage lose nothing."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from telemetry.messages import Kind

log = logging.getLogger(__name__)

TABLES = """
CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, body BLOB NOT NULL, size INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS record_by_kind ON record (kind, id);
CREATE TABLE IF NOT EXISTS known (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
OVERHEAD = 40
"""What a record takes besides its body, about [byte]."""
KNOWN = 10_000
"""So many keys are remembered."""
CONFIRMED = 200
"""Confirmed records are removed together when there are so many, or with the next one that is kept."""
LIMIT_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One measurement or event as it will be sent; `id` counts up and is never given twice."""

    id: int
    kind: Kind
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxStatus:
    """Records of one file: `waiting` for the farm; `dropped` and `refused` (by the broker, each time) since ever."""

    waiting: int
    dropped: int
    refused: int


class OutboxError(Exception):
    """The disk does not take a record: the caller still has it, and may send it without."""


class Outbox:
    """Records in one SQLite file, oldest first. Every change is committed before the call returns.

    Policy of a full one: the oldest measurements give way, then the oldest events; `dropped` counts both, and the
    farm sees the gap in their numbers.

    Args:
        path: of the file; ":memory:" keeps nothing over a restart.
        limit_bytes: most that waits.
        power_safe: survive a power cut too, at the cost of one write to the disk per record; else a kill only.
        noted: called for each record that is taken in; for who counts them.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        limit_bytes: int = LIMIT_BYTES,
        power_safe: bool = True,
        noted: Callable[[Kind, bytes], None] | None = None,
    ) -> None:
        if isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"PRAGMA synchronous = {'FULL' if power_safe else 'NORMAL'}")
        self._db.execute("PRAGMA journal_size_limit = 4194304")
        self._db.executescript(TABLES)
        self._confirmed: list[int] = []
        self._limit = limit_bytes
        self._noted = noted
        self._count, self._bytes = self._db.execute("SELECT count(*), coalesce(sum(size), 0) FROM record").fetchone()
        self.dropped = int(self.note("dropped", "0"))
        """Records that gave way since the file was made."""

    def __len__(self) -> int:
        return int(self._count) - len(self._confirmed)

    def append(self, kind: Kind, body: bytes, *, key: str = "", notes: Mapping[str, str] | None = None) -> int:
        """Keep a record and return its id; 0 when `key` is known already: then nothing changes, notes neither.

        Args:
            notes: small values kept in the same transaction.

        Raises:
            OutboxError: the disk does not take it, also after the oldest gave way.
        """
        size = len(body) + OVERHEAD
        if size > self._limit:
            raise OutboxError(f"expected a record of at most {self._limit} byte, got {size}")
        try:
            while self._bytes + size > self._limit:
                if self._confirmed:
                    self._forget_now()
                else:
                    self._make_room()
            try:
                number = self._insert(kind, body, size, key, notes or {})
            except sqlite3.OperationalError:  # a full disk: pages of old records can be used again
                self._make_room()
                number = self._insert(kind, body, size, key, notes or {})
        except sqlite3.Error as error:
            raise OutboxError(f"not kept: {error}") from error
        if number and self._noted is not None:
            self._noted(kind, body)
        return number

    def after(self, number: int, *, limit: int) -> list[Record]:
        """Return the oldest records with a higher id."""
        query = "SELECT id, kind, body FROM record WHERE id > ? ORDER BY id LIMIT ?"
        rows = self._db.execute(query, (number, limit)).fetchall()
        return [Record(id=row[0], kind=Kind(row[1]), body=row[2]) for row in rows]

    def remove(self, numbers: Iterable[int]) -> None:
        """Forget records that the farm has: soon, many in one write; a kill before that sends them again."""
        self._confirmed += numbers
        if len(self._confirmed) >= CONFIRMED:
            self._forget_now()

    def refuse(self, count: int) -> None:
        """Count records that the broker has refused; they stay, for the next process may be let in."""
        self.write_note("refused", str(int(self.note("refused", "0")) + count))

    def _forget_now(self) -> None:
        with self._transaction():
            forgotten = self._forget()
        self._forgot(forgotten)

    def _forget(self) -> list[int]:
        """Delete what is confirmed, within a transaction; return the sizes of what went."""
        delete = "DELETE FROM record WHERE id = ? RETURNING size"
        rows = [self._db.execute(delete, (number,)).fetchone() for number in self._confirmed]
        return [row[0] for row in rows if row is not None]

    def _forgot(self, sizes: list[int]) -> None:
        """Take note of it once it is committed: a full disk may have undone it."""
        self._confirmed.clear()
        self._count, self._bytes = self._count - len(sizes), self._bytes - sum(sizes)

    def note(self, name: str, default: str = "") -> str:
        """Return a value kept by `append`."""
        row = self._db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return default if row is None else str(row[0])

    def write_note(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))

    def close(self) -> None:
        self._forget_now()
        self._db.close()

    def _insert(self, kind: Kind, body: bytes, size: int, key: str, notes: Mapping[str, str]) -> int:
        with self._transaction():
            if key:
                seen = self._db.execute("INSERT OR IGNORE INTO known (key) VALUES (?)", (key,))
                if not seen.rowcount:
                    return 0
                self._db.execute("DELETE FROM known WHERE id <= ?", ((seen.lastrowid or 0) - KNOWN,))
            for name, value in notes.items():
                self.write_note(name, value)
            forgotten = self._forget()
            insert = "INSERT INTO record (kind, body, size) VALUES (?, ?, ?)"
            number = self._db.execute(insert, (kind.value, body, size)).lastrowid
        self._forgot(forgotten)
        self._count, self._bytes = self._count + 1, self._bytes + size
        return int(number or 0)

    def _make_room(self) -> None:
        """Let a twentieth of the limit go, measurements first."""
        first = "SELECT id, size FROM record ORDER BY kind != 'data', id LIMIT 500"
        freed, gone = 0, []
        for number, size in self._db.execute(first).fetchall():
            gone.append((number,))
            freed += size
            if freed >= max(1, self._limit // 20):
                break
        if not gone:
            raise sqlite3.OperationalError("no room, and nothing to let go")
        with self._transaction():
            self._db.executemany("DELETE FROM record WHERE id = ?", gone)
            self.write_note("dropped", str(self.dropped + len(gone)))
        if not self.dropped:
            log.warning("the outbox is full (%d byte): the oldest measurements give way", self._limit)
        self.dropped += len(gone)
        self._count, self._bytes = self._count - len(gone), self._bytes - freed

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def outbox_status(path: Path) -> OutboxStatus:
    """Look into an outbox that a device may be using.

    Raises:
        OutboxError: it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)) as db:
            waiting = db.execute("SELECT count(*) FROM record").fetchone()[0]
            notes = dict(db.execute("SELECT name, value FROM note").fetchall())
    except sqlite3.Error as error:
        raise OutboxError(f"{path}: {error}") from error
    return OutboxStatus(
        waiting=int(waiting), dropped=int(notes.get("dropped", 0)), refused=int(notes.get("refused", 0))
    )
