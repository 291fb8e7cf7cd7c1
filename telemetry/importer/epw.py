"""EnergyPlus weather files (.epw): eight lines of header, then fixed columns without names.

Columns and the values that mean "missing": EnergyPlus Auxiliary Programs, "EPW Data Dictionary".
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from telemetry.importer import ImportFileError

HEADER_LINES = 8
# index, name, unit, value that means missing
COLUMNS = (
    (6, "outside temperature", "°C", 99.9),
    (7, "outside dew point", "°C", 99.9),
    (8, "outside relative humidity", "%", 999.0),
    (9, "air pressure", "Pa", 999999.0),
    (13, "global radiation", "Wh/m2", 9999.0),
    (20, "wind direction", "deg", 999.0),
    (21, "wind speed", "m/s", 999.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """The parts of an EPW file that a greenhouse uses; `rows` begin with the instant in ISO 8601."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    noise: int
    timezone: str
    missing: dict[str, float]


def is_epw(text: str) -> bool:
    return text.startswith("LOCATION,") and "\nDATA PERIODS," in text[:65536]


def read_epw(text: str, name: str) -> Weather:
    """Read the hours; each is stamped with its end, in the station's own standard time.

    Raises:
        ImportFileError: the first line has no offset from UTC.
    """
    lines = text.splitlines()
    try:
        zone = timezone(timedelta(hours=float(lines[0].split(",")[8])))
    except (IndexError, ValueError):
        raise ImportFileError(
            f"{name}: expected hours from UTC as 9th field of the LOCATION line, got {lines[0]!r:.80}"
        ) from None
    rows = []
    for number, cells in enumerate(csv.reader(lines[HEADER_LINES:]), HEADER_LINES + 1):
        rows.append((number, (_instant(cells, zone), *(cells[i] if i < len(cells) else "" for i, *_ in COLUMNS))))
    return Weather(
        names=("time", *(column for _, column, _, _ in COLUMNS)),
        units=("", *(unit for _, _, unit, _ in COLUMNS)),
        rows=tuple(rows),
        noise=HEADER_LINES,
        timezone=str(zone),
        missing={column: value for _, column, _, value in COLUMNS},
    )


def _instant(cells: list[str], zone: timezone) -> str:
    """Return the end of the hour in UTC; an unreadable one as it stands, so that it is rejected where all times are."""
    try:
        year, month, day, hour = (int(cell) for cell in cells[:4])
        return (datetime(year, month, day, tzinfo=zone) + timedelta(hours=hour)).astimezone(UTC).isoformat()
    except ValueError:
        return " ".join(cells[:4])
