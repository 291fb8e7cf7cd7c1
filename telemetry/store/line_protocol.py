"""InfluxDB's line protocol, read and written: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol.

Where that text leaves a choice, `influxdata/line-protocol-corpus` decides: a backslash before anything but a character
that needs one stands for itself, a lone carriage return is an error, a tag that comes twice is one too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

PRECISIONS = {"ns": 1, "n": 1, "us": 1_000, "u": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
"""Length of each unit of time [ns]."""
PRECISIONS |= {"m": 60_000_000_000, "h": 3_600_000_000_000}
INT64 = range(-(2**63), 2**63)
UINT64_MAX = 2**64 - 1
SHOWN = 80
HEADS = 20_000
"""So many names with their tags are remembered: the same ones come again and again."""

HEAD = re.compile(rb"(?:[^\x00-\x20\x7f\\]++|\\[ ,=]|\\)*+")
MEASUREMENT = re.compile(rb"(?:[^\x00-\x20\x7f,\\]++|\\[ ,]|\\)*+")
KEY = re.compile(rb"(?:[^\x00-\x20\x7f,=\\]++|\\[ ,=]|\\)*+")
TEXT = re.compile(rb'"((?:[^"\\]++|\\["\\]|\\)*+)"', re.DOTALL)
TOKEN = re.compile(rb"[^, \r\n]*+")
FLOAT = re.compile(rb"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
WHOLE = re.compile(rb"-?[0-9]+")
SPACES = re.compile(rb" *+")
END = re.compile(rb" *+(?:\r?\n|\r?\Z)")
TIME = re.compile(rb" *+([-0-9]++)" + END.pattern)
COMMENT = re.compile(rb"#[^\x00-\x1f\x7f]*+(?:\r?\n|\r?\Z)")
UNESCAPE = re.compile(rb"\\([ ,=])")
UNESCAPE_MEASUREMENT = re.compile(rb"\\([ ,])")
UNESCAPE_TEXT = re.compile(rb'\\(["\\])')
BOOLEANS = dict.fromkeys((b"t", b"T", b"true", b"True", b"TRUE"), True)
BOOLEANS |= dict.fromkeys((b"f", b"F", b"false", b"False", b"FALSE"), False)
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


class Unsigned(int):
    """A whole number written with `u`."""


Value = float | int | bool | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One point. `tags` by key, each once; `fields` as they came, of a repeated one the last; `at_ns` since 1970."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: Mapping[str, Value]
    at_ns: int


class LineError(ValueError):
    """A line that is none. `line` and `column` count from 1 [byte]; `text`: the line as it came."""

    def __init__(self, problem: str, *, line: int = 0, column: int = 0, text: bytes = b"") -> None:
        super().__init__(f"line {line}, column {column}: {problem}" if line else problem)
        self.problem = problem
        self.line = line
        self.column = column
        self.text = text


class _FaultError(Exception):
    """Something is wrong at `place`."""

    def __init__(self, problem: str, place: int) -> None:
        super().__init__(problem)
        self.place = place


def parse(data: bytes, *, default_ns: int, precision: str = "ns") -> list[Line]:
    """Return the points of a text.

    Args:
        default_ns: time of lines without one [ns since 1970], cut to the precision.
        precision: of times in the text, a key of `PRECISIONS`.

    Raises:
        LineError: the first line that is wrong; nothing of the text is to be used.
        ValueError: there is no such precision.
    """
    found = []
    for item in read(data, default_ns=default_ns, precision=precision):
        if isinstance(item, LineError):
            raise item
        found.append(item)
    return found


def read(data: bytes, *, default_ns: int, precision: str = "ns") -> Iterator[Line | LineError]:
    """Give the points of a text, and in the place of each wrong line what is wrong with it; arguments as of `parse`.

    After a wrong line it goes on behind the next line feed.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision: expected one of {', '.join(PRECISIONS)}, got {precision!r}")
    unit = PRECISIONS[precision]
    default = default_ns // unit * unit
    heads: dict[bytes, tuple[str, tuple[tuple[str, str], ...]]] = {}
    place, number, counted = 0, 1, 0
    while True:
        begin = place = _skip(data, place)
        if place >= len(data):
            return
        try:
            head = HEAD.match(data, place)[0]  # type: ignore[index]
            known = heads.get(head)
            if known is None:
                known = _head(data, place, place + len(head))
                if len(heads) < HEADS:
                    heads[head] = known
            place = SPACES.match(data, place + len(head)).end()  # type: ignore[union-attr]
            fields, place = _fields(data, place)
            at_ns, place = _time(data, place, unit, default)
            yield Line(measurement=known[0], tags=known[1], fields=fields, at_ns=at_ns)
        except _FaultError as fault:
            number, counted = number + data.count(b"\n", counted, fault.place), fault.place
            column = fault.place - data.rfind(b"\n", 0, fault.place)
            end = data.find(b"\n", fault.place)
            place = len(data) if end < 0 else end + 1
            yield LineError(str(fault), line=number, column=column, text=data[begin:place].rstrip(b"\r\n"))


