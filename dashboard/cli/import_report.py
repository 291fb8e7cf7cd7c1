"""What an import found, for people as tables and for programs as JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from dashboard.cli.import_run import Stored
    from telemetry.importer.understand import Understood

ORDERS = {
    "iso": "ISO 8601",
    "dmy": "day/month/year",
    "mdy": "month/day/year",
    "excel": "Excel day numbers",
    "epoch_s": "epoch seconds",
    "epoch_ms": "epoch milliseconds",
    "since": "seconds since the start given",
}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def show(found: Understood, say: Callable[[str], None], *, timezone: str) -> None:
    """Say what the file is, what its columns are, and what becomes of its lines."""
    table, reading, counts = found.table, found.reading, found.reading.counts
    point = "comma" if found.comma else "point"
    say(f"{table.name}: {table.code}, columns divided by {DELIMITERS[table.delimiter]}, decimal {point}, times as")
    say(f"  {ORDERS[found.form.kind]} in {table.timezone or found.form.timezone}")
    say("")
    rows: list[tuple[str, ...]] = [("column", "is", "unit", "device", "sure", "")]
    rows += [
        (c.name, c.metric if c.use else "-", c.unit if c.use else "", c.device, f"{c.confidence:.2f}", c.why)
        for c in found.columns
    ]
    for line in _columns(rows, (44, 20, 15, 26, 4, 0)):
        say(line)
    say("")
    local = ZoneInfo(timezone)
    if counts.kept:
        first, last = (f"{datetime.fromtimestamp(at, local):%Y-%m-%d %H:%M}" for at in (reading.start, reading.end))
        missing = sum(gap.end - gap.start for gap in reading.gaps)
        say(f"from {first} to {last} ({timezone}), every {reading.interval:g} s;")
        say(f"  {len(reading.gaps)} gaps, {missing / 3600:.1f} h together")
    rejected = counts.rejected.total()
    say(f"lines read {counts.read} = kept {counts.kept} + rejected {rejected} + duplicates {counts.duplicates}")
    say(f"  beside them {table.noise} of header and {table.blank} blank; {counts.out_of_order} out of order, sorted")
    for reason, count in counts.rejected.most_common():
        say(f"  rejected {count}: {reason} ({counts.samples[reason]})")
    say(
        f"values {counts.values} = to store {counts.points} + empty {counts.empty} + repeated {counts.repeated}"
        f" + refused {counts.refused_values.total()}"
    )
    for reason, count in counts.refused_values.most_common():
        say(f"  refused {count}: {reason} ({counts.samples[reason]})")


def as_dict(found: Understood, stored: Stored | None) -> dict[str, Any]:
    """Return the report for programs; `stored` is null after a dry run."""
    reading, counts = found.reading, found.reading.counts
    return {
        "file": found.table.name,
        "delimiter": found.table.delimiter,
        "encoding": found.table.code,
        "decimal_comma": found.comma,
        "times": found.form.kind,
        "timezone": found.form.timezone,
        "columns": [{name: getattr(column, name) for name in column.__slots__} for column in found.columns],
        "rows_read": counts.read,
        "rows_kept": counts.kept,
        "duplicates": counts.duplicates,
        "rejected": dict(counts.rejected),
        "values": counts.values,
        "points": counts.points,
        "empty": counts.empty,
        "repeated": counts.repeated,
        "refused_values": dict(counts.refused_values),
        "out_of_order": counts.out_of_order,
        "interval": reading.interval,
        "gaps": [[gap.start, gap.end] for gap in reading.gaps],
        "start": reading.start,
        "end": reading.end,
        "stored": None if stored is None else {name: getattr(stored, name) for name in stored.__slots__},
    }


def _columns(rows: list[tuple[str, ...]], widths: tuple[int, ...]) -> list[str]:
    """Set rows in columns no wider than `widths`; a Han character is two wide."""
    used = [min(most, max(_width(row[i]) for row in rows)) if most else 0 for i, most in enumerate(widths)]
    return ["  ".join(_fit(cell, used[i]) for i, cell in enumerate(row)).rstrip() for row in rows]


def _width(text: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def _fit(text: str, width: int) -> str:
    if not width:
        return text
    if _width(text) > width:
        while _width(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - _width(text))
