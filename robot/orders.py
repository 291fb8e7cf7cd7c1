"""Work orders on disk: a queue that forgets nothing when the process dies, and takes each order once."""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
  place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, status TEXT NOT NULL, content TEXT NOT NULL,
  fault TEXT NOT NULL DEFAULT '', next INTEGER NOT NULL DEFAULT 0,
  picked INTEGER NOT NULL DEFAULT 0, placed INTEGER NOT NULL DEFAULT 0, attempted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS blocked (one INTEGER PRIMARY KEY CHECK (one = 1));
CREATE TABLE IF NOT EXISTS outcome (
  id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, key TEXT UNIQUE NOT NULL, at REAL NOT NULL,
  data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS care (name TEXT PRIMARY KEY, cut INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS journal (name TEXT NOT NULL);
"""
OUTCOMES = 100_000
"""So many are kept for a farm that does not take them; then the oldest go."""


class Status(StrEnum):
    QUEUED = "queued"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """What is to be harvested. Segments are numbers along the bed; `segment_length` [m]; `force` [N]."""

    id: str
    issuer: str
    expires_at: float
    bed: str
    side: str
    segments: tuple[int, ...]
    segment_length: float
    ripeness_min: float = 0.8
    ripeness_max: float = 1.0
    quota: int = 0
    speed: float = 1.0
    force: float = 1.0

    def fault(self) -> str:
        """Return what is wrong with the order, or an empty text."""
        if not self.id or not self.bed or not self.side:
            return "expected id, bed and side"
        if not self.segments or min(self.segments) < 0:
            return f"expected segments >= 0, got {list(self.segments)}"
        if not self.segment_length > 0.0:
            return f"expected segment_length > 0 m, got {self.segment_length}"
        if not 0.0 <= self.ripeness_min <= self.ripeness_max <= 1.0:
            return f"expected 0 <= ripeness_min <= ripeness_max <= 1, got {self.ripeness_min}, {self.ripeness_max}"
        if not (0.0 < self.speed <= 1.0 and self.force > 0.0):
            return f"expected speed in 0..1 and force > 0 N, got {self.speed}, {self.force}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an order is: `next` is the index of the segment that is not finished yet."""

    order: WorkOrder
    status: Status
    next: int
    picked: int
    placed: int
    attempted: int
    fault: str = ""

    @property
    def quota_left(self) -> int:
        """Return how many berries may still be picked; 0 = no limit."""
        return max(1, self.order.quota - self.placed) if self.order.quota else 0

    @property
    def complete(self) -> bool:
        full = bool(self.order.quota) and self.placed >= self.order.quota
        return full or self.next >= len(self.order.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the farm has to hear: `data` is the JSON of the event; `key` makes it the same one on every way."""

    type: str
    key: str
    at: float
    data: str
    id: int = 0


class OrderQueue:
    """Orders in the order of their arrival. Every change is committed before the call returns."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(SCHEMA)
        insert = "INSERT INTO journal SELECT ? WHERE NOT EXISTS (SELECT 1 FROM journal)"
        self._db.execute(insert, (secrets.token_hex(8),))
        self.journal = str(self._db.execute("SELECT name FROM journal").fetchone()[0])

    def submit(self, order: WorkOrder) -> bool:
        """Add an order; return false, changing nothing, when its id is known."""
        content = json.dumps({name: getattr(order, name) for name in order.__dataclass_fields__})
        row = (order.id, Status.QUEUED, content)
        return self._db.execute("INSERT OR IGNORE INTO orders(id,status,content) VALUES(?,?,?)", row).rowcount == 1

    def current(self) -> Progress | None:
        """Return the order to work on: the one begun, else the oldest waiting."""
        query = "SELECT * FROM orders WHERE status IN ('started','queued') ORDER BY status DESC, place LIMIT 1"
        row = self._db.execute(query).fetchone()
        return _progress(row) if row else None

    def get(self, id: str) -> Progress | None:
        row = self._db.execute("SELECT * FROM orders WHERE id=?", (id,)).fetchone()
        return _progress(row) if row else None

    def waiting(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM orders WHERE status='queued'").fetchone()[0])

    def set_status(self, id: str, status: Status, fault: str = "") -> None:
        self._db.execute("UPDATE orders SET status=?, fault=? WHERE id=?", (status, fault, id))

    def finish_segment(self, id: str) -> None:
        self._db.execute("UPDATE orders SET next=next+1 WHERE id=?", (id,))

    def count(self, id: str, outcome: Outcome, *, picked: bool, placed: bool, attempted: bool) -> None:
        """Count a pick and keep it for the farm: both or nothing. One that is kept already is not counted again."""
        query = "UPDATE orders SET picked=picked+?, placed=placed+?, attempted=attempted+? WHERE id=?"
        self._db.execute("BEGIN IMMEDIATE")
        try:
            if self.keep(outcome):
                self._db.execute(query, (picked, placed, attempted, id))
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def keep(self, outcome: Outcome) -> bool:
        """Keep an outcome until the farm has it; return false when it is kept already."""
        row = (outcome.type, outcome.key, outcome.at, outcome.data)
        done = self._db.execute("INSERT OR IGNORE INTO outcome(type,key,at,data) VALUES(?,?,?,?)", row)
        self._db.execute("DELETE FROM outcome WHERE id <= ?", ((done.lastrowid or 0) - OUTCOMES,))
        return done.rowcount == 1

    def take(self, journal: str, after: int, *, limit: int) -> list[Outcome]:
        """Forget what the caller has of this `journal`, up to the id `after`, and return what it has not."""
        if journal == self.journal:
            self._db.execute("DELETE FROM outcome WHERE id <= ?", (after,))
        query = "SELECT id, type, key, at, data FROM outcome ORDER BY id LIMIT ?"
        rows = self._db.execute(query, (limit,)).fetchall()
        return [Outcome(id=row[0], type=row[1], key=row[2], at=row[3], data=row[4]) for row in rows]

    def totals(self) -> tuple[int, int, int]:
        """Return picked, placed and attempted over all orders ever taken."""
        query = "SELECT coalesce(sum(picked),0), coalesce(sum(placed),0), coalesce(sum(attempted),0) FROM orders"
        picked, placed, attempted = self._db.execute(query).fetchone()
        return int(picked), int(placed), int(attempted)

    def cut_since(self, care: str) -> int:
        """Return how many berries were cut since this was done, or ever."""
        row = self._db.execute("SELECT cut FROM care WHERE name=?", (care,)).fetchone()
        return self.totals()[0] - (int(row[0]) if row else 0)

    def serviced(self, care: str) -> None:
        """Note that this was done just now."""
        self._db.execute("INSERT OR REPLACE INTO care VALUES(?,?)", (care, self.totals()[0]))

    def blocked(self) -> bool:
        """Tell whether a person has to let the robot run before the queue goes on."""
        return self._db.execute("SELECT 1 FROM blocked").fetchone() is not None

    def set_blocked(self, blocked: bool) -> None:
        self._db.execute("INSERT OR IGNORE INTO blocked VALUES(1)" if blocked else "DELETE FROM blocked")

    def close(self) -> None:
        self._db.close()


def _progress(row: tuple[Any, ...]) -> Progress:
    _, _, status, content, fault, following, picked, placed, attempted = row
    fields = json.loads(content)
    fields["segments"] = tuple(fields["segments"])
    return Progress(
        order=WorkOrder(**fields),
        status=Status(status),
        fault=fault,
        next=following,
        picked=picked,
        placed=placed,
        attempted=attempted,
    )
