"""The `Store` protocol over a time-series server: lines out, points in; means are made here, of points as they are."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np

from telemetry.store import REJECTED, Block, Buckets, Point, Quality, Samples, Series, Summary
from telemetry.store.influx import TAGS, InfluxSettings, OutsideError
from telemetry.store.influx.influxql import Columns, InfluxQL
from telemetry.store.influx.promql import PromQL
from telemetry.store.influx.queue import Queue
from telemetry.store.influx.send import ClientWire, PlainWire, Sender
from telemetry.store.journal import StoreError
from telemetry.store.line_protocol import LineError, head, write_float

FILE = "influx-queue.sqlite3"
ENDLESS_MS = 9_000_000_000_000
"""The year 2255: a time in ns must fit 64 bits."""
SILENT_S = 5.0
"""So long, or three times as long as the answer was waited for, nothing is asked after a failure [s]."""


class Reading(Protocol):
    """A server's language."""

    def points(self, names: Sequence[Series] | None, start_ms: int, end_ms: int) -> Columns: ...

    def last(self) -> Columns: ...

    def count(self) -> int: ...

    def close(self) -> None: ...


class InfluxStore:
    """Keeps to `Store`, but for what servers do otherwise.

    A value that comes again for the same time replaces the first; how many points were new is not known: all count.

    Args:
        folder: where lines wait that the server has not taken.
        refused: called with each line that the server will never take, and why.
    """

    def __init__(
        self,
        settings: InfluxSettings,
        folder: Path,
        refused: Callable[[str, str], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._measurement = settings.measurement
        self._refused = refused
        self._monotonic = monotonic
        self._silent_until = -math.inf
        self._heads: dict[Series, str] = {}
        self._reading: Reading = PromQL(settings) if settings.query == "promql" else InfluxQL(settings)
        self._wire = PlainWire(settings) if settings.write == "v1" else ClientWire(settings)
        self._queue = Queue(folder / FILE, settings.queue_bytes)
        self._sender = Sender(self._wire, self._queue, refused, batch=settings.batch, monotonic=monotonic)

    def write(self, points: Sequence[Point]) -> int:
        rows = []
        for point in points:
            at = round(point.at * 1000.0)
            delay = round(point.received_at * 1000.0) - at
            rows.append((point.series, at, point.value, delay, int(point.quality)))
        return self._write(rows)

    def write_block(self, block: Block) -> int:
        columns = (block.series, block.at, block.value, block.delay, block.quality)
        return self._write(
            [(block.names[row[0]], *row[1:]) for row in zip(*(c.tolist() for c in columns), strict=True)]
        )

    def _write(self, rows: Sequence[tuple[Series, int, float, int, int]]) -> int:
        lines = []
        if not np.isfinite([row[2] for row in rows]).all():
            raise ValueError("value: expected finite numbers, got NaN or infinity")
        for series, at, value, delay, quality in rows:
            try:
                begin = self._heads.get(series) or self._head(series)
            except LineError as error:
                self._refused(repr(series), str(error))
                continue
            lines.append(f"{begin} value={write_float(value)},delay={delay}i,quality={quality}i {at}")
        self._sender.send(lines)
        return len(lines)

    def _head(self, series: Series) -> str:
        tags = [(tag, getattr(series, tag)) for tag in TAGS if getattr(series, tag)]
        found = self._heads[series] = head(self._measurement, tags)
        return found

    def flush(self) -> bool:
        """Send what waits, when it is time to try again; return whether nothing waits any more."""
        return self._sender.flush()

    def waiting(self) -> int:
        """Return how many points the server has not taken yet."""
        return self._queue.count()

    def last(self, series: Sequence[Series] | None = None) -> dict[Series, Point]:
        with self._answers():
            found = self._reading.last()
        points = {
            name: Point(
                series=name,
                at=int(at[-1]) / 1000.0,
                value=float(value[-1]),
                received_at=(int(at[-1]) + int(delay[-1])) / 1000.0,
                quality=Quality(int(quality[-1])),
            )
            for name, (at, value, delay, quality) in found.items()
        }
        return points if series is None else {name: points[name] for name in series if name in points}

    def read(self, series: Series, start: float, end: float, *, step: float | None = None) -> Samples:
        if step is not None:
            told = self.summary(series, start, end, step=step, without=Quality.GOOD)
            return Samples(series=series, at=told.start, value=told.mean, quality=told.quality)
        block = self.block([series], start, end)
        return Samples(series=series, at=block.at / 1000.0, value=block.value, quality=block.quality)

    def summary(self, series: Series, start: float, end: float, *, step: float, without: Quality) -> Summary:
        block = self.block([series], start, end)
        out = (block.quality & int(without)) != 0
        first, begin = _groups(block, step)
        mean, low, high, _ = _numbers(block, first, out)
        at = block.at / 1000.0
        last = np.append(first[1:], len(at)) - 1 if len(first) else first
        left = Samples(series=series, at=at[out], value=block.value[out], quality=block.quality[out])
        return Summary(
            start=begin,
            first_at=at[first],
            last_at=at[last],
            mean=mean,
            low=low,
            high=high,
            quality=np.bitwise_or.reduceat(block.quality, first) if len(first) else np.empty(0, np.uint8),
            left_out=left,
        )

    def buckets(self, series: Sequence[Series] | None, start: float, end: float, *, step: float) -> Buckets:
        block = self.block(series, start, end)
        out = (block.quality & int(REJECTED)) != 0
        first, begin = _groups(block, step)
        mean, low, high, count = _numbers(block, first, out)
        total = np.diff(np.append(first, len(block))).astype(np.int64)
        return Buckets(
            names=block.names,
            series=block.series[first],
            start=begin,
            mean=mean,
            low=low,
            high=high,
            count=count,
            quality=np.bitwise_or.reduceat(block.quality, first) if len(first) else np.empty(0, np.uint8),
            left_out=total - count,
        )

    def block(self, series: Sequence[Series] | None, start: float, end: float) -> Block:
        names = None if series is None else tuple(dict.fromkeys(series))
        with self._answers():
            found = self._reading.points(names, _ms(start), _ms(end))
        names = tuple(sorted(found)) if names is None else names
        there = [(place, found[name]) for place, name in enumerate(names) if name in found]

        def column(which: int, kind: np.dtype[np.generic] | type) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
            return np.concatenate([np.empty(0, kind), *(rows[which] for _, rows in there)]).astype(kind)

        number = [np.full(len(rows[0]), place, np.int32) for place, rows in there]
        return Block(
            names=names,
            series=np.concatenate([np.empty(0, np.int32), *number]),
            at=column(0, np.int64),  # type: ignore[arg-type]
            value=column(1, np.float64),  # type: ignore[arg-type]
            delay=column(2, np.int64),  # type: ignore[arg-type]
            quality=column(3, np.uint8),  # type: ignore[arg-type]
        )

    def series(self) -> list[Series]:
        with self._answers():
            return sorted(self._reading.last())

    def count(self) -> int:
        with self._answers():
            return self._reading.count()

    @contextmanager
    def _answers(self) -> Iterator[None]:
        """Name a server's failure as the store's; one that is away is not asked again at once: readers would hang."""
        began = self._monotonic()
        if began < self._silent_until:
            left = self._silent_until - began
            raise StoreError("store_failed", f"the time-series server was away; it is asked again in {left:.1f} s")
        try:
            yield
        except OutsideError as error:
            if not error.lasting:
                ended = self._monotonic()
                self._silent_until = ended + max(SILENT_S, 3.0 * (ended - began))
            raise StoreError("store_failed", str(error)) from error

    def close(self) -> None:
        self._reading.close()
        self._wire.close()
        self._queue.close()


def _ms(seconds: float) -> int:
    return round(max(-ENDLESS_MS / 1000.0, min(ENDLESS_MS / 1000.0, seconds)) * 1000.0)


def _groups(
    block: Block, step: float
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Return where each bucket of each series begins in the block, and its time [s]."""
    if not step >= 0.001:
        raise ValueError(f"step: expected at least 0.001 s, got {step}")
    length = round(min(step, ENDLESS_MS / 1000.0) * 1000.0)
    begin = block.at // length * length
    new = np.ones(len(block), np.bool_)
    new[1:] = (np.diff(begin) != 0) | (np.diff(block.series) != 0)
    first = np.flatnonzero(new)
    return first, begin[first] / 1000.0


def _numbers(
    block: Block, first: np.ndarray[tuple[int], np.dtype[np.int64]], out: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[
    np.ndarray[tuple[int], np.dtype[np.float64]],
    np.ndarray[tuple[int], np.dtype[np.float64]],
    np.ndarray[tuple[int], np.dtype[np.float64]],
    np.ndarray[tuple[int], np.dtype[np.int64]],
]:
    """Return mean, least, largest and count of each bucket's points that are not left out."""
    if not len(first):
        return np.empty(0), np.empty(0), np.empty(0), np.empty(0, np.int64)
    count = np.add.reduceat((~out).astype(np.int64), first)
    total = np.add.reduceat(np.where(out, 0.0, block.value), first)
    low = np.minimum.reduceat(np.where(out, np.inf, block.value), first)
    high = np.maximum.reduceat(np.where(out, -np.inf, block.value), first)
    some = count > 0
    mean = np.divide(total, count, out=np.full(len(first), np.nan), where=some)
    return mean, np.where(some, low, np.nan), np.where(some, high, np.nan), count
