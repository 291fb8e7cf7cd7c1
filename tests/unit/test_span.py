"""How far a machine reaches along its rail, by the arm's own file."""

from __future__ import annotations

import numpy as np
import pytest

from robot.arms import load_arm
from robot.kinematics import tool_position
from robot.span import FLESH, around_fruit, body, extent, extents, fences
from sim.fast.hardware import parked

ARMS = [load_arm(name) for name in ("ur3e", "ur5e", "xarm6")]


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: str(arm.name))
def test_a_machine_at_work_reaches_as_far_as_its_carriage_and_no_further_than_is_told(arm: object) -> None:
    assert isinstance(arm, type(ARMS[0]))
    q = parked(arm, 0.5)
    behind, ahead = around_fruit(arm)
    low, high = extent(arm, q)
    x = float(tool_position(arm, q)[0])
    assert (low, high) == pytest.approx((q[0] + body(arm)[0], max(q[0] + body(arm)[1], x + FLESH)), abs=0.06)
    assert x - behind < low
    assert high < x + ahead
    assert behind < 0.7
    assert ahead < 0.5


def test_the_carriage_of_a_larger_machine_reaches_further() -> None:
    small, large, _ = ARMS
    assert body(small) == pytest.approx((-0.15, 0.355))
    assert body(large)[1] > body(small)[1] + 0.05


def test_a_way_reaches_as_far_as_any_of_its_places() -> None:
    arm = ARMS[0]
    places = np.array([parked(arm, rail) for rail in (0.2, 1.0, 0.6)])
    assert extents(arm, places) == pytest.approx((extent(arm, places[0])[0], extent(arm, places[1])[1]))


def test_tool_and_carriage_inside_their_fences_are_a_machine_inside_its_stretch() -> None:
    arm = ARMS[0]
    q = parked(arm, 0.5)
    low, high = extent(arm, q)
    tool, rail = fences(arm, low, high)
    assert tool[0] < tool_position(arm, q)[0] < tool[1] + 1e-9
    assert rail[0] - 1e-9 <= q[0] <= rail[1] + 1e-9
    (_, before), (_, end) = fences(arm, low, high - 0.01)
    assert before < tool[1]
    assert end < q[0]
