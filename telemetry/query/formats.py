"""An answer as CSV, JSON, Parquet or Arrow; the columns have the same names and order in all of them."""

from __future__ import annotations

import csv
import io
import json
import math
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from telemetry.query import Answer

if TYPE_CHECKING:
    import duckdb

FORMATS = ("table", "csv", "json", "parquet", "arrow")
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell of text that begins so would be run by a spreadsheet."""
ROWS = 5000
SHARES = {0: "good", 1: "range", 2: "rate", 4: "stuck", 8: "stale", 16: "duplicate", 32: "late", 64: "skew"}


def encode(answer: Answer, form: str) -> Iterable[bytes]:
    """Give an answer in one of `FORMATS`, in blocks.

    Raises:
        ValueError: there is no such format.
    """
    match form:
        case "table":
            return _text(_table(answer))
        case "csv":
            return _text(_csv(answer))
        case "json":
            return _text(_json(answer))
        case "parquet":
            return [_parquet(answer)]
        case "arrow":
            return [_arrow(answer)]
    raise ValueError(f"format: expected one of {', '.join(FORMATS)}, got {form!r}")


def flags(quality: int) -> str:
    """Return the flags of a quality as words."""
    return SHARES.get(quality) or "+".join(word for bit, word in SHARES.items() if bit and quality & bit)


def local(at: float, zone: tzinfo) -> str:
    """Return an instant as ISO 8601 with its offset, to the millisecond where it has some."""
    when = datetime.fromtimestamp(round(at, 3), zone)
    return when.isoformat(timespec="milliseconds" if when.microsecond else "seconds")


def _text(lines: Iterator[str]) -> Iterator[bytes]:
    for line in lines:
        yield line.encode()


def _rows(answer: Answer) -> Iterator[list[list[Any]]]:
    """Give rows in blocks: time, names, numbers, flags; NaN as None."""
    parts = answer.parts
    names = ([getattr(name, part) for part in parts] for name in answer.names)
    texts = [(*name, unit) for name, unit in zip(names, answer.units, strict=True)]
    for begin in range(0, len(answer), ROWS):
        block = slice(begin, begin + ROWS)
        numbers = [column[block].tolist() for column in answer.values.values()]
        rows = zip(
            answer.at[block].tolist(),
            answer.series[block].tolist(),
            *numbers,
            answer.quality[block].tolist(),
            strict=True,
        )
        yield [
            [
                local(at, answer.timezone),
                *texts[series],
                *(None if math.isnan(number) else number for number in rest[:-1]),
                flags(rest[-1]),
            ]
            for at, series, *rest in rows
        ]


def heads(answer: Answer) -> list[str]:
    return ["time", *answer.parts, "unit", *answer.values, "quality"]


def _csv(answer: Answer) -> Iterator[str]:
    yield _lines([heads(answer)])
    for rows in _rows(answer):
        yield _lines([[_cell(value) for value in row] for row in rows])


def _lines(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA):
        return "'" + value
    return repr(value) if isinstance(value, float) else value


def _json(answer: Answer) -> Iterator[str]:
    columns = heads(answer)
    yield '{"columns": ' + json.dumps(columns) + ', "rows": ['
    comma = ""
    for rows in _rows(answer):
        yield comma + ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
        comma = ",\n"
    yield "]}\n"


def _table(answer: Answer) -> Iterator[str]:
    """Give a table for people; numbers with as many digits as they need, at most six."""
    columns = heads(answer)
    shown = [[_short(value) for value in row] for rows in _rows(answer) for row in rows]
    widths = [max([len(head), *(len(row[i]) for row in shown)]) for i, head in enumerate(columns)]
    for row in [columns, *shown]:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"


def _short(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else "".join(c if c.isprintable() else "?" for c in str(value))


def _relation(db: duckdb.DuckDBPyConnection, answer: Answer) -> None:
    """Make the answer a view of the engine: times as UTC instants of milliseconds."""
    numbers = {f"v{i}": column for i, column in enumerate(answer.values.values())}
    db.register("rows", {"s": answer.series, "t": np.round(answer.at * 1e3), **numbers, "q": answer.quality})
    texts = {part: np.array([getattr(name, part) for name in answer.names], dtype=object) for part in answer.parts}
    texts["unit"] = np.array(answer.units, dtype=object)
    db.register("texts", {"n": np.arange(len(answer.names)), **texts})
    values = ", ".join(
        f'CASE WHEN NOT isnan(v{i}::DOUBLE) THEN v{i} END AS "{name}"' for i, name in enumerate(answer.values)
    )
    db.execute(f"""
        CREATE TEMP TABLE answer AS SELECT make_timestamp_ms(t::BIGINT)::TIMESTAMPTZ AS "time", {", ".join(texts)},
            {values}, q AS quality FROM rows JOIN texts ON s = n ORDER BY s, t
    """)


def _parquet(answer: Answer) -> bytes:
    with tempfile.TemporaryDirectory(prefix="berrybrain-") as folder, _engine() as db:
        _relation(db, answer)
        path = Path(folder) / "answer.parquet"
        db.execute(f"COPY answer TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet, COMPRESSION zstd)")
        return path.read_bytes()


def _arrow(answer: Answer) -> bytes:
    from nanoarrow.ipc import StreamWriter

    with _engine() as db:
        _relation(db, answer)
        stream = io.BytesIO()
        with StreamWriter.from_writable(stream) as writer:
            writer.write_stream(db.table("answer"))
        return stream.getvalue()


def _engine() -> duckdb.DuckDBPyConnection:
    import duckdb

    from telemetry.store.cold import prepare

    engine = duckdb.connect(config={"threads": 2})
    prepare(engine)
    engine.execute(f"SET TimeZone = '{UTC}'")
    return engine
