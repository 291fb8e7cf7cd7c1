"""Check and convert what is assigned to a message's field, as rosidl's Python setters do.

Numbers of any kind are taken for floats, buffers and lists for numeric sequences; what cannot be carried on the wire is
refused at the assignment, not at the publication.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterable
from operator import index
from typing import Any, SupportsFloat, SupportsIndex

import numpy as np
import numpy.typing as npt

FLOAT32_MAX = 3.402823466e38
INTEGER_RANGES = {
    "char": (0, 255), "int8": (-128, 127), "uint8": (0, 255), "int16": (-(2**15), 2**15 - 1), "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1), "int64": (-(2**63), 2**63 - 1), "uint64": (0, 2**64 - 1),
}  # fmt: skip


class FieldError(AssertionError, ValueError):
    """A value that does not fit the field. Also an AssertionError, because that is what rosidl's classes raise."""


def refuse(name: str, expected: str, got: object) -> FieldError:
    text = repr(got)
    return FieldError(
        f"{name}: expected {expected}, got {type(got).__name__} {text if len(text) < 80 else text[:77] + '...'}"
    )


def as_float(value: SupportsFloat, name: str) -> float:
    if isinstance(value, str | bytes):
        raise refuse(name, "a float", value)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise refuse(name, "a float", value) from error


def as_float32(value: SupportsFloat, name: str) -> float:
    number = as_float(value, name)
    if abs(number) > FLOAT32_MAX and not math.isinf(number):
        raise refuse(name, "a float within the range of float32", value)
    return number


def as_int(value: SupportsIndex, low: int, high: int, name: str) -> int:
    try:
        number = index(value)
    except TypeError as error:
        raise refuse(name, "an int", value) from error
    if not low <= number <= high:
        raise refuse(name, f"an int in [{low}, {high}]", value)
    return number


def as_bool(value: object, name: str) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise refuse(name, "a bool", value)
    return bool(value)


def as_byte(value: object, name: str) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview) or len(value) != 1:
        raise refuse(name, "bytes of length 1", value)
    return bytes(value)


def as_text(value: object, bound: int, name: str) -> str:
    if not isinstance(value, str):
        raise refuse(name, "a str", value)
    if bound and len(value.encode()) > bound:
        raise refuse(name, f"a str of at most {bound} characters", value)
    return value


def as_message(value: object, kind: type, name: str) -> Any:
    if not isinstance(value, kind):
        raise refuse(name, f"a {kind.__module__}.{kind.__name__}", value)
    return value


def _sized(value: object, size: int, bound: int, name: str) -> Collection[Any]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise refuse(name, "a sequence", value)
    items: Collection[Any] = value if isinstance(value, Collection) else list(value)
    if size and len(items) != size:
        raise refuse(name, f"{size} items", value)
    if bound and len(items) > bound:
        raise refuse(name, f"at most {bound} items", value)
    return items


def as_list(value: object, kind: type, size: int, bound: int, name: str) -> list[Any]:
    """Take a sequence of bool, bytes, str or messages; `size` 0 = any length, `bound` 0 = no bound."""
    items = list(_sized(value, size, bound, name))
    if kind is bool:
        return [as_bool(item, name) for item in items]
    for item in items:
        if not isinstance(item, kind) or (isinstance(item, bytes) and len(item) != 1):
            raise refuse(name, f"a sequence of {kind.__name__}", item)
    return items


def as_texts(value: object, size: int, bound: int, string_bound: int, name: str) -> list[str]:
    items: list[str] = as_list(value, str, size, bound, name)
    for item in items if string_bound else ():
        as_text(item, string_bound, name)
    return items


def as_octets(value: object, bound: int, name: str) -> array[int] | memoryview:
    """Take any buffer of bytes without copying it, or a sequence of integers."""
    if isinstance(value, bytes | bytearray | memoryview) or (isinstance(value, np.ndarray) and value.dtype == np.uint8):
        view = np.ascontiguousarray(value).data if isinstance(value, np.ndarray) else memoryview(value)
        octets = view.cast("B") if view.nbytes else memoryview(b"")
        _sized(octets, 0, bound, name)
        return octets
    return as_numbers(value, "B", bound, name)


def as_numbers(value: object, code: str, bound: int, name: str) -> array[Any]:
    """Take a sequence of numbers as `array.array(code)`."""
    items = _sized(value, 0, bound, name)
    if isinstance(items, array) and items.typecode == code:
        return items
    numbers: array[Any] = array(code)
    try:
        if isinstance(items, np.ndarray):
            if items.dtype.kind == "f" and code not in "fd":
                raise refuse(name, "a sequence of integers", value)
            items = items.astype(code, casting="same_kind").tobytes() if items.dtype == code else items.tolist()
        if isinstance(items, bytes):
            numbers.frombytes(items)
        else:
            numbers.extend(items)
    except (TypeError, OverflowError) as error:
        raise refuse(name, f"numbers that fit array.array({code!r})", value) from error
    return numbers


def as_fixed(value: object, dtype: str, size: int, name: str) -> npt.NDArray[Any]:
    """Take exactly `size` numbers as a new contiguous numpy array."""
    items = _sized(value, size, 0, name)
    try:
        numbers = as_numbers(list(items), np.dtype(dtype).char.replace("l", "q").replace("L", "Q"), 0, name)
        return np.array(numbers, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise refuse(name, f"{size} numbers of type {dtype}", value) from error
