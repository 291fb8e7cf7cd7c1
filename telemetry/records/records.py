"""Harvest events into the farm log, placed berries into lots, and a lot traced back to row, hour, robot and climate."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from telemetry.messages import Event, Kind
from telemetry.records.chain import Chain
from telemetry.records.climate import climate_of_hour
from telemetry.store.journal import Archive, Entry, StoreError

log = logging.getLogger(__name__)

FILE = "records.sqlite3"
LOGGED = ("pick", "count", "order", "punnet", "fault")
PAGE = 5000
PUNNET_LIFE = 43200.0
"""No punnet is being filled for longer than this [s]."""

TABLES = """
CREATE TABLE IF NOT EXISTS cursor (id INTEGER PRIMARY KEY CHECK (id = 1), entry INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS lot (
    id TEXT PRIMARY KEY, site TEXT NOT NULL, zone TEXT NOT NULL, robot TEXT NOT NULL, punnet TEXT NOT NULL,
    opened_at REAL NOT NULL, closed_at REAL
);
CREATE INDEX IF NOT EXISTS lot_of_punnet ON lot (robot, punnet, opened_at);
CREATE TABLE IF NOT EXISTS berry (
    ref TEXT PRIMARY KEY, lot TEXT NOT NULL REFERENCES lot (id), at REAL NOT NULL, bed TEXT NOT NULL,
    side TEXT NOT NULL, segment INTEGER NOT NULL, order_id TEXT NOT NULL, mass REAL NOT NULL, ripeness REAL NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS berry_of_lot ON berry (lot, at);
"""


class RecordsError(Exception):
    """The farm log cannot be opened or written; `code` is stable."""

    code = "records_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """One punnet. Instants UTC epoch [s]; `mass` is estimated from the berries' sizes [kg]; `closed`: it is full."""

    id: str
    site: str
    zone: str
    robot: str
    punnet: str
    beds: tuple[str, ...]
    sides: tuple[str, ...]
    segments: tuple[int, ...]
    first_pick_at: float
    last_pick_at: float
    berries: int
    mass: float
    closed: bool


class Records:
    """The farm log and its lots, in one file; reads the journal, writes only its own file.

    Args:
        archive: the store and its journal, read only.
        directory: where the file lies.
        timezone: of the farm, for the hours and dates people read.
    """

    def __init__(self, archive: Archive, directory: Path, *, timezone: str) -> None:
        self._archive = archive
        self._zone_info = ZoneInfo(timezone)
        with self._errors():
            directory.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(directory / FILE, timeout=15.0, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._chain = Chain(self._connection)
            self._connection.executescript(TABLES)

    def update(self) -> int:
        """Take new events in and return how many were logged. Events that come again change nothing.

        What cannot be read or written now is logged and taken in by a later call.
        """
        try:
            return self._update()
        except (StoreError, RecordsError) as error:
            log.error("the farm log waits: %s", error)
            return 0

    def _update(self) -> int:
        with self._errors():
            row = self._connection.execute("SELECT entry FROM cursor").fetchone()
            entries = self._archive.entries(Kind.EVENT, after=row[0] if row else 0, limit=PAGE)
            if not entries:
                return 0
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                logged = sum(self._take(entry) for entry in entries)
                self._connection.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?)", (entries[-1].id,))
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        return logged

    def lots(self) -> list[Lot]:
        """Return every lot, oldest first."""
        with self._errors():
            rows = self._connection.execute(
                "SELECT lot.id, site, zone, robot, punnet, closed_at, min(at), max(at), count(*), sum(mass),"
                " group_concat(DISTINCT bed), group_concat(DISTINCT side), group_concat(DISTINCT segment)"
                " FROM lot JOIN berry ON berry.lot = lot.id GROUP BY lot.id ORDER BY min(at), lot.id"
            ).fetchall()
        return [
            Lot(
                id=row[0],
                site=row[1],
                zone=row[2],
                robot=row[3],
                punnet=row[4],
                closed=row[5] is not None,
                first_pick_at=row[6],
                last_pick_at=row[7],
                berries=row[8],
                mass=row[9],
                beds=tuple(sorted(row[10].split(","))),
                sides=tuple(sorted(row[11].split(","))),
                segments=tuple(sorted(map(int, row[12].split(",")))),
            )
            for row in rows
        ]

    def trace(self, lot_id: str) -> dict[str, Any]:
        """Return where a lot comes from: rows, hours, robot, every berry, and the climate of those hours.

        Raises:
            KeyError: there is no such lot.
        """
        lot = next((lot for lot in self.lots() if lot.id == lot_id), None)
        if lot is None:
            raise KeyError(f"no lot {lot_id!r}; {len(self.lots())} lots are on record")
        with self._errors():
            bodies = self._connection.execute(
                "SELECT at, body FROM berry WHERE lot = ? ORDER BY at", (lot_id,)
            ).fetchall()
        picks = [{"at": at, **json.loads(body)} for at, body in bodies]
        hours = sorted({at - at % 3600.0 for at, _ in bodies})
        return {
            "lot": asdict(lot),
            "robot": lot.robot,
            "rows": [
                {"bed": bed, "side": side, "segment": segment, "berries": count}
                for (bed, side, segment), count in _tally(picks).items()
            ],
            "first_pick": self._local(lot.first_pick_at),
            "last_pick": self._local(lot.last_pick_at),
            "orders": sorted({str(pick["order_id"]) for pick in picks}),
            "picks": picks,
            "climate": [
                {"hour": self._local(hour), "kpis": climate_of_hour(self._archive, lot.site, lot.zone, hour)}
                for hour in hours
            ],
        }

    def verify(self) -> int:
        """Check the whole log and return its length. Raises `TamperError` at the first entry that does not fit."""
        with self._errors():
            return self._chain.verify()

    def close(self) -> None:
        self._connection.close()

    def _take(self, entry: Entry) -> bool:
        event = entry.payload
        if not isinstance(event, Event) or event.type not in LOGGED:
            return False
        topic = entry.topic
        ref = f"{topic.site}/{topic.zone}/{topic.device}/{event.boot}/{event.seq}"
        body = {"site": topic.site, "zone": topic.zone, "device": topic.device, "data": event.data}
        if not self._chain.append(ref=ref, at=event.at, type=event.type, body=body):
            return False
        if event.type == "pick":
            self._add_berry(ref, entry, event)
        elif event.type == "punnet" and event.data.get("closed") is True:
            lot = self._lot_of(entry, event)
            self._connection.execute("UPDATE lot SET closed_at = ? WHERE id = ? AND closed_at IS NULL", (event.at, lot))
        return True

    def _add_berry(self, ref: str, entry: Entry, event: Event) -> None:
        """Put a placed berry into its punnet's lot; a berry that was not placed belongs to none."""
        data = event.data
        if data.get("result") != "ok" or not data.get("punnet"):
            return
        try:
            values = (
                str(data["bed"]),
                str(data["side"]),
                _storable(int(data["segment"])),
                str(data.get("order_id", "")),
                float(data["mass"]),
                float(data["ripeness"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            log.warning("pick %s is logged but names no origin: %r", ref, error)
            return
        text = json.dumps(data, ensure_ascii=False, sort_keys=True)
        self._connection.execute(
            "INSERT INTO berry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (ref, self._lot_of(entry, event), event.at, *values, text),
        )

    def _lot_of(self, entry: Entry, event: Event) -> str:
        """Return the lot of an event's punnet, opening it with the first word of it.

        A robot that starts again may count its punnets anew: a name heard after its lot was closed, or half a day
        after it was opened, is another punnet.
        """
        topic, punnet = entry.topic, str(event.data.get("punnet", ""))
        row = self._connection.execute(
            "SELECT id FROM lot WHERE site = ? AND zone = ? AND robot = ? AND punnet = ?"
            " AND opened_at > ? AND (closed_at IS NULL OR closed_at >= ?)"
            " ORDER BY opened_at <= ? DESC, opened_at DESC LIMIT 1",
            (topic.site, topic.zone, topic.device, punnet, event.at - PUNNET_LIFE, event.at, event.at),
        ).fetchone()
        if row:
            return str(row[0])
        day = datetime.fromtimestamp(event.at, self._zone_info).strftime("%Y%m%d")
        number = self._connection.execute("SELECT count(*) FROM lot").fetchone()[0] + 1
        lot = f"L{day}-{topic.device}-{number:04d}"
        self._connection.execute(
            "INSERT INTO lot (id, site, zone, robot, punnet, opened_at) VALUES (?, ?, ?, ?, ?, ?)",
            (lot, topic.site, topic.zone, topic.device, punnet, event.at),
        )
        return lot

    def _local(self, at: float) -> str:
        return datetime.fromtimestamp(at, self._zone_info).isoformat(timespec="seconds")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise RecordsError(f"the farm log cannot be used: {error}") from error


def _storable(number: int) -> int:
    """Return a number that SQLite can hold; one that it cannot would end the whole page of events."""
    if not -(2**63) <= number < 2**63:
        raise OverflowError(f"expected a number of at most 63 bits, got {number.bit_length()}")
    return number


def _tally(picks: list[dict[str, Any]]) -> dict[tuple[str, str, int], int]:
    counts: dict[tuple[str, str, int], int] = {}
    for pick in picks:
        key = (str(pick["bed"]), str(pick["side"]), int(pick["segment"]))
        counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items()))
