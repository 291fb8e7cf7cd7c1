"""Instants as they stand in files: which format, which order of day and month, which time zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from telemetry.importer import ImportFileError
from telemetry.importer.numbers import is_missing

CLOCK = (
    r"(?P<early>[上下]午)?\s*(?P<h>\d{1,2})[:h时點点](?P<n>\d{2})分?(?::?(?P<s>\d{2})(?:[.,]\d+)?秒?)?"
    r"\s*(?P<half>[ap]\.?m\.?)?"
)
ISO = re.compile(
    rf"(?P<y>\d{{4}})[-/.年](?P<m>\d{{1,2}})[-/.月](?P<d>\d{{1,2}})日?(?:(?:[T\s]+|(?<=日)){CLOCK})?\s*(?P<z>Z|UTC|[+-]\d{{2}}:?\d{{2}})?",
    re.IGNORECASE,
)
DAYS = re.compile(
    rf"(?P<a>\d{{1,2}})(?P<sep>[-/.])(?P<b>\d{{1,2}})(?P=sep)(?P<y>\d{{4}}|\d{{2}})(?:[T\s,]+{CLOCK})?", re.IGNORECASE
)
ALONE = re.compile(CLOCK, re.IGNORECASE)
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
EXCEL_ZERO = datetime(1899, 12, 30)
NAMES = re.compile(
    r"date|time|stamp|epoch|unix|datum|tijd|zeit|uhr|heure|fecha|hora|时间|日期|时刻|^ts$|^column 1$", re.IGNORECASE
)
SINCE = re.compile(r"since|elapsed|verstreken", re.IGNORECASE)
SHARE = 0.8
"""A column is one of times when so many of its cells can be read as such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeFormat:
    """How instants are written. `columns`: one, or date and time. `start`: for seconds counted from an instant."""

    columns: tuple[int, ...]
    kind: str  # iso | dmy | mdy | excel | epoch_s | epoch_ms | since
    timezone: str
    start: float = 0.0


def looks_like_time(cell: str) -> bool:
    text = cell.strip()
    return any(pattern.fullmatch(text) for pattern in (ISO, DAYS, ALONE))


def find_times(
    names: Sequence[str],
    units: Sequence[str],
    column: Callable[[int], list[str]],
    *,
    timezone: str,
    order: str = "",
    start: float | None = None,
) -> TimeFormat:
    """Find the column, or the two, that say when.

    Args:
        column: gives cells of a column, spread over the file.
        order: `dmy` or `mdy`, where the data do not tell.
        start: of seconds counted from an instant [UTC epoch s].

    Raises:
        ImportFileError: there is none, or the data allow two readings.
    """
    cells = {i: [c.strip() for c in column(i) if not is_missing(c)] for i in range(len(names))}
    named = [i for i in cells if NAMES.search(names[i])]
    rest = [i for i in cells if i not in named]
    for i in [*named, *rest]:
        kind = _kind(cells[i], named=i in named, order=order)
        if kind == "clock":
            continue
        if kind == "since":
            unit = units[i].strip() if i < len(units) else ""
            if i != 0 or (unit not in ("s", "sec", "seconds") and not SINCE.search(names[i])):
                continue
            if start is None:
                raise ImportFileError(
                    f"column {names[i]!r} counts seconds from a beginning that the file does not tell; give it with"
                    " --start, for example --start 2009-10-20T00:00"
                )
            return TimeFormat(columns=(i,), kind=kind, timezone=timezone, start=start)
        if kind:
            clock = _clock_beside(i, cells, kind)
            return TimeFormat(columns=(i, *clock), kind=kind, timezone=timezone)
    raise ImportFileError(
        "expected a column with date and time (ISO 8601, 31/12/2025 23:59, Excel day numbers, epoch s or ms),"
        f" got the columns {', '.join(map(repr, names[:8]))}{' …' if len(names) > 8 else ''}"
    )


def _kind(cells: list[str], *, named: bool, order: str) -> str:
    if not cells:
        return ""
    enough = SHARE * len(cells)
    if sum(ISO.fullmatch(c) is not None for c in cells) >= enough:
        return "iso"
    days = [match for c in cells if (match := DAYS.fullmatch(c))]
    if len(days) >= enough:
        return order or _order(days)
    if sum(ALONE.fullmatch(c) is not None for c in cells) >= enough:
        return "clock"
    numbers = [float(c.replace(",", ".")) for c in cells if NUMBER.fullmatch(c)]
    if not named or len(numbers) < enough:
        return ""
    low, high = min(numbers), max(numbers)
    for kind, least, most in (("epoch_s", 3e8, 4.2e9), ("epoch_ms", 3e11, 4.2e12), ("excel", 20000.0, 80000.0)):
        if least <= low and high <= most and kind != "excel":
            return kind
        if kind == "excel" and least <= low and high <= most and high - low < 20000.0:
            return kind
    rising = sum(b > a for a, b in pairwise(numbers)) >= SHARE * (len(numbers) - 1)
    return "since" if rising and low == numbers[0] and low <= 86400.0 else ""


