"""The lease on space, and the fence that the limiter keeps it by."""

from __future__ import annotations

import numpy as np
import pytest

from robot.arms import load_arm
from robot.kinematics import tool_position
from robot.motion import brake, joint_move
from robot.safety import Limiter, RowSpace

ARM = load_arm("ur3e")
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
DT = 0.004


def test_two_never_hold_stretches_nearer_than_the_gap() -> None:
    space = RowSpace(0.1)
    assert space.claim("left", 0.0, 1.0)
    assert not space.claim("right", 1.09, 2.0)
    assert space.stretch("right") is None
    assert space.claim("right", 1.1, 2.0)
    assert not space.claim("left", 0.0, 1.01)
    assert space.stretch("left") == (0.0, 1.0)
    assert space.claim("left", -0.5, 1.0), "one's own stretch is in nobody's way"
    assert not space.claim("left", 3.0, 4.0), "the other is in between"
    assert space.stretch("left") == (-0.5, 1.0)
    space.release("right")
    space.release("right")
    assert space.stretch("right") is None
    assert space.claim("left", -5.0, 5.0)


@pytest.mark.parametrize(("low", "high"), [(1.01, 2.0), (-1.0, -0.01)])
def test_a_claim_elsewhere_is_refused_because_the_machine_stands_in_what_it_holds(low: float, high: float) -> None:
    space = RowSpace(0.0)
    assert space.claim("a", 0.0, 1.0)
    assert not space.claim("a", low, high)
    assert space.stretch("a") == (0.0, 1.0)
    assert space.claim("a", 1.0, 2.0), "they meet"
    space.release("a")
    assert space.claim("a", 8.0, 9.0), "nothing was held any more"


def test_a_claim_between_two_others_needs_room_on_both_sides() -> None:
    space = RowSpace(0.0)
    assert space.claim("a", 0.0, 1.0)
    assert space.claim("c", 2.0, 3.0)
    assert not space.claim("b", 0.9, 1.5)
    assert not space.claim("b", 1.5, 2.1)
    assert not space.claim("b", -1.0, 9.0)
    assert space.claim("b", 1.0, 2.0)


@pytest.mark.parametrize(("low", "high"), [(1.0, 0.0), (float("nan"), 1.0), (0.0, float("inf")), (float("-inf"), 0.0)])
def test_a_claim_of_no_stretch_is_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="low <= high"):
        RowSpace(0.0).claim("a", low, high)
    assert RowSpace(0.0).claim("a", 1.0, 1.0)


def test_what_is_free_lies_between_the_neighbours_less_the_gap() -> None:
    space = RowSpace(0.1)
    assert space.claim("b", 1.0, 2.0)
    assert space.free("b") == (float("-inf"), float("inf"))
    assert space.claim("a", 0.0, 0.5)
    assert space.claim("d", 4.0, 5.0)
    assert space.claim("c", 3.0, 3.5)
    assert space.free("b") == (0.6, 2.9)
    assert space.free("a") == (float("-inf"), 0.9)
    assert space.free("d") == (3.6, float("inf"))
    assert space.claim("b", *space.free("b"))
    assert space.free("b") == (0.6, 2.9)


def test_neighbours_that_touch_have_nothing_free_between_them() -> None:
    space = RowSpace(0.0)
    assert space.claim("a", 0.0, 1.0)
    assert space.claim("b", 1.0, 2.0)
    assert space.free("a") == (float("-inf"), 1.0)
    assert space.free("b") == (1.0, float("inf"))


def test_nothing_is_free_to_who_holds_nothing() -> None:
    with pytest.raises(KeyError, match="stranger"):
        RowSpace(0.0).free("stranger")


