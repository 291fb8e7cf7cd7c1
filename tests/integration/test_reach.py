"""What the arm cannot reach is told before anything moves, by the planner that the robot really uses."""

from __future__ import annotations

import numpy as np
import pytest

from robot.arms import load_arm
from robot.collision import Box, Obstacles, World, carriage
from robot.pick.body import PlanError
from robot.pick.grasp import Pose, rotation
from robot.pick.reach import Reach
from robot.pick.result import PickResult

ARM = load_arm("ur3e")
START = np.array([0.1, *ARM.posture.joints])
GUTTER = Box(minimum=(-0.2, 0.52, 0.88), maximum=(2.6, 0.82, 1.00))


def level(x: float, y: float, z: float) -> Pose:
    pose = np.eye(4)
    pose[:3, :3] = rotation(0.0, 0.0)
    pose[:3, 3] = x, y, z
    return pose


def reach(*boxes: Box) -> Reach:
    return Reach(ARM, World(ARM, Obstacles(boxes=(*carriage(ARM), *boxes))))


def test_a_berry_in_front_of_the_gutter_is_reached() -> None:
    plan = reach(GUTTER).plan(START, level(0.5, 0.40, 0.92), 1.0)
    assert np.allclose(reach().tool_pose(plan.end)[:3, 3], (0.5, 0.40, 0.92), atol=1e-3)


@pytest.mark.parametrize(
    ("x", "y", "z"),
    [(0.5, 1.60, 0.92), (0.5, 0.40, 2.20), (9.0, 0.40, 0.92), (0.5, 0.40, 0.05)],
    ids=["behind the bed", "above the bed", "beyond the rail", "on the floor"],
)
def test_a_berry_out_of_reach_is_unreachable(x: float, y: float, z: float) -> None:
    with pytest.raises(PlanError) as refused:
        reach().plan(START, level(x, y, z), 1.0)
    assert refused.value.result is PickResult.UNREACHABLE
    assert refused.value.detail


def test_a_berry_inside_something_hard_is_a_risk_of_collision() -> None:
    block = Box(minimum=(1.6, 0.30, 0.60), maximum=(2.0, 0.60, 1.20))
    clear = reach().plan(START, level(1.8, 0.45, 0.92), 1.0)
    assert World(ARM, Obstacles(boxes=(block,))).clearance(START) > 0.02
    assert World(ARM, Obstacles(boxes=(block,))).clearance(clear.end) < 0.0
    with pytest.raises(PlanError) as refused:
        reach(block).plan(START, level(1.8, 0.45, 0.92), 1.0)
    assert refused.value.result is PickResult.COLLISION_RISK


def test_a_place_that_is_no_number_is_refused() -> None:
    with pytest.raises(PlanError, match="not finite"):
        reach().plan(START, level(float("nan"), 0.40, 0.92), 1.0)


def test_a_way_out_of_the_stretch_that_is_held_is_a_risk_of_collision() -> None:
    planner = reach(GUTTER)
    planner.keep_within(-0.4, 0.83)
    assert planner.plan(START, level(0.7, 0.40, 0.92), 1.0)
    with pytest.raises(PlanError, match="stretch that is held") as refused:
        planner.plan(START, level(0.9, 0.40, 0.92), 1.0)
    assert refused.value.result is PickResult.COLLISION_RISK


def test_the_carriage_too_stays_in_the_stretch_that_is_held() -> None:
    planner = reach(GUTTER)
    before = planner.plan(START, level(0.7, 0.40, 0.92), 1.0).end
    for edge, allowed in ((0.29, True), (0.31, False)):
        planner.keep_within(edge, 1.2)
        if allowed:
            assert planner.line(before, level(0.7, 0.46, 0.92), 0.25)
        else:
            with pytest.raises(PlanError, match="leave the stretch that is held"):
                planner.line(before, level(0.7, 0.46, 0.92), 0.25)


def test_a_straight_way_ends_where_the_stretch_does_that_is_held() -> None:
    planner = reach(GUTTER)
    before = planner.plan(START, level(0.7, 0.40, 0.92), 1.0).end
    for edge, allowed in ((0.83, True), (0.80, False)):
        planner.keep_within(0.2, edge)
        if allowed:
            assert planner.line(before, level(0.7, 0.46, 0.92), 0.25)
        else:
            with pytest.raises(PlanError, match="leave the stretch that is held"):
                planner.line(before, level(0.7, 0.46, 0.92), 0.25)
