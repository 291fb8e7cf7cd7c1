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

INTEGER_CODES, FLOAT_CODES = "bBhHiIqQ", "fd"
CODES = {
    "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
}  # fmt: skip
FLOAT32_MAX = 3.402823466e38
INTEGER_RANGES = {
    "char": (0, 255), "int8": (-128, 127), "uint8": (0, 255), "int16": (-(2**15), 2**15 - 1), "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1), "int64": (-(2**63), 2**63 - 1), "uint64": (0, 2**64 - 1),
}  # fmt: skip


SMALL = 4096  # [B] up to here `uint8[]` is an array.array as in rosidl, beyond it a view


class FieldError(AssertionError, ValueError):
    """A value that does not fit the field. Also an AssertionError, because that is what rosidl's classes raise."""


def refuse(name: str, expected: str, got: object) -> FieldError:
    text = repr(got)
    return FieldError(
        f"The '{name}' field must be {expected}, "
        f"got {type(got).__name__} {text if len(text) < 80 else text[:77] + '...'}"
    )


def as_float(value: SupportsFloat, name: str) -> float:
    if isinstance(value, str | bytes):
        raise refuse(name, "of type 'float'", value)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise refuse(name, "of type 'float'", value) from error


def as_float32(value: SupportsFloat, name: str) -> float:
    number = as_float(value, name)
    if abs(number) > FLOAT32_MAX and not math.isinf(number):
        raise refuse(name, f"a float in [-{FLOAT32_MAX}, {FLOAT32_MAX}]", value)
    return number


def as_int(value: SupportsIndex, low: int, high: int, name: str) -> int:
    try:
        number = index(value)
    except TypeError as error:
        raise refuse(name, "of type 'int'", value) from error
    if not low <= number <= high:
        raise refuse(name, f"an {'integer' if low else 'unsigned integer'} in [{low}, {high}]", value)
    return number


def as_bool(value: object, name: str) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise refuse(name, "of type 'bool'", value)
    return bool(value)


def as_byte(value: object, name: str) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview) or len(value) != 1:
        raise refuse(name, "of type 'bytes' or 'ByteString' with length 1", value)
    return bytes(value)


def as_text(value: object, bound: int, name: str) -> str:
    if not isinstance(value, str):
        raise refuse(name, "string value" if bound else "of type 'str'", value)
    if bound and len(value.encode()) > bound:
        raise refuse(name, f"string value not longer than {bound}", value)
    return value


def as_message(value: object, kind: type, name: str) -> Any:
    if not isinstance(value, kind):
        raise refuse(name, f"a sub message of type '{kind.__name__}'", value)
    return value


def _sized(value: object, size: int, bound: int, name: str) -> Collection[Any]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise refuse(name, "a set or sequence", value)
    items: Collection[Any] = value if isinstance(value, Collection) else list(value)
    if size and len(items) != size:
        raise refuse(name, f"a set or sequence with length {size}", value)
    if bound and len(items) > bound:
        raise refuse(name, f"a set or sequence with length <= {bound}", value)
    return items


def as_list(value: object, kind: type, size: int, bound: int, name: str) -> list[Any]:
    """Take a sequence of bool, bytes, str or messages, a list itself; `size` 0 = any length, `bound` 0 = no bound."""
    sized = _sized(value, size, bound, name)
    items = sized if isinstance(sized, list) else list(sized)
    if kind is bool:
        return items if all(type(item) is bool for item in items) else [as_bool(item, name) for item in items]
    if kind is bytes and isinstance(value, bytes | bytearray | memoryview):
        return [bytes((item,)) for item in items]
    for item in items:
        if not isinstance(item, kind) or (isinstance(item, bytes) and len(item) != 1):
            raise refuse(name, f"a set or sequence and each value of type '{kind.__name__}'", item)
    return items


def as_texts(value: object, size: int, bound: int, string_bound: int, name: str) -> list[str]:
    items: list[str] = as_list(value, str, size, bound, name)
    for item in items if string_bound else ():
        if len(item.encode()) > string_bound:
            raise refuse(name, f"a set or sequence and each string value not longer than {string_bound}", item)
    return items


def as_octets(value: object, bound: int, name: str) -> array[int] | memoryview:
    """Take any buffer of bytes, a large one without copying it, or a sequence of integers."""
    if isinstance(value, bytes | bytearray | memoryview) or (isinstance(value, np.ndarray) and value.dtype == np.uint8):
        view = np.ascontiguousarray(value).data if isinstance(value, np.ndarray) else memoryview(value)
        octets = view.cast("B") if view.nbytes and view.contiguous else memoryview(bytes(view))
        _sized(octets, 0, bound, name)
        return array("B", octets.tobytes()) if len(octets) <= SMALL else octets
    return as_numbers(value, "B", bound, name)


def as_numbers(value: object, code: str, bound: int, name: str) -> array[Any]:
    """Take a sequence of numbers, or a buffer of them, as `array.array(code)`."""
    items = given = _sized(value, 0, bound, name)
    if isinstance(items, array) and items.typecode == code:
        return items
    numbers: array[Any] = array(code)
    try:
        if isinstance(items, memoryview) and items.format in INTEGER_CODES + FLOAT_CODES:
            items = np.asarray(items)
        if isinstance(items, np.ndarray):
            if items.dtype.kind == "f" and code not in FLOAT_CODES:
                raise refuse(name, "a sequence of integers", value)
            same = items.dtype == np.dtype(code) or (code in FLOAT_CODES and items.dtype.kind == "f")
            items = np.ascontiguousarray(items, dtype=code).tobytes() if same and items.ndim == 1 else items.tolist()
        if isinstance(items, bytes):
            numbers.frombytes(items)
        else:
            numbers.extend(items.tolist() if isinstance(items, array) else items)
    except (TypeError, OverflowError) as error:
        kind = "float" if code in FLOAT_CODES else "int"
        limits = "" if kind == "float" else f" and each {_limits(code)}"
        raise refuse(name, f"a set or sequence and each value of type '{kind}'{limits}", value) from error
    if code == "f" and _overflowed(numbers, given):
        raise refuse(name, f"a set or sequence and each float in [-{FLOAT32_MAX}, {FLOAT32_MAX}]", value)
    return numbers


def _overflowed(numbers: array[float], given: Any) -> bool:
    """Tell whether a number became infinite in 32 bits that was not given so."""
    infinite = np.isinf(np.frombuffer(numbers, np.float32)) if numbers else np.zeros(0, bool)
    if not infinite.any():
        return False
    wide = np.asarray(given if isinstance(given, np.ndarray) else list(given), np.float64)
    return not bool(np.isinf(wide[infinite]).all())


def _limits(code: str) -> str:
    low, high = next(INTEGER_RANGES[name] for name, letter in CODES.items() if letter == code)
    return f"{'integer' if low else 'unsigned integer'} in [{low}, {high}]"


def as_fixed(value: object, dtype: str, size: int, name: str) -> npt.NDArray[Any]:
    """Take exactly `size` numbers: an array of that type itself, anything else as a new one."""
    if type(value) is np.ndarray and value.dtype == dtype and value.shape == (size,):
        return value
    items = _sized(value, size, 0, name)
    numbers = as_numbers(items, np.dtype(dtype).char.replace("l", "q").replace("L", "Q"), 0, name)
    return np.array(numbers, dtype=dtype)
