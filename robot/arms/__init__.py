"""Arm descriptions as data: `load_arm(name)` reads the TOML file beside this module, strictly."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

from robot.arms.calibration import calibrated, mounted
from robot.arms.description import (
    Arm,
    ArmDescription,
    Camera,
    Capsule,
    Posture,
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
    "Posture",
    "Punnet",
    "Rail",
    "SafetyLimits",
    "Tool",
    "arm_names",
    "calibrated",
    "load_arm",
    "mounted",
    "parse_arm",
]


def arm_names() -> list[str]:
    """Return the names of the arms there is a file of."""
    folder = resources.files(__name__)
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_arm(name: str, calibration: Path | None = None, camera: Path | None = None) -> ArmDescription:
    """Load the description of one arm.

    Args:
        name: file name without `.toml`, such as "ur3e".
        calibration: TOML file with the unit's own deltas; see `calibrated`.
        camera: file of `berrybrain calibrate hand-eye`; its mounting takes the place of the drawing's.

    Raises:
        ValueError: no such arm, or its file is wrong; the message names key, expected and got.
    """
    known = arm_names()
    if name not in known:
        raise ValueError(f"expected an arm out of {known}, got {name!r}")
    text = (resources.files(__name__) / f"{name}.toml").read_text(encoding="utf-8")
    arm = parse_arm(tomllib.loads(text), source=f"{name}.toml")
    if calibration is not None:
        arm = calibrated(arm, tomllib.loads(calibration.read_text(encoding="utf-8")), source=calibration.name)
    return arm if camera is None else mounted(arm, camera)
