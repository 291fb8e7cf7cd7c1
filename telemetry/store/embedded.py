"""The embedded store: a hot tier in SQLite, sealed days in Parquet, roll-ups; one writer at a time, many readers."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from telemetry.messages import Kind
from telemetry.store import Block, Buckets, Point, Quality, Samples, Series, Summary
from telemetry.store.cold import FEW, Cold
from telemetry.store.entries import EntryTables
from telemetry.store.hot import Hot
from telemetry.store.hot_file import SUSPECT, HotFile
from telemetry.store.journal import Batch, Committed, Counters, DeadLetter, Entry, Gap, StoreError
from telemetry.store.names import Names
from telemetry.store.points import PointWriter, Row
from telemetry.store.rollup import HOUR
from telemetry.store.tables import DAMAGED, connect, errors, snapshot, transaction
from telemetry.store.tiers import Tiers

log = logging.getLogger(__name__)

ENDLESS_MS = 2**52
"""Further than any date, and still exact as a float."""

SELECT_LAST = "SELECT series, at, value, delay, quality FROM last"


class EmbeddedStore:
    """An `Archive` in one folder. A read-only one sees every commit of others and never makes a writer wait.

    Args:
        directory: of the hot file and, below it, the sealed ones.
        hot: folder of the hot file, where one is built for `directory`.
    """

    def __init__(
        self, directory: Path, *, read_only: bool, dead_letter_limit: int = 10_000, hot: Path | None = None
    ) -> None:
        self.directory = directory
        self.connection: HotFile = connect(hot or directory, read_only=read_only)
        self.names = Names(self.connection)
        self.hot = Hot(self.connection)
        self.cold = Cold(directory)
        self._tiers = Tiers(self.connection, self.hot, self.cold)
        self._entries = EntryTables(self.connection, dead_letter_limit=dead_letter_limit)
        self._points = PointWriter(self.connection, self.names, self.cold, self._entries)

    def write(self, points: Sequence[Point]) -> int:
        return self.commit(Batch(points=points)).points

    def write_block(self, block: Block) -> int:
        if not np.isfinite(block.value).all():
            raise ValueError("value: expected finite numbers, got NaN or infinity")
        return self.commit(Batch(block=block)).points

    def commit(self, batch: Batch) -> Committed:
        """Keep `batch`. A hot file that turns out to be damaged is mended, and then the commit fails all the same.

        So that whoever commits tells of it, and tries again with the new file.
        """
        try:
            self._look_for_mark()
            return self._commit(batch)
        except StoreError as error:
            if error.code == DAMAGED:
                from telemetry.store.repair import mend_running  # it builds a store, and so knows this module

                log.error("the hot file is damaged, a new one is made of what can be read: %s", error)
                mend_running(self.directory, self.connection)
            raise

    def _look_for_mark(self) -> None:
        """Take the word of the process that found damage, and could not mend it.

        Raises:
            StoreError: there is such a mark.
        """
        path = self.directory / SUSPECT
        if path.exists():
            with errors():
                path.unlink(missing_ok=True)
            raise StoreError(DAMAGED, "a process that reads it says so")

    def _commit(self, batch: Batch) -> Committed:
        try:
            with transaction(self.connection):
                new_points = self._points.keep(batch)
                new_entries = self._entries.write(batch.entries)
                self._entries.bury(batch.dead_letters)
                repeated = self._entries.number(batch.stamps)
                self._entries.add_to_counters(
                    messages=batch.messages,
                    points=new_points,
                    points_duplicated=len(batch.points) + len(batch.block or ()) - new_points,
                    entries=new_entries,
                    dead_letters=len(batch.dead_letters),
                    messages_repeated=repeated,
                )
        except BaseException:
            self.names.forget()  # numbers given in a transaction that was rolled back are void
            raise
        return Committed(points=new_points, entries=new_entries, repeated=repeated)

    def last(self, series: Sequence[Series] | None = None) -> dict[Series, Point]:
        with errors():
            if series is not None and len(series) <= FEW:
                numbers = [number for number in map(self.names.find, series) if number is not None]
                query = SELECT_LAST + " WHERE series = ?"
                return _points(
                    (self.names.name(n), row) for n in numbers for row in self.connection.execute(query, (n,))
                )
            rows = {row[0]: row for row in self.connection.execute(SELECT_LAST)}
            if series is None:
                return _points((self.names.name(number), row) for number, row in rows.items())
            known = ((name, rows.get(self.names.find(name))) for name in series)
            return _points((name, row) for name, row in known if row is not None)

    def read(self, series: Series, start: float, end: float, *, step: float | None = None) -> Samples:
        if step is not None:
            table = self.summary(series, start, end, step=step, without=Quality.GOOD)
            return Samples(series=series, at=table.start, value=table.mean, quality=table.quality)
        number = self._find(series)
        if number is None:
            return Samples(series=series, at=np.empty(0), value=np.empty(0), quality=np.empty(0, np.uint8))
        with errors():
            at, value, quality = self._tiers.points(number, _ms(start), _ms(end))
        return Samples(series=series, at=at / 1000.0, value=value, quality=quality)

    def summary(self, series: Series, start: float, end: float, *, step: float, without: Quality) -> Summary:
        length = _step(step)
        number = self._find(series)
        with errors():
            table, out = self._tiers.buckets(
                -1 if number is None else number, _ms(start), _ms(end), step=length, without=int(without)
            )
        return Summary(
            start=table.start / 1000.0,
            first_at=table.first / 1000.0,
            last_at=table.last / 1000.0,
            mean=table.mean,
            low=table.extreme("low"),
            high=table.extreme("high"),
            quality=table.quality,
            left_out=Samples(series=series, at=out[0] / 1000.0, value=out[1], quality=out[2]),
        )

    def buckets(self, series: Sequence[Series] | None, start: float, end: float, *, step: float) -> Buckets:
        length = _step(step)
        with errors():
            names, numbers = self._chosen(series)
            table = self._tiers.many(numbers, _ms(start), _ms(end), step=length)
            index = self.names.index(names)
        number = index[table.series]
        if (number[1:] < number[:-1]).any():
            order = np.argsort(number, kind="stable")
            table, number = table.where(order), number[order]
        return Buckets(
            names=names,
            series=number,
            start=table.start / 1000.0,
            mean=table.mean,
            low=table.extreme("low"),
            high=table.extreme("high"),
            count=np.ascontiguousarray(table.count),
            quality=np.ascontiguousarray(table.quality),  # others read them by address
            left_out=np.ascontiguousarray(table.left_out),
        )

    def block(self, series: Sequence[Series] | None, start: float, end: float) -> Block:
        with errors():
            names, numbers = self._chosen(series)
            found, at, value, delay, quality = self._tiers.columns(numbers, _ms(start), _ms(end))
            number = self.names.index(names)[found]
        order = np.argsort(number, kind="stable")
        return Block(
            names=names,
            series=number[order],
            at=at[order],
            value=value[order],
            delay=delay[order],
            quality=quality[order],
        )

    def _chosen(self, series: Sequence[Series] | None) -> tuple[tuple[Series, ...], list[int] | None]:
        if series is None:
            return tuple(self.names.all()), None  # as they are numbered: nothing has to be sorted again
        names = tuple(dict.fromkeys(series))
        return names, [number for number in map(self.names.find, names) if number is not None]

    def _find(self, series: Series) -> int | None:
        with errors():
            return self.names.find(series)

    def series(self) -> list[Series]:
        with errors():
            return sorted(self.names.all())

    def count(self) -> int:
        counters = self.counters()
        return counters.points - counters.points_removed

    def span(self) -> tuple[float, float]:
        """Return the time of the oldest point and just after the newest; twice 0 when there is none [UTC epoch s]."""
        with errors(), snapshot(self.connection):
            hours = self.hot.hours(-ENDLESS_MS, ENDLESS_MS)
            query = "SELECT min(first), max(last) FROM segment WHERE kind = 'raw'"
            first, last = self.connection.execute(query).fetchone()
        begins = [first, *(hour * HOUR for hour in hours[:1])]
        ends = [last, *((hour + 1) * HOUR for hour in hours[-1:])]
        begin = min((at for at in begins if at is not None), default=0)
        end = max((at + 1 for at in ends if at is not None), default=0)
        return begin / 1000.0, end / 1000.0

    def entries(
        self,
        kind: Kind,
        *,
        type: str | None = None,
        start: float = float("-inf"),
        end: float = float("inf"),
        after: int = 0,
        limit: int | None = None,
    ) -> list[Entry]:
        with errors():
            most = -1 if limit is None else limit
            return self._entries.read(kind, type, start=_ms(start), end=_ms(end), after=after, limit=most)

    def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        with errors():
            return self._entries.dead_letters(limit)

    def drop_dead_letters(self, ids: Sequence[int]) -> int:
        with transaction(self.connection):
            return self._entries.drop_dead_letters(ids)

    def gaps(self) -> list[Gap]:
        with errors():
            return self._entries.gaps()

    def counters(self) -> Counters:
        with errors(), snapshot(self.connection):
            return self._entries.counters()

    def close(self) -> None:
        self.cold.close()
        self.connection.close()


QUALITIES = tuple(Quality(flags) for flags in range(128))
"""Made once: an enumeration takes a microsecond for each look-up."""


def open_store(directory: Path, *, read_only: bool = False, dead_letter_limit: int = 10_000) -> EmbeddedStore:
    """Open the farm's store in `directory`; with `read_only` it must exist.

    Raises:
        StoreError: `store_failed`, or `store_version` when a newer version wrote it.
    """
    return EmbeddedStore(directory, read_only=read_only, dead_letter_limit=dead_letter_limit)


def _points(rows: Iterable[tuple[Series, Row]]) -> dict[Series, Point]:
    return {
        name: Point(
            series=name,
            at=at / 1000.0,
            value=value,
            received_at=(at + delay) / 1000.0,
            quality=QUALITIES[quality],
        )
        for name, (_, at, value, delay, quality) in rows
    }


def _step(step: float) -> int:
    if not step >= 0.001:
        raise ValueError(f"step: expected at least 0.001 s, got {step}")
    return round(min(step, ENDLESS_MS / 1000.0) * 1000.0)


def _ms(seconds: float) -> int:
    if math.isnan(seconds):
        raise ValueError("expected a time, got NaN")
    return round(max(-ENDLESS_MS / 1000.0, min(ENDLESS_MS / 1000.0, seconds)) * 1000.0)
