"""Every arm stands free in front of the default bed, and a free straight way leads it to a berry there."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest

from robot.arms import ArmDescription, arm_names, load_arm
from robot.collision import World
from robot.kinematics import forward, solve
from robot.motion import MotionError, line_move
from robot.pick.grasp import LEVEL
from robot.pick.reach import ReachSettings
from robot.pick.settings import PickSettings
from sim.rig import obstacles
from sim.scene.settings import SceneSettings

Array = npt.NDArray[np.float64]
SETTINGS, MARGIN = PickSettings(), ReachSettings().clearance
AHEAD = (0.0, 0.1, 0.25)
"""Of the arm's base along the rail [m]: where a berry is taken from."""


def level(y: float, z: float, ahead: float) -> Array:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = LEVEL, (1.0 + ahead, y, z)
    return pose


def ways(arm: ArmDescription, pose: Array) -> list[Array]:
    """Return joints that put the tool there with the rail near 1 m, sought from four postures."""
    rng = np.random.default_rng(3)
    seeds = rng.uniform(np.maximum(arm.position_min, -2.0), np.minimum(arm.position_max, 2.0), (4, arm.size))
    seeds[:, 0] = 1.0
    rail = 1.0 if len(arm.arm.joints) >= 6 else None  # five joints need the rail to reach a full pose
    return [q for seed in seeds for q in solve(arm, pose, seed, rail=rail)]


def straight(arm: ArmDescription, start: Array, goal: Array) -> Array:
    """Return joints along the straight line to `goal`; empty where the arm cannot follow it."""
    if len(arm.arm.joints) >= 6:
        try:
            return line_move(arm, start, goal, speed=SETTINGS.approach_speed).positions
        except MotionError:
            return np.empty((0, arm.size))
    begin, joints = forward(arm, start), [start]
    for share in np.linspace(0.0, 1.0, 6)[1:]:
        pose = goal.copy()
        pose[:3, 3] = begin[:3, 3] + share * (goal - begin)[:3, 3]
        near = solve(arm, pose, joints[-1])
        if not near or np.max(np.abs(near[0] - joints[-1])) > 0.5:
            return np.empty((0, arm.size))
        joints.append(near[0])
    return np.array(joints)


@pytest.mark.parametrize("name", arm_names())
def test_an_arm_stands_free_before_the_bed(name: str) -> None:
    arm = load_arm(name)
    world = World(arm, obstacles(arm, SceneSettings()))
    before = level(SETTINGS.crop_front - SETTINGS.standoff, 0.95, 0.1)
    assert any(world.clearance(q) >= MARGIN for q in ways(arm, before))


@pytest.mark.parametrize("name", arm_names())
def test_a_free_straight_way_leads_an_arm_to_a_berry(name: str) -> None:
    arm = load_arm(name)
    world = World(arm, obstacles(arm, SceneSettings()))
    for ahead, z in product(AHEAD, (0.92, 0.97)):
        goal = level(SETTINGS.crop_front, z, ahead)
        for q in ways(arm, level(SETTINGS.crop_front - SETTINGS.standoff, z, ahead)):
            followed = straight(arm, q, goal)
            if len(followed) and world.clearance(q) >= MARGIN and np.all(world.clearances(followed) >= 0.0):
                assert np.allclose(forward(arm, followed[-1]), goal, atol=1e-3)
                return
    raise AssertionError("no free way to any of the berries")
