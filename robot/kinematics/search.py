"""Inverse kinematics of arms without a closed form: damped least squares from the seed, then from spread-out starts."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.kinematics.analytic import unwrap_near
from robot.kinematics.numeric import polish

Array = npt.NDArray[np.float64]
STARTS = 100  # from how many places at most; the mean need is two to three
STEPS = 24  # of each descent; those that get there need about eight
STIFF_STEPS, STIFF = 40, 1e-2  # of five joints, with this damping: they are near a singularity more often
ENOUGH = 3  # ways found before the best is taken
ALTERNATIVES = 6  # starts after which one way is enough


@lru_cache(maxsize=8)
def _starts(arm: ArmDescription) -> Array:
    """Return starts spread over the joints' range, at most half a turn each way, shape (STARTS, n).

    The additive recurrence of Roberts (2018), "The unreasonable effectiveness of quasirandom sequences".
    """
    low = np.maximum(arm.arm.position_min, -np.pi)
    high = np.minimum(arm.arm.position_max, np.pi)
    # A range that lies beside zero, such as 0..300 degrees, keeps its own ends.
    beside = arm.arm.position_max - arm.arm.position_min < 2.0 * np.pi
    low, high = np.where(beside, arm.arm.position_min, low), np.where(beside, arm.arm.position_max, high)
    n = len(low)
    root = 1.5
    for _ in range(40):  # the root of x^(n + 1) = x + 1
        root = (1.0 + root) ** (1.0 / (n + 1))
    step = root ** -np.arange(1.0, n + 1.0)
    unit = (0.5 + np.arange(1, STARTS + 1)[:, None] * step) % 1.0
    starts: Array = low + unit * (high - low)
    return starts


@lru_cache(maxsize=8)
def _stretch(arm: ArmDescription) -> tuple[Array, Array, float]:
    """Return where axis 2 crosses axis 1 in the world at rail 0, the tool in the flange, and the arm's length [m]."""
    dh = arm.arm
    shoulder = arm.rail.base + np.array([0.0, 0.0, float(dh.d[0])])
    T_tool_flange = np.linalg.inv(arm.tool.T_flange_tool).astype(np.float64)
    return shoulder, T_tool_flange, float(abs(dh.a[0]) + np.hypot(dh.a[1:], dh.d[1:]).sum())


def within_reach(arm: ArmDescription, T_world_tool: Array, rail: float) -> bool:
    """Tell whether the flange is no farther from the shoulder than the stretched arm is long: a quick refusal."""
    shoulder, T_tool_flange, length = _stretch(arm)
    away = T_world_tool[:3, :3] @ T_tool_flange[:3, 3] + T_world_tool[:3, 3] - shoulder
    away[0] -= rail
    return float(away @ away) <= length**2 * (1.0 + 1e-9)


def search(
    arm: ArmDescription,
    T_world_tool: Array,
    seed: Array,
    *,
    move_rail: bool = False,
    enough: int = ENOUGH,
    starts: int = STARTS,
) -> list[Array]:
    """Return up to `enough` joint vectors (n + 1,) inside the limits that reach the pose; empty when none was found.

    The first start is the seed, so an arm that moves on finds its way in one descent. An arm of five joints reaches a
    pose only when it lies on its five-dimensional surface, or with `move_rail`.

    Args:
        seed: where the arm is; its rail position is kept unless `move_rail`.
        move_rail: let the rail take part.
        starts: from how many places at most, besides the seed.
    """
    if not move_rail and not within_reach(arm, T_world_tool, float(seed[0])):
        return []
    steps, damping = (STEPS, 1e-3) if len(arm.arm.joints) >= 6 or move_rail else (STIFF_STEPS, STIFF)
    found: list[Array] = []
    low, high = arm.arm.position_min.tolist(), arm.arm.position_max.tolist()
    near = seed[1:].tolist()
    start = seed.copy()
    for number, joints in enumerate((None, *_starts(arm)[:starts])):
        if found and number > ALTERNATIVES:
            return found
        if joints is not None:
            start[1:] = joints
        q = polish(arm, T_world_tool, start, iterations=steps, damping=damping, move_rail=move_rail)
        if q is None:
            continue
        unwrapped = unwrap_near(q[1:].tolist(), near, low, high)
        if unwrapped is not None:
            q[1:] = unwrapped
        if all(float(np.abs(q - other).max()) > 1e-3 for other in found):
            found.append(q)
        if joints is None or len(found) >= enough:
            return found
    return found
