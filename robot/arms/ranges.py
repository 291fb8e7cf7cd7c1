"""How large an arm's numbers may be at all: neither degrees nor millimetres, and no limit that limits nothing."""

from __future__ import annotations

from math import pi

import numpy as np

from robot.arms.description import ArmDescription

MOST: dict[str, tuple[float, str]] = {
    "rail.position_min": (100.0, "m"),
    "rail.position_max": (100.0, "m"),
    "rail.velocity": (3.0, "m/s"),
    "rail.acceleration": (20.0, "m/s^2"),
    "arm.d": (3.0, "m"),
    "arm.a": (3.0, "m"),
    "arm.alpha": (2.0 * pi, "rad"),
    "arm.theta": (2.0 * pi, "rad"),
    "arm.position_min": (4.0 * pi, "rad"),
    "arm.position_max": (4.0 * pi, "rad"),
    "arm.velocity": (15.0, "rad/s"),
    "tool.opening_max": (0.5, "m"),
    "tool.force_max": (50.0, "N"),
    "safety.tool_speed_auto": (0.5, "m/s"),
    "safety.tool_speed_manual": (0.25, "m/s"),
    "safety.workspace_min": (100.0, "m"),
    "safety.workspace_max": (100.0, "m"),
    "safety.crop_volume_min": (100.0, "m"),
    "safety.crop_volume_max": (100.0, "m"),
    "safety.command_age": (0.05, "s"),
    "safety.heartbeat_age": (1.0, "s"),
    "safety.tracking_error": (0.3, "m, rad"),
}
"""The largest magnitude of each, with its unit."""


def plausible(arm: ArmDescription, source: str) -> ArmDescription:
    """Return the arm.

    Args:
        source: name shown in errors.

    Raises:
        ValueError: a number is larger than any arm of this kind has.
    """
    for path, (most, unit) in MOST.items():
        part, key = path.split(".")
        value = np.asarray(getattr(getattr(arm, part), key))
        if np.abs(value).max() > most:
            told = f"expected at most {most:g} {unit}, got {value.tolist()}; is that its unit?"
            raise ValueError(f"{source}.{path}: {told}")
    return arm
