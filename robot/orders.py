"""Work orders on disk: a queue that forgets nothing when the process dies, and takes each order once."""

from __future__ import annotations

import json
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
"""


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


class OrderQueue:
    """Orders in the order of their arrival. Every change is committed before the call returns."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(SCHEMA)

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

    def count(self, id: str, *, picked: bool, placed: bool, attempted: bool) -> None:
        """Count one outcome."""
        query = "UPDATE orders SET picked=picked+?, placed=placed+?, attempted=attempted+? WHERE id=?"
        self._db.execute(query, (picked, placed, attempted, id))

    def totals(self) -> tuple[int, int, int]:
        """Return picked, placed and attempted over all orders ever taken."""
        query = "SELECT coalesce(sum(picked),0), coalesce(sum(placed),0), coalesce(sum(attempted),0) FROM orders"
        picked, placed, attempted = self._db.execute(query).fetchone()
        return int(picked), int(placed), int(attempted)

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
