"""The embedded store's tables for entries, dead letters, gaps and counters; used inside its transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import fields

from telemetry.messages import Event, Kind, Topic
from telemetry.messages.wire import from_text, to_text
from telemetry.store.journal import Counters, DeadLetter, Entry, Gap, Stamp, entry_at, entry_key
from telemetry.store.streams import Stream

DEAD_PAYLOAD_BYTES = 16 * 1024
"""Longer payloads are cut, so that 10,000 dead letters stay below 160 MB."""

INSERT_ENTRY = """
INSERT OR IGNORE INTO entry (site, zone, device, kind, key, type, at, received, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
SELECT_ENTRY = """
SELECT id, site, zone, device, received, json FROM entry
WHERE kind = ? AND (? IS NULL OR type = ?) AND at >= ? AND at < ? AND id > ? ORDER BY id LIMIT ?
"""
INSERT_DEAD = "INSERT INTO dead_letter (at, topic, payload, size, reason, detail) VALUES (?, ?, ?, ?, ?, ?)"
ADD = "INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"
REASON = "reason:"


class EntryTables:
    """Reads and writes on one connection; the owner opens transactions and names errors."""

    def __init__(self, connection: sqlite3.Connection, *, dead_letter_limit: int) -> None:
        self._connection = connection
        self._dead_letter_limit = dead_letter_limit

    def write(self, entries: Sequence[Entry]) -> int:
        """Store entries that are not stored yet; return how many those were."""
        rows = []
        for entry in entries:
            topic, payload = entry.topic, entry.payload
            rows.append(
                (
                    topic.site,
                    topic.zone,
                    topic.device,
                    topic.kind.value,
                    entry_key(payload),
                    payload.type if isinstance(payload, Event) else "",
                    round(entry_at(payload) * 1000.0),
                    round(entry.received_at * 1000.0),
                    to_text(payload),
                )
            )
        return self._connection.executemany(INSERT_ENTRY, rows).rowcount if rows else 0

    def read(self, kind: Kind, type_: str | None, *, start: int, end: int, after: int, limit: int) -> list[Entry]:
        """Return entries in the order of commits; times in ms."""
        rows = self._connection.execute(SELECT_ENTRY, (kind.value, type_, type_, start, end, after, limit)).fetchall()
        return [
            Entry(
                topic=Topic(site=site, zone=zone, device=device, kind=kind),
                payload=from_text(kind, text),
                received_at=received / 1000.0,
                id=number,
            )
            for number, site, zone, device, received, text in rows
        ]

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Keep refused messages; the oldest beyond the limit are forgotten, their count is not."""
        if not letters:
            return
        rows = [
            (
                round(letter.at * 1000.0),
                letter.topic[:1024],
                letter.payload[:DEAD_PAYLOAD_BYTES],
                letter.size,
                letter.reason,
                letter.detail,
            )
            for letter in letters
        ]
        self._connection.executemany(INSERT_DEAD, rows)
        newest = "(SELECT max(id) FROM dead_letter)"
        self._connection.execute(f"DELETE FROM dead_letter WHERE id <= {newest} - ?", (self._dead_letter_limit,))
        self._connection.executemany(ADD, [(REASON + letter.reason, 1) for letter in letters])

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        query = "SELECT id, topic, payload, size, reason, detail, at FROM dead_letter ORDER BY id DESC LIMIT ?"
        return [
            DeadLetter(id=id, topic=topic, payload=payload, size=size, reason=reason, detail=detail, at=at / 1000.0)
            for id, topic, payload, size, reason, detail, at in self._connection.execute(query, (limit,)).fetchall()
        ]

    def drop_dead_letters(self, ids: Sequence[int]) -> int:
        """Forget refused messages; return how many there were."""
        query = "DELETE FROM dead_letter WHERE id = ?"
        return self._connection.executemany(query, [(number,) for number in ids]).rowcount if ids else 0

    def number(self, stamps: Sequence[Stamp]) -> int:
        """Note which messages arrived; return how many had arrived before."""
        by_stream: dict[tuple[str, str, str, str, str], list[int]] = {}
        for stamp in stamps:
            topic = stamp.topic
            name = (topic.site, topic.zone, topic.device, topic.kind.value, stamp.boot)
            by_stream.setdefault(name, []).append(stamp.seq)
        return sum(self._number_stream(name, numbers) for name, numbers in by_stream.items())

    def _number_stream(self, name: tuple[str, str, str, str, str], numbers: list[int]) -> int:
        execute = self._connection.execute
        where = "site = ? AND zone = ? AND device = ? AND kind = ? AND boot = ?"
        row = execute(f"SELECT id, following, lost FROM stream WHERE {where}", name).fetchone()
        if row is None:
            insert = "INSERT INTO stream (site, zone, device, kind, boot, following, lost) VALUES (?, ?, ?, ?, ?, 0, 0)"
            stream_id, stream = execute(insert, name).lastrowid, Stream(min(numbers))
        else:
            stream_id = row[0]
            gaps = execute("SELECT first, last FROM gap WHERE stream = ? ORDER BY first", (stream_id,)).fetchall()
            stream = Stream(row[1], row[2], dict(gaps))
        before = dict(stream.gaps)
        repeated = stream.add(numbers)
        execute("UPDATE stream SET following = ?, lost = ? WHERE id = ?", (stream.following, stream.lost, stream_id))
        if stream.gaps != before:
            execute("DELETE FROM gap WHERE stream = ?", (stream_id,))
            rows = [(stream_id, first, last) for first, last in stream.gaps.items()]
            self._connection.executemany("INSERT INTO gap (stream, first, last) VALUES (?, ?, ?)", rows)
        return repeated

    def gaps(self) -> list[Gap]:
        query = "SELECT site, zone, device, kind, boot, first, last FROM gap JOIN stream ON stream.id = gap.stream"
        return [
            Gap(
                topic=Topic(site=site, zone=zone, device=device, kind=Kind(kind)),
                boot=boot,
                first=first,
                last=last,
            )
            for site, zone, device, kind, boot, first, last in self._connection.execute(query).fetchall()
        ]

    def add_to_counters(self, **increments: int) -> None:
        rows = [(name, increment) for name, increment in increments.items() if increment]
        if rows:
            self._connection.executemany(ADD, rows)

    def counters(self) -> Counters:
        rows = dict(self._connection.execute("SELECT name, value FROM counter").fetchall())
        lost = sum(
            self._connection.execute(f"SELECT coalesce(sum({size}), 0) FROM {table}").fetchone()[0]
            for table, size in (("gap", "last - first + 1"), ("stream", "lost"))
        )
        reasons = {name.removeprefix(REASON): value for name, value in rows.items() if name.startswith(REASON)}
        totals = {field.name: rows[field.name] for field in fields(Counters) if field.name in rows}
        return Counters(**totals, messages_lost=lost, by_reason=reasons)
