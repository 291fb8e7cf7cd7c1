"""`test_msgs.message_fixtures`: filled messages of each type in test_msgs, for tests of a whole wire."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, islice
from typing import Any, TypeVar

from robot.ros.fields import INTEGER_RANGES
from robot.ros.interfaces import get_message

T = TypeVar("T")
REALS = {"float32": (0.0, 1.125, -2.125), "float64": (0.0, 1.125, -2.125)}
MANY = 1000


def _make(name: str, **values: Any) -> Any:
    return get_message(f"test_msgs/msg/{name}")(**values)


def _first(items: list[T], count: int) -> list[T]:
    return list(islice(cycle(items), count))


def _basic(*, number: Callable[[int, int], int], real: float, flag: bool) -> Any:
    integers = {f"{name}_value": number(*INTEGER_RANGES[name]) for name in INTEGER_RANGES}
    octet = bytes([number(0, 255)])
    return _make("BasicTypes", bool_value=flag, byte_value=octet, float32_value=real, float64_value=real, **integers)


def get_msg_basic_types() -> list[Any]:
    return [
        _basic(number=lambda low, high: 0, real=0.0, flag=False),
        _basic(number=lambda low, high: high, real=1.125, flag=True),
        _basic(number=lambda low, high: low, real=-2.125, flag=False),
        _basic(number=lambda low, high: 1, real=1.0, flag=True),
    ]


def get_msg_builtins() -> list[Any]:
    message = _make("Builtins")
    message.duration_value.sec, message.duration_value.nanosec = -1234567890, 123456789
    message.time_value.sec, message.time_value.nanosec = -1234567890, 987654321
    return [message]


def get_msg_empty() -> list[Any]:
    return [_make("Empty")]


def get_msg_constants() -> list[Any]:
    return [_make("Constants")]


def get_msg_defaults() -> list[Any]:
    return [_make("Defaults")]


def get_msg_nested() -> list[Any]:
    return [_make("Nested", basic_types_value=basic) for basic in get_msg_basic_types()]


def get_msg_strings() -> list[Any]:
    digits = "".join(str(n % 10) for n in range(20000))
    texts = [("", ""), ("Hello world!",) * 2, ("Hellö Wörld!",) * 2, (digits, digits[:22])]
    return [_make("Strings", string_value=text, bounded_string_value=bounded) for text, bounded in texts]


def get_msg_wstrings() -> list[Any]:
    first = _make(
        "WStrings",
        array_of_wstrings=["1", "two", "三"],
        bounded_sequence_of_wstrings=["one", "二"],
        unbounded_sequence_of_wstrings=[".", "..", "...", "四"],
    )
    return [first, *(_make("WStrings", wstring_value=text) for text in ("ascii", "Hellö Wörld!", "ハローワールド"))]


def _edges(low: int, high: int) -> list[int]:
    return [0, high, low] if low else [0, 1, high]


def _sequences(*, texts: bool) -> dict[str, Any]:
    values: dict[str, Any] = {f"{name}_values": _edges(*INTEGER_RANGES[name]) for name in INTEGER_RANGES}
    values |= {f"{name}_values": list(numbers) for name, numbers in REALS.items()}
    values |= {"bool_values": [False, True, False], "byte_values": [b"\x00", b"\x01", b"\xff"]}
    return values | ({"string_values": ["", "max value", "min value"]} if texts else {})


def get_msg_arrays() -> list[Any]:
    return [_make("Arrays", basic_types_values=get_msg_basic_types()[:3], **_sequences(texts=True))]


def _bounded(name: str, *, texts: bool) -> list[Any]:
    basics = get_msg_basic_types()[:3]
    return [
        _make(name, basic_types_values=basics, alignment_check=2, **_sequences(texts=texts)),
        _make(name, alignment_check=4),
    ]


def get_msg_bounded_sequences() -> list[Any]:
    return _bounded("BoundedSequences", texts=True)


def get_msg_bounded_plain_sequences() -> list[Any]:
    return _bounded("BoundedPlainSequences", texts=False)


def _wrapped(n: int, low: int, high: int) -> int:
    return (n - low) % (high - low + 1) + low


def get_msg_unbounded_sequences() -> list[Any]:
    edges = _sequences(texts=True)
    basics = get_msg_basic_types()
    single = {name: values[1:2] for name, values in edges.items()}
    many: dict[str, Any] = {
        f"{name}_values": [_wrapped(n, *INTEGER_RANGES[name]) for n in range(MANY)] for name in INTEGER_RANGES
    }
    many |= {f"{name}_values": [1.125 * n for n in range(MANY)] for name in REALS}
    many |= {
        "bool_values": [n % 2 != 0 for n in range(MANY)],
        "byte_values": [bytes([n % 256]) for n in range(MANY)],
        "string_values": [str(n) for n in range(MANY)],
    }
    name = "UnboundedSequences"
    return [
        _make(name, alignment_check=0),
        _make(name, basic_types_values=basics[:1], alignment_check=1, **single),
        _make(name, basic_types_values=basics[:3], alignment_check=2, **edges),
        _make(name, basic_types_values=_first(basics, MANY), alignment_check=3, **many),
        _make(name, alignment_check=4),
    ]


def get_msg_multi_nested() -> list[Any]:
    parts = {
        "arrays": get_msg_arrays(),
        "bounded_sequences": get_msg_bounded_sequences(),
        "unbounded_sequences": get_msg_unbounded_sequences(),
    }
    shapes = ("array", "bounded_sequence", "unbounded_sequence")
    values = {f"{shape}_of_{kind}": _first(items, 3) for shape in shapes for kind, items in parts.items()}
    return [_make("MultiNested", **values)]


MAKERS: dict[str, Callable[[], list[Any]]] = {
    "Arrays": get_msg_arrays,
    "BasicTypes": get_msg_basic_types,
    "BoundedPlainSequences": get_msg_bounded_plain_sequences,
    "BoundedSequences": get_msg_bounded_sequences,
    "Builtins": get_msg_builtins,
    "Constants": get_msg_constants,
    "Defaults": get_msg_defaults,
    "Empty": get_msg_empty,
    "MultiNested": get_msg_multi_nested,
    "Nested": get_msg_nested,
    "Strings": get_msg_strings,
    "UnboundedSequences": get_msg_unbounded_sequences,
    "WStrings": get_msg_wstrings,
}


def get_test_msg(message_name: str) -> list[Any]:
    """Return filled messages of one type of test_msgs, such as `BasicTypes`."""
    if message_name not in MAKERS:
        raise NotImplementedError(f"no messages of {message_name!r}; there are some of {sorted(MAKERS)}")
    return MAKERS[message_name]()
