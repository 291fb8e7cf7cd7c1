"""Kinematics against published values, finite differences and itself."""

import numpy as np
import pytest

from robot.arms import load_arm
from robot.kinematics import (
    analytic,
    camera_pose,
    forward,
    jacobian,
    link_frames,
    manipulability,
    polish,
    solve,
    tool_position,
)
from robot.kinematics.many import link_frames_many, tool_positions
from robot.kinematics.numeric import pose_error

ARM = load_arm("ur3e")
LEVEL = np.stack([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]], axis=1)  # tool z = world y, tool y = -world z
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])


def random_joints(rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([[rng.uniform(-0.6, 3.4)], rng.uniform(-np.pi, np.pi, 6)])


def test_flange_at_zero_is_where_universal_robots_dh_puts_it() -> None:
    # UR3e DH table: x = a2 + a3, y = -(d4 + d6), z = d1 - d5.
    flange = link_frames(ARM, np.zeros(7))[6, :3, 3] - ARM.rail.base
    assert flange == pytest.approx([-0.45675, -0.22315, 0.0665], abs=1e-12)


def test_flange_of_the_upright_arm_is_at_the_published_height() -> None:
    # Upright (0, -90, 0, -90, 0, 0 deg) the UR3e's tool flange is 0.694 m above its base.
    q = np.array([0.0, 0.0, -np.pi / 2, 0.0, -np.pi / 2, 0.0, 0.0])
    flange = link_frames(ARM, q)[6, :3, 3] - ARM.rail.base
    assert flange == pytest.approx([0.0, -0.22315, 0.69395], abs=1e-9)


def test_rail_moves_the_tool_along_world_x_only() -> None:
    moved = HOME.copy()
    moved[0] += 0.7
    difference = forward(ARM, moved) - forward(ARM, HOME)
    assert difference[0, 3] == pytest.approx(0.7)
    difference[0, 3] = 0.0
    assert np.abs(difference).max() < 1e-12


def test_forward_link_frames_tool_position_and_camera_agree() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        q = random_joints(rng)
        T = forward(ARM, q)
        assert np.allclose(T, link_frames(ARM, q)[7], atol=1e-15)
        assert np.allclose(T[:3, 3], tool_position(ARM, q), atol=1e-15)
        assert np.allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-12)
        assert np.allclose(camera_pose(ARM, q), T @ ARM.camera.T_tool_camera)


def test_jacobian_equals_finite_differences() -> None:
    rng = np.random.default_rng(2)
    h = 1e-6
    for _ in range(20):
        q = random_joints(rng)
        numeric = [pose_error(forward(ARM, q + h * e), forward(ARM, q - h * e)) / (2 * h) for e in np.eye(7)]
        assert np.allclose(jacobian(ARM, q), np.array(numeric).T, atol=1e-8)


def test_manipulability_is_the_determinant_of_the_arm_jacobian() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        q = random_joints(rng)
        assert manipulability(ARM, q) == pytest.approx(abs(np.linalg.det(jacobian(ARM, q)[:, 1:])), abs=1e-12)


def test_every_solution_of_every_reachable_pose_reaches_it() -> None:
    rng = np.random.default_rng(4)
    for _ in range(500):
        q = random_joints(rng)
        T = forward(ARM, q)
        solutions = solve(ARM, T, q, rail=q[0])
        assert min(np.abs(s - q).max() for s in solutions) < 1e-6
        for s in solutions:
            assert np.abs(pose_error(T, forward(ARM, s))).max() < 1e-9


def test_a_free_wrist_keeps_the_angle_it_was_given() -> None:
    q = HOME.copy()
    q[5] = 0.0
    q[6] = 0.3
    best = solve(ARM, forward(ARM, q), q, rail=q[0])
    assert min(np.abs(s - q).max() for s in best) < 1e-6


def test_solutions_stay_next_to_the_seed_beyond_half_a_turn() -> None:
    q = HOME.copy()
    q[1] += 2 * np.pi - 1.0
    q[6] = -4.0
    assert np.abs(solve(ARM, forward(ARM, q), q, rail=q[0])[0] - q).max() < 1e-6


def test_solutions_are_inside_the_limits() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        q = random_joints(rng)
        seed = rng.uniform(ARM.position_min, ARM.position_max)
        for s in solve(ARM, forward(ARM, q), seed):
            assert np.all(s >= ARM.position_min)
            assert np.all(s <= ARM.position_max)


def test_rail_is_used_when_the_pose_is_far_along_the_bed() -> None:
    T = np.eye(4)
    T[:3, :3] = LEVEL
    T[:3, 3] = [2.5, 0.5, 0.95]
    solutions = solve(ARM, T, HOME)
    assert solutions
    assert abs(solutions[0][0] - 2.5) < 0.5
    assert solve(ARM, T, HOME, rail=0.4) == []
    assert solve(ARM, T, HOME, rail=9.0) == []


def test_best_solution_for_a_berry_is_elbow_up_and_not_singular() -> None:
    T = np.eye(4)
    T[:3, :3] = LEVEL
    for x in (0.0, 0.5, 1.0):
        T[:3, 3] = [x, 0.5, 0.95]
        best = solve(ARM, T, HOME)[0]
        frames = link_frames(ARM, best)
        assert frames[2, 2, 3] > 0.5 * (frames[1, 2, 3] + frames[3, 2, 3])
        assert manipulability(ARM, best) > 0.0015


def test_a_pose_out_of_reach_has_no_solution_and_a_filter_is_obeyed() -> None:
    T = np.eye(4)
    T[:3, :3] = LEVEL
    T[:3, 3] = [0.5, 1.6, 0.95]
    assert solve(ARM, T, HOME) == []
    T[:3, 3] = [0.5, 0.5, 0.95]
    assert solve(ARM, T, HOME, valid=lambda q: False) == []
    assert all(s[1] < 0 for s in solve(ARM, T, HOME, valid=lambda q: bool(q[1] < 0)))


def test_damped_least_squares_finds_the_way_back_from_a_disturbed_seed() -> None:
    rng = np.random.default_rng(6)
    for _ in range(20):
        q = HOME + np.concatenate([[0.0], rng.uniform(-0.4, 0.4, 6)])
        T = forward(ARM, q)
        found = polish(ARM, T, q + np.concatenate([[0.0], rng.uniform(-0.2, 0.2, 6)]))
        assert found is not None
        assert np.abs(pose_error(T, forward(ARM, found))).max() < 1e-9


def test_damped_least_squares_gives_up_on_what_is_out_of_reach() -> None:
    T = forward(ARM, HOME)
    T[1, 3] = 3.0
    assert polish(ARM, T, HOME, iterations=30) is None


def test_pose_error_of_half_a_turn_is_pi() -> None:
    T = np.eye(4)
    T[:3, :3] = np.diag([1.0, -1.0, -1.0])
    assert np.linalg.norm(pose_error(T, np.eye(4))[3:]) == pytest.approx(np.pi)


def test_analytic_says_nothing_inside_the_shoulder_cylinder() -> None:
    T = np.eye(4)
    T[:3, 3] = [0.02, 0.02, 0.5]
    assert analytic(ARM, T) == []


def test_frames_of_many_joint_vectors_are_those_of_each() -> None:
    rng = np.random.default_rng(8)
    q = rng.uniform(ARM.position_min, ARM.position_max, (20, 7))
    together = link_frames_many(ARM, q)
    assert np.abs(together - np.array([link_frames(ARM, row) for row in q])).max() < 1e-12
    assert np.array_equal(tool_positions(ARM, q), together[:, 7, :3, 3])
