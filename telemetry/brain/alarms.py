"""The farm's alarms: active or cleared, seen or not, in one file that the brain writes and people acknowledge in."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from telemetry.messages.tables import Severity, faults

FILE = "alarms.sqlite3"
KEPT = 10_000
"""Cleared and seen alarms beyond this many are forgotten, the oldest first."""
RANK = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
UNKNOWN = "unknown_fault"

TABLES = """
CREATE TABLE IF NOT EXISTS alarm (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    fault TEXT NOT NULL, zone TEXT NOT NULL, device TEXT NOT NULL, metric TEXT NOT NULL,
    since REAL NOT NULL, raised_at REAL NOT NULL, times INTEGER NOT NULL, cleared_at REAL,
    acknowledged_by TEXT, acknowledged_at REAL, args TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS active_alarm ON alarm (fault, zone, device, metric) WHERE cleared_at IS NULL;
CREATE INDEX IF NOT EXISTS open_alarm ON alarm (number) WHERE cleared_at IS NULL OR acknowledged_at IS NULL;
CREATE TABLE IF NOT EXISTS cursor (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
COLUMNS = "id, fault, zone, device, metric, since, raised_at, times, cleared_at, acknowledged_by, acknowledged_at, args"
SAME = "fault = ? AND zone = ? AND device = ? AND metric = ?"


class AlarmsError(Exception):
    """The alarms cannot be read or written; `code` is a key of faults.toml."""

    code = "store_failed"


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """What can be wrong, once: a fault of one device, or of one of its metrics."""

    fault: str
    zone: str
    device: str
    metric: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Whether a condition holds at an instant [UTC epoch s]; `args` go into its text: value, limit, unit, ….

    `active` is the level, not the edge: saying the same again changes nothing.
    """

    condition: Condition
    active: bool
    at: float
    args: Mapping[str, Any] = field(default_factory=dict)


class Alarms:
    """One connection to the alarms of a farm, for one thread.

    An alarm that clears unseen stays until it is seen; when it comes again before that, it is the same alarm once more.

    Args:
        directory: where the file lies; made when missing.
    """

    def __init__(self, directory: Path) -> None:
        self._faults = faults()
        with self._errors():
            directory.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                directory / FILE, timeout=5.0, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.executescript(TABLES)

    # The brain's side

    def settle(self, findings: Iterable[Finding], *, cursors: Mapping[str, int] | None = None) -> int:
        """Raise what holds and does not stand yet, clear what stands and no longer holds; return how many changed.

        Args:
            findings: in the order in which they were made.
            cursors: how far the reader is in the journal; kept together with the findings.
        """
        with self._errors(), self._transaction():
            changed = sum(self._raise(f) if f.active else self._clear(f) for f in findings)
            for name, value in (cursors or {}).items():
                self._connection.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (name, value))
            if changed:
                self._connection.execute(
                    "DELETE FROM alarm WHERE cleared_at IS NOT NULL AND acknowledged_at IS NOT NULL AND number <= "
                    "(SELECT max(number) FROM alarm) - ?",
                    (KEPT,),
                )
        return changed

    def standing(self) -> set[Condition]:
        """Return the conditions of all alarms that are not cleared."""
        with self._errors():
            query = "SELECT fault, zone, device, metric FROM alarm WHERE cleared_at IS NULL"
            return {Condition(*row) for row in self._connection.execute(query)}

    def cursor(self, name: str) -> int | None:
        """Return how far a reader was; None when it has not begun."""
        with self._errors():
            row = self._connection.execute("SELECT value FROM cursor WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else None

    # The people's side

    def active(self) -> list[dict[str, Any]]:
        """Return the alarms that last or that nobody has seen, the most severe first, then the newest."""
        with self._errors():
            query = f"SELECT {COLUMNS} FROM alarm WHERE cleared_at IS NULL OR acknowledged_at IS NULL"
            rows = [self._row(row) for row in self._connection.execute(query)]
        return sorted(rows, key=lambda row: (RANK[Severity(row["severity"])], -row["raised_at"], row["id"]))

    def all(self, limit: int = 200) -> list[dict[str, Any]]:
        """Return the newest alarms of every state, newest first."""
        with self._errors():
            query = f"SELECT {COLUMNS} FROM alarm ORDER BY raised_at DESC, number DESC LIMIT ?"
            return [self._row(row) for row in self._connection.execute(query, (limit,))]

    def acknowledge(self, alarm: str, name: str, at: float) -> str:
        """Note that `name` has seen an alarm at `at` [UTC epoch s]; return `done` or `unknown_alarm`.

        The first who saw it stays on record; to see an alarm does not clear it.
        """
        with self._errors(), self._transaction():
            self._connection.execute(
                "UPDATE alarm SET acknowledged_by = ?, acknowledged_at = ? WHERE id = ? AND acknowledged_at IS NULL",
                (name, at, alarm),
            )
            known = self._connection.execute("SELECT 1 FROM alarm WHERE id = ?", (alarm,)).fetchone()
        return "done" if known else "unknown_alarm"

    def version(self) -> int:
        """Return a number that changes whenever an alarm may have changed, here or in another process; cheap."""
        with self._errors():
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0]) + self._connection.total_changes

    def close(self) -> None:
        self._connection.close()

    def _raise(self, finding: Finding) -> int:
        c = finding.condition
        key = (c.fault, c.zone, c.device, c.metric)
        execute = self._connection.execute
        if execute(f"SELECT 1 FROM alarm WHERE {SAME} AND cleared_at IS NULL", key).fetchone():
            return 0
        args = json.dumps(dict(finding.args), ensure_ascii=False, allow_nan=False)
        unseen = execute(
            f"SELECT number FROM alarm WHERE {SAME} AND acknowledged_at IS NULL ORDER BY number DESC LIMIT 1", key
        ).fetchone()
        if unseen:
            execute(
                "UPDATE alarm SET cleared_at = NULL, raised_at = ?, times = times + 1, args = ? WHERE number = ?",
                (finding.at, args, unseen[0]),
            )
            return 1
        number = execute("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'alarm'").fetchone()[0]
        digest = hashlib.blake2s(json.dumps([*key, number]).encode(), digest_size=6).hexdigest()
        execute(
            "INSERT INTO alarm (number, id, fault, zone, device, metric, since, raised_at, times, args)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
            (number, f"a{number}-{digest}", *key, finding.at, finding.at, args),
        )
        return 1

    def _clear(self, finding: Finding) -> int:
        c = finding.condition
        return self._connection.execute(
            f"UPDATE alarm SET cleared_at = max(?, raised_at) WHERE {SAME} AND cleared_at IS NULL",
            (finding.at, c.fault, c.zone, c.device, c.metric),
        ).rowcount

    def _row(self, row: tuple[Any, ...]) -> dict[str, Any]:
        names = COLUMNS.split(", ")
        values = dict(zip(names, row, strict=True))
        args = json.loads(values.pop("args"))
        fault = self._faults.get(values["fault"])
        place = {"zone": values.pop("zone"), "device": values.pop("device")}
        return values | {
            "severity": str(fault.severity if fault else Severity.WARNING),
            "place": place,
            "value": args.get("value"),
            "limit": args.get("limit"),
            "args": args,
            "active": values["cleared_at"] is None,
        }

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise AlarmsError(f"the alarms cannot be used: {error}") from error
