"""Damped least squares: polishes an analytic seed, and solves arms that have no closed form."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.kinematics.chain import forward, jacobian

Array = npt.NDArray[np.float64]


def pose_error(T_target: Array, T_actual: Array) -> Array:
    """Return the twist that carries actual to target: translation [m], rotation vector [rad], shape (6,)."""
    R = T_target[:3, :3] @ T_actual[:3, :3].T
    axis = 0.5 * np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])
    sine, cosine = float(np.sqrt(axis @ axis)), 0.5 * (float(np.trace(R)) - 1.0)
    angle = float(np.arctan2(sine, cosine))
    if sine > 1e-9:
        rotation = axis * (angle / sine)
    elif cosine > 0.0:
        rotation = axis
    else:  # half a turn: the axis is the column of (R + I) that does not vanish
        column = (R + np.eye(3))[:, int(np.argmax(np.diag(R)))]
        rotation = np.pi * column / np.linalg.norm(column)
    return np.concatenate([T_target[:3, 3] - T_actual[:3, 3], rotation])


def polish(
    arm: ArmDescription,
    T_world_tool: Array,
    q: Array,
    *,
    iterations: int = 100,
    tolerance: float = 1e-9,
    move_rail: bool = False,
    damping: float = 1e-3,
) -> Array | None:
    """Improve a joint vector until the tool is at the pose; None when it does not get there.

    Args:
        q: where to begin, shape (n + 1,).
        tolerance: largest error left in each of x, y, z [m] and the rotation vector [rad].
        move_rail: let the rail take part; otherwise it stays at `q[0]`.
    """
    q = q.copy()
    active = slice(0, arm.size) if move_rail else slice(1, arm.size)
    low, high = arm.position_min, arm.position_max
    for _ in range(iterations):
        error = pose_error(T_world_tool, forward(arm, q))
        if np.max(np.abs(error)) < tolerance:
            return q
        J = jacobian(arm, q)[:, active]
        weight = damping * min(1.0, float(np.linalg.norm(error)))
        if J.shape[1] < 6:  # five joints: J J^T has no inverse where the error vanishes
            step = np.linalg.solve(J.T @ J + weight * np.eye(J.shape[1]), J.T @ error)
        else:
            step = J.T @ np.linalg.solve(J @ J.T + weight * np.eye(6), error)
        largest = float(np.max(np.abs(step)))
        q[active] += step if largest < 0.5 else step * (0.5 / largest)
        np.clip(q, low, high, out=q)
    return None
