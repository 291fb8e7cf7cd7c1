"""Arm descriptions as data: `load_arm(name)` reads the TOML file beside this module, strictly."""

from __future__ import annotations

import tomllib
from importlib import resources

from robot.arms.description import (
    Arm,
    ArmDescription,
    Camera,
    Capsule,
    Punnet,
    Rail,
    SafetyLimits,
    Tool,
)
from robot.arms.parse import parse_arm

__all__ = [
    "Arm",
    "ArmDescription",
    "Camera",
    "Capsule",
    "Punnet",
    "Rail",
    "SafetyLimits",
    "Tool",
    "load_arm",
    "parse_arm",
]


def load_arm(name: str) -> ArmDescription:
    """Load the description of one arm.

    Args:
        name: file name without `.toml`, such as "ur3e".

    Raises:
        ValueError: no such arm, or its file is wrong; the message names key, expected and got.
    """
    folder = resources.files(__name__)
    known = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    if name not in known:
        raise ValueError(f"expected an arm out of {known}, got {name!r}")
    return parse_arm(tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8")), source=f"{name}.toml")
