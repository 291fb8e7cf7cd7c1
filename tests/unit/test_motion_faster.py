"""A way is hurried only where its limits leave room, on its own path."""

import numpy as np
import pytest

from robot.arms import load_arm
from robot.kinematics import forward, solve, tool_position
from robot.motion import Trajectory, joint_move, line_move, quicken, refuse, within_limits
from robot.motion.combine import joined
from robot.motion.faster import through

ARM = load_arm("ur3e")
TOP = ARM.safety.tool_speed_auto
LEVEL = np.stack([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]], axis=1)
HOME = np.array([0.25, 1.12, -2.08, -1.60, 3.68, -2.02, 3.14])


def pose(x: float, y: float, z: float) -> np.ndarray:
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = LEVEL, (x, y, z)
    return T


def corner() -> Trajectory:
    """Out of the crop and down, the corner cut: where both add up, the joints are over their limits."""
    start = solve(ARM, pose(0.5, 0.55, 0.93), HOME, rail=0.25)[0]
    out = line_move(ARM, start, pose(0.5, 0.48, 0.93), speed=0.45)
    down = line_move(ARM, out.positions[-1], pose(0.60, 0.45, 0.85), speed=0.49)
    return joined([out, down], [0.2])[0]


def test_a_hurried_way_is_refused_by_nothing_and_faster_than_one_slowed_down_as_a_whole() -> None:
    way = corner()
    quick, _ = quicken(ARM, way, np.full(len(way.times), TOP))
    assert within_limits(ARM, way, TOP).duration > 1.05 * way.duration
    assert not refuse(ARM, quick)
    assert quick.duration < 0.95 * within_limits(ARM, way, TOP).duration
    assert np.abs(quick.velocities[[0, -1]]).max() < 1e-9


def test_a_hurried_way_passes_the_same_places_when_it_says_so() -> None:
    way = corner()
    quick, passed = quicken(ARM, way, np.full(len(way.times), TOP))
    assert np.all(np.diff(passed) > 0.0)
    for t, joints in zip(passed, way.positions, strict=True):
        assert np.linalg.norm(np.subtract(tool_position(ARM, quick.sample(t)[0]), forward(ARM, joints)[:3, 3])) < 2e-4


@pytest.mark.parametrize("slow", [0.10, 0.20])
def test_a_stretch_with_its_own_tool_speed_keeps_it(slow: float) -> None:
    way = corner()
    first = way.times < 0.5 * way.duration
    quick, passed = quicken(ARM, way, np.where(first, slow, TOP))
    until = passed[first][-1] - 0.03
    places = np.array([tool_position(ARM, quick.sample(t)[0]) for t in np.arange(0.0, until, 0.004)])
    assert np.linalg.norm(np.diff(places, axis=0), axis=1).max() / 0.004 < 1.1 * slow


def test_what_is_left_over_a_stretch_s_own_tool_speed_is_mended_too() -> None:
    rng, joints, parts = np.random.default_rng(9), HOME, []
    for _ in range(3):
        goal = np.clip(joints + rng.normal(0.0, 1.0, 7), ARM.position_min, ARM.position_max)
        parts.append(joint_move(ARM, joints, goal))
        joints = goal
    way, starts = joined(parts, [0.25, 0.25])
    slow = way.times < starts[1]
    quick, passed = quicken(ARM, way, np.where(slow, 0.25, TOP))
    times = np.arange(0.0, passed[slow][-1] - 0.03, 0.004)
    places = np.array([tool_position(ARM, quick.sample(t)[0]) for t in times.tolist()])
    assert np.linalg.norm(np.diff(places, axis=0), axis=1).max() / 0.004 <= 0.25


def test_a_way_that_was_already_at_its_limits_is_not_made_slower() -> None:
    start = solve(ARM, pose(0.5, 0.48, 0.93), HOME, rail=0.25)[0]
    way = line_move(ARM, start, pose(0.5, 0.55, 0.93), speed=0.25)
    quick, _ = quicken(ARM, way, np.full(len(way.times), 0.25))
    assert quick.duration <= way.duration + 1e-9
    assert not refuse(ARM, quick)


def test_the_spline_reproduces_a_curve_through_uneven_knots() -> None:
    t = np.sort(np.concatenate([[0.0, 1.0], np.random.default_rng(1).uniform(0.0, 1.0, 70)]))
    curve = through(t, np.tile((t**3 * (10.0 - 15.0 * t + 6.0 * t**2))[:, None], 7))
    assert np.allclose(curve.velocities[:, 0], 30.0 * t**2 * (1.0 - t) ** 2, atol=2e-3)
    assert np.allclose(curve.accelerations[:, 0], 60.0 * t * (1.0 - t) * (1.0 - 2.0 * t), atol=0.25)
