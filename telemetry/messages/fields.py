"""Checked reading of single fields of a message, and the closed set of reasons why one is refused."""

from __future__ import annotations

import math
import re
from enum import StrEnum
from functools import lru_cache
from typing import Any

EARLIEST_MS = 946_684_800_000
"""2000-01-01: seconds sent for milliseconds, and clocks that start in 1970, fall below it."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01: microseconds sent for milliseconds fall above it."""
MAX_SEQ = 2**53
MAX_DEPTH = 32
WORD = re.compile(r"[A-Za-z0-9_.:\-]{1,128}")


class Reason(StrEnum):
    """Why a message is refused; also the reason kept with its dead letter."""

    BAD_TOPIC = "bad_topic"
    UNKNOWN_KIND = "unknown_kind"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    BAD_JSON = "bad_json"
    MISSING_KEY = "missing_key"
    BAD_KEY = "bad_key"
    BAD_TYPE = "bad_type"
    BAD_VALUE = "bad_value"
    NOT_FINITE = "not_finite"
    BAD_TIMESTAMP = "bad_timestamp"
    TOO_MANY_SERIES = "too_many_series"


class MessageError(Exception):
    """A message that breaks the contract; `code` is a `Reason`."""

    def __init__(self, code: Reason, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def as_object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MessageError(Reason.BAD_TYPE, f"{name}: expected an object, got {type(value).__name__}")
    return value


def free_object(value: Any, name: str) -> dict[str, Any]:
    """Return an object with any keys, when all in it is finite, whole Unicode and not nested too deep."""
    content = as_object(value, name)
    items: list[Any] = [content]
    for _ in range(MAX_DEPTH):
        if not items:
            return content
        below: list[Any] = []
        for item in items:
            if isinstance(item, dict):
                below += [*item.keys(), *item.values()]
            elif isinstance(item, list):
                below += item
            elif isinstance(item, float) and not math.isfinite(item):
                raise MessageError(Reason.NOT_FINITE, f"{name}: {item}")
            elif isinstance(item, str) and any("\ud800" <= letter <= "\udfff" for letter in item):
                raise MessageError(Reason.BAD_VALUE, f"{name}: half a character in {item[:80]!r}")
        items = below
    raise MessageError(Reason.BAD_VALUE, f"{name}: expected at most {MAX_DEPTH} levels")


def get(content: dict[str, Any], key: str) -> Any:
    try:
        return content[key]
    except KeyError:
        raise MessageError(Reason.MISSING_KEY, f"expected {key!r}, got {', '.join(content)[:200]}") from None


def as_number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MessageError(Reason.BAD_TYPE, f"{name}: expected a number, got {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        raise MessageError(Reason.NOT_FINITE, f"{name}: too large for a float") from None
    if not math.isfinite(number):
        raise MessageError(Reason.NOT_FINITE, f"{name}: {number}")
    return number


def instant(content: dict[str, Any], key: str) -> float:
    ms = as_number(get(content, key), key)
    if not EARLIEST_MS <= ms <= LATEST_MS:
        raise MessageError(Reason.BAD_TIMESTAMP, f"{key}: expected milliseconds since 1970, got {ms:.0f}")
    return ms / 1000.0


@lru_cache(maxsize=4096)
def _is_word(value: str) -> bool:
    return WORD.fullmatch(value) is not None


def text(content: dict[str, Any], key: str, default: str | None = None) -> str:
    value = get(content, key) if default is None else content.get(key, default)
    if not isinstance(value, str):
        raise MessageError(Reason.BAD_TYPE, f"{key}: expected a string, got {type(value).__name__}")
    if not value.isprintable():
        raise MessageError(Reason.BAD_VALUE, f"{key}: expected printable characters, got {value[:80]!r}")
    return value


def word(content: dict[str, Any], key: str) -> str:
    value = get(content, key)
    if type(value) is str and _is_word(value):
        return value
    value = text(content, key)
    if not _is_word(value):
        raise MessageError(Reason.BAD_VALUE, f"{key}: expected letters, digits, _ . : -, got {value[:80]!r}")
    return value


def sequence(content: dict[str, Any]) -> int:
    value = get(content, "seq")
    if isinstance(value, bool) or not isinstance(value, int):
        raise MessageError(Reason.BAD_TYPE, f"seq: expected an integer, got {type(value).__name__}")
    if not 0 <= value < MAX_SEQ:
        raise MessageError(Reason.BAD_VALUE, f"seq: expected 0 <= seq < 2^53, got {value}")
    return value
