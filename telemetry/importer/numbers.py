"""Numbers as people write them in tables: decimal point or comma, thousands set apart, many ways to say nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

MISSING = frozenset(
    {"", "-", "--", "---", "nan", "na", "n/a", "#n/a", "null", "none", "nil", "?", ".", "...", "无", "缺测", "///"}
)
SENTINELS = frozenset({-9999.0, -999.0, -99999.0, -6999.0})
"""Loggers write these for a sensor that did not answer; no metric of a greenhouse reaches them."""
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
GROUPED_POINT = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
GROUPED_COMMA = re.compile(r"[+-]?\d{1,3}([.  ]\d{3})+(,\d*)?")
WITH_COMMA = re.compile(r"[+-]?\d+,\d+")
WITH_POINT = re.compile(r"[+-]?\d+\.\d+")


def is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING


def looks_numeric(cell: str) -> bool:
    text = cell.strip()
    return any(pattern.fullmatch(text) for pattern in (NUMBER, GROUPED_POINT, GROUPED_COMMA))


def decimal_comma(cells: Iterable[str]) -> bool:
    """Decide from many cells whether a comma divides whole and part: more do so with a comma than with a point."""
    commas = points = 0
    for cell in cells:
        text = cell.strip()
        commas += WITH_COMMA.fullmatch(text) is not None
        points += WITH_POINT.fullmatch(text) is not None
    return commas > points


def parse_number(cell: str, *, comma: bool) -> float:
    """Return the number in a cell; NaN where a logger says that there is none.

    Raises:
        ValueError: it is no number.
    """
    text = cell.strip()
    if text.lower() in MISSING:
        return math.nan
    if comma:
        if GROUPED_COMMA.fullmatch(text):
            text = re.sub(r"[.  ]", "", text)
        text = text.replace(",", ".")
    elif GROUPED_POINT.fullmatch(text):
        text = text.replace(",", "")
    if not NUMBER.fullmatch(text) or "," in text:
        raise ValueError(f"expected a number, got {cell[:40]!r}")
    value = float(text)
    return math.nan if value in SENTINELS or not math.isfinite(value) else value
