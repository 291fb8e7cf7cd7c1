"""Payloads of the robot's events, and the arguments of a harvest command, each field checked."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from typing import Any

STAGES = ("flower", "green", "white", "turning", "ripe", "overripe")

NUMBERS: dict[str, tuple[float, float, float]] = {
    "segment_length": (0.6, 0.01, 100.0),
    "ripeness_min": (0.8, 0.0, 1.0),
    "ripeness_max": (1.0, 0.0, 1.0),
    "speed": (1.0, 0.05, 1.0),
    "force": (1.0, 0.1, 8.0),
}
"""Default, smallest and largest of each number of a harvest command."""


def read_harvest(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `berry_msgs/SubmitOrder` out of a command's arguments.

    Raises:
        ValueError: one is missing or wrong; says which, what was expected and what came.
    """
    fields: dict[str, Any] = {}
    for name in ("bed", "side"):
        value = arguments.get(name)
        if not isinstance(value, str) or not value:
            raise ValueError(f"{name}: expected a name, got {value!r}")
        fields[name] = value
    segments = arguments.get("segments")
    if not isinstance(segments, list) or not segments or not all(_is_count(s) for s in segments):
        raise ValueError(f"segments: expected a list of numbers >= 0, got {segments!r}")
    fields["segments"] = segments
    quota = arguments.get("quota", 0)
    if not _is_count(quota):
        raise ValueError(f"quota: expected a number >= 0, got {quota!r}")
    fields["quota"] = quota
    for name, (default, low, high) in NUMBERS.items():
        value = arguments.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{name}: expected {low:g} to {high:g}, got {value!r}")
        fields[name] = float(value)
    return fields


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def reason_key(answer: str, known: Container[str]) -> str:
    """Return the key in an answer `key: detail` of the control loop, or its words where the fault table has none.

    Args:
        known: keys of the fault table, which has the words for people in zh and en.
    """
    key, _, _ = answer.partition(":")
    return key if key in known else answer


def pick_data(message: Any) -> dict[str, Any]:
    """Return the data of a `pick` event."""
    return {
        "order_id": message.order_id,
        "bed": message.bed,
        "side": message.side,
        "segment": int(message.segment),
        "berry_id": int(message.berry_id),
        "x": round(float(message.position.x), 4),
        "y": round(float(message.position.y), 4),
        "z": round(float(message.position.z), 4),
        "ripeness": round(float(message.ripeness), 3),
        "stage": message.stage,
        "diameter": round(float(message.diameter), 4),
        "result": message.result,
        "attempt": int(message.attempt),
        "seconds": round(float(message.seconds), 2),
        "peak_force": round(float(message.peak_force), 3),
        "mass": round(float(message.mass), 5),
        "punnet": message.punnet,
    }


def count_data(message: Any) -> dict[str, Any]:
    """Return the data of a `count` event."""
    data: dict[str, Any] = {name: getattr(message, name) for name in ("order_id", "bed", "side")}
    data["segment"] = int(message.segment)
    data |= {name: int(getattr(message, name)) for name in (*STAGES, "in_window")}
    return data | {"ripe_mass": round(float(message.ripe_mass), 5)}


def order_data(message: Any) -> dict[str, Any]:
    """Return the data of an `order` event."""
    data: dict[str, Any] = {"order_id": message.id, "status": message.status}
    data |= {name: int(getattr(message, name)) for name in ("picked", "placed", "attempted")}
    return data | {"fault": message.fault}


def pick_key(message: Any) -> str:
    """Return what makes a pick the same one, whichever way it comes."""
    return f"pick:{message.order_id}:{_stamp(message)}:{message.berry_id}:{message.attempt}"


def count_key(message: Any) -> str:
    """Return what makes a count the same one."""
    return f"count:{message.order_id}:{message.bed}:{message.segment}:{_stamp(message)}"


def order_key(message: Any) -> str:
    """Return what makes an order's status the same one."""
    return f"order:{message.id}:{message.status}:{_stamp(message)}"


def _stamp(message: Any) -> str:
    return f"{message.header.stamp.sec}.{message.header.stamp.nanosec:09d}"


def finite(value: Any) -> Any:
    """Return content without numbers that no message can hold (NaN, infinite); a list with one in it goes as a whole.

    A measurement that failed is left out, so that the farm hears the rest.
    """
    if isinstance(value, Mapping):
        return {key: finite(v) for key, v in value.items() if not _is_broken(v)}
    return [finite(v) for v in value] if isinstance(value, list) else value


def _is_broken(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_is_broken, value))
    return isinstance(value, float) and not math.isfinite(value)
