"""Reads that span the tiers: one state of the hot file and of the list of sealed files, put together exactly once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from telemetry.store import REJECTED
from telemetry.store.cold import FEW, Cold, MovedError
from telemetry.store.hot import Hot
from telemetry.store.journal import StoreError
from telemetry.store.remembered import weave
from telemetry.store.rollup import DAY, HOUR, MINUTE, Flags, Floats, Ints, Table, level, merge, of_points
from telemetry.store.segments import Segment, segments
from telemetry.store.tables import snapshot

T = TypeVar("T")
Points = tuple[Ints, Floats, Flags]

TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The sealed files of a span, as they are listed in one snapshot."""

    raw: list[Segment]
    minute: list[Segment]
    rollup: list[Segment]

    def days_with_points(self) -> set[int]:
        return {file.period for file in self.raw}


class Tiers:
    """Reads of one store; `first` and `end` in ms, first <= time < end."""

    def __init__(self, connection: sqlite3.Connection, hot: Hot, cold: Cold) -> None:
        self._connection = connection
        self._hot = hot
        self._cold = cold

    def points(self, series: int, first: int, end: int) -> Points:
        """Return time, value and quality of one series, oldest first."""

        def read() -> Points:
            with snapshot(self._connection):
                hot = self._hot.points(series, first, end)
                files = segments(self._connection, "raw", first, end)
            return _joined([self._cold.points(files, series, first, end) if files else hot, *([hot] if files else [])])

        return self._again(read)

    def columns(self, series: Iterable[int] | None, first: int, end: int) -> tuple[Ints, Ints, Floats, Ints, Flags]:
        """Return series, time, value, delay [ms] and quality of every point, by series, then oldest first."""

        def read() -> list[Floats]:
            with snapshot(self._connection):
                hot = self._hot.columns(first, end, series)[:5]
                files = segments(self._connection, "raw", first, end)
            if not files:
                return hot
            cold = self._cold.columns(files, first, end, series)
            names = ("series", "ts", "value", "delay", "quality")
            scale = {"delay": 1000.0}
            parts = [cold[name].astype(np.float64) * scale.get(name, 1.0) for name in names]
            return [np.concatenate(pair) for pair in zip(parts, hot, strict=True)]

        number, at, value, delay, quality = self._again(read)
        order = np.lexsort((at, number))
        whole = [column[order].astype(np.int64) for column in (number, at, delay)]
        return whole[0], whole[1], value[order], whole[2], quality[order].astype(np.uint8)

    def buckets(self, series: int, first: int, end: int, *, step: int, without: int) -> tuple[Table, Points]:
        """Return one series in buckets, and the points with a flag of `without`, which are not in their figures."""

        def read() -> tuple[Table, Points]:
            with snapshot(self._connection):
                hot = self._hot.buckets(series, first, end, step=step, without=without)
                out = self._hot.points(series, first, end) if (hot.left_out > 0).any() else _joined([])
                files = self._files(first, end)
            tables, parts = [hot], [out]
            kept, spans = self._kept(files, [series], (first, end), step, without | int(REJECTED))
            tables += kept
            for begin, stop in spans:
                at, value, quality = self._cold.points(files.raw, series, begin, stop)
                number = np.full(len(at), series)
                tables.append(of_points(number, at, value, quality, step=step, without=without))
                parts.append((at, value, quality))
            at, value, quality = _joined(parts)
            flagged = (quality & without) != 0
            return merge(tables, step=step), (at[flagged], value[flagged], quality[flagged])

        return self._again(read)

    def many(self, series: Sequence[int] | None, first: int, end: int, *, step: int) -> Table:
        """Return many series, or all, in buckets without rejected points."""

        def read() -> Table:
            without = int(REJECTED)
            with snapshot(self._connection):
                hot = self._hot_many(series, first, end, step)
                files = self._files(first, end)
            kept, spans = self._kept(files, series, (first, end), step, 0)
            cold = [
                self._cold.aggregate(_between(files.raw, *span), *span, series, step=step, without=without)
                for span in spans
            ]
            few = merge([replace(t, first=t.start, last=t.start) for t in (hot, *cold)], step=step)
            woven = weave([*kept, few]) if step in (HOUR, DAY) else None
            return merge([*kept, few], step=step) if woven is None else woven

        return self._again(read)

    def _again(self, read: Callable[[], T]) -> T:
        """Read once more when a file was replaced between the look at the list and the look into the file."""
        for attempt in range(TRIES):
            try:
                return read()
            except MovedError as error:
                if attempt == TRIES - 2:
                    self._cold.leave_out(error.files)
        raise StoreError("store_failed", "sealed files are replaced faster than they can be read; try again")

    def _hot_many(self, series: Sequence[int] | None, first: int, end: int, step: int) -> Table:
        without = int(REJECTED)
        if series is not None and len(series) <= FEW:
            return merge(
                [self._hot.buckets(n, first, end, step=step, without=without) for n in sorted(series)], step=step
            )
        if level(step) >= HOUR:
            table = self._hot.rolled(first, end, step=step)
        else:
            table = self._hot.buckets(None, first, end, step=step, without=without)
        return table if series is None else table.where(np.isin(table.series, list(series)))

    def _files(self, first: int, end: int) -> Files:
        found = segments(self._connection, None, first, end)
        return Files(**{kind: [f for f in found if f.kind == kind] for kind in ("raw", "minute", "rollup")})

    def _kept(
        self, files: Files, series: Sequence[int] | None, span: tuple[int, int], step: int, without: int
    ) -> tuple[list[Table], list[tuple[int, int]]]:
        """Return what kept buckets say of a span, and the rest of it, for which points must be read.

        Args:
            without: flags of points that are asked for one by one; 0 when a bucket will do.
        """
        length = level(step)
        first, end = span
        if not files.raw and not files.rollup and not files.minute:
            return [], []
        known = files.raw + files.minute + files.rollup
        first = max(first, min(file.first for file in known))
        end = min(end, max(file.last + DAY for file in known))
        days = files.days_with_points()
        if length < HOUR:
            minutes = [file for file in files.minute if file.period not in days]
            usable = length == MINUTE and minutes
            return [self._cold.rolled(minutes, MINUTE, span, series)] if usable else [], [
                (first, end)
            ] if files.raw else []
        begin, stop = -(-first // length) * length, end // length * length
        if begin >= stop:
            return [], [(first, end)]
        if without:
            kept = [self._cold.rolled(files.rollup, length, (begin, stop), series)]
        else:
            kept = self._cold.rolled_all(files.rollup, length, (begin, stop), series)
        spans = [(first, begin), (stop, end)]
        # A month whose roll-up is damaged is read from its points; so are buckets that hide what was asked for.
        rolled = [(file.first, file.last + DAY) for file in files.rollup if not self._cold.is_damaged(file)]
        spans += [(d, d + DAY) for d in sorted(days) if not any(a - DAY < d < b for a, b in rolled)]
        if without:
            table = kept[0]
            hidden = (table.quality & without) != 0
            readable = np.isin(table.start // DAY * DAY, list(days))
            hidden &= readable
            if hidden.sum() > FEW:  # one long read instead of many short ones
                hidden = (
                    readable & (table.start >= table.start[hidden].min()) & (table.start <= table.start[hidden].max())
                )
            spans += _united([(int(start), int(start) + length) for start in table.start[hidden]])
            kept = [table.where(~hidden)]
        return kept, _united([(max(first, a), min(end, b)) for a, b in spans if a < b])


def _between(files: Sequence[Segment], first: int, end: int) -> list[Segment]:
    return [file for file in files if file.first < end and file.last >= first]


def _united(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans without overlaps, those that touch as one."""
    result: list[tuple[int, int]] = []
    for begin, stop in sorted(spans):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(stop, result[-1][1]))
        elif begin < stop:
            result.append((begin, stop))
    return result


def _joined(parts: Sequence[Points]) -> Points:
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8)
    if len(parts) == 1:
        return parts[0]
    at, value, quality = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(at, kind="stable")
    return at[order], value[order], quality[order]
