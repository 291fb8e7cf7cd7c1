"""One unit's kinematic calibration: what its maker measured at the factory, added to the nominal DH parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from robot.arms.description import ArmDescription
from robot.arms.parse import Table, frozen

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
