"""How the tool leaves a pre-grasp pose: straight back from among the leaves before it goes along the row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pick_fakes as fakes
from robot.pick.grasp import rotation
from robot.pick.settings import PickSettings

CLEAR = PickSettings().crop_front - PickSettings().clear_of_crop


def pose(y: float, yaw: float = 0.0, pitch: float = 0.0) -> Any:
    at = np.eye(4)
    at[:3, :3] = rotation(yaw, pitch)
    at[:3, 3] = 0.3, y, 0.95
    return at


@pytest.mark.parametrize("yaw", [-0.4, 0.0, 0.4])
@pytest.mark.parametrize("pitch", [-0.3, 0.0, 0.3])
def test_a_tool_among_the_leaves_first_comes_straight_back_along_its_own_axis(yaw: float, pitch: float) -> None:
    body = fakes.FakeBody([], pose=pose(CLEAR + 0.05, yaw, pitch))
    (back,) = fakes.make_round(body).departure()
    way = back.goal[:3, 3] - body.pose[:3, 3]
    assert back.goal[1, 3] == pytest.approx(CLEAR)
    assert np.allclose(back.goal[:3, :3], body.pose[:3, :3])
    assert np.allclose(np.cross(way, body.pose[:3, 2]), 0.0, atol=1e-9)
    assert way @ body.pose[:3, 2] < 0.0
    assert body.pose[1, 3] == pytest.approx(CLEAR + 0.05)  # the measured pose is left as it is


def test_a_tool_in_front_of_the_leaves_goes_at_once() -> None:
    assert fakes.make_round(fakes.FakeBody([], pose=pose(CLEAR))).departure() == []
    assert fakes.make_round(fakes.FakeBody([], pose=pose(CLEAR - 0.1))).departure() == []


def test_a_tool_that_points_down_is_not_drawn_up_through_the_crop() -> None:
    assert fakes.make_round(fakes.FakeBody([], pose=pose(CLEAR + 0.05, 0.0, -1.3))).departure() == []


def test_where_there_is_no_straight_way_back_the_way_sideways_is_still_tried() -> None:
    body = fakes.FakeBody([], pose=pose(CLEAR + 0.05))
    body.unreachable = lambda goal: abs(goal[1, 3] - CLEAR) < 1e-6
    round_ = fakes.make_round(body)
    assert round_.departure() == []
    round_.go(pose(CLEAR + 0.05))
    assert body.log == ["move"]


def test_after_a_look_in_vain_the_way_to_the_next_berry_begins_with_the_way_back() -> None:
    body = fakes.FakeBody([], pose=pose(CLEAR + 0.05))
    joins: list[list[float]] = []
    as_it_is = body.join

    def join(plans: list[Any], **kwargs: Any) -> Any:
        joins.append([float(plan.goal[1, 3]) for plan in plans])
        return as_it_is(plans, **kwargs)

    body.join = join
    fakes.make_round(body).go(pose(CLEAR + 0.02))
    assert joins == [pytest.approx([CLEAR, CLEAR + 0.02])]
