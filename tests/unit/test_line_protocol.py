"""Line protocol: what is a point, what is refused and where, and that what is written is read again."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.store.line_protocol import Line, LineError, Unsigned, Value, parse, read, write_float, write_line

NOW = 1_700_000_000_123_456_789


def fields(text: str) -> dict[str, Value]:
    (line,) = parse(text.encode(), default_ns=NOW)
    return dict(line.fields)


def test_a_point_has_name_tags_by_key_fields_and_time() -> None:
    (line,) = parse(b"climate,zone=z1,device=c-1 air_temperature=21.5,co2=800i 1700000000000000000", default_ns=NOW)
    assert line == Line(
        measurement="climate",
        tags=(("device", "c-1"), ("zone", "z1")),
        fields={"air_temperature": 21.5, "co2": 800},
        at_ns=1_700_000_000_000_000_000,
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0), ("-0.", 0.0), (".5", 0.5), ("1e3", 1000.0), ("1E-2", 0.01), ("-9223372036854775808i", -(2**63)),
        ("007i", 7), ("18446744073709551615u", Unsigned(2**64 - 1)), ("t", True), ("TRUE", True), ("False", False),
        ('"a, b=c"', "a, b=c"), (r'"\"\\ \n"', '"\\ \\n'), ('"two\nlines"', "two\nlines"), ('""', ""), ('"#"', "#"),
    ],
)  # fmt: skip
def test_each_type_of_value_is_read(text: str, value: Value) -> None:
    found = fields(f"m f={text}")["f"]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["1.1.1", "1e", "--1", "0x10", "1_0", "nan", "-inf", "1e999", "9223372036854775808i", "-1u", "1ii", "1.5i", "i",
     "tru", "", "abc", "'a'", '"open', '"a"b', "18446744073709551616u", "1" * 5000 + "i", "1,", "1 2 3", "1 2i",
     "1 9223372036854775808", "1 -", "1\r2", "1\t2"],
)  # fmt: skip
def test_what_is_no_value_or_time_is_refused(text: str) -> None:
    with pytest.raises(LineError):
        parse(f"m f={text}".encode(), default_ns=NOW)


def test_a_backslash_hides_only_what_needs_it() -> None:
    (line,) = parse(rb"m\ 1\,\=\x,t\ \,\=k=v\ \,\=\" f\ \,\=\y=1", default_ns=NOW)
    assert line.measurement == r"m 1,\=\x"
    assert line.tags == (("t ,=k", 'v ,=\\"'),)
    assert dict(line.fields) == {r"f ,=\y": 1.0}


@pytest.mark.parametrize(
    "text",
    [b"cpu", b"cpu,", b"cpu, a=1", b"cpu,a v=1", b"cpu,a= v=1", b"cpu,=b v=1", b"cpu,a=b,a=c v=1", b",a=b v=1", b" =1",
     b"cpu =1", b"cpu,a=b=c v=1", b"\tcpu v=1", b"\xff v=1", b"m,\xff=1 v=1", b"m,a=\xff v=1", b"m \xff=1",
     b'm v="\xff"', b"# \x01", b"m\x00 v=1", b"m v=1,w"],
)  # fmt: skip
def test_names_that_are_none_are_refused(text: bytes) -> None:
    with pytest.raises(LineError):
        parse(text, default_ns=NOW)


def test_blank_lines_and_comments_are_passed_over() -> None:
    text = b"\n  \n# nothing \xff\r\n m v=1 \r\n\n#end\nm v=2 7\n  \r"
    assert [(line.fields["v"], line.at_ns) for line in parse(text, default_ns=NOW)] == [(1.0, NOW), (2.0, 7)]


def test_times_have_the_precision_that_was_said() -> None:
    for name, ns in (("ns", 1), ("us", 1000), ("ms", 10**6), ("s", 10**9)):
        given_one, without = parse(b"m v=1 -5\nm v=1", default_ns=NOW, precision=name)
        assert (given_one.at_ns, without.at_ns) == (-5 * ns, NOW // ns * ns)
    with pytest.raises(ValueError, match="precision"):
        parse(b"", default_ns=NOW, precision="minutes")
    with pytest.raises(LineError, match="range"):
        parse(b"m v=1 9223372036854775807", default_ns=NOW, precision="s")


def test_a_wrong_line_is_told_with_its_place_and_the_rest_goes_on() -> None:
    text = b'm v="a\nb"\ncpu value=oops 5\r\n\nm,a=1 v=3\nbad\nm v=4'
    items = list(read(text, default_ns=NOW))
    wrong = [item for item in items if isinstance(item, LineError)]
    assert [(error.line, error.column, error.text) for error in wrong] == [(3, 11, b"cpu value=oops 5"), (6, 4, b"bad")]
    assert [item.fields["v"] for item in items if isinstance(item, Line)] == ["a\nb", 3.0, 4.0]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (-0.64, "-0.64"), (6632243.0, "6.632243e+06"), (1e6, "1e+06"), (123456.5, "123456.5"), (0.0, "0"),
     (1e-5, "1e-05"), (-1e22, "-1e+22"), (5e-324, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308")],
)  # fmt: skip
def test_numbers_are_written_as_short_as_they_can_be(value: float, text: str) -> None:
    assert write_float(value) == text


def test_a_time_is_cut_to_the_precision_that_is_written() -> None:
    line = Line(measurement="m", tags=(), fields={"v": 1.0}, at_ns=-1_500_000_000)
    told = [write_line(line, precision=name).rsplit(" ", 1)[1] for name in ("ns", "us", "ms", "s")]
    assert told == ["-1500000000", "-1500000", "-1500", "-1"]


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8).filter(
    lambda name: not name.endswith("\\") and not name.startswith("#")
)
VALUES = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**63), 2**63 - 1)
    | st.integers(0, 2**64 - 1).map(Unsigned)
    | st.booleans()
    | st.text(st.characters(codec="utf-8"), max_size=8)
)


@given(
    NAMES,
    st.dictionaries(NAMES, NAMES, max_size=3),
    st.dictionaries(NAMES, VALUES, min_size=1, max_size=3),
    st.integers(-(2**63), 2**63 - 1),
)
def test_what_is_written_is_read_again(name: str, tags: dict[str, str], values: dict[str, Value], at: int) -> None:
    line = Line(measurement=name, tags=tuple(sorted(tags.items())), fields=values, at_ns=at)
    assert parse(write_line(line).encode(), default_ns=0) == [line]


@given(st.binary(max_size=60))
def test_any_octets_are_read_to_their_end(data: bytes) -> None:
    for item in read(data, default_ns=0):
        if isinstance(item, Line):
            assert item.fields and item.measurement
        else:
            assert item.line >= 1 and item.column >= 1


@pytest.mark.parametrize(
    "line",
    [
        Line(measurement="", tags=(), fields={"v": 1.0}, at_ns=0),
        Line(measurement="a\n", tags=(), fields={"v": 1.0}, at_ns=0),
        Line(measurement="m", tags=(("a", ""),), fields={"v": 1.0}, at_ns=0),
        Line(measurement="m", tags=(("a", "x\\"),), fields={"v": 1.0}, at_ns=0),
        Line(measurement="m", tags=(("a", "1"), ("a", "2")), fields={"v": 1.0}, at_ns=0),
        Line(measurement="m", tags=(), fields={}, at_ns=0),
        Line(measurement="m", tags=(), fields={"v": math.nan}, at_ns=0),
        Line(measurement="m", tags=(), fields={"v": 2**63}, at_ns=0),
        Line(measurement="m", tags=(), fields={"v": Unsigned(-1)}, at_ns=0),
    ],
)
def test_what_could_not_be_read_again_is_not_written(line: Line) -> None:
    with pytest.raises(LineError):
        write_line(line)
