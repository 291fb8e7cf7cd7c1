"""Reads of the cold tier: sealed Parquet files through DuckDB in memory, which locks nothing."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from telemetry.store.journal import StoreError
from telemetry.store.remembered import Remembered, between
from telemetry.store.rollup import EMPTY, Flags, Floats, Ints, Table
from telemetry.store.segments import COLD, Segment

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger(__name__)

KEYS_KEPT = 2000
"""Series and days whose times are remembered while late points arrive: 1440 times each are some 20 MB."""
MEMORY = "256MB"
FEW = 20
"""Up to so many series are looked up one by one; more are read all together."""
BRIEF = "series, start, mean, low, high, count, quality, left_out"
ROLLUP = "series, start, mean, low, high, count, first, last, quality, left_out"


class MovedError(Exception):
    """Files of the list are gone: the list was read before it changed. Read it again."""

    def __init__(self, files: Sequence[Segment]) -> None:
        super().__init__(", ".join(file.file for file in files))
        self.files = files


class Cold:
    """Sealed files of one store. The engine is started when it is first needed; without sealed files it never is.

    Args:
        directory: of the store.
    """

    def __init__(self, directory: Path) -> None:
        self.folder = directory / COLD
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._keys: OrderedDict[tuple[str, int], Ints] = OrderedDict()
        self._damaged: set[str] = set()
        self._remembered = Remembered()

    def points(self, files: Sequence[Segment], series: int, first: int, end: int) -> tuple[Ints, Floats, Flags]:
        """Return time, value and quality of one series, oldest first."""
        text = "SELECT ts, value, quality FROM {source} WHERE series = ? AND ts >= ? AND ts < ? ORDER BY ts"
        found = self._read(files, text, [series, first, end])
        return found["ts"].astype(np.int64), found["value"].astype(np.float64), found["quality"].astype(np.uint8)

    def columns(
        self, files: Sequence[Segment], first: int, end: int, series: Iterable[int] | None = None
    ) -> dict[str, Any]:
        """Return series, ts, value, delay [s] and quality of all points, or of some series."""
        text = "SELECT series, ts, value, delay, quality FROM {source} WHERE ts >= ? AND ts < ?"
        return self._read(files, text + _chosen(series), [first, end])

    def aggregate(
        self, files: Sequence[Segment], first: int, end: int, series: Iterable[int] | None, *, step: int, without: int
    ) -> Table:
        """Return points of many series in buckets of `step` [ms], leaving out points with a flag of `without`."""
        if not files:
            return EMPTY
        return _table(self._read(files, bucket_query("{source}", step, without, _chosen(series)), [first, end]))

    def rolled(
        self, files: Sequence[Segment], length: int, span: tuple[int, int], series: Iterable[int] | None
    ) -> Table:
        """Return kept buckets of `length` [ms] that begin in the span; rejected points are not in them."""
        text = f"SELECT {ROLLUP} FROM {{source}} WHERE step = ? AND start >= ? AND start < ?" + _chosen(series)
        return _table(self._read(files, text, [length // 1000, *span])) if files else EMPTY

    def rolled_all(
        self, files: Sequence[Segment], length: int, span: tuple[int, int], series: Sequence[int] | None
    ) -> list[Table]:
        """Return the same of all series, or many, a table a file, each sorted; without times of first and last points.

        What a file holds is remembered; a few series are read from the file when it is not.
        """
        tables = []
        for file in files:
            if self.is_damaged(file):
                continue  # its points are read: what is remembered of it would count them twice
            table = self._remembered.find(file.file, length)
            if table is None:
                few = series if series is not None and len(series) <= FEW else None
                text = f"SELECT {BRIEF} FROM {{source}} WHERE step = ?" + _chosen(few)
                text += "" if few is None else " ORDER BY series, start"  # all of them lie in that order
                table = _table(self._read([file], text, [length // 1000]))
                if few is None and not self.is_damaged(file):
                    table = self._remembered.keep(file.file, length, table)
            tables.append(between(table, span, series))
        return tables

    def has(self, file: Segment, series: Iterable[int]) -> dict[int, Ints]:
        """Return the sealed times of each series, sorted; remembered, because sealed files never change."""
        wanted = set(series)
        missing = [number for number in wanted if (file.file, number) not in self._keys]
        if missing:
            found = self._read([file], "SELECT series, ts FROM {source} WHERE true" + _chosen(missing), [])
            order = np.lexsort((found["ts"], found["series"]))
            numbers, times = found["series"][order], found["ts"][order].astype(np.int64)
            for number in missing:
                begin, end = np.searchsorted(numbers, [number, number + 1])
                self._keys[file.file, number] = times[begin:end]
        result = {}
        for number in wanted:
            self._keys.move_to_end((file.file, number))
            result[number] = self._keys[file.file, number]
        while len(self._keys) > max(KEYS_KEPT, len(wanted)):
            self._keys.popitem(last=False)
        return result

    def engine(self) -> duckdb.DuckDBPyConnection:
        """Return the engine, started when there is none yet."""
        if self._engine is None:
            import duckdb

            self._engine = duckdb.connect(config={"memory_limit": MEMORY, "threads": 2})
            prepare(self._engine)
        return self._engine

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _read(self, files: Sequence[Segment], text: str, values: list[Any]) -> dict[str, Any]:
        import duckdb

        usable = [file for file in files if file.file not in self._damaged]
        try:
            return self._run([self.folder / file.file for file in usable], text, values)
        except duckdb.Error as error:
            gone = [file for file in usable if not (self.folder / file.file).exists()]
            if gone:
                raise MovedError(gone) from error
            sound = [file for file in usable if self.sound(file)]
            if len(sound) == len(usable):
                raise StoreError("store_failed", str(error)) from error
            return self._run([self.folder / file.file for file in sound], text, values)

    def _run(self, paths: Sequence[Path], text: str, values: list[Any]) -> dict[str, Any]:
        listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
        if not paths:
            return {name: np.empty(0) for name in ("series", "ts", "value", "delay", "quality", *ROLLUP.split(", "))}
        found: dict[str, Any] = (
            self.engine().execute(text.format(source=f"read_parquet([{listed}])"), values).fetchnumpy()
        )
        return found

    def sound(self, file: Segment) -> bool:
        """Tell whether a file can be read to its end; one that cannot is left out from then on."""
        import duckdb

        path = self.folder / file.file
        try:
            columns = "ts, value, delay, quality" if file.kind == "raw" else "start, mean, low, high, count"
            sums = ", ".join(f"count({name})" for name in columns.split(", "))
            self._run([path], f"SELECT {sums} FROM {{source}}", [])
        except (duckdb.Error, OSError) as error:
            reason = str(error).splitlines()[0]
            log.error("sealed file %s is damaged, its %d rows are left out: %s", path, file.rows, reason)
            self._damaged.add(file.file)
            return False
        return True

    def is_damaged(self, file: Segment) -> bool:
        return file.file in self._damaged

    def leave_out(self, files: Sequence[Segment]) -> None:
        """Read on without files that are missing although they are in the list."""
        for file in files:
            log.error("sealed file %s is missing, its %d rows are left out", self.folder / file.file, file.rows)
            self._damaged.add(file.file)


def prepare(engine: duckdb.DuckDBPyConnection) -> None:
    """Let an engine neither look for extensions on the Internet nor write to the terminal."""
    for name in ("autoinstall_known_extensions", "autoload_known_extensions", "enable_progress_bar"):
        engine.execute(f"SET {name} = false")


def bucket_query(source: str, step: int, without: int, more: str = "") -> str:
    """Return a query over points that gives buckets of `step` [ms]; its two values are the first time and the end."""
    good = f"(quality & {int(without)}) = 0"
    return f"""
    SELECT series, ts - ((ts % {int(step)}) + {int(step)}) % {int(step)} AS start,
        avg(value) FILTER (WHERE {good}) AS mean, min(value) FILTER (WHERE {good}) AS low,
        max(value) FILTER (WHERE {good}) AS high, count(*) FILTER (WHERE {good}) AS count,
        min(ts) AS first, max(ts) AS last, bit_or(quality) AS quality,
        count(*) FILTER (WHERE NOT {good}) AS left_out
    FROM {source} WHERE ts >= ? AND ts < ? {more} GROUP BY ALL
    """


def _chosen(series: Iterable[int] | None) -> str:
    if series is None:
        return ""
    return f" AND series IN ({', '.join(str(int(number)) for number in series) or 'NULL'})"


def _table(found: dict[str, Any]) -> Table:
    """Return rows of the engine as a table, in the order they came; `merge` sorts."""
    series, start = (found[name].astype(np.int64, copy=False) for name in ("series", "start"))
    count = found["count"].astype(np.int64, copy=False)
    empty = not count.all()

    def column(name: str, missing: float) -> Floats:
        values: Floats = found[name]
        if np.ma.isMaskedArray(values):
            values = np.ma.filled(values, missing)
        return np.where(count > 0, values, missing) if empty else values

    columns = {
        "series": series,
        "start": start,
        "total": column("mean", 0.0) * count,
        "low": column("low", np.inf),
        "high": column("high", -np.inf),
        "count": count,
        "first": found["first"].astype(np.int64, copy=False) if "first" in found else start,
        "last": found["last"].astype(np.int64, copy=False) if "last" in found else start,
        "quality": found["quality"].astype(np.uint8, copy=False),
        "left_out": found["left_out"].astype(np.int64, copy=False),
    }
    return Table(**columns)