def _skip(data: bytes, place: int) -> int:
    """Return where the next line with something in it begins; a comment with control characters counts as that."""
    while True:
        place = SPACES.match(data, place).end()  # type: ignore[union-attr]
        found = END.match(data, place) or COMMENT.match(data, place)
        if found is None or place >= len(data):
            return place
        place = found.end()


def _head(data: bytes, begin: int, end: int) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Read name and tags, which a space must follow."""
    name = MEASUREMENT.match(data, begin)[0]  # type: ignore[index]
    if not name or name.startswith(b"#"):
        raise _FaultError("missing measurement" if name else f"unexpected {_shown(data, begin)}, no measurement", begin)
    measurement = _decoded(UNESCAPE_MEASUREMENT.sub(rb"\1", name), begin)
    place = begin + len(name)
    tags: dict[str, str] = {}
    while data[place : place + 1] == b",":
        key = KEY.match(data, place + 1)[0]  # type: ignore[index]
        equals = place + 1 + len(key)
        if not key or data[equals : equals + 1] != b"=":
            raise _FaultError(f"missing tag {'value' if key else 'key'}: found {_shown(data, equals)}", equals)
        value = KEY.match(data, equals + 1)[0]  # type: ignore[index]
        if not value:
            raise _FaultError(f"missing tag value of {_cut(key)}", equals + 1)
        word = _decoded(UNESCAPE.sub(rb"\1", key), place + 1)
        if word in tags:
            raise _FaultError(f"duplicate tag {_cut(key)}", place + 1)
        tags[word] = _decoded(UNESCAPE.sub(rb"\1", value), equals + 1)
        place = equals + 1 + len(value)
    if place != end or data[end : end + 1] != b" ":
        raise _FaultError(f"missing fields: found {_shown(data, place)}", place)
    return measurement, tuple(sorted(tags.items()))


def _fields(data: bytes, place: int) -> tuple[dict[str, Value], int]:
    fields: dict[str, Value] = {}
    while True:
        key = KEY.match(data, place)[0]  # type: ignore[index]
        equals = place + len(key)
        if not key or data[equals : equals + 1] != b"=":
            raise _FaultError(f"missing field {'value' if key else 'key'}: found {_shown(data, equals)}", equals)
        name = _decoded(UNESCAPE.sub(rb"\1", key) if b"\\" in key else key, place)
        place = equals + 1
        if data[place : place + 1] == b'"':
            text = TEXT.match(data, place)
            if text is None:
                raise _FaultError(f"missing closing quote of field {_cut(key)}", place)
            fields[name] = _decoded(UNESCAPE_TEXT.sub(rb"\1", text[1]), place)
            place = text.end()
        else:
            token = TOKEN.match(data, place)[0]  # type: ignore[index]
            fields[name] = _value(token, place)
            place += len(token)
        if data[place : place + 1] != b",":
            return fields, place
        place += 1


def _value(token: bytes, place: int) -> Value:
    """Return a number or a truth value."""
    if FLOAT.fullmatch(token):
        number = float(token)
        if math.isinf(number):
            raise _FaultError(f"number out of range: {_cut(token)}", place)
        return number
    if token in BOOLEANS:
        return BOOLEANS[token]
    kind = token[-1:]
    if kind in (b"i", b"u") and WHOLE.fullmatch(token, 0, len(token) - 1) and (kind == b"i" or token[:1] != b"-"):
        whole = _whole(token[:-1])
        if whole is None or (whole not in INT64 if kind == b"i" else whole > UINT64_MAX):
            raise _FaultError(f"whole number out of range: {_cut(token)}", place)
        return whole if kind == b"i" else Unsigned(whole)
    raise _FaultError(f"invalid field value {_cut(token)}" if token else "missing field value", place)


def _whole(digits: bytes) -> int | None:
    """Return a whole number; None when it has more digits than any that is allowed."""
    return int(digits) if len(digits.lstrip(b"-0")) <= 20 else None


def _time(data: bytes, place: int, unit: int, default: int) -> tuple[int, int]:
    """Return the time [ns] and where the next line begins."""
    end = END.match(data, place)
    if end is not None:
        return default, end.end()
    found = TIME.match(data, place) if data[place : place + 1] == b" " else None
    if found is None:
        place = SPACES.match(data, place).end()  # type: ignore[union-attr]
        raise _FaultError(f"expected a time or the end of the line, found {_shown(data, place)}", place)
    if not WHOLE.fullmatch(found[1]):
        raise _FaultError(f"bad timestamp {_cut(found[1])}", found.start(1))
    whole = _whole(found[1])
    if whole is None or whole * unit not in INT64:
        raise _FaultError(f"timestamp out of range: {_cut(found[1])}", found.start(1))
    return whole * unit, found.end()


def _decoded(token: bytes, place: int) -> str:
    try:
        return token.decode()
    except UnicodeDecodeError:
        raise _FaultError(f"not UTF-8: {_cut(token)}", place) from None


def _cut(token: bytes) -> str:
    return repr(token[:SHOWN])[1:]


def _shown(data: bytes, place: int) -> str:
    return _cut(data[place : place + 1]) if place < len(data) else "the end"


def write_line(line: Line, *, precision: str = "ns") -> str:
    """Return a point as a line, without a line feed; its time cut to `precision`, a key of `PRECISIONS`; tags by key.

    Raises:
        LineError: a name cannot be written: it is empty, has control characters, or ends in a backslash.
    """
    unit = PRECISIONS[precision]
    at = line.at_ns // unit if line.at_ns >= 0 else -(-line.at_ns // unit)
    return f"{head(line.measurement, line.tags)} {write_fields(line.fields)} {at}"


def head(measurement: str, tags: Sequence[tuple[str, str]]) -> str:
    """Return what a line begins with: name and tags.

    Raises:
        LineError: as of `write_line`, or a tag comes twice.
    """
    parts = [_name(measurement, "measurement").replace(",", "\\,").replace(" ", "\\ ")]
    ordered = sorted(tags)
    for (key, value), before in zip(ordered, [("", ""), *ordered], strict=False):
        if key == before[0]:
            raise LineError(f"tag: expected a key once and not empty, got {key!r}")
        parts.append(f"{_escaped(key, 'tag')}={_escaped(value, f'value of tag {key}')}")
    return ",".join(parts)


def write_fields(fields: Mapping[str, Value]) -> str:
    """Return the fields of a line.

    Raises:
        LineError: there are none, a key cannot be written, or a value is NaN, infinite or out of range.
    """
    if not fields:
        raise LineError("expected at least one field")
    return ",".join(f"{_escaped(key, 'field')}={_written(value)}" for key, value in fields.items())


def _escaped(name: str, what: str) -> str:
    return _name(name, what).replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def _name(name: str, what: str) -> str:
    if not name or name.endswith("\\") or UNPRINTABLE.search(name) or (what == "measurement" and name[0] == "#"):
        raise LineError(f"{what}: expected printable text that does not end in a backslash, got {name[:SHOWN]!r}")
    return name


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, Unsigned) and 0 <= value <= UINT64_MAX:
        return f"{int(value)}u"
    if isinstance(value, int) and not isinstance(value, Unsigned) and value in INT64:
        return f"{value}i"
    if isinstance(value, float) and math.isfinite(value):
        return write_float(value)
    raise LineError(f"expected a finite number in 64 bits, got {value!r}")


def write_float(value: float) -> str:
    """Return the shortest text that is read as `value` again; from a million on with an exponent, as InfluxDB does."""
    text = repr(value)
    if "e" in text or abs(value) < 1e6:
        return text.removesuffix(".0")
    whole, _, rest = text.lstrip("-").partition(".")
    digits = (whole + rest).rstrip("0")
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{'-' if value < 0 else ''}{mantissa}e+{len(whole) - 1:02d}"