def _order(days: list[re.Match[str]]) -> str:
    """Decide day/month or month/day: by a number above 12, else by which order runs on without jumps."""
    first = any(int(m["a"]) > 12 for m in days)
    second = any(int(m["b"]) > 12 for m in days)
    if first and second:
        raise ImportFileError(
            "the dates stand day first in some rows and month first in others; say which with --dates dmy or mdy"
        )
    if first or second:
        return "dmy" if first else "mdy"
    if days[0]["sep"] == ".":
        return "dmy"
    if len({(m["a"], m["b"]) for m in days}) > 1:
        backward = {kind: _jumps(days, kind) for kind in ("dmy", "mdy")}
        if backward["dmy"] != backward["mdy"]:
            return min(backward, key=lambda kind: backward[kind])
    raise ImportFileError(
        f"a date such as {days[0].group()!r} can be read day first or month first, and the others do not tell;"
        " say which with --dates dmy or --dates mdy"
    )


def _jumps(days: list[re.Match[str]], kind: str) -> float:
    """Return how far a reading of the dates leaps: backwards steps and long ones weigh most."""
    dates = [_day(m, kind) for m in days if int(m["a"]) and int(m["b"])]
    return sum(abs((b - a).days - 0.5) ** 2 for a, b in pairwise(dates))


def _day(match: re.Match[str], kind: str) -> datetime:
    year = int(match["y"])
    year += 2000 if year < 70 else 1900 if year < 100 else 0
    day, month = (match["a"], match["b"]) if kind == "dmy" else (match["b"], match["a"])
    return datetime(year, int(month), int(day))


def _clock_beside(date: int, cells: dict[int, list[str]], kind: str) -> tuple[int, ...]:
    """Return the column of times of day that belongs to one of dates."""
    if kind not in ("iso", "dmy", "mdy"):
        return ()
    pattern = ISO if kind == "iso" else DAYS
    sample = next(match for c in cells[date] if (match := pattern.fullmatch(c)))
    if sample["h"] is not None:
        return ()
    found = (i for i in cells if i != date and cells[i] and all(ALONE.fullmatch(c) for c in cells[i][:50]))
    return tuple(found)[:1]


class TimeReader:
    """Turns cells into instants; follows the clock through the hour that comes twice in autumn.

    Rows must come in the order of the file.
    """

    def __init__(self, form: TimeFormat) -> None:
        self._form = form
        self._zone = ZoneInfo(form.timezone)
        self._last: datetime | None = None
        self._second = False

    def read(self, cells: Sequence[str]) -> float:
        """Return the instant of a row [UTC epoch s].

        Raises:
            ValueError: it cannot be read, or the local clock skips it in spring.
        """
        text = " ".join(cells[i].strip() for i in self._form.columns)
        match self._form.kind:
            case "epoch_s":
                return float(text.replace(",", "."))
            case "epoch_ms":
                return float(text.replace(",", ".")) / 1000.0
            case "since":
                return self._form.start + float(text.replace(",", "."))
            case "excel":
                return self._local(EXCEL_ZERO + timedelta(seconds=round(float(text.replace(",", ".")) * 86400.0)))
            case "iso":
                found = ISO.fullmatch(text)
                if found is None:
                    raise ValueError(f"expected a date, got {text[:40]!r}")
                naive = datetime(int(found["y"]), int(found["m"]), int(found["d"])) + _clock(found)
                return self._local(naive) if not found["z"] else _offset(naive, found["z"])
            case kind:
                found = DAYS.fullmatch(text)
                if found is None:
                    raise ValueError(f"expected a date, got {text[:40]!r}")
                return self._local(_day(found, kind) + _clock(found))

    def _local(self, naive: datetime) -> float:
        first, second = (naive.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset():
            self._second = False
            self._last = naive
            return first.timestamp()
        if first.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != naive:
            raise ValueError(f"{naive} does not exist: clocks are put forward over it in {self._form.timezone}")
        if self._last is not None and naive <= self._last:
            self._second = True
        self._last = naive
        return (second if self._second else first).timestamp()


def _clock(match: re.Match[str]) -> timedelta:
    if match["h"] is None:
        return timedelta()
    hour, half = int(match["h"]), (match["half"] or "").lower().replace(".", "")
    half = {"上午": "am", "下午": "pm"}.get(match["early"] or "", half)
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 24 or int(match["n"]) > 59 or int(match["s"] or 0) > 60:
        raise ValueError(f"expected a time of day, got {match.group()!r}")
    return timedelta(hours=hour, minutes=int(match["n"]), seconds=int(match["s"] or 0))


def _offset(naive: datetime, zone: str) -> float:
    if zone.upper() in ("Z", "UTC"):
        return naive.replace(tzinfo=UTC).timestamp()
    sign = -1.0 if zone[0] == "-" else 1.0
    seconds = sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
    return naive.replace(tzinfo=UTC).timestamp() - seconds