@pytest.mark.parametrize("gap", [-0.1, float("nan"), float("inf")])
def test_a_gap_is_a_length(gap: float) -> None:
    with pytest.raises(ValueError, match="gap >= 0"):
        RowSpace(gap)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_the_tool_stops_inside_its_fence_and_the_files_space_is_never_widened(side: float) -> None:
    limiter = Limiter(ARM, lambda q: tool_position(ARM, q), DT)
    x = tool_position(ARM, HOME)[0]
    limiter.fence(x - 0.05, x + 0.05)
    limiter.rest_at(HOME)
    goal = HOME.copy()
    goal[0] += side * 0.3
    move, moved, refused = joint_move(ARM, HOME, goal), 0.0, ""
    for k in range(1, int(move.duration / DT)):
        q, v = move.sample(k * DT)
        refused = limiter.judge(q, v, tool_speed=0.5)
        if refused:
            break
        moved = abs(float(q[0] - HOME[0]))
    assert refused == "braking_distance"
    assert 0.0 < moved < 0.05
    low, high = ARM.safety.workspace_min[0], ARM.safety.workspace_max[0]
    limiter.fence(low - 9.0, high + 9.0)
    assert limiter._workspace_low == tuple(ARM.safety.workspace_min.tolist())
    assert limiter._workspace_high == tuple(ARM.safety.workspace_max.tolist())
    limiter.fence(float("nan"), float("nan"))
    assert limiter._workspace_low == tuple(ARM.safety.workspace_min.tolist())
    assert limiter._workspace_high == tuple(ARM.safety.workspace_max.tolist())


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_the_carriage_stops_inside_its_fence_and_comes_back_from_outside_it(side: float) -> None:
    limiter = Limiter(ARM, lambda q: tool_position(ARM, q), DT)
    at = float(HOME[0])
    far = float("inf")
    limiter.fence(-far, far, (at - 0.05, at + 0.05))
    limiter.rest_at(HOME)
    goal = HOME.copy()
    goal[0] += side * 0.3
    move, moved, refused = joint_move(ARM, HOME, goal), 0.0, ""
    for k in range(1, int(move.duration / DT)):
        q, v = move.sample(k * DT)
        refused = limiter.judge(q, v, tool_speed=0.5)
        if refused:
            break
        moved = abs(float(q[0] - HOME[0]))
    assert refused == "braking_distance"
    assert 0.0 < moved < 0.05
    limiter.fence(-far, far, (at - side * 0.2, at - side * 0.2))
    limiter.rest_at(HOME)
    for target, answer in ((at + side * 0.1, "joint_limit"), (at - side * 0.1, "")):
        goal[0] = target
        q, v = joint_move(ARM, HOME, goal).sample(10 * DT)
        limiter.rest_at(HOME)
        refused = ""
        for k in range(1, 11):
            q, v = joint_move(ARM, HOME, goal).sample(k * DT)
            refused = refused or limiter.judge(q, v, tool_speed=0.5)
        assert refused == answer, target


@pytest.mark.parametrize("rail", [(-99.0, 99.0), (float("nan"), float("nan")), (float("-inf"), float("inf"))])
def test_a_fence_never_widens_the_rails_own_limits(rail: tuple[float, float]) -> None:
    plain, limiter = (Limiter(ARM, lambda q: tool_position(ARM, q), DT) for _ in range(2))
    limiter.fence(0.0, 1.0, (0.1, 0.2))
    assert limiter._bounds != plain._bounds
    limiter.fence(0.0, 1.0, rail)
    for now, before in ((limiter._bounds, plain._bounds), (limiter._room_to_stop, plain._room_to_stop)):
        assert [*now[0], *now[1]] == pytest.approx([*before[0], *before[1]], abs=1e-9)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_stop_goes_on_where_the_fence_is_drawn_in_before_the_carriage(side: float) -> None:
    limiter = Limiter(ARM, lambda q: tool_position(ARM, q), DT)
    start = HOME.copy()
    start[0] = 1.6
    limiter.rest_at(start)
    goal = start.copy()
    goal[0] += side * 0.8
    move = joint_move(ARM, start, goal)
    k = int(move.duration / DT / 2)
    for i in range(1, k + 1):
        q, v = move.sample(i * DT)
        assert limiter.judge(q, v, tool_speed=1.0) == ""
    far, at = float("inf"), float(q[0])
    limiter.fence(-far, far, (-far, at + 0.01) if side > 0.0 else (at - 0.01, far))
    onward = move.sample((k + 1) * DT)
    assert limiter.judge(*onward, tool_speed=1.0) == "braking_distance"
    stop = brake(ARM, q, v, move.acceleration(k * DT))
    for i in range(1, int(stop.duration / DT) + 1):
        assert limiter.judge(*stop.sample(i * DT), tool_speed=1.0, stopping=True) == "", i
    assert side * (stop.positions[-1, 0] - at) > 0.01
