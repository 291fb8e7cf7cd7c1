"""Grasp poses, the punnet's pattern and the rules of verification."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from robot.arms import load_arm
from robot.pick.grasp import (
    FITS,
    LEVEL,
    LIFT_MAX,
    from_where_seen,
    grasp_at,
    grasps,
    lift_over,
    rotation,
    way_out,
)
from robot.pick.punnet import CLEARANCE, GRIPPED_ABOVE, MAX_DROP, OVER_WALL, PlacePattern
from robot.pick.result import PickResult
from robot.pick.target import Target
from robot.pick.verify import Grip, after_close, after_release, still_held

ARM = load_arm("ur3e")


def berry(id: int, x: float, y: float = 0.5, z: float = 1.0, diameter: float = 0.028) -> Target:
    position, up = np.array([x, y, z]), np.array([0.0, 0.0, 1.0])
    return Target(
        id=id, position=position, diameter=diameter, length=0.036, axis=up, ripeness=0.95, stage="ripe", seen_at=0.0
    )


def test_an_isolated_berry_is_taken_level_and_straight() -> None:
    best = grasps(berry(1, 0.2), [], ARM.tool)[0]
    assert (best.yaw, best.pitch, best.crowding) == (0.0, 0.0, 0.0)
    assert best.pose[:3, :3] == pytest.approx(LEVEL)
    assert best.opening == pytest.approx(0.028 + 2 * FITS[0][0])


@pytest.mark.parametrize(("yaw", "pitch"), [(0.0, 0.0), (0.4, 0.0), (-0.3, 0.18)])
def test_the_cut_point_lies_in_the_blade_and_the_berry_between_the_pads(yaw: float, pitch: float) -> None:
    target = berry(1, 0.2)
    pose = grasp_at(target, ARM.tool, yaw, pitch)
    cut = pose[:3, :3].T @ (target.cut_point() - pose[:3, 3])
    centre = pose[:3, :3].T @ (target.position - pose[:3, 3])
    assert cut[1] == pytest.approx(-ARM.tool.blade_offset)
    assert ARM.tool.blade_reach[0] < cut[2] < ARM.tool.blade_reach[1]
    assert abs(centre[0]) < 0.004
    assert abs(centre[1]) < ARM.tool.pad[1] + target.length / 2


@pytest.mark.parametrize(("yaw", "pitch"), [(0.0, 0.0), (0.4, 0.1), (-0.4, 0.2)])
def test_the_approach_is_a_rotation_that_looks_at_the_plants(yaw: float, pitch: float) -> None:
    turn = rotation(yaw, pitch)
    assert turn.T @ turn == pytest.approx(np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1.0)
    assert turn[1, 2] > 0.8


EYE = ARM.camera.T_tool_camera[:3, 3] - [0.0, 0.0, 0.065]


@pytest.mark.parametrize(("yaw", "pitch"), [(0.22, 0.0), (-0.45, 0.18), (0.0, 0.36)])
def test_fruit_that_is_hidden_from_one_side_is_looked_for_from_where_it_was_seen(yaw: float, pitch: float) -> None:
    ray = rotation(yaw, pitch) @ EYE
    target = replace(berry(1, 0.2), seen_along=ray / np.linalg.norm(ray))
    ways = from_where_seen(grasps(target, [], ARM.tool), target, EYE)
    assert (ways[0].yaw, ways[0].pitch) == (yaw, pitch)
    below = from_where_seen(ways, berry(1, 0.2), EYE)
    assert below[0].pitch == max(way.pitch for way in ways)


def test_a_neighbour_on_the_right_makes_the_tool_come_from_elsewhere_or_open_less() -> None:
    free = grasps(berry(1, 0.2), [], ARM.tool)[0]
    beside = grasps(berry(1, 0.2), [berry(2, 0.236)], ARM.tool)[0]
    assert (beside.yaw, beside.opening) != (free.yaw, free.opening)


def test_a_lower_neighbour_behind_warns_of_a_second_stem_only_when_it_is_in_the_blade() -> None:
    below = berry(2, 0.2, y=0.502, z=0.955)
    assert grasp_ids(below) == (2,)
    assert grasp_ids(berry(2, 0.2, y=0.55, z=0.955)) == ()


def grasp_ids(other: Target) -> tuple[int, ...]:
    straight = [g for g in grasps(berry(1, 0.2), [other], ARM.tool) if (g.yaw, g.pitch) == (0.0, 0.0)]
    return straight[0].stems


def test_the_standoff_is_straight_back_along_the_approach() -> None:
    grasp = grasps(berry(1, 0.2), [], ARM.tool)[0]
    assert grasp.standoff(0.1)[:3, 3] == pytest.approx(grasp.pose[:3, 3] - [0.0, 0.1, 0.0])


def test_every_place_is_inside_the_punnet_and_its_own() -> None:
    pattern = PlacePattern(shape=ARM.punnet)
    places = [pattern.place(i) for i in range(ARM.punnet.capacity)]
    assert len(set(places)) == ARM.punnet.capacity
    for x, y, _ in places:
        assert abs(x) < ARM.punnet.inner[0] / 2 - 0.012
        assert abs(y) < ARM.punnet.inner[1] / 2 - 0.012


def test_a_full_punnet_has_no_further_place() -> None:
    with pytest.raises(ValueError, match="close the punnet"):
        PlacePattern(shape=ARM.punnet).place(ARM.punnet.capacity)


def test_a_berry_is_laid_down_from_less_than_five_centimetres() -> None:
    pattern, target = PlacePattern(shape=ARM.punnet), berry(1, 0.0)
    for index in (0, ARM.punnet.capacity - 1):
        below = pattern.release_height(index, target) - target.radius
        lying = 1.6 * target.radius * pattern.place(index)[2]
        assert CLEARANCE <= below - lying < MAX_DROP


def test_held_fruit_comes_straight_out_past_what_hangs_before_and_below_it() -> None:
    target = berry(1, 0.2)
    grasp = grasps(target, [], ARM.tool)[0]

    def way(*other: float) -> float:
        return way_out(target, [target, berry(2, *other)], grasp, ARM.tool, 0.065)

    assert way(0.2, 0.44, 0.95) == pytest.approx(0.06 + 0.014 + 0.014 + 0.003)
    assert way(0.2, 0.40, 0.95) > way(0.2, 0.44, 0.95)
    assert way(0.2, 0.44, 1.05) == way(0.3, 0.44, 0.95) == way(0.2, 0.54, 0.95) == 0.065


def test_half_hidden_fruit_keeps_the_length_of_the_better_look_and_is_cut_higher() -> None:
    before, seen = berry(1, 0.2, diameter=0.031), replace(berry(1, 0.2, diameter=0.026), length=0.030, visible=0.7)
    whole = seen.completed(before)
    assert (whole.length, whole.diameter) == (pytest.approx(0.036), 0.031)
    assert whole.cut_point()[2] - replace(seen, visible=1.0).cut_point()[2] == pytest.approx(0.006)
    assert replace(seen, visible=0.95).completed(before).length == 0.030


def test_the_less_is_seen_of_fruit_the_higher_it_is_cut() -> None:
    heights = [replace(berry(1, 0.2), visible=share).cut_point()[2] for share in (1.0, 0.95, 0.8, 0.6, 0.3)]
    assert heights[0] == heights[1] < heights[2] < heights[3] < heights[4]
    assert heights[-1] - heights[0] <= 0.008 + 1e-12


@pytest.mark.parametrize("length", [0.024, 0.036, 0.046])
def test_pads_and_hanging_fruit_clear_the_walls_before_it_is_lowered(length: float) -> None:
    pattern, target = PlacePattern(shape=ARM.punnet), replace(berry(1, 0.0), length=length)
    rim = ARM.punnet.position[2] + ARM.punnet.inner[2]
    for index in (0, ARM.punnet.capacity - 1):
        above = pattern.pose(index, target, 0.0, tilt=1.1, above=pattern.height_over_wall(index, target))
        assert above[2, 3] > rim + OVER_WALL - 1e-9
        assert above[2, 3] - (length - GRIPPED_ABOVE) > rim


@pytest.mark.parametrize(
    ("other", "lift"),
    [
        ((0.2, 0.47, 0.975), 0.014),  # before it and lower: its top is 11 mm above the held tip
        ((0.2, 0.47, 0.986), 0.025),
        ((0.2, 0.47, 0.993), LIFT_MAX),  # before it, almost level
        ((0.2, 0.47, 0.997), 0.0),  # level: it swings up
        ((0.2, 0.47, 0.95), 0.0),  # far below
        ((0.2, 0.53, 0.975), 0.0),  # behind
        ((0.24, 0.47, 0.975), 0.0),  # beside
    ],
)
def test_held_fruit_is_lifted_over_what_hangs_before_it(other: tuple[float, float, float], lift: float) -> None:
    target = berry(1, 0.2)
    grasp = grasps(target, [], ARM.tool)[0]
    assert lift_over(target, [target, berry(2, *other)], grasp) == pytest.approx(lift, abs=1e-9)


@pytest.mark.parametrize(
    ("grip", "result"),
    [
        (Grip(opening=0.026, force=0.8), PickResult.OK),
        (Grip(opening=0.003, force=0.8), PickResult.EMPTY_GRASP),
        (Grip(opening=0.026, force=0.05), PickResult.EMPTY_GRASP),
        (Grip(opening=0.021, force=0.8), PickResult.EMPTY_GRASP),  # held by one end: it would slip out
        (Grip(opening=0.037, force=0.8), PickResult.TWO_STEMS),
        (Grip(opening=0.045, force=0.8), PickResult.TWO_STEMS),
        (Grip(opening=0.026, force=2.1), PickResult.FORCE_LIMIT),
    ],
)
def test_closed_jaws_are_judged_by_width_and_force(grip: Grip, result: PickResult) -> None:
    assert after_close(grip, berry(1, 0.0), 1.0) is result


def test_a_held_berry_may_give_a_little_but_not_vanish() -> None:
    assert still_held(Grip(opening=0.024, force=0.5), 0.027) is PickResult.OK
    assert still_held(Grip(opening=0.012, force=0.5), 0.027) is PickResult.SLIPPED
    assert still_held(Grip(opening=0.027, force=0.0), 0.027) is PickResult.SLIPPED


def test_release_is_seen_by_wider_jaws_without_force() -> None:
    assert after_release(Grip(opening=0.036, force=0.0), 0.027) is PickResult.OK
    assert after_release(Grip(opening=0.027, force=0.4), 0.027) is PickResult.PLACE_FAIL
