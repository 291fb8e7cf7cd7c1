"""Rotations as quaternions (x, y, z, w), Euler angles and 4x4 matrices, by the names of ROS's `tf_transformations`.

Euler angles [rad] have a code of four letters: `s` for axes that stay or `r` for axes that turn along, then the axes in
their order; `sxyz` is roll, pitch and yaw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Quaternion = tuple[float, float, float, float]

AXES = "xyz"
NEXT_AXIS = [1, 2, 0, 1]
EPSILON = 4.0 * float(np.finfo(float).eps)

__all__ = [
    "concatenate_matrices",
    "euler_from_matrix",
    "euler_from_quaternion",
    "euler_matrix",
    "identity_matrix",
    "inverse_matrix",
    "is_same_transform",
    "quaternion_about_axis",
    "quaternion_conjugate",
    "quaternion_from_euler",
    "quaternion_from_matrix",
    "quaternion_inverse",
    "quaternion_matrix",
    "quaternion_multiply",
    "quaternion_slerp",
    "rotation_matrix",
    "translation_from_matrix",
    "translation_matrix",
    "unit_vector",
    "vector_norm",
]


def _order(axes: str) -> tuple[str, bool]:
    """Read a code: the axes in the order of turns about axes that stay, and whether the angles come reversed."""
    kind, order = axes[:1], axes[1:]
    repeats = any(one == two for one, two in pairwise(order))
    if kind not in ("s", "r") or len(order) != 3 or set(order) - set(AXES) or repeats:
        raise ValueError(f"expected a code of axes such as 'sxyz' or 'rzyx', got {axes!r}")
    return (order, False) if kind == "s" else (order[::-1], True)


def identity_matrix() -> Matrix:
    return np.identity(4)


def translation_matrix(direction: Sequence[float]) -> Matrix:
    """Return the matrix that moves by `direction` [m]."""
    made = np.identity(4)
    made[:3, 3] = direction[:3]
    return made


def translation_from_matrix(matrix: npt.ArrayLike) -> Matrix:
    return np.array(matrix, float)[:3, 3].copy()


def concatenate_matrices(*matrices: npt.ArrayLike) -> Matrix:
    """Return the product, of which the last is applied first."""
    made = np.identity(4)
    for matrix in matrices:
        made = made @ np.asarray(matrix, float)
    return made


def inverse_matrix(matrix: npt.ArrayLike) -> Matrix:
    inverse: Matrix = np.linalg.inv(np.asarray(matrix, float))
    return inverse


def is_same_transform(matrix0: npt.ArrayLike, matrix1: npt.ArrayLike) -> bool:
    """Tell whether two matrices do the same, whatever their scale."""
    one, two = np.array(matrix0, float), np.array(matrix1, float)
    return bool(np.allclose(one / one[3, 3], two / two[3, 3]))


def vector_norm(data: npt.ArrayLike, axis: int | None = None) -> Any:
    """Return the length of a vector, or of the vectors along an axis."""
    return np.linalg.norm(np.asarray(data, float), axis=axis)


def unit_vector(data: npt.ArrayLike) -> Matrix:
    given = np.asarray(data, float)
    length = float(np.linalg.norm(given))
    return given / length if length > 0.0 else given.copy()


def rotation_matrix(angle: float, direction: Sequence[float], point: Sequence[float] | None = None) -> Matrix:
    """Return the matrix that turns by `angle` [rad] about an axis, through `point` if that is given."""
    made = quaternion_matrix(quaternion_about_axis(angle, direction))
    if point is not None:
        centre = np.asarray(point[:3], float)
        made[:3, 3] = centre - made[:3, :3] @ centre
    return made


def euler_matrix(ai: float, aj: float, ak: float, axes: str = "sxyz") -> Matrix:
    return quaternion_matrix(quaternion_from_euler(ai, aj, ak, axes))


def euler_from_matrix(matrix: npt.ArrayLike, axes: str = "sxyz") -> tuple[float, float, float]:
    """Return the angles of a rotation, after K. Shoemake, Euler angle conversion, Graphics Gems IV (1994)."""
    order, is_reversed = _order(axes)
    m = np.asarray(matrix, float)
    i, j = AXES.index(order[0]), AXES.index(order[1])
    k = 3 - i - j
    if order[0] == order[2]:
        side = math.hypot(m[i, j], m[i, k])
        middle = math.atan2(side, m[i, i])
        first, last = math.atan2(m[i, j], m[i, k]), math.atan2(m[j, i], -m[k, i])
    else:
        side = math.hypot(m[i, i], m[j, i])
        middle = math.atan2(-m[k, i], side)
        first, last = math.atan2(m[k, j], m[k, k]), math.atan2(m[j, i], m[i, i])
    if side <= EPSILON:  # two axes coincide: the whole turn is the first angle's
        first, last = math.atan2(-m[j, k], m[j, j]), 0.0
    if NEXT_AXIS[i] != j:  # an odd order of the axes turns the other way round
        first, middle, last = -first, -middle, -last
    return (last, middle, first) if is_reversed else (first, middle, last)


def euler_from_quaternion(quaternion: Sequence[float], axes: str = "sxyz") -> tuple[float, float, float]:
    return euler_from_matrix(quaternion_matrix(quaternion), axes)


def quaternion_from_euler(ai: float, aj: float, ak: float, axes: str = "sxyz") -> Quaternion:
    order, is_reversed = _order(axes)
    made: Quaternion = (0.0, 0.0, 0.0, 1.0)
    for angle, letter in zip((ak, aj, ai) if is_reversed else (ai, aj, ak), order, strict=True):
        made = quaternion_multiply(quaternion_about_axis(angle, [float(letter == axis) for axis in AXES]), made)
    return made


def quaternion_about_axis(angle: float, axis: Sequence[float]) -> Quaternion:
    """Return the turn by `angle` [rad] about an axis of any length."""
    x, y, z = (math.sin(angle / 2.0) * unit_vector(axis[:3])).tolist()
    return x, y, z, math.cos(angle / 2.0)


def quaternion_matrix(quaternion: Sequence[float]) -> Matrix:
    """Return the matrix of a quaternion of any length; of length zero it turns nothing."""
    x, y, z, w = map(float, quaternion)
    made = np.identity(4)
    square = x * x + y * y + z * z + w * w
    if square < EPSILON:
        return made
    s = 2.0 / square
    made[:3, :3] -= s * np.array(
        [
            [y * y + z * z, z * w - x * y, -x * z - y * w],
            [-x * y - z * w, x * x + z * z, x * w - y * z],
            [y * w - x * z, -y * z - x * w, x * x + y * y],
        ]
    )
    return made


def quaternion_from_matrix(matrix: npt.ArrayLike) -> Quaternion:
    """Return the quaternion of a rotation, from the largest of its four parts."""
    m = np.asarray(matrix, float)
    diagonal = (m[0, 0], m[1, 1], m[2, 2])
    trace = float(sum(diagonal))
    parts = np.empty(4)
    i = int(np.argmax((*diagonal, trace)))
    if i == 3:
        parts[:] = (m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], 1.0 + trace)
    else:
        j, k = NEXT_AXIS[i], NEXT_AXIS[i + 1]
        parts[i] = 1.0 + 2.0 * diagonal[i] - trace
        parts[j], parts[k] = m[i, j] + m[j, i], m[i, k] + m[k, i]
        parts[3] = m[k, j] - m[j, k]
    x, y, z, w = unit_vector(parts if parts[3] >= 0.0 else -parts).tolist()
    return x, y, z, w


def quaternion_multiply(quaternion1: Sequence[float], quaternion0: Sequence[float]) -> Quaternion:
    """Return the turn by `quaternion0` and then by `quaternion1`."""
    x1, y1, z1, w1 = map(float, quaternion1)
    x0, y0, z0, w0 = map(float, quaternion0)
    return (
        w1 * x0 + x1 * w0 + y1 * z0 - z1 * y0,
        w1 * y0 - x1 * z0 + y1 * w0 + z1 * x0,
        w1 * z0 + x1 * y0 - y1 * x0 + z1 * w0,
        w1 * w0 - x1 * x0 - y1 * y0 - z1 * z0,
    )


def quaternion_conjugate(quaternion: Sequence[float]) -> Quaternion:
    x, y, z, w = map(float, quaternion)
    return -x, -y, -z, w


def quaternion_inverse(quaternion: Sequence[float]) -> Quaternion:
    square = sum(float(part) ** 2 for part in quaternion)
    x, y, z, w = quaternion_conjugate(quaternion)
    return x / square, y / square, z / square, w / square


def quaternion_slerp(quat0: Sequence[float], quat1: Sequence[float], fraction: float) -> Quaternion:
    """Return the turn at `fraction` of the shorter way from one to the other."""
    one, two = unit_vector(quat0), unit_vector(quat1)
    cosine = float(one @ two)
    if cosine < 0.0:
        two, cosine = -two, -cosine
    angle = math.acos(min(1.0, cosine))
    if angle < EPSILON:
        made = one
    else:
        made = (math.sin((1.0 - fraction) * angle) * one + math.sin(fraction * angle) * two) / math.sin(angle)
    x, y, z, w = made.tolist()
    return x, y, z, w
