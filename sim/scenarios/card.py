"""The frozen cell card, `cell.toml`: what a bench is measured with, each number with its unit and its source."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any

import numpy as np

from robot.arms import ArmDescription, load_arm
from robot.pick.settings import PickSettings
from sim.blade import CutSettings
from sim.cell import CellSettings, DamageModel
from sim.drive import ServoSettings
from sim.scene import SceneSettings

Value = float | int | str | list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the card."""

    value: Value
    unit: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The cell card; `entries` by section and key."""

    version: int
    entries: dict[str, dict[str, Entry]]

    def number(self, section: str, key: str) -> float:
        value = self.entries[section][key].value
        if not isinstance(value, int | float):
            raise ValueError(f"cell.toml: {section}.{key}: expected a number, got {value!r}")
        return float(value)

    def numbers(self, section: str, key: str) -> list[float]:
        value = self.entries[section][key].value
        if not isinstance(value, list):
            raise ValueError(f"cell.toml: {section}.{key}: expected numbers, got {value!r}")
        return [float(v) for v in value]


def load_card() -> Card:
    """Read the card and hold it against the arm's description.

    Raises:
        ValueError: an entry without unit or source, or one that says otherwise than the arm's file.
    """
    text = (resources.files("sim.scenarios") / "cell.toml").read_text(encoding="utf-8")
    card = parse_card(tomllib.loads(text))
    differences = compare(card, load_arm(str(card.entries["arm"]["name"].value)))
    if differences:
        raise ValueError("cell.toml and the robot's files differ: " + "; ".join(differences))
    return card


def parse_card(table: dict[str, Any]) -> Card:
    """Return the card of a TOML document.

    Raises:
        ValueError: names the entry that lacks its value, unit or source.
    """
    entries: dict[str, dict[str, Entry]] = {}
    for section, lines in table.items():
        if section == "version":
            continue
        for key, line in lines.items():
            if not isinstance(line, dict) or set(line) != {f.name for f in fields(Entry)} or not line["source"]:
                raise ValueError(f"cell.toml: {section}.{key}: expected value, unit and source, got {line!r}")
            entries.setdefault(section, {})[key] = Entry(**line)
    return Card(version=int(table["version"]), entries=entries)


def compare(card: Card, arm: ArmDescription) -> list[str]:
    """Return where the card says otherwise than the arm's file and the picking skill, one line each."""
    across = math.dist(arm.punnet.position[1:], (PickSettings().crop_front, sum(PickSettings().heights) / 2.0))
    told: dict[tuple[str, str], Any] = {
        ("arm", "joint_speed"): arm.velocity[1:],
        ("arm", "joint_acceleration"): arm.acceleration[1:],
        ("arm", "joint_jerk"): arm.jerk[1:],
        ("arm", "tool_speed"): arm.safety.tool_speed_auto,
        ("arm", "approach_speed"): PickSettings().approach_speed,
        ("rail", "speed"): arm.velocity[0],
        ("rail", "acceleration"): arm.acceleration[0],
        ("rail", "jerk"): arm.jerk[0],
        ("gripper", "jaw_speed"): arm.tool.opening_velocity,
        ("gripper", "jaw_opening"): arm.tool.opening_max,
        ("gripper", "pad_force"): arm.tool.force_limit,
        ("blade", "sweep_time"): arm.tool.blade_time,
        ("blade", "force"): arm.tool.blade_force,
        ("punnet", "distance"): round(across, 2),
        ("punnet", "capacity"): arm.punnet.capacity,
        ("camera", "rate"): arm.camera.rate,
    }
    return [
        f"{section}.{key}: the card says {card.entries[section][key].value}, the robot {np.asarray(real).tolist()}"
        for (section, key), real in told.items()
        if not np.allclose(np.asarray(card.entries[section][key].value, dtype=np.float64), real)
    ]


def cell_settings(card: Card, scene: SceneSettings) -> CellSettings:
    """Return the cell that the card describes, with this scene in it."""
    n = card.number
    return CellSettings(
        scene=scene,
        servo=ServoSettings(**{f.name: n("servo", f.name) for f in fields(ServoSettings)}),
        cut=CutSettings(
            force_needed=n("blade", "force_needed"),
            angle_min=math.radians(n("blade", "angle_min")),
            tolerance=n("blade", "tolerance"),
            flesh_depth=n("blade", "flesh_depth"),
        ),
        damage=DamageModel(**{f.name: n("damage", f.name) for f in fields(DamageModel)}),
    )
