"""What open jaws do to neighbouring fruit: pushed back, squeezed against a wall, knocked on the way."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from py_trees.common import Status

import pick_fakes as fakes
from robot.arms import load_arm
from robot.collision import Box
from robot.pick.grasp import LEVEL, WALL_COST, grasps
from robot.pick.grip_leaves import Approach
from robot.pick.leaves import PINNED
from robot.pick.push import knocks, pushed_back, wall_behind
from robot.pick.result import PickResult
from robot.pick.round import Attempt
from robot.pick.settings import PickSettings
from robot.pick.target import Target
from robot.pick.verify import Grip

TOOL = load_arm("ur3e").tool
GUTTER = Box(minimum=(-1.0, 0.62, 1.03), maximum=(3.0, 0.92, 1.15))


def berry(id: int, x: float, y: float = 0.58, z: float = 1.0) -> Target:
    position, up = np.array([x, y, z]), np.array([0.0, 0.0, 1.0])
    return Target(
        id=id, position=position, diameter=0.030, length=0.038, axis=up, ripeness=0.95, stage="ripe", seen_at=0.0
    )


@pytest.mark.parametrize(
    ("across", "down", "ahead", "pushed"),
    [
        (0.031, 0.0, 0.015, 0.012),  # straight before a finger: back by what the tip goes beyond its front
        (0.031, 0.0, 0.030, 0.0),  # further in than the tip goes
        (0.050, 0.0, 0.0, 0.0),  # met well beside its middle: it slides off
        (0.031, 0.030, 0.0, 0.0),  # passed below
        (0.031, 0.026, -0.03, 0.042 + 0.015 * np.sqrt(1.0 - (16.0 / 19.0) ** 2)),  # its shoulder is met: it cannot duck
        (0.031, -0.026, -0.03, 0.0),  # its tip is met: it rises
        (0.010, 0.0, 0.015, 0.0),  # between the fingers
    ],
)
def test_a_finger_pushes_back_what_it_meets_head_on(across: float, down: float, ahead: float, pushed: float) -> None:
    at = np.array([across, down, ahead])
    assert pushed_back(at, berry(2, 0.0), TOOL, 0.05) == pytest.approx(pushed, abs=1e-9)
    assert pushed_back(at * [-1.0, 1.0, 1.0], berry(2, 0.0), TOOL, 0.05) == pytest.approx(pushed, abs=1e-9)


def test_a_neighbour_has_room_to_swing_but_not_through_the_gutter() -> None:
    assert wall_behind(berry(1, 0.2), ()) == math.inf
    assert wall_behind(berry(1, 0.2, y=0.595, z=1.02), (GUTTER,)) == pytest.approx(0.010)
    assert wall_behind(berry(1, 0.2, y=0.595, z=0.9), (GUTTER,)) == math.inf


def test_a_way_that_would_squeeze_a_neighbour_against_the_gutter_comes_after_one_that_does_not() -> None:
    target, beside = berry(1, 0.2, y=0.585, z=1.0), berry(2, 0.235, y=0.602, z=1.02)
    free = grasps(target, [beside], TOOL)
    walled = grasps(target, [beside], TOOL, (GUTTER,))
    same = {(g.yaw, g.pitch, g.opening, float(g.pose[0, 3])): g.cost for g in free}
    dearer = [g for g in walled if g.cost > same[g.yaw, g.pitch, g.opening, float(g.pose[0, 3])] + 1e-9]
    assert dearer
    assert all(g.push > 0.0 for g in dearer)
    assert walled[0].push <= 0.003


def test_a_neighbour_pushed_further_than_the_gutter_is_behind_it_is_pinned() -> None:
    target, beside = berry(1, 0.2, y=0.585, z=1.0), berry(2, 0.229, y=0.58, z=1.02)
    head_on = {(g.yaw, g.pitch, g.opening, float(g.pose[0, 3])): g for g in grasps(target, [beside], TOOL, (GUTTER,))}
    assert any(g.pinned > PINNED for g in head_on.values())
    for g in head_on.values():
        assert g.pinned == pytest.approx(max(0.0, g.push - wall_behind(beside, (GUTTER,))), abs=1e-9)
    assert all(g.pinned == 0.0 for g in grasps(target, [beside], TOOL))


def test_a_berry_between_the_jaws_at_the_height_of_the_blade_comes_under_it() -> None:
    target = berry(1, 0.2)
    above, level = berry(2, 0.22, y=0.50, z=1.0 + TOOL.blade_offset), berry(2, 0.22, y=0.50, z=0.99)
    straight = [next(g for g in grasps(target, [n], TOOL) if g.yaw == g.pitch == 0.0) for n in (above, level)]
    assert straight[0].caught == straight[1].caught == (2,)
    assert straight[0].surely == (2,)
    assert straight[1].surely == ()


def test_a_way_on_which_a_fingertip_would_meet_the_gutter_is_walled_and_comes_last() -> None:
    target, wall = berry(1, 0.2), Box(minimum=(-1.0, 0.60, 1.005), maximum=(3.0, 0.9, 1.2))
    ways = grasps(target, [], TOOL, (wall,))
    turned = next(g for g in ways if (g.yaw, g.pitch) == (0.7, 0.0))
    assert turned.walled > 0.0
    assert turned.cost >= WALL_COST
    assert (ways[0].yaw, ways[0].pitch, ways[0].walled) == (0.0, 0.0, 0.0)
    assert all(g.walled == 0.0 for g in grasps(target, [], TOOL))
    low = grasps(berry(1, 0.2, z=0.93), [], TOOL, (wall,))
    assert next(g for g in low if (g.yaw, g.pitch) == (0.7, 0.0)).walled == 0.0


def test_fruit_beside_the_way_is_knocked_only_where_the_fingers_pass() -> None:
    way = np.tile(np.eye(4), (20, 1, 1))
    way[:, :3, :3] = LEVEL
    way[:, :3, 3] = np.linspace([0.0, 0.45, 1.0], [0.3, 0.52, 1.0], 20)
    known = [berry(1, 0.3, y=0.585), berry(2, 0.15, y=0.50), berry(3, 0.15, y=0.50, z=1.05), berry(4, -0.2, y=0.5)]
    assert knocks(way, known, TOOL, 0.05) == [2]
    assert knocks(way, [], TOOL, 0.05) == []


def approach(push: float) -> tuple[Any, Any, Approach]:
    target = fakes.berry(1, 0.1)
    body = fakes.FakeBody(crop=[target])
    round_ = fakes.make_round(body)
    grasp = replace(grasps(target, [], round_.tool)[0], push=push)
    round_.current = Attempt(target=target, number=1, grasp=grasp, seen_from=body.now())
    leaf = Approach("approach", round_, 10.0)
    leaf.initialise()
    return body, round_, leaf


@pytest.mark.parametrize(("short", "ends"), [(0.005, Status.SUCCESS), (0.030, Status.FAILURE)])
def test_jaws_that_press_on_a_neighbour_stop_and_close_only_where_they_have_the_berry(
    short: float, ends: Status
) -> None:
    body, round_, leaf = approach(push=0.01)
    grasp = round_.attempt.grasp
    assert grasp is not None
    body.pose, body.measured = grasp.standoff(short), Grip(opening=0.05, force=2.0)
    assert leaf.update() is Status.RUNNING
    assert leaf.update() is (Status.RUNNING if ends is Status.SUCCESS else ends)
    body.time += 0.2  # the arm has come to rest
    assert ends is Status.FAILURE or leaf.update() is ends
    assert leaf.action is not None
    assert leaf.action.canceled
    assert (round_.attempt.result is PickResult.COLLISION_RISK) == (ends is Status.FAILURE)


def test_jaws_that_meet_a_leaf_where_no_fruit_is_pushed_go_on() -> None:
    body, round_, leaf = approach(push=0.0)
    grasp = round_.attempt.grasp
    assert grasp is not None
    body.pose, body.measured = grasp.standoff(0.02), Grip(opening=0.05, force=2.0)
    assert [leaf.update() for _ in range(3)] == [Status.RUNNING] * 3


def test_beside_fruit_the_last_of_the_way_in_is_slow_and_the_jaws_close_at_its_end() -> None:
    told: dict[float, tuple[list[float], float]] = {}
    for push in (0.0, 0.01):
        body, _, leaf = approach(push=push)
        speeds: list[float] = []
        as_it_is = body.plan_line

        def plan_line(start: Any, goal: Any, speed: float, ask: Any = as_it_is, told: Any = speeds) -> Any:
            told.append(speed)
            return ask(start, goal, speed)

        body.plan_line = plan_line
        leaf.initialise()
        for _ in range(30):
            leaf.update()
            body.time += 0.01
        told[push] = speeds, body.log.count("close")
    settings = PickSettings()
    assert told[0.0] == ([settings.approach_speed], 1)
    assert told[0.01] == ([settings.approach_speed, settings.beside_speed], 0)


def test_a_track_deep_inside_the_berry_is_a_part_of_it_and_no_neighbour() -> None:
    target = berry(1, 0.2)
    part = replace(berry(2, 0.21, y=0.572, z=0.982), diameter=0.026, length=0.034)
    assert grasps(target, [part], TOOL)[0].cost == grasps(target, [], TOOL)[0].cost
    assert any(g.stems for g in grasps(target, [replace(part, position=np.array([0.2, 0.58, 1.032]))], TOOL))
