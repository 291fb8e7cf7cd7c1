"""Fill a message from a dictionary, as `ros2 topic pub` does with its YAML."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np

from robot.ros.interfaces import get_message


def set_message_fields(
    msg: Any, values: Mapping[str, Any], expand_header_auto: bool = False, expand_time_now: bool = False
) -> list[Any]:
    """Set the fields that `values` names.

    Args:
        expand_header_auto: take the word `auto` for a header whose stamp is to be filled.
        expand_time_now: take the word `now` for a stamp to be filled.

    Returns:
        The stamps and headers' stamps left for the caller to fill.

    Raises:
        AttributeError: a field the message has not.
        TypeError: a sub message that is not given as a dictionary.
        ValueError: a value that does not fit its field.
    """
    if not isinstance(values, Mapping):
        raise TypeError(
            f"Value '{values}' is expected to be a dictionary but is a {type(values).__name__} ({type(msg).__name__})"
        )
    stamps: list[Any] = []
    types = msg.get_fields_and_field_types()
    kinds = {field.name: field.type for field in msg._SPEC.fields}

    def fill(made: Any, given: Any) -> Any:
        stamps.extend(set_message_fields(made, given, expand_header_auto, expand_time_now))
        return made

    for name, value in values.items():
        if name not in types:
            raise AttributeError(f"{type(msg).__name__} has no field {name!r}; it has {', '.join(types) or 'none'}")
        field, kind = getattr(msg, name), kinds[name]
        if expand_header_auto and value == "auto" and types[name] == "std_msgs/Header":
            stamps.append(field.stamp)
        elif expand_time_now and value == "now" and types[name] == "builtin_interfaces/Time":
            stamps.append(field)
        elif kind.is_primitive:
            try:
                converted = _primitive(kind.base, field, value, single=not kind.array)
            except (TypeError, ValueError, AttributeError, OverflowError) as error:
                said = f"the field '{name}' of {type(msg).__name__} ({types[name]}) cannot take {value!r}: {error}"
                raise (TypeError if isinstance(error, TypeError) else ValueError)(said) from error
            setattr(msg, name, converted)
        elif not kind.array:
            setattr(msg, name, fill(type(field)(), value if value is not None else {}))
        elif isinstance(value, str | Mapping) or not hasattr(value, "__iter__"):
            raise TypeError(f"Value '{value}' of '{name}' is expected to be a list but is a {type(value).__name__}")
        else:
            setattr(msg, name, [fill(get_message(kind.base)(), item) for item in value])
    return stamps


def _primitive(base: str, field: Any, value: Any, *, single: bool) -> Any:
    if single:
        if base == "byte":
            return value if isinstance(value, bytes) else bytes([value]) if isinstance(value, int) else value.encode()
        if base == "bool" or isinstance(value, bool):
            return value if base == "bool" else type(field)(value)
        return type(field)(value)
    if base == "byte":
        return [item if isinstance(item, bytes) else bytes([item]) for item in value]
    if base in ("string", "wstring"):
        return [str(item) for item in value]
    if isinstance(field, np.ndarray):
        return np.array(value, dtype=field.dtype)
    if isinstance(field, array) and not isinstance(value, bytes | bytearray | memoryview | np.ndarray | array):
        return array(field.typecode, value)
    return value
