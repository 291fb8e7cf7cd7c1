"""One unit's calibration: what its maker measured at the factory, and where its camera was found to sit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from robot.arms.description import ArmDescription
from robot.arms.parse import Table, frozen
from vision.calibrate.file import load_calibration

MOST_DISTANCE = 0.5
"""No eye in hand sits farther from its tool [m]."""
KEYS = ("delta_theta", "delta_a", "delta_d", "delta_alpha")


def calibrated(arm: ArmDescription, values: Mapping[str, Any], *, source: str) -> ArmDescription:
    """Return the arm with a unit's deltas added; the nominal description stays in `nominal`.

    Args:
        values: `delta_theta`, `delta_alpha` [rad], `delta_a`, `delta_d` [m], one number per joint, as Universal Robots
            gives them in a controller's `calibration.conf`. Deltas of `d` may be metres where axes are almost parallel:
            they cancel.
        source: name shown in errors.

    Raises:
        ValueError: a key is missing, unknown or has another number of joints.
    """
    table, n, dh = Table(values, source, KEYS), len(arm.arm.joints), arm.arm
    changed = replace(
        dh,
        theta=frozen(dh.theta + table.vector("delta_theta", n)),
        a=frozen(dh.a + table.vector("delta_a", n)),
        d=frozen(dh.d + table.vector("delta_d", n)),
        alpha=frozen(dh.alpha + table.vector("delta_alpha", n)),
    )
    return replace(arm, arm=changed, nominal=arm.nominal or arm)


def mounted(arm: ArmDescription, path: Path) -> ArmDescription:
    """Return the arm with its camera where `berrybrain calibrate hand-eye` found it.

    Raises:
        ValueError: the file cannot be read, has no mounting, or one that is more than 0.5 m from the tool.
    """
    T_tool_camera = load_calibration(path).T_tool_camera
    if T_tool_camera is None:
        raise ValueError(f"expected a mounting in {path}, got intrinsics only: run berrybrain calibrate hand-eye")
    distance = float(np.linalg.norm(T_tool_camera[:3, 3]))
    if distance > MOST_DISTANCE:
        raise ValueError(f"expected a camera within {MOST_DISTANCE:g} m of the tool in {path}, got {distance:.2f} m")
    return replace(arm, camera=replace(arm.camera, T_tool_camera=frozen(T_tool_camera)))
