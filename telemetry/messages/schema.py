"""The contract as JSON Schema (2020-12), one per stored kind, for those who write devices in other languages."""

from __future__ import annotations

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


def schemas() -> dict[Kind, dict[str, Any]]:
    """Return the JSON Schema of each stored kind's payload."""
    return {
        Kind.DATA: {"anyOf": [_DATA, {"type": "array", "minItems": 1, "items": _DATA}]},
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
