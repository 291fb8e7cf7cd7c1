"""Named simulated cells as TOML files; `load_scenario(name)` reads one, strictly."""

from __future__ import annotations

import tomllib
from dataclasses import fields, is_dataclass
from importlib import resources
from typing import Any, TypeVar

from sim.blade import CutSettings
from sim.cell import CellSettings, DamageModel
from sim.drive import ServoSettings
from sim.scene import Cultivar, SceneSettings, StageShares

Settings = TypeVar("Settings")

CARD = "cell.toml"
"""Not a scenario: the numbers that all of them share."""

NESTED: dict[type[Any], dict[str, type[Any]]] = {
    CellSettings: {"scene": SceneSettings, "servo": ServoSettings, "cut": CutSettings, "damage": DamageModel},
    SceneSettings: {"cultivar": Cultivar, "shares": StageShares},
}


def scenarios() -> list[str]:
    """Return the names of the scenarios that come with the package."""
    folder = resources.files(__name__)
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml") and f.name != CARD)


def load_scenario(name: str) -> CellSettings:
    """Read a scenario.

    Raises:
        ValueError: no such scenario, or a key it does not know; the message lists the valid ones.
    """
    if name not in scenarios():
        raise ValueError(f"expected a scenario out of {scenarios()}, got {name!r}")
    text = (resources.files(__name__) / f"{name}.toml").read_text(encoding="utf-8")
    return parse(CellSettings, tomllib.loads(text), where=f"{name}.toml")


def parse(kind: type[Settings], table: dict[str, Any], *, where: str) -> Settings:
    """Return settings of `kind` from a TOML table; keys that are left out keep their defaults."""
    assert is_dataclass(kind)
    known = [f.name for f in fields(kind)]
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise ValueError(f"{where}: expected a key out of {known}, got {key!r}")
        nested = NESTED.get(kind, {}).get(key)
        if nested is not None:
            values[key] = parse(nested, value, where=f"{where}: [{key}]")
        else:
            values[key] = tuple(value) if isinstance(value, list) else value
    return kind(**values)
