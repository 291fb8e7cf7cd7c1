"""Lines to measurements: every line and every cell is used, or counted under the reason why it is not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from telemetry.importer.mapping import Column
from telemetry.importer.numbers import parse_number
from telemetry.importer.table import Table
from telemetry.importer.times import TimeFormat, TimeReader

GAP_STEPS = 3.0
EARLIEST = 0.0
NEVER_ZERO = frozenset({"relative_humidity", "co2", "outside_humidity"})
"""A line of nothing but zeros that includes one of these is a logger that was starting."""


@dataclass(slots=True)
class Counts:
    """`read` = `kept` + `duplicates` + all `rejected`; `values` = `points` + `empty` + `repeated` + all refused."""

    read: int = 0
    kept: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    values: int = 0
    points: int = 0
    empty: int = 0
    repeated: int = 0
    refused_values: Counter[str] = field(default_factory=Counter)
    out_of_order: int = 0
    samples: dict[str, str] = field(default_factory=dict)

    def reject(self, reason: str, line: int, detail: str) -> None:
        self.rejected[reason] += 1
        self.samples.setdefault(reason, f"line {line}: {detail}")

    def refuse(self, reason: str, line: int, detail: str) -> None:
        self.refused_values[reason] += 1
        self.samples.setdefault(reason, f"line {line}: {detail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Nothing was measured from `start` to `end` [UTC epoch s]."""

    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file holds: for each device its instants in order, with the values by metric."""

    devices: dict[str, list[tuple[float, dict[str, float]]]]
    counts: Counts
    interval: float
    gaps: tuple[Gap, ...]
    start: float
    end: float


def read_rows(table: Table, columns: Sequence[Column], form: TimeFormat, *, comma: bool, now: float) -> Reading:
    """Read every line.

    Args:
        now: what lies a day after this is a mistake [UTC epoch s].
    """
    counts, clock = Counts(), TimeReader(form)
    used = [(table.names.index(c.name), table.names.index(c.partner) if c.partner else -1, c) for c in columns if c.use]
    kept: dict[float, dict[tuple[str, str], float]] = {}
    newest = -math.inf
    for line, cells in table.rows:
        counts.read += 1
        if len(cells) != len(table.names):
            counts.reject("wrong_width", line, f"{len(cells)} cells instead of {len(table.names)}: {_short(cells)}")
            continue
        try:
            at = clock.read(cells)
        except (ValueError, OverflowError) as error:
            counts.reject("bad_time", line, str(error))
            continue
        if not EARLIEST <= at <= now + 86400.0:
            counts.reject("impossible_time", line, f"{_short(cells)} lies before 1970 or in the future")
            continue
        found, empty, refused = _values(used, cells, comma=comma, missing=table.missing)
        if not found:
            counts.reject("no_values", line, _short(cells))
            continue
        if len(found) >= 5 and not any(found.values()) and any(metric in NEVER_ZERO for _, metric in found):
            counts.reject("all_zero", line, _short(cells))
            continue
        known = kept.setdefault(at, {})
        if any(known.get(key, value) != value for key, value in found.items()):
            counts.reject("same_time_other_values", line, _short(cells))
            continue
        if known and all(key in known for key in found):
            counts.duplicates += 1
            continue
        counts.out_of_order += at < newest
        newest = max(newest, at)
        counts.kept += 1
        counts.values += len(found) + empty + len(refused)
        counts.empty += empty
        counts.repeated += sum(key in known for key in found)
        for reason in refused:
            counts.refuse(reason, line, _short(cells))
        known.update(found)
    return _reading(kept, counts)


def _values(
    used: list[tuple[int, int, Column]], cells: tuple[str, ...], *, comma: bool, missing: dict[str, float]
) -> tuple[dict[tuple[str, str], float], int, list[str]]:
    """Return the values of a line by (device, metric), how many cells are empty, and why others are refused."""
    found: dict[tuple[str, str], float] = {}
    empty, refused = 0, []
    for index, partner, column in used:
        try:
            value = _number(cells[index], comma, missing.get(column.name))
            other = _number(cells[partner], comma, missing.get(column.partner)) if partner >= 0 else math.nan
        except ValueError:
            refused.append("not_a_number")
            continue
        value = value if math.isnan(value) else column.convert(value, other)
        if math.isnan(value):
            empty += 1
        else:
            found[column.device, column.metric] = round(value, 6)
    return found, empty, refused


def _number(cell: str, comma: bool, missing: float | None) -> float:
    value = parse_number(cell, comma=comma)
    return math.nan if value == missing else value


def _reading(kept: dict[float, dict[tuple[str, str], float]], counts: Counts) -> Reading:
    instants = sorted(at for at, values in kept.items() if values)
    devices: dict[str, list[tuple[float, dict[str, float]]]] = {}
    for at in instants:
        split: dict[str, dict[str, float]] = {}
        for (device, metric), value in kept[at].items():
            split.setdefault(device, {})[metric] = value
        for device, values in split.items():
            devices.setdefault(device, []).append((at, values))
        counts.points += len(kept[at])
    steps = [b - a for a, b in pairwise(instants)]
    interval = median(steps) if steps else 0.0
    gaps = tuple(Gap(start=a, end=b) for a, b in pairwise(instants) if interval and b - a > GAP_STEPS * interval)
    first, last = (instants[0], instants[-1]) if instants else (0.0, 0.0)
    return Reading(devices=devices, counts=counts, interval=interval, gaps=gaps, start=first, end=last)


def _short(cells: Sequence[str]) -> str:
    return ", ".join(cells[:4])[:60] + (" …" if len(cells) > 4 else "")
