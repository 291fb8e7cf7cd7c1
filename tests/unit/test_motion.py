"""Motion stays inside every limit, on its path, and never asks ruckig for waypoints."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import robot
from robot.arms import load_arm
from robot.kinematics import forward, solve, tool_position
from robot.motion import MotionError, Trajectory, brake, brake_along, joint_move, line_move, refuse, within_limits

ARM = load_arm("ur3e")
DT = 0.004
LEVEL = np.stack([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]], axis=1)
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])


def pose(x: float, y: float, z: float) -> np.ndarray:
    T = np.eye(4)
    T[:3, :3] = LEVEL
    T[:3, 3] = [x, y, z]
    return T


PRE = solve(ARM, pose(0.5, 0.38, 0.95), HOME)[0]


def shares(trajectory: Trajectory, *, from_rest: bool = True) -> tuple[float, float, float, float]:
    """Largest velocity, acceleration, jerk and tool speed as the loop would send them, as shares of the limits."""
    first = -3 if from_rest else 0
    ticks = range(first, int(trajectory.duration / DT) + 5)
    q = np.array([trajectory.sample(k * DT)[0] for k in ticks])
    v = np.diff(q, axis=0) / DT
    a = np.diff(v, axis=0) / DT
    j = np.diff(a, axis=0) / DT
    points = np.array([tool_position(ARM, row) for row in q])
    speed = np.linalg.norm(np.diff(points, axis=0), axis=1) / DT
    worst = [float(np.max(np.abs(x) / limit)) for x, limit in ((v, ARM.velocity), (a, ARM.acceleration), (j, ARM.jerk))]
    return worst[0], worst[1], worst[2], float(speed.max()) / ARM.safety.tool_speed_auto


joints = st.tuples(st.floats(-0.5, 3.3), *[st.floats(-3.0, 3.0)] * 6).map(np.array)


@settings(max_examples=30, deadline=None)
@given(joints, joints, st.floats(0.1, 1.0))
def test_a_joint_move_ends_at_its_goal_inside_every_limit(start: np.ndarray, goal: np.ndarray, speed: float) -> None:
    move = joint_move(ARM, start, goal, speed=speed)
    v, a, j, tool = shares(move)
    assert v <= 1.0
    assert a <= 1.01
    assert j <= 1.2  # finite differences across a switch of jerk between two knots
    assert tool <= speed + 1e-6
    assert np.allclose(move.positions[[0, -1]], [start, goal], atol=1e-9)
    assert np.allclose(move.velocities[[0, -1]], 0.0, atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.floats(-0.1, 0.1), st.floats(0.0, 0.17), st.floats(-0.1, 0.1), st.floats(0.05, 0.5))
def test_a_line_stays_straight_and_inside_every_limit(dx: float, dy: float, dz: float, speed: float) -> None:
    goal = pose(0.5 + dx, 0.38 + dy, 0.95 + dz)
    move = line_move(ARM, PRE, goal, speed=speed)
    v, a, j, tool = shares(move)
    assert v <= 1.0
    assert a <= 1.02
    assert j <= 1.3
    assert tool <= 1.0
    q, _, _ = move.sample_many(np.linspace(0.0, move.duration, 60))
    poses = np.array([forward(ARM, row) for row in q])
    start, end = poses[0, :3, 3], goal[:3, 3]
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-12)
    offset = (poses[:, :3, 3] - start) - np.outer((poses[:, :3, 3] - start) @ along, along)
    assert np.abs(offset).max() < 2e-4
    assert np.abs(poses[:, :3, :3] - LEVEL).max() < 1e-3
    assert np.allclose(poses[-1], goal, atol=1e-6)


def test_a_line_obeys_the_speed_it_was_given() -> None:
    move = line_move(ARM, PRE, pose(0.5, 0.55, 0.95), speed=0.1)
    assert shares(move)[3] * ARM.safety.tool_speed_auto == pytest.approx(0.1, rel=0.02)


def test_a_line_may_turn_the_tool() -> None:
    goal = pose(0.5, 0.5, 0.95)
    c, s = np.cos(0.4), np.sin(0.4)
    goal[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ LEVEL
    move = line_move(ARM, PRE, goal)
    assert np.allclose(forward(ARM, move.positions[-1]), goal, atol=1e-6)
    assert max(shares(move)[:2]) <= 1.02


def test_a_line_out_of_reach_is_refused_with_a_code() -> None:
    with pytest.raises(MotionError) as caught:
        line_move(ARM, PRE, pose(0.5, 1.3, 0.95))
    assert caught.value.code == "ik_fail"


def test_a_line_of_no_length_is_at_rest() -> None:
    move = line_move(ARM, PRE, forward(ARM, PRE))
    assert np.abs(move.positions - PRE).max() < 1e-9


@pytest.mark.parametrize("bad", [np.full(7, np.nan), np.zeros(6), np.full(7, 9.0)])
def test_a_goal_outside_the_limits_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(MotionError, match="bad_start"):
        joint_move(ARM, HOME, bad)


@settings(max_examples=30, deadline=None)
@given(joints, joints, st.floats(0.05, 0.95))
def test_a_stop_from_anywhere_ends_at_rest_inside_the_limits(start: np.ndarray, goal: np.ndarray, when: float) -> None:
    move = joint_move(ARM, start, goal)
    t = when * move.duration
    q, v = move.sample(t)
    a = move.acceleration(t)
    stop = brake(ARM, q, v, a)
    assert np.allclose(stop.positions[0], q)
    assert np.allclose(stop.velocities[-1], 0.0, atol=1e-9)
    assert stop.duration < 1.0
    assert np.all(np.abs(stop.velocities) <= np.maximum(np.abs(v) + a**2 / (2 * ARM.jerk), 0.0) + 1e-6)
    _, worst_a, worst_j, _ = shares(stop, from_rest=False)
    assert worst_a <= 1.22
    assert worst_j <= 2.3


def test_a_stop_along_the_path_stays_on_it_and_inside_the_limits() -> None:
    move = line_move(ARM, PRE, pose(0.5, 0.55, 0.95), speed=0.4)
    for when in (0.2, 0.4, 0.6, 0.8):
        stop = brake_along(ARM, move, when * move.duration)
        assert stop is not None
        q, v = move.sample(when * move.duration)
        assert np.allclose(stop.positions[0], q)
        assert np.allclose(stop.velocities[0], v)
        assert np.allclose(stop.velocities[-1], 0.0)
        for row in stop.positions:
            x, _, z = tool_position(ARM, row)
            assert (x, z) == pytest.approx((0.5, 0.95), abs=2e-4)
        assert max(shares(stop, from_rest=False)[:2]) <= 1.05  # what the limiter accepts


def test_a_trajectory_is_smooth_between_its_knots_and_held_beyond_them() -> None:
    move = joint_move(ARM, HOME, PRE)
    t = np.linspace(0.1, move.duration - 0.1, 50)
    p, v, a = move.sample_many(t)
    for i, x in enumerate(t.tolist()):
        position, velocity = move.sample(x)
        assert np.allclose(position, p[i])
        assert np.allclose(velocity, v[i])
        assert np.allclose(move.acceleration(x), a[i])
        assert np.allclose((move.sample(x + 1e-6)[0] - move.sample(x - 1e-6)[0]) / 2e-6, v[i], atol=1e-4)
    assert np.allclose(move.sample(-1.0)[0], HOME)
    assert np.allclose(move.sample(99.0)[0], PRE)
    assert np.allclose(move.acceleration(99.0), 0.0)


def test_a_slower_trajectory_takes_longer_on_the_same_path() -> None:
    move = joint_move(ARM, HOME, PRE)
    slow = move.slower(2.0)
    assert slow.duration == pytest.approx(2 * move.duration)
    assert np.allclose(slow.sample(1.0)[0], move.sample(0.5)[0])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.floats(1e-4, 3e-3))
def test_what_is_slowed_down_to_the_limits_is_refused_nowhere_between_its_knots(
    seed: int, inner: int, by: float
) -> None:
    rng = np.random.default_rng(seed)
    times = np.concatenate([[0.0], np.cumsum(rng.uniform(0.004, 0.02, inner + 1))])
    q, v, a = (rng.normal(size=(inner + 2, 7)) * by * scale for scale in (1.0, 50.0, 5000.0))
    v[[0, -1]] = a[[0, -1]] = 0.0
    wild = Trajectory(times=times, positions=PRE + q, velocities=v, accelerations=a)
    assert refuse(ARM, within_limits(ARM, wild, ARM.safety.tool_speed_auto)) == ""


@pytest.mark.parametrize("seed", range(8))
def test_the_peaks_of_a_trajectory_are_those_of_its_finest_samples(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.concatenate([[0.0], np.cumsum(rng.uniform(0.004, 0.02, 4))])
    q, v, a = (rng.normal(size=(5, 7)) * scale for scale in (0.01, 0.5, 20.0))
    move = Trajectory(times=times, positions=q, velocities=v, accelerations=a)
    fine = np.linspace(0.0, move.duration, 4001)
    _, velocities, accelerations = (np.abs(values) for values in move.sample_many(fine))
    jerks = np.abs(np.diff(move.sample_many(fine)[2], axis=0)) / fine[1]
    velocity, acceleration, jerk = move.peaks()
    assert np.all(velocities.max(axis=0) <= velocity + 1e-9)
    assert np.allclose(accelerations.max(axis=0), acceleration, rtol=1e-3)
    assert np.all(jerks.max(axis=0) <= 1.000001 * jerk)
    assert np.allclose(jerks.max(axis=0), jerk, rtol=0.1)


@pytest.mark.parametrize(
    ("x", "y", "z"), [(0.474, 0.494, 1.074), (0.578, 0.569, 0.997), (0.476, 0.519, 1.060), (0.570, 0.519, 0.808)]
)
def test_a_line_to_where_the_elbow_is_nearly_straight_is_inside_the_limits_on_every_tick(
    x: float, y: float, z: float
) -> None:
    move = line_move(ARM, PRE, pose(x, y, z), speed=0.12)
    assert refuse(ARM, move) == ""


@pytest.mark.parametrize(("by", "faster", "limit"), [(0.3, 1.3, "acceleration"), (0.004, 1.3, "jerk")])
def test_a_trajectory_that_is_too_hard_for_the_drives_is_refused_before_it_begins(
    by: float, faster: float, limit: str
) -> None:
    goal = HOME.copy()
    goal[3] += by
    move = joint_move(ARM, HOME, goal)
    assert refuse(ARM, move) == ""
    reason = refuse(ARM, move.slower(1.0 / faster))
    assert limit in reason, reason
    assert "elbow_joint" in reason


@pytest.mark.parametrize(
    ("times", "position", "message"),
    [([0.0], 0.0, "at least 2"), ([0.0, 0.0], 0.0, "increasing"), ([0.0, 1.0], np.nan, "finite")],
)
def test_a_malformed_trajectory_is_refused(times: list[float], position: float, message: str) -> None:
    still = np.zeros((len(times), 7))
    with pytest.raises(ValueError, match=message):
        Trajectory(times=np.array(times), positions=still + position, velocities=still, accelerations=still)


def test_waypoints_of_ruckig_are_never_used_because_they_call_a_cloud_service() -> None:
    for file in Path(robot.__file__).parent.rglob("*.py"):
        assert "intermediate_" not in file.read_text(encoding="utf-8"), file
