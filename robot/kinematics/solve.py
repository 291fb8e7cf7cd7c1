"""Joint vectors that reach a tool pose, best first, using the rail as the seventh, redundant joint."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import cos, sin

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.kinematics.analytic import analytic, is_ur_like, unwrap_near
from robot.kinematics.numeric import polish

Array = npt.NDArray[np.float64]
RAIL_OFFSETS = (0.0, 0.08, -0.08, 0.16, -0.16, 0.24, -0.24, 0.32, -0.32, 0.40, -0.40)  # tool x minus base x [m]
NEAR_SINGULAR = 0.0015  # |det J| [m^3]; a tenth of what the UR3e has in the middle of its range


def manipulability(arm: ArmDescription, q: Array) -> float:
    """Return |det J| of a Universal Robots arm [m^3]: a2 a3 sin(q3) sin(q5) (reach of the wrist from axis 1)."""
    a2, a3 = float(arm.arm.a[1]), float(arm.arm.a[2])
    d5 = float(arm.arm.d[4])
    _, _, t2, t3, t4, t5, _ = q.tolist()
    reach = a2 * cos(t2) + a3 * cos(t2 + t3) + d5 * sin(t2 + t3 + t4)
    return abs(a2 * a3 * sin(t3) * sin(t5) * reach)


def solve(
    arm: ArmDescription,
    T_world_tool: Array,
    seed: Array,
    *,
    rail: float | None = None,
    valid: Callable[[Array], bool] | None = None,
) -> list[Array]:
    """Return joint vectors (7,) inside the limits that put the tool at the pose, best first; empty when out of reach.

    Best is near the seed (weighted by how long each joint takes), elbow up and away from singularities.

    Args:
        T_world_tool: wanted tool pose, shape (4, 4).
        seed: where the arm is, or a posture to stay near, shape (7,).
        rail: rail position to use [m]; None searches the seed's and a few more around the pose.
        valid: keeps only joint vectors it accepts, such as `lambda q: world.clearance(q) > 0.01`.
    """
    low, high = arm.rail.position_min, arm.rail.position_max
    if rail is not None:
        rails = [rail] if low <= rail <= high else []
    else:
        wanted = [float(seed[0])]
        wanted += [float(T_world_tool[0, 3]) - float(arm.rail.base[0]) - offset for offset in RAIL_OFFSETS]
        rails = list(dict.fromkeys(r for r in wanted if low <= r <= high))
    scored: list[tuple[float, Array]] = []
    for position in rails:
        for q in _at_rail(arm, T_world_tool, seed, position):
            scored.append((_cost(arm, q, seed), q))
    scored.sort(key=lambda pair: pair[0])
    return [q for _, q in scored if valid is None or valid(q)]


@lru_cache(maxsize=8)
def _limits(arm: ArmDescription) -> tuple[list[float], list[float]]:
    return arm.arm.position_min.tolist(), arm.arm.position_max.tolist()


@lru_cache(maxsize=8)
def _flange(arm: ArmDescription) -> Array:
    return np.linalg.inv(arm.tool.T_flange_tool).astype(np.float64)


def _at_rail(arm: ArmDescription, T_world_tool: Array, seed: Array, rail: float) -> list[Array]:
    if not is_ur_like(arm):
        start = seed.copy()
        start[0] = rail
        q = polish(arm, T_world_tool, start)
        return [] if q is None else [q]
    T = T_world_tool @ _flange(arm)
    T[:3, 3] -= arm.rail.base
    T[0, 3] -= rail
    lows, highs = _limits(arm)
    near = seed[1:].tolist()
    found = []
    for angles in analytic(arm, T, near[5]):
        unwrapped = unwrap_near(angles, near, lows, highs)
        if unwrapped is not None:
            found.append(np.array([rail, *unwrapped]))
    return found


def _cost(arm: ArmDescription, q: Array, seed: Array) -> float:
    """Return seconds of the slowest joint plus half a second for elbow down and up to one near a singularity."""
    duration = float(np.max(np.abs(q - seed) / arm.velocity))
    cost = duration + 0.05 * float(np.sum(np.abs(q - seed) / arm.velocity))
    a2, a3 = float(arm.arm.a[1]), float(arm.arm.a[2])
    elbow, wrist = a2 * sin(float(q[2])), a2 * sin(float(q[2])) + a3 * sin(float(q[2] + q[3]))
    if elbow < 0.5 * wrist:
        cost += 0.5
    singular = manipulability(arm, q) / NEAR_SINGULAR
    return cost + max(0.0, 1.0 - singular)
