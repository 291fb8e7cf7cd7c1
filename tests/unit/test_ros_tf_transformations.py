"""Rotations by the names of `tf_transformations`, against numbers its documentation gives and against themselves."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from robot.ros.packages import tf_transformations as tf

CODES = [
    f"{kind}{first}{second}{third}"
    for kind, first, second, third in product("sr", "xyz", "xyz", "xyz")
    if first != second != third
]
ANGLES = [(0.3, -1.1, 2.0), (-2.5, 0.4, 0.1), (0.3, math.pi / 2, 0.5), (0.3, -math.pi / 2, 0.5), (0.3, 0.0, 0.5)]


def turns(axis: str, angle: float) -> tf.Matrix:
    return tf.rotation_matrix(angle, [float(axis == each) for each in "xyz"])


def test_published_examples_come_out() -> None:
    about_yxz = tf.quaternion_from_euler(1, 2, 3, "ryxz")
    assert np.allclose(about_yxz, [0.310622, -0.718287, 0.444435, 0.435953], atol=1e-6)
    assert tf.quaternion_multiply([1, -2, 3, 4], [-5, 6, 7, 8]) == (-44, -14, 48, 28)
    assert np.allclose(tf.quaternion_about_axis(0.123, (1, 0, 0)), [0.06146124, 0, 0, 0.99810947])
    assert np.allclose(tf.euler_from_quaternion([0.06146124, 0, 0, 0.99810947]), [0.123, 0, 0])


@pytest.mark.parametrize("axes", CODES)
def test_angles_about_any_axes_are_turns_one_after_the_other_and_come_back(axes: str) -> None:
    for angles in ANGLES:
        one, two, three = (turns(axis, angle) for axis, angle in zip(axes[1:], angles, strict=True))
        expected = three @ two @ one if axes[0] == "s" else one @ two @ three
        assert np.allclose(tf.euler_matrix(*angles, axes), expected)
        back = tf.euler_from_matrix(expected, axes)
        assert np.allclose(tf.euler_matrix(*back, axes), expected, atol=1e-7)


def test_quaternions_and_matrices_are_the_same_turns() -> None:
    for angles in [*ANGLES, (math.pi, 0.0, 0.0), (0.0, math.pi, 0.1), (0.0, 0.0, math.pi)]:
        quaternion = tf.quaternion_from_euler(*angles)
        matrix = tf.quaternion_matrix(quaternion)
        assert np.allclose(tf.quaternion_matrix(tf.quaternion_from_matrix(matrix)), matrix)
        neutral = tf.quaternion_multiply(tf.quaternion_inverse(quaternion), quaternion)
        assert np.allclose(neutral, [0, 0, 0, 1])
        assert np.allclose(tf.quaternion_matrix(tf.quaternion_conjugate(quaternion)), tf.inverse_matrix(matrix))
    assert np.allclose(tf.quaternion_matrix([0, 0, 0, 0]), tf.identity_matrix())


def test_half_of_a_turn_goes_the_shorter_way() -> None:
    start, end = tf.quaternion_about_axis(0.2, (0, 0, 1)), tf.quaternion_about_axis(1.0, (0, 0, 1))
    opposite = tuple(-part for part in end)
    for goal in (end, opposite):
        assert np.allclose(tf.quaternion_slerp(start, goal, 0.5), tf.quaternion_about_axis(0.6, (0, 0, 1)))
    assert np.allclose(tf.quaternion_slerp(start, start, 0.3), start)


def test_matrices_move_and_turn_about_points() -> None:
    moved = tf.concatenate_matrices(tf.translation_matrix((1, 2, 3)), tf.rotation_matrix(math.pi / 2, (0, 0, 1)))
    assert np.allclose(moved @ [1, 0, 0, 1], [1, 3, 3, 1]) and np.allclose(tf.translation_from_matrix(moved), (1, 2, 3))
    about = tf.rotation_matrix(math.pi, (0, 0, 2), (1, 0, 0))
    assert np.allclose(about @ [2, 0, 0, 1], [0, 0, 0, 1])
    assert tf.is_same_transform(moved, 2.0 * moved) and not tf.is_same_transform(moved, about)
    assert tf.vector_norm((3, 4)) == 5.0 and np.allclose(tf.unit_vector((0, 0)), (0, 0))


@pytest.mark.parametrize("axes", ["xyz", "sxxy", "qxyz", "sxyzx", ""])
def test_a_code_of_axes_that_is_none_is_refused(axes: str) -> None:
    with pytest.raises(ValueError, match="code of axes"):
        tf.quaternion_from_euler(0.1, 0.2, 0.3, axes)
