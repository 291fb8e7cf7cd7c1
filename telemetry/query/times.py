"""Instants and durations as people write them: 2026-05-01, "2026-05-01 08:30", -24h, yesterday, 5min."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from telemetry.query import QueryError

UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604800.0),
}
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
EXAMPLES = "2026-05-01, '2026-05-01 08:30', 2026-05-01T08:30:00+08:00, -24h, -7d, now, today, yesterday"
LONGEST_S = 1000.0 * 366.0 * 86400.0


def parse_zone(text: str) -> tzinfo:
    """Return the time zone of that name.

    Raises:
        QueryError: there is none.
    """
    try:
        return UTC if text.upper() in {"UTC", "Z"} else ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise QueryError(f"time zone: expected a name such as Asia/Shanghai or UTC, got {text!r}") from error


def parse_duration(text: str) -> float:
    """Return a duration [s]; a number alone is seconds.

    Raises:
        QueryError: it is none.
    """
    match = DURATION.fullmatch(text.strip().lower())
    if match is None or (match[2] and match[2] not in UNITS):
        raise QueryError(f"expected a duration such as 30s, 5min, 1h, 1d or 1w, got {text!r}")
    length = float(match[1]) * UNITS.get(match[2], 1.0)
    if not 0.0 < length <= LONGEST_S:
        raise QueryError(f"expected a duration above 0, got {text!r}")
    return length


def parse_instant(text: str, now: float, zone: tzinfo) -> float:
    """Return an instant [UTC epoch s]; one without an offset is a local time of `zone`.

    Args:
        now: what -24h and today count from [UTC epoch s].

    Raises:
        QueryError: it is none.
    """
    word = text.strip().lower()
    if word == "now":
        return now
    if word in {"today", "yesterday"}:
        midnight = datetime.combine(datetime.fromtimestamp(now, zone).date(), time(), zone)
        return (midnight - timedelta(days=word == "yesterday")).timestamp()
    if word.startswith("-"):
        return now - parse_duration(word[1:])
    if re.fullmatch(r"\d{9,13}(\.\d+)?", word):
        raise QueryError(f"expected a time such as {EXAMPLES}; for seconds since 1970 write @{word}")
    try:
        if word.startswith("@"):
            return datetime.fromtimestamp(float(word[1:]), UTC).timestamp()
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise QueryError(f"expected a time such as {EXAMPLES}, got {text!r}") from error
