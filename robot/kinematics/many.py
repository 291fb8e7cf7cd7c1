"""Forward kinematics of many joint vectors at once: planning looks at hundreds, one by one takes ten times as long."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.kinematics.chain import link_frames

Array = npt.NDArray[np.float64]


@lru_cache(maxsize=8)
def _steps(arm: ArmDescription) -> tuple[Array, Array]:
    """Return the base at rail 0, and each frame in the one before it with all joints at 0, shape (n, 4, 4)."""
    frames = link_frames(arm, np.zeros(len(arm.joint_names)))
    return frames[0], np.linalg.inv(frames[:-1]) @ frames[1:]


def link_frames_many(arm: ArmDescription, q: Array) -> Array:
    """Return base, joint frames and tool of many joint vectors; see `link_frames`.

    Args:
        q: rail [m] and joints [rad], shape (m, 1 + n).

    Returns:
        Poses in the world, shape (m, n + 2, 4, 4).
    """
    base, steps = _steps(arm)
    T = np.empty((len(q), len(steps) + 1, 4, 4))
    T[:, 0] = base
    T[:, 0, 0, 3] += q[:, 0]
    turn = np.zeros((len(q), 4, 4))
    turn[:, 2, 2] = turn[:, 3, 3] = 1.0
    for i, step in enumerate(steps[:-1]):
        c, s = np.cos(q[:, i + 1]), np.sin(q[:, i + 1])
        turn[:, 0, 0] = turn[:, 1, 1] = c
        turn[:, 1, 0], turn[:, 0, 1] = s, -s
        T[:, i + 1] = T[:, i] @ (turn @ step)
    T[:, -1] = T[:, -2] @ steps[-1]
    return T


def tool_positions(arm: ArmDescription, q: Array) -> Array:
    """Return the tool's origin in the world for many joint vectors [m], shape (m, 3) from (m, 1 + n)."""
    places: Array = link_frames_many(arm, q)[:, -1, :3, 3]
    return places
