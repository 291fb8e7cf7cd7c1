"""The limiter keeps the arm off itself and what stands around, and looks no more often than it must."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robot.arms import load_arm
from robot.collision import Box, Obstacles, World, carriage
from robot.hardware.fake import FakeHardware
from robot.kinematics import link_frames, tool_position
from robot.loop import ControlLoop, LoopSettings
from robot.motion import joint_move
from robot.safety import Limiter, State
from robot.safety.limiter import TOUCH, reach_of_joints

ARM = load_arm("ur3e")
DT = 0.004
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
TOOL = np.array(tool_position(ARM, HOME))
POST = Box(minimum=(TOOL[0] + 0.25, -2.0, 0.0), maximum=(TOOL[0] + 2.0, 2.0, 2.0))
ALONG = HOME + np.array([0.5, 0, 0, 0, 0, 0, 0])


class Wall:
    """Clearance from a wall across the rail at `at` [m]; counts how often it is asked."""

    def __init__(self, at: float) -> None:
        self.at, self.asked = at, 0

    def __call__(self, q: np.ndarray) -> float:
        self.asked += 1
        return float(self.at - q[0])


def drive(wall: Wall, begin: np.ndarray, goal: np.ndarray) -> tuple[str, float, int]:
    """Drive from rest to rest; return the first refusal, the rail's place before it, and how many ticks passed."""
    made = Limiter(ARM, lambda q: tool_position(ARM, q), DT, wall)
    made.rest_at(begin)
    move = joint_move(ARM, begin, goal)
    ticks = int(move.duration / DT) + 2
    last = float(begin[0])
    for k in range(1, ticks):
        q, v = move.sample(k * DT)
        wrong = made.judge(q, v, tool_speed=0.5)
        if wrong:
            return wrong, last, k
        last = float(q[0])
    return "", last, ticks


def test_a_set_point_that_would_touch_is_refused_and_none_before() -> None:
    wrong, last, _ = drive(Wall(0.6), HOME, ALONG)
    assert wrong == "collision_risk"
    assert 0.45 < last < 0.6  # so early that the stop ends before the wall


def test_far_from_everything_it_is_hardly_looked_at() -> None:
    wall = Wall(5.0)
    wrong, last, ticks = drive(wall, HOME, ALONG)
    assert (wrong, last) == ("", pytest.approx(ALONG[0]))
    assert wall.asked == 1  # 4.6 m are not used up by half a metre
    assert ticks > 100


def test_a_way_out_of_a_touch_stays_open_and_a_way_further_in_does_not() -> None:
    assert drive(Wall(0.35), HOME, HOME - [0.3, 0, 0, 0, 0, 0, 0])[0] == ""
    assert drive(Wall(0.35), HOME, ALONG)[0] == "collision_risk"


def test_a_stop_under_way_is_not_forbidden_to_go_on() -> None:
    made = Limiter(ARM, lambda q: tool_position(ARM, q), DT, Wall(0.0))
    made.rest_at(HOME)
    q = HOME.copy()
    q[0] += 1e-6
    assert made.judge(q, np.zeros(7), tool_speed=0.5, stopping=True) == ""


joints = st.tuples(st.floats(-0.5, 3.3), *[st.floats(-3.0, 3.0)] * 6).map(np.array)


@settings(max_examples=60, deadline=None)
@given(joints, joints)
def test_no_point_of_the_arm_moves_further_than_the_joints_times_their_reach(a: np.ndarray, b: np.ndarray) -> None:
    moved = 0.0
    frames = [link_frames(ARM, q) for q in (a, b)]
    for capsule in ARM.arm.capsules:
        for end in (capsule.start, capsule.end):
            places = [T[capsule.link] @ [*end, 1.0] for T in frames]
            moved = max(moved, float(np.linalg.norm(places[1] - places[0])))
    assert moved <= np.abs(b - a) @ reach_of_joints(ARM) + 1e-9


def test_the_reach_shrinks_towards_the_tool() -> None:
    reach = reach_of_joints(ARM)
    assert reach[0] == 1.0
    assert np.all(np.diff(reach[1:]) < 0.0)
    assert 0.8 < reach[1] < 1.6


def test_the_loop_holds_before_a_post_that_the_planner_did_not_know() -> None:
    time = [0.0]
    clock = type("Clock", (), {"now": lambda _: time[0], "monotonic": lambda _: time[0]})()
    obstacles = Obstacles(boxes=(*carriage(ARM), POST))
    hardware = FakeHardware(ARM, clock.monotonic, position=HOME)
    loop = ControlLoop(hardware, ARM, clock, LoopSettings(obstacles=obstacles))
    loop.bring_up()

    def run(seconds: float) -> None:
        for _ in range(round(seconds / DT)):
            time[0] += DT
            loop.tick()

    run(0.02)
    assert loop.start() == ""
    world = World(ARM, obstacles)
    assert world.clearance(ALONG) < TOUCH
    motion = loop.follow(joint_move(ARM, HOME, ALONG))
    run(3.0)
    assert (motion.done, motion.code) == (True, "collision_risk")
    assert loop.supervisor.state is State.HOLD
    assert loop.supervisor.causes == ("collision_risk",)
    assert TOUCH - 0.002 < world.clearance(loop.joints.position) < 0.02
    assert loop.start() == ""
    back = loop.follow(joint_move(ARM, loop.set_point, HOME))
    run(3.0)
    assert (back.done, back.code) == (True, "")


@pytest.mark.parametrize("clearance", [None])
def test_a_limiter_that_knows_of_nothing_around_looks_at_nothing(clearance: None) -> None:
    made = Limiter(ARM, lambda q: tool_position(ARM, q), DT, clearance)
    made.rest_at(HOME)
    assert made.judge(HOME, np.zeros(7), tool_speed=0.5) == ""
