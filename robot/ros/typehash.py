"""Compute RIHS01 type hashes (REP-2011): SHA-256 over the canonical JSON of a type's description."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from robot.ros.cdr.layout import Lookup
from robot.ros.idl import Message, Type

TYPE_IDS = {
    "int8": 2, "uint8": 3, "int16": 4, "uint16": 5, "int32": 6, "uint32": 7, "int64": 8, "uint64": 9, "float32": 10,
    "float64": 11, "char": 3, "bool": 15, "byte": 16, "string": 17, "wstring": 18,
}  # fmt: skip
BOUNDED_STRING_OFFSET = 4  # FIELD_TYPE_BOUNDED_STRING - FIELD_TYPE_STRING
ARRAY, BOUNDED_SEQUENCE, UNBOUNDED_SEQUENCE = 48, 96, 144
HIDDEN = {
    "name": "structure_needs_at_least_one_member",
    "type": {"type_id": 3, "capacity": 0, "string_capacity": 0, "nested_type_name": ""},
}


def _type(kind: Type) -> dict[str, Any]:
    number = TYPE_IDS.get(kind.base, 1) + (BOUNDED_STRING_OFFSET if kind.string_bound else 0)
    if kind.array == "array":
        number += ARRAY
    elif kind.array:
        number += BOUNDED_SEQUENCE if kind.size else UNBOUNDED_SEQUENCE
    return {
        "type_id": number,
        "capacity": kind.size,
        "string_capacity": kind.string_bound,
        "nested_type_name": "" if kind.is_primitive else kind.base,
    }


def _describe(spec: Message) -> dict[str, Any]:
    fields = [{"name": field.name, "type": _type(field.type)} for field in spec.fields]
    return {"type_name": spec.name, "fields": fields or [HIDDEN]}


def _closure(spec: Message, lookup: Lookup, found: dict[str, dict[str, Any]]) -> None:
    for field in spec.fields:
        if not field.type.is_primitive and field.type.base not in found:
            nested = lookup(field.type.base)
            found[nested.name] = _describe(nested)
            _closure(nested, lookup, found)


def describe(spec: Message, lookup: Lookup) -> dict[str, Any]:
    """Return the description of a type and of all those in it, as rosidl's JSON has it."""
    found: dict[str, dict[str, Any]] = {}
    _closure(spec, lookup, found)
    return {
        "type_description": _describe(spec),
        "referenced_type_descriptions": [found[name] for name in sorted(found)],
    }


def type_hash(spec: Message, lookup: Lookup) -> str:
    """Return the hash of a message as `RIHS01_<64 hex digits>`."""
    return "RIHS01_" + hashlib.sha256(json.dumps(describe(spec, lookup)).encode()).hexdigest()
