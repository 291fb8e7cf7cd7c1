"""A file from its bytes to measurements, with everything that was decided on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from telemetry.importer import ImportFileError
from telemetry.importer.mapping import Column, from_toml, propose, to_toml
from telemetry.importer.numbers import decimal_comma
from telemetry.importer.rows import Reading, read_rows
from telemetry.importer.table import Table, read_table
from telemetry.importer.times import TimeFormat, find_times
from telemetry.messages.tables import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person says about a file.

    Attributes:
        device: under which the measurements go.
        timezone: of times without an offset.
        order: `dmy` or `mdy`, where the dates do not tell.
        start: of seconds counted from an instant [UTC epoch s].
        mapping: a saved one, instead of a proposal.
        rename: `device` goes before the devices that the mapping names, which may be another file's.
    """

    device: str
    timezone: str
    order: str = ""
    start: float | None = None
    mapping: Path | None = None
    rename: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A file, read. `boot` is the same for the same file under the same mapping."""

    table: Table
    form: TimeFormat
    columns: tuple[Column, ...]
    reading: Reading
    comma: bool
    boot: str


def understand(path: Path, metrics: Mapping[str, Metric], wish: Wish, *, now: float) -> Understood:
    """Read a file.

    Args:
        now: the present [UTC epoch s]; what lies after it cannot have been measured.

    Raises:
        ImportFileError: it holds nothing that the farm knows, or says it in a way that can be read twice.
    """
    table = read_table(path)
    cells = [cell for i in range(len(table.names)) for cell in table.column(i, 200)]
    comma = table.delimiter != "," and decimal_comma(cells)
    try:
        form = find_times(
            table.names, table.units, table.column, timezone=wish.timezone, order=wish.order, start=wish.start
        )
    except ImportFileError as error:
        raise ImportFileError(f"{table.name}: {error}") from None
    if wish.mapping is not None:
        columns = from_toml(wish.mapping, table.names, metrics)
        columns = _renamed(columns, wish.device) if wish.rename else columns
    else:
        columns = propose(
            table.names, table.units, table.column, metrics, device=wish.device, comma=comma, skip=form.columns
        )
    if not any(column.use for column in columns):
        kinds = ", ".join(f"{column.name} ({column.why})" for column in columns[:6])
        raise ImportFileError(
            f"{table.name}: expected at least one column of a greenhouse's climate, substrate or weather (temperature,"
            f" humidity, CO2, light, EC …), got {kinds}{' …' if len(columns) > 6 else ''}; name what a column is in a"
            " mapping (--mapping FILE)"
        )
    reading = read_rows(table, columns, form, comma=comma, now=now)
    digest = hashlib.sha256(path.read_bytes())
    digest.update(to_toml(columns, source="").encode())
    digest.update(repr(form).encode())
    boot = f"import-{digest.hexdigest()[:16]}"
    return Understood(table=table, form=form, columns=columns, reading=reading, comma=comma, boot=boot)


def _renamed(columns: tuple[Column, ...], device: str) -> tuple[Column, ...]:
    """Return a mapping of another file's for this one's device; second devices keep what sets them apart."""
    old = min((column.device for column in columns if column.device), key=len, default="")

    def named(column: Column) -> Column:
        mine = old != "" and column.device.startswith(old)
        return replace(column, device=device + column.device.removeprefix(old)) if mine else column

    return tuple(map(named, columns))
