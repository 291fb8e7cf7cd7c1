"""Joint vectors that reach a tool pose, best first, using the rail as the seventh, redundant joint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import cos, sin

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.kinematics.analytic import analytic, is_ur_like, unwrap_near
from robot.kinematics.chain import jacobian
from robot.kinematics.numeric import polish
from robot.kinematics.search import ENOUGH, search

Array = npt.NDArray[np.float64]
RAIL_OFFSETS = (0.0, 0.08, -0.08, 0.16, -0.16, 0.24, -0.24, 0.32, -0.32, 0.40, -0.40)  # tool x minus base x [m]
FEW = 12  # starts of a numerical search while other rail positions are left
NEAR_SINGULAR = 0.0015  # |det J| [m^3]; a tenth of what the UR3e has in the middle of its range


def manipulability(arm: ArmDescription, q: Array) -> float:
    """Return how far from a singularity the arm is: the volume its joints' Jacobian spans, without the rail.

    For a Universal Robots arm that is |det J| [m^3]: a2 a3 sin(q3) sin(q5) (reach of the wrist from axis 1).
    """
    if is_ur_like(arm):
        _, d5, a2, a3 = _planar(arm)
        _, _, t2, t3, t4, t5, _ = q.tolist()
        reach = a2 * cos(t2) + a3 * cos(t2 + t3) + d5 * sin(t2 + t3 + t4)
        return abs(a2 * a3 * sin(t3) * sin(t5) * reach)
    J = jacobian(arm, q)[:, 1:]
    return float(np.sqrt(max(0.0, float(np.linalg.det(J.T @ J)))))


def solve(
    arm: ArmDescription,
    T_world_tool: Array,
    seed: Array,
    *,
    rail: float | None = None,
    valid: Callable[[Array], bool] | None = None,
) -> list[Array]:
    """Return joint vectors (n + 1,) inside the limits that put the tool at the pose, best first; empty when none does.

    Best is near the seed (weighted by how long each joint takes), elbow up and away from singularities. With a unit's
    calibration the closed form of the nominal arm is polished. Arms without a closed form are searched numerically, and
    only some of their joint vectors are found; one of five joints needs the rail to reach a full pose.

    Args:
        T_world_tool: wanted tool pose, shape (4, 4).
        seed: where the arm is, or a posture to stay near, shape (n + 1,).
        rail: rail position to use [m]; None searches the seed's and a few more around the pose.
        valid: keeps only joint vectors it accepts, such as `lambda q: world.clearance(q) > 0.01`.
    """
    closed = closed_form(arm)
    rails = _rails(arm, T_world_tool, seed, rail)
    begin, cost = seed.tolist(), _cost_of(arm)
    if closed is arm:
        ways = [way for position in rails for way in _closed(arm, T_world_tool, begin, position)]
        ways.sort(key=lambda way: cost(way, begin))
        found = list(np.array(ways))
    else:
        if closed is not None:
            found = _polished(arm, closed, T_world_tool, begin, rails)
        else:
            found = _searched(arm, T_world_tool, seed, rails, move_rail=rail is None)
        found.sort(key=lambda q: cost(q.tolist(), begin))
    return [q for q in found if valid(q)] if valid is not None else found


def _searched(
    arm: ArmDescription, T_world_tool: Array, seed: Array, rails: list[float], *, move_rail: bool
) -> list[Array]:
    """Search at one rail position after the other until a few ways are found, then with the rail as a joint."""
    start = seed.copy()
    if not move_rail:
        return [q for start[0] in rails for q in search(arm, T_world_tool, start)]
    found: list[Array] = []
    for start[0] in rails:
        found += search(arm, T_world_tool, start, starts=FEW)
        if len(found) >= ENOUGH:
            return found
    if not found and rails:
        start[0] = min(rails, key=lambda rail: abs(rail + float(arm.rail.base[0] - T_world_tool[0, 3])))
        found = search(arm, T_world_tool, start, move_rail=True)
    return found


def closed_form(arm: ArmDescription) -> ArmDescription | None:
    """Return the arm whose closed form gives this one's seeds: itself, or what it was before calibration."""
    if is_ur_like(arm):
        return arm
    return arm.nominal if arm.nominal is not None and is_ur_like(arm.nominal) else None


