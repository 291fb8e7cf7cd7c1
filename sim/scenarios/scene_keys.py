"""Every key of a scene file in one table: the parser reads by it, and the published JSON Schema is made from it."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from typing import Any

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key. `kind`: number, integer, text, numbers (of `length`), range ([low, high]), table, tables."""

    kind: str
    text: str
    low: float = -math.inf
    high: float = math.inf
    length: int = 0
    choices: tuple[str, ...] = ()
    required: bool = False

    def problem(self, value: Any) -> str:
        """Return what was expected when `value` is not it, else an empty text."""
        bounds = f" from {self.low:g} to {self.high:g}"
        if self.kind == "number":
            return "" if self._number(value) else f"a number{bounds}"
        if self.kind == "integer":
            whole = isinstance(value, int) and not isinstance(value, bool)
            return "" if whole and self._number(value) else f"a whole number{bounds}"
        if self.kind == "text":
            good = isinstance(value, str) and (not self.choices or value in self.choices)
            return "" if good else (f"one of {', '.join(self.choices)}" if self.choices else "a text")
        if self.kind in ("numbers", "range"):
            length = 2 if self.kind == "range" else self.length
            good = isinstance(value, list) and len(value) == length and all(self._number(v) for v in value)
            if self.kind == "range":
                return "" if good and value[0] <= value[1] else f"[low, high]{bounds}"
            return "" if good else f"{length} numbers{bounds}"
        if self.kind == "table":
            return "" if isinstance(value, dict) else "a table"
        return "" if isinstance(value, list) and value else "an array of tables with at least one"

    def _number(self, value: Any) -> bool:
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return number and self.low <= value <= self.high

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of a value."""
        limits = {name: v for name, v in (("minimum", self.low), ("maximum", self.high)) if math.isfinite(v)}
        if self.kind in ("number", "integer"):
            return {"type": self.kind, **limits, "description": self.text}
        if self.kind == "text":
            return {
                "type": "string",
                **({"enum": list(self.choices)} if self.choices else {}),
                "description": self.text,
            }
        n = 2 if self.kind == "range" else self.length
        items = {"type": "number", **limits}
        return {"type": "array", "items": items, "minItems": n, "maxItems": n, "description": self.text}


ROOT: dict[str, Key] = {
    "format": Key(kind="integer", text="version of this format: 1", required=True),
    "name": Key(kind="text", text="of the scene, for reports"),
    "bed": Key(kind="table", text="the bed side"),
    "cultivar": Key(kind="table", text="ranges from which what is not told is drawn"),
    "hang": Key(kind="table", text="where drawn fruit and leaves hang"),
    "fruit": Key(kind="table", text="fruit drawn by class of difficulty and seed; not with [[berries]]"),
    "berries": Key(kind="tables", text="fruit told one by one; not with [fruit]"),
    "leaves": Key(kind="tables", text="leaves that hang in front of the fruit, told one by one; with [[berries]] only"),
}

TABLES: dict[str, dict[str, Key]] = {
    "bed": {
        "style": Key(kind="text", text="table_top (gutter on posts) or ridge", choices=("table_top", "ridge")),
        "length": Key(kind="number", text="of the bed side [m]", low=0.3, high=3.0),
        "plants_per_m": Key(kind="number", text="[1/m]", low=0.5, high=15.0),
        "segment_length": Key(kind="number", text="stretch that is harvested in one go [m]", low=0.3, high=2.0),
    },
    "cultivar": {
        "name": Key(kind="text", text="of the cultivar"),
        "half_width": Key(kind="range", text="half of the fruit's largest width [m]", low=0.006, high=0.026),
        "aspect": Key(kind="range", text="length over width", low=0.8, high=2.0),
        "density": Key(kind="number", text="mass over volume [kg/m^3]", low=600.0, high=1100.0),
        "stem_length": Key(kind="range", text="pedicel, from the node to the calyx [m]", low=0.02, high=0.25),
        "stem_radius": Key(kind="range", text="[m]", low=0.0004, high=0.003),
        "break_force": Key(kind="range", text="pull along the stem that tears the fruit off [N]", low=0.5, high=40.0),
        "firmness": Key(kind="number", text="share of the damage limits the fruit stands", low=0.2, high=2.0),
    },
    "hang": {
        "front": Key(kind="range", text="fruit's centre in front of the gutter's edge [m]", low=0.02, high=0.12),
        "below": Key(kind="range", text="fruit's centre below the top of the bed [m]", low=0.10, high=0.36),
        "leaves_in_front": Key(kind="number", text="share of a plant's leaves that hang in front", low=0.0, high=0.8),
    },
    "fruit": {
        "ripe": Key(kind="integer", text="how many ripe berries", low=1, high=60, required=True),
        "unripe": Key(kind="integer", text="how many others", low=0, high=90),
        "mix": Key(
            kind="numbers", text="shares of isolated, partly hidden, cluster, enclosed", low=0, high=1, length=4
        ),
    },
}

LISTS: dict[str, dict[str, Key]] = {
    "berries": {
        "position": Key(
            kind="numbers",
            text="centre of the fruit: along the bed from its beginning, in front of its edge, below its top [m]",
            low=0.0,
            high=3.0,
            length=3,
            required=True,
        ),
        "ripeness": Key(kind="number", text="share of the skin with its ripe colour", low=0.0, high=1.0, required=True),
        "maturity": Key(kind="number", text="unripe skin: 0 = green, 1 = white", low=0.0, high=1.0),
        "half_width": Key(kind="number", text="half of the largest width [m]", low=0.006, high=0.026),
        "half_length": Key(kind="number", text="half of the length from calyx to tip [m]", low=0.006, high=0.040),
        "stem_length": Key(kind="number", text="pedicel, from node to calyx [m]", low=0.02, high=0.30),
        "stem_radius": Key(kind="number", text="[m]", low=0.0004, high=0.003),
        "mass": Key(kind="number", text="[kg]", low=0.001, high=0.1),
        "break_force": Key(kind="number", text="pull along the stem that tears it off [N]", low=0.5, high=40.0),
        "truss": Key(kind="integer", text="berries with the same number share a peduncle", low=0, high=1000),
    },
    "leaves": {
        "position": Key(
            kind="numbers",
            text="where the three leaflets meet, in the frame of the berries; they hang down from there [m]",
            low=0.0,
            high=3.0,
            length=3,
            required=True,
        ),
        "size": Key(
            kind="number", text="of a leaflet [m]: 1.15 times as long, 0.99 times as wide", low=0.02, high=0.09
        ),
        "turn": Key(kind="number", text="of the face about the vertical, 0 = to the aisle [rad]", low=-1.2, high=1.2),
        "tilt": Key(kind="number", text="of the face upwards [rad]", low=-0.3, high=1.2),
    },
}


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scene file."""
    properties: dict[str, Any] = {}
    for name, key in ROOT.items():
        if name in TABLES:
            properties[name] = {**_object(TABLES[name]), "description": key.text}
        elif name in LISTS:
            properties[name] = {"type": "array", "minItems": 1, "items": _object(LISTS[name]), "description": key.text}
        else:
            properties[name] = key.schema()
    properties["format"] = {"const": FORMAT, "description": ROOT["format"].text}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A bed side for `berrybrain bench pick --scene FILE`, as TOML or JSON",
        "type": "object",
        "properties": properties,
        "required": ["format"],
        "additionalProperties": False,
        "oneOf": [{"required": ["fruit"]}, {"required": ["berries"]}],
        "dependentRequired": {"leaves": ["berries"]},
    }


def _object(keys: dict[str, Key]) -> dict[str, Any]:
    required = [name for name, key in keys.items() if key.required]
    properties = {name: key.schema() for name, key in keys.items()}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=1)
    sys.stdout.write("\n")
