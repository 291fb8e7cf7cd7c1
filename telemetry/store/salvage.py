"""Points out of the pages of a damaged SQLite file to which its own trees lead no more (sqlite.org/fileformat2.html).

A page that leads to others, when it is damaged, takes with it all that lies below. The points themselves are still
there; they are known by their shape: seven numbers, the first of which is the hour of the third. So are the names.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path

from telemetry.store.rollup import HOUR

Row = tuple[int, int, int, float, int, int, int]
Name = tuple[int, str, str, str, str]
Value = int | float | str

LEAF, INNER = 0x0A, 0x02
"""Kinds of pages of a table without row ids; the inner ones hold rows too."""
WHOLE = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}
"""Length of a whole number by its code [byte]; 8 and 9 are 0 and 1 themselves."""
REAL = 7
TEXT = 13
"""The code of an empty text; each octet adds two."""
COLUMNS = 7
NAME_COLUMNS = 5
WAL_HEAD, FRAME_HEAD = 32, 24
PAGE_SIZES = [2**power for power in range(9, 17)]


def salvage(database: Path, log: Path) -> Iterator[Row]:
    """Give every row of the table of points in a file and its write-ahead log; the same row may come several times."""
    for page in _pages(database, log):
        yield from rows_of(page)


def salvage_names(database: Path, log: Path) -> Iterator[Name]:
    """Give number and name of every series likewise, out of the index of names: four texts and the number."""
    for page in _pages(database, log):
        for values in _records(page):
            *texts, number = values
            if len(values) == NAME_COLUMNS and all(isinstance(t, str) for t in texts) and isinstance(number, int):
                site, zone, device, metric = map(str, texts)
                yield number, site, zone, device, metric


def _pages(database: Path, log: Path) -> Iterator[bytes]:
    size = _page_size(database, log)
    if database.exists():
        with database.open("rb") as file:
            while page := file.read(size):
                yield page
    if log.exists():
        with log.open("rb") as file:
            file.seek(WAL_HEAD)
            while len(file.read(FRAME_HEAD)) == FRAME_HEAD:
                yield file.read(size)


def _page_size(database: Path, log: Path) -> int:
    for path, place, form in ((log, 8, ">I"), (database, 16, ">H")):
        if path.exists():
            with path.open("rb") as file:
                file.seek(place)
                head = file.read(struct.calcsize(form))
            if len(head) == struct.calcsize(form):
                (size,) = struct.unpack(form, head)
                if size in PAGE_SIZES:
                    return int(size)
    return 4096


def rows_of(page: bytes) -> Iterator[Row]:
    """Give the points of a page; none of one that is not of their table, or makes no sense."""
    for values in _records(page):
        if len(values) != COLUMNS or any(isinstance(value, str) for value in values):
            continue
        hour, series, at, value, delay, quality, batch = values
        numbers = (hour, series, at, delay, quality, batch)
        if not all(isinstance(number, int) for number in numbers) or not math.isfinite(float(value)):
            continue
        row = (int(hour), int(series), int(at), float(value), int(delay), int(quality), int(batch))
        if row[0] == row[2] // HOUR and row[1] >= 1 and 0 <= row[5] < 128 and row[6] >= 0:
            yield row


def _records(page: bytes) -> Iterator[list[Value]]:
    """Give the records of an index, or of a table without row ids; of another page none."""
    if len(page) < 12 or page[0] not in (LEAF, INNER):
        return
    first, before = (8, 0) if page[0] == LEAF else (12, 4)
    cells = int.from_bytes(page[3:5], "big")
    for i in range(min(cells, (len(page) - first) // 2)):
        begin = int.from_bytes(page[first + 2 * i : first + 2 * i + 2], "big") + before
        try:
            yield _record(page, begin)
        except (IndexError, UnicodeDecodeError):
            continue


def _record(page: bytes, begin: int) -> list[Value]:
    """Read a cell. Raises IndexError when it is none, reaches beyond the page or has other things in it."""
    _, begin = _varint(page, begin)
    length, at = _varint(page, begin)
    body = begin + length
    codes: list[int] = []
    while at < body and len(codes) <= COLUMNS:
        code, at = _varint(page, at)
        codes.append(code)
    if at != body:
        raise IndexError
    values: list[Value] = []
    for code in codes:
        text = code >= TEXT and code % 2 == 1
        width = (code - TEXT) // 2 if text else 8 if code == REAL else WHOLE.get(code, len(page))
        part = page[body : body + width]
        if len(part) < width:
            raise IndexError
        body += width
        if text:
            values.append(part.decode())
        elif code == REAL:
            values.append(struct.unpack(">d", part)[0])
        else:
            values.append(code - 8 if code >= 8 else int.from_bytes(part, "big", signed=True))
    return values


def _varint(page: bytes, at: int) -> tuple[int, int]:
    value = 0
    for _ in range(9):
        byte = page[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 128:
            return value, at
    raise IndexError
