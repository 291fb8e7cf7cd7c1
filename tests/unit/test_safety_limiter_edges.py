"""The edges of the limiter and of stops, from both sides; found by breaking their code on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from robot.arms import load_arm
from robot.kinematics import tool_position
from robot.safety import (
    Effect,
    Limiter,
    stop_duration,
    stop_position,
)
from robot.safety.limiter import POSITION_SLACK, TOUCH, reach_of_joints

ARM = load_arm("ur3e")
DT = 0.004
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
REST = np.zeros(7)


def limiter(q: np.ndarray = HOME) -> Limiter:
    made = Limiter(ARM, lambda x: tool_position(ARM, x), DT)
    made.rest_at(q)
    return made


def judge(made: Limiter, q: np.ndarray, **options: object) -> str:
    return made.judge(q, REST, tool_speed=0.5, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("joint", range(7))
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_jerk_and_acceleration_are_refused_beyond_their_slack(joint: int, side: float) -> None:
    jerk = 1.6 * ARM.jerk[joint] * DT**3
    limit = ARM.acceleration[joint] * DT**2
    for share, stopping, wrong in (
        (0.99 * jerk, False, ""),
        (1.01 * jerk, False, "joint_acceleration"),
        (1.04 * 1.2 * limit, True, ""),
        (1.06 * 1.2 * limit, True, "joint_acceleration"),
    ):
        q = HOME.copy()
        q[joint] += side * min(share, 1.3 * limit)
        if stopping or jerk < 1.04 * limit:
            assert judge(limiter(), q, stopping=stopping) == wrong, share


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_feed_forward_may_exceed_the_limit_by_one_in_a_hundred(side: float) -> None:
    for share, wrong in ((1.009, ""), (1.011, "joint_speed")):
        assert limiter().judge(HOME, side * share * ARM.velocity, tool_speed=0.5) == wrong


def test_the_tool_speed_is_that_of_the_last_tick() -> None:
    made = limiter()
    q = HOME.copy()
    v = 0.0
    for _ in range(3):
        v += 0.05 * DT
        q = q.copy()
        q[0] += v * DT
        assert judge(made, q) == ""
        assert made.tool_speed == pytest.approx(v)
    made.rest_at(q)
    assert made.tool_speed == 0.0


def test_a_tool_just_outside_the_workspace_is_refused_before_the_stop_is_judged() -> None:
    x, y, low = 0.5, 0.3, float(ARM.safety.workspace_min[2])
    made = Limiter(ARM, lambda q: (x, y, low - 10.0 * (float(q[0]) - HOME[0])), DT)
    made.rest_at(HOME)
    q = HOME.copy()
    q[0] += 1.2e-6
    assert judge(made, q) == "workspace"
    q[0] = HOME[0] - 1.2e-6
    assert judge(made, q) == ""


def test_the_shortest_stop_follows_from_speed_and_acceleration_in_each_regime() -> None:
    jerk, joint = 2.0 * ARM.jerk[1], 1
    for v1, a1 in ((0.6, 9.0), (0.6, -9.0), (0.05, -12.0), (1.5, -1.0), (-0.6, 9.0), (-0.6, -9.0), (1e-3, 9.0)):
        v, a = REST.copy(), REST.copy()
        v[joint], a[joint] = v1, a1
        T = stop_duration(v, a, ARM)
        u = np.linspace(0.0, 1.0, 2001)
        acceleration = v1 * (-6 * u + 6 * u**2) / T + a1 * (1 - 4 * u + 3 * u**2)
        jerks = np.gradient(acceleration, u * T)
        used = max(np.abs(acceleration).max() / (1.2 * ARM.acceleration[joint]), np.abs(jerks).max() / jerk)
        assert 0.85 < used <= 1.001, (v1, a1, used)


TICK = 2.0**-8  # a period that floats divide by exactly


def exact(q: np.ndarray, place: Callable[[list[float]], tuple[float, float, float]] = lambda _: INSIDE) -> Limiter:
    made = Limiter(ARM, place, TICK)
    made.rest_at(q)
    return made


INSIDE = (0.4, 0.4, 0.9)


def test_what_is_exactly_at_a_limit_is_still_inside() -> None:
    for joint in range(7):
        for ends in (ARM.position_min, ARM.position_max):
            q = HOME.copy()
            q[joint] = ends[joint] + np.sign(ends[joint]) * POSITION_SLACK
            before = q.copy()
            before[joint] -= np.sign(ends[joint]) * 1e-9
            assert exact(before).judge(q, REST, tool_speed=0.5) == ""
        v = REST.copy()
        v[joint] = ARM.velocity[joint] * 1.01
        assert exact(HOME).judge(HOME, v, tool_speed=0.5) == ""
        v[joint] = np.nextafter(v[joint], np.inf)
        assert exact(HOME).judge(HOME, v, tool_speed=0.5) == "joint_speed"


def test_a_tool_exactly_as_fast_as_its_limit_is_still_inside() -> None:
    moves = 0.25 * 1.02 * TICK
    q = HOME.copy()
    q[6] += 1e-6
    for by, wrong in ((moves, ""), (np.nextafter(moves, 1.0), "tool_speed")):
        made = exact(HOME, lambda joints, by=by: (by if joints[6] > 0.0 else 0.0, 0.4, 0.9))  # type: ignore[misc]
        assert made.judge(q, REST, tool_speed=0.25) == wrong


def test_a_stop_is_looked_at_half_way_and_at_its_end() -> None:
    looked: list[list[float]] = []

    def place(joints: list[float]) -> tuple[float, float, float]:
        looked.append(joints)
        return INSIDE

    made = exact(HOME, place)
    step = REST.copy()
    step[6] = 1e-5
    looked.clear()
    assert made.judge(HOME + step, REST, tool_speed=0.5) == ""
    a = step / TICK**2
    v = step / TICK + 0.5 * TICK * a
    duration = stop_duration(v, a, ARM)
    ways = [stop_position(HOME + step, v, a, duration, share) for share in (0.5, 1.0)]
    assert np.allclose(looked, [HOME + step, *ways], rtol=0.0, atol=1e-12)
    assert np.abs(ways[1] - ways[0]).max() > 1e-7


@pytest.mark.parametrize(("clear", "wrong"), [(TOUCH, ""), (np.nextafter(TOUCH, -1.0), "collision_risk")])
def test_what_comes_exactly_as_near_as_it_may_touches_nothing(clear: float, wrong: str) -> None:
    made = Limiter(ARM, lambda _: INSIDE, TICK, lambda q: clear if q[6] > 0.0 else TOUCH + 1e-6)
    made.rest_at(HOME)
    step = REST.copy()
    step[6] = 1e-5
    assert made.judge(HOME + step, REST, tool_speed=0.5) == wrong


def test_the_furthest_end_of_any_capsule_counts_for_the_reach() -> None:
    long = replace(ARM.arm.capsules[0], start=np.zeros(3), end=np.array([0.0, 0.0, 2.0]))
    arm = replace(ARM, arm=replace(ARM.arm, capsules=(*ARM.arm.capsules, long)))
    assert reach_of_joints(arm)[-1] > 2.0


def test_dominance_and_the_touch_are_as_written() -> None:
    assert [int(effect) for effect in Effect] == [1, 2, 3, 4]
    assert TOUCH == -0.002


def test_a_stop_of_published_speed_takes_the_time_its_formula_says() -> None:
    v, a = REST.copy(), REST.copy()
    v[1] = 1.0
    jerk, acceleration = 2.0 * ARM.jerk[1], 1.2 * ARM.acceleration[1]
    assert stop_duration(v, a, ARM) == pytest.approx(max(1.5 / acceleration, (6.0 / jerk) ** 0.5))
    assert stop_duration(REST, REST, ARM) == 0.02
    assert np.array_equal(stop_position(HOME, v, a, 0.2), HOME + 0.1 * v)  # half of v T
    a[1] = 1.0
    assert stop_position(HOME, REST, a, 0.6)[1] - HOME[1] == pytest.approx(0.36 / 12.0)  # a T^2 / 12


def test_a_limiter_begins_at_rest_at_zero() -> None:
    made = Limiter(ARM, lambda x: tool_position(ARM, x), DT)
    assert judge(made, REST) == ""
    assert made.tool_speed == 0.0
    assert judge(made, HOME) == "joint_speed"


@pytest.mark.parametrize("joint", range(7))
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_stop_may_end_a_little_beyond_a_limit_and_no_further(joint: int, side: float) -> None:
    slack = 0.004 if joint == 0 else 0.010
    for share, stopping, wrong in ((0.99, True, ""), (1.01, True, "joint_limit"), (0.01, False, "joint_limit")):
        q = HOME.copy()
        q[joint] = (ARM.position_max if side > 0 else ARM.position_min)[joint] + side * share * slack
        before = q.copy()
        before[joint] -= side * 1e-7
        assert judge(limiter(before), q, stopping=stopping) == wrong
        assert judge(limiter(q), q, stopping=stopping) == "", "where it ended it may stand"


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_stop_is_judged_from_the_ticks_end_not_from_its_middle(side: float) -> None:
    """The wrist speeds up towards its limit: half a tick's acceleration decides whether the stop still ends inside."""
    joint, acceleration = 6, 18.0
    steps, v, a = [0.0], 0.0, 0.0
    while v < 2.0:
        a = min(a + 1.2 * ARM.jerk[joint] * DT, acceleration)
        v += a * DT
        steps.append(steps[-1] + v * DT)
    speed, push = REST.copy(), REST.copy()
    speed[joint], push[joint] = side * (v + 0.5 * DT * a), side * a
    duration = stop_duration(speed, push, ARM)
    end = float(stop_position(REST, speed, push, duration)[joint]) + side * steps[-1]
    edge = side * (float(ARM.position_max[joint]) + 0.010)
    for inside, wrong in ((5e-4, ""), (-5e-4, "braking_distance")):
        begin = HOME.copy()
        begin[joint] = edge - end - side * inside
        made, told = limiter(begin), []
        for step in steps[1:]:
            q = begin.copy()
            q[joint] += side * step
            told.append(made.judge(q, REST, tool_speed=0.5))
        assert told[:-1] == [""] * len(told[:-1])
        assert told[-1] == wrong


@pytest.mark.parametrize("joint", range(7))
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_stop_is_as_short_as_its_jerk_allows(joint: int, side: float) -> None:
    jerk = 2.0 * ARM.jerk[joint]
    for speed, push, peak in (
        (0.05, 0.5, lambda v, a, t: 6.0 * v / t**2 + 4.0 * a / t),  # speeding up: at first
        (0.02, -0.8, lambda v, a, t: 4.0 * a / t - 6.0 * v / t**2),  # braking hard: at first
        (0.10, -0.1, lambda v, a, t: 6.0 * v / t**2 - 2.0 * a / t),  # braking a little: at last
    ):
        v, a = REST.copy(), REST.copy()
        v[joint], a[joint] = side * speed * ARM.velocity[joint], side * push * ARM.acceleration[joint]
        duration = stop_duration(v, a, ARM)
        least = 1.5 * abs(v[joint]) / (1.2 * ARM.acceleration[joint] - max(side * a[joint], 0.0) / 3.0)
        assert duration > 1.2 * least, "the jerk decides, not the acceleration"
        assert peak(abs(v[joint]), abs(a[joint]), duration) == pytest.approx(jerk, rel=1e-6)
