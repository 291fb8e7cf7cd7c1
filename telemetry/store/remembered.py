"""Sealed buckets of all series, remembered while there is room: a sealed file never changes, reading it costs most."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from telemetry.store.rollup import EMPTY, Table

MOST_BYTES = 64_000_000
"""Twice the hours of a month of 1000 series."""

NAMES = [field.name for field in fields(Table) if field.name not in {"first", "last"}]
"""Columns that are remembered; nobody asks for the times of first and last points of many series."""


class Remembered:
    """Tables by file and length of their buckets [ms]; the one not asked for longest goes first.

    Args:
        most: of all tables together [byte]; a larger one is not kept.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._tables: OrderedDict[tuple[str, int], Table] = OrderedDict()

    def find(self, file: str, length: int) -> Table | None:
        """Return the buckets of a file; None when they are not remembered."""
        table = self._tables.get((file, length))
        if table is not None:
            self._tables.move_to_end((file, length))
        return table

    def keep(self, file: str, length: int, table: Table) -> Table:
        """Remember all buckets of a file, without the times of first and last points; return them as they are kept."""
        kept = _compact(table)
        self._tables[file, length] = kept
        while sum(map(_size, self._tables.values())) > self._most:
            self._tables.popitem(last=False)
        return kept


def between(table: Table, span: tuple[int, int], series: Sequence[int] | None) -> Table:
    """Return buckets of a sorted table that begin in the span [ms], first <= start < end, of these series or all."""
    first, end = span
    chosen = (table.start >= first) & (table.start < end)
    if series is not None:
        chosen &= np.isin(table.series, list(series))
    if chosen.all():
        return table
    rows = int(chosen.sum())
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in NAMES:
        column = getattr(table, name)
        alike = rows > 0 and column.strides[0] == 0
        columns[name] = np.broadcast_to(column[0], rows) if alike else column[chosen]
    columns["first"] = columns["last"] = columns["start"]
    return Table(**columns)


def weave(tables: Sequence[Table]) -> Table | None:
    """Return sorted tables that follow each other in time as one; None when they overlap in time: `merge` those.

    Without sorting: what a series has in one table stands together, and goes behind what it has in those before.
    """
    parts = sorted((table for table in tables if len(table)), key=lambda table: int(table.start.min()))
    if any(int(a.start.max()) >= int(b.start.min()) for a, b in pairwise(parts)):
        return None
    if len(parts) < 2:
        return parts[0] if parts else EMPTY
    numbers = np.arange(max(int(part.series[-1]) for part in parts) + 2)
    edges = [np.searchsorted(part.series, numbers.astype(part.series.dtype)) for part in parts]
    counts = [np.diff(edge) for edge in edges]
    offset = np.cumsum(sum(counts)) - sum(counts)
    places = []
    for part, edge, count in zip(parts, edges, counts, strict=True):
        places.append(np.arange(len(part)) + np.repeat(offset - edge[:-1], count))
        offset = offset + count
    columns = {name: _woven([getattr(part, name) for part in parts], places) for name in NAMES}
    columns["first"] = columns["last"] = columns["start"]
    return Table(**columns)


def _woven(parts: Sequence[npt.NDArray[Any]], places: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[Any]:
    size = sum(map(len, parts))
    value = parts[0][0]
    if all((part.strides[0] == 0 or len(part) < 50_000) and (part == value).all() for part in parts):
        return np.broadcast_to(value, size)
    column = np.empty(size, np.result_type(*parts))
    for part, place in zip(parts, places, strict=True):
        column[place] = part
    return column


def _compact(table: Table) -> Table:
    """Return a table sorted by series, then start, in less room: a column of one value is held once."""
    later = (np.diff(table.series) > 0) | ((np.diff(table.series) == 0) & (np.diff(table.start) > 0))
    if not later.all():
        table = table.where(np.lexsort((table.start, table.series)))
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in ("count", "quality", "left_out"):
        column = getattr(table, name)
        alike = len(column) > 0 and (column == column[0]).all()
        columns[name] = np.broadcast_to(column[0], len(column)) if alike else column
    columns["first"] = columns["last"] = table.start
    return replace(table, series=table.series.astype(np.int32), **columns)


def _size(table: Table) -> int:
    columns = {id(column): column for column in (getattr(table, field.name) for field in fields(Table))}
    return sum(column.nbytes for column in columns.values() if column.strides[0])
