"""The contract as JSON Schema (2020-12), one per stored kind, for those who write devices in other languages.

`contract/1/<kind>.json` are the same as files; `python -m telemetry.messages.schema` writes them. Version 1 only grows:
a key may be added that receivers can do without; any other change is a version 2 beside it, on topics `gh/2/…`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from telemetry.messages import AckStatus, Kind
from telemetry.messages.fields import EARLIEST_MS, LATEST_MS, MAX_SEQ

_INSTANT = {"type": "number", "minimum": EARLIEST_MS, "maximum": LATEST_MS, "description": "UTC epoch [ms]"}
_SEQ = {"type": "integer", "minimum": 0, "exclusiveMaximum": MAX_SEQ, "description": "counts up by 1 within a boot"}
_WORD = {"type": "string", "pattern": r"^[A-Za-z0-9_.:\-]{1,128}$"}
_TEXT = {"type": "string"}
_METRIC_NAME = {"pattern": r"^[A-Za-z][A-Za-z0-9_.\-]{0,63}$"}
_METRIC_INFO = {
    "type": "object",
    "required": ["unit", "min", "max", "interval"],
    "properties": {
        "unit": _TEXT | {"description": "UCUM code"},
        "min": {"type": "number"},
        "max": {"type": "number"},
        "interval": {"type": "number", "minimum": 0, "description": "[s]"},
    },
}
_DATA = {
    "type": "object",
    "required": ["ts", "seq", "boot", "m"],
    "properties": {
        "ts": _INSTANT,
        "seq": _SEQ,
        "boot": _WORD,
        "m": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": _METRIC_NAME,
            "additionalProperties": {"type": ["number", "null"]},
        },
        "hist": {"type": "boolean", "description": "sent late, after an outage"},
    },
}


_VALUES = {
    "description": "what ThingsBoard's devices send; without numbers, so that nobody can tell what is missing",
    "type": "object",
    "required": ["ts", "values"],
    "not": {"required": ["m"]},
    "properties": {
        "ts": _INSTANT,
        "values": {"type": "object", "minProperties": 1, "propertyNames": _METRIC_NAME},
    },
}
VERSION = 1
FOLDER = Path(__file__).parent / "contract" / str(VERSION)


def schemas() -> dict[Kind, dict[str, Any]]:
    """Return the JSON Schema of each stored kind's payload."""
    return {kind: _head(kind) | schema for kind, schema in _payloads().items()}


def published(kind: Kind) -> str:
    """Return a kind's schema as it is published."""
    return json.dumps(schemas()[kind], indent=2, ensure_ascii=False) + "\n"


def _head(kind: Kind) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:berrybrain:gh:{VERSION}:{kind}",
        "title": f"gh/{VERSION}/<site>/<zone>/<device>/{kind}",
    }


def _payloads() -> dict[Kind, dict[str, Any]]:
    one = {"anyOf": [_DATA, _VALUES]}
    return {
        Kind.DATA: {"anyOf": [_DATA, _VALUES, {"type": "array", "minItems": 1, "items": one}]},
        Kind.BIRTH: _of(
            ["ts", "boot", "model", "metrics"],
            ts=_INSTANT,
            boot=_WORD,
            model=_TEXT,
            fw=_TEXT,
            metrics={"type": "object", "propertyNames": _METRIC_NAME, "additionalProperties": _METRIC_INFO},
            description={"type": "object", "description": "more of what it is; of a robot: urdf"},
        ),
        Kind.STATE: _of(["ts", "status"], ts=_INSTANT, status=_WORD, fault=_TEXT, detail={"type": "object"}),
        Kind.EVENT: _of(
            ["ts", "seq", "boot", "type", "data"],
            ts=_INSTANT,
            seq=_SEQ,
            boot=_WORD,
            type=_WORD,
            data={"type": "object"},
        ),
        Kind.CMD: _of(
            ["id", "issuer", "expires_at", "command"],
            id=_WORD,
            issuer=_TEXT,
            expires_at=_INSTANT,
            command=_WORD,
            args={"type": "object"},
        ),
        Kind.ACK: _of(
            ["id", "ts", "status"], id=_WORD, ts=_INSTANT, status={"enum": [str(s) for s in AckStatus]}, reason=_TEXT
        ),
    }


def _of(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for each in schemas():
        (FOLDER / f"{each}.json").write_text(published(each), encoding="utf-8")
