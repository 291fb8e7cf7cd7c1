"""Find the table in a text file: code page, delimiter, names of columns, units; what stands around it is counted."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from telemetry.importer import ImportFileError
from telemetry.importer.epw import is_epw, read_epw
from telemetry.importer.numbers import is_missing, looks_numeric
from telemetry.importer.times import looks_like_time
from telemetry.importer.units import known_unit

DELIMITERS = (",", ";", "\t", "|")
MOST_BYTES = 512 * 1024 * 1024
LOOK_AT = 200
NOISE_LINES = 60
"""A table begins within so many lines, or this is no table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows below their names, each with its line number. `units` is empty where the file has none."""

    name: str
    code: str
    delimiter: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    noise: int
    blank: int
    timezone: str = ""
    missing: dict[str, float] = field(default_factory=dict)

    def column(self, index: int, limit: int = 4000) -> list[str]:
        """Return cells of one column, spread over the whole file."""
        step = max(1, len(self.rows) // limit)
        return [cells[index] for _, cells in self.rows[::step] if index < len(cells)]


def read_table(path: Path) -> Table:
    """Read a file whole.

    Raises:
        ImportFileError: it is no table with a row of names.
    """
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        raise ImportFileError(f"{path}: cannot be read: {error.strerror}") from None
    if size > MOST_BYTES:
        raise ImportFileError(
            f"{path.name}: expected at most {MOST_BYTES >> 20} MiB, got {size >> 20}; cut it into years"
        )
    text, code = _decode(raw, path.name)
    try:
        return _epw(path.name, text, code) if is_epw(text) else _csv(path.name, text, code)
    except csv.Error as error:
        raise ImportFileError(
            f"{path.name}: expected a table, got a cell that does not end ({error}): is a quotation mark left open?"
        ) from None


def _csv(file: str, text: str, code: str) -> Table:
    lines = text.splitlines()
    delimiter = _delimiter(lines[:LOOK_AT], file)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True))
    if not any(any(row) for row in rows[:LOOK_AT]):
        raise ImportFileError(f"{file}: expected a row of column names and measurements below it, got empty cells")
    width = _width(rows[:LOOK_AT])
    begin = _first_data(rows, width, file)
    head = _head(rows, begin, width)
    if not head:
        raise ImportFileError(f"{file}: expected a row with the names of the columns above line {begin + 1}, got none")
    names = _unique(rows[head[0]], width)
    units = next((tuple(c.strip() for c in rows[i]) for i in head[1:] if _is_units(rows[i])), ())
    body = rows[begin:]
    kept = tuple((begin + i + 1, tuple(row)) for i, row in enumerate(body) if any(cell.strip() for cell in row))
    used = 1 + bool(units)
    return Table(
        name=file,
        code=code,
        delimiter=delimiter,
        names=names,
        units=units,
        rows=kept,
        noise=begin - used,
        blank=len(body) - len(kept),
    )


def _decode(raw: bytes, name: str) -> tuple[str, str]:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16"), "utf-16"
    if b"\0" in raw[:65536] or raw[:4] in (b"PK\x03\x04", b"%PDF"):
        raise ImportFileError(f"{name}: expected a text file (CSV), got a binary one; save a sheet as CSV first")
    for code in ("utf-8-sig", "gb18030" if _paired(raw) else "cp1252"):
        try:
            return raw.decode(code), code
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1"), "latin-1"


def _paired(raw: bytes) -> bool:
    """Tell Chinese from Western bytes: Han characters are pairs of high bytes, a degree sign stands alone."""
    runs = re.findall(rb"[\x80-\xff]+", raw)
    return sum(len(run) % 2 == 0 for run in runs) > len(runs) / 2


def _delimiter(lines: list[str], name: str) -> str:
    best, score = "", 0.0
    for delimiter in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if row]
        if not widths:
            continue
        width, count = Counter(widths).most_common(1)[0]
        sound = count / len(widths) * min(width, 12) * (1.0 if widths[0] == width else 0.2)
        if width > 1 and sound > score:
            best, score = delimiter, sound
    if not best or score < 0.2:
        raise ImportFileError(
            f"{name}: expected columns divided by comma, semicolon or tab under a row of names, got lines without them"
        )
    return best


def _width(rows: list[list[str]]) -> int:
    return Counter(len(row) for row in rows if any(row)).most_common(1)[0][0]


def _is_data(row: list[str], width: int) -> bool:
    filled = [cell for cell in row if not is_missing(cell)]
    if len(row) != width or not filled:
        return False
    sound = sum(looks_numeric(cell) or looks_like_time(cell) for cell in filled)
    return sound * 2 > len(filled) or (sound > 0 and looks_like_time(row[0]))


def _first_data(rows: list[list[str]], width: int, name: str) -> int:
    for i, row in enumerate(rows[:NOISE_LINES]):
        if _is_data(row, width) and all(_is_data(after, width) for after in rows[i + 1 : i + 3]):
            return i
    raise ImportFileError(
        f"{name}: expected measurements below a row of column names within the first {NOISE_LINES} lines, got none"
    )


def _head(rows: list[list[str]], begin: int, width: int) -> list[int]:
    """Return the lines that belong to the table above its data: names first, then units or descriptions."""
    found: list[int] = []
    for i in range(begin - 1, -1, -1):
        filled = sum(bool(cell.strip()) for cell in rows[i])
        if len(rows[i]) != width or filled < max(1, width // 2):
            break
        found.insert(0, i)
    return found


def _is_units(row: list[str]) -> bool:
    filled = [cell.strip() for cell in row if cell.strip()]
    return bool(filled) and sum(known_unit(cell) or cell in ("-", "s") for cell in filled) * 2 > len(filled)


def _unique(cells: list[str], width: int) -> tuple[str, ...]:
    names: list[str] = []
    for i in range(width):
        name = cells[i].strip() if i < len(cells) else ""
        name = name or f"column {i + 1}"
        names.append(name if name not in names else f"{name} ({i + 1})")
    return tuple(names)


def _epw(name: str, text: str, code: str) -> Table:
    content = read_epw(text, name)
    return Table(
        name=name,
        code=code,
        delimiter=",",
        names=content.names,
        units=content.units,
        rows=content.rows,
        noise=content.noise,
        blank=0,
        timezone=content.timezone,
        missing=content.missing,
    )