def _rails(arm: ArmDescription, T_world_tool: Array, seed: Array, rail: float | None) -> list[float]:
    low, high = arm.rail.position_min, arm.rail.position_max
    if rail is not None:
        return [rail] if low <= rail <= high else []
    wanted = [float(seed[0])]
    if len(arm.arm.joints) >= 6:  # fewer have the rail as part of the search
        wanted += [float(T_world_tool[0, 3]) - float(arm.rail.base[0]) - offset for offset in RAIL_OFFSETS]
    return list(dict.fromkeys(r for r in wanted if low <= r <= high))


@lru_cache(maxsize=8)
def _limits(arm: ArmDescription) -> tuple[list[float], list[float]]:
    return arm.arm.position_min.tolist(), arm.arm.position_max.tolist()


@lru_cache(maxsize=8)
def _flange(arm: ArmDescription) -> Array:
    return np.linalg.inv(arm.tool.T_flange_tool).astype(np.float64)


@lru_cache(maxsize=8)
def _planar(arm: ArmDescription) -> tuple[tuple[float, ...], float, float, float]:
    """Return 1 / velocity of every joint, and d5, a2, a3 of a Universal Robots arm."""
    slowness = tuple((1.0 / arm.velocity).tolist())
    return slowness, float(arm.arm.d[4]), float(arm.arm.a[1]), float(arm.arm.a[2])


def _closed(arm: ArmDescription, T_world_tool: Array, seed: Sequence[float], rail: float) -> list[list[float]]:
    T = T_world_tool @ _flange(arm)
    T[:3, 3] -= arm.rail.base
    T[0, 3] -= rail
    lows, highs = _limits(arm)
    near = seed[1:]
    ways = []
    for angles in analytic(arm, T, near[5]):
        unwrapped = unwrap_near(angles, near, lows, highs)
        if unwrapped is not None:
            ways.append([rail, *unwrapped])
    return ways


def _polished(
    arm: ArmDescription, nominal: ArmDescription, T_world_tool: Array, seed: Sequence[float], rails: list[float]
) -> list[Array]:
    """Return the nominal arm's ways brought to the pose by the calibrated one."""
    ways = (np.array(way) for rail in rails for way in _closed(nominal, T_world_tool, seed, rail))
    polished = (polish(arm, T_world_tool, way, iterations=12) for way in ways)
    return [q for q in polished if q is not None]


@lru_cache(maxsize=8)
def _cost_of(arm: ArmDescription) -> Callable[[Sequence[float], Sequence[float]], float]:
    """Return the cost of a joint vector when the arm is at a seed.

    Seconds of the slowest joint; for UR arms half a second for elbow down, up to one near a singularity.
    """
    slowness, d5, a2, a3 = _planar(arm)
    ur, least = is_ur_like(arm), abs(a2 * a3) / NEAR_SINGULAR

    def cost(q: Sequence[float], seed: Sequence[float]) -> float:
        times = [abs(a - b) * s for a, b, s in zip(q, seed, slowness, strict=True)]
        seconds = max(times) + 0.05 * sum(times)
        if not ur:
            return seconds
        upper, lower = q[2], q[2] + q[3]
        elbow = a2 * sin(upper)
        if elbow < 0.5 * (elbow + a3 * sin(lower)):
            seconds += 0.5
        reach = a2 * cos(upper) + a3 * cos(lower) + d5 * sin(lower + q[4])
        volume = least * abs(sin(q[3]) * sin(q[5]) * reach)
        return seconds if volume > 1.0 else seconds + 1.0 - volume

    return cost
