"""Forward kinematics of the arm on its rail: link frames, tool, camera and Jacobian.

Written with plain floats: a chain of six 4x4 products costs more in array overhead than in arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import cos, sin

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription

Array = npt.NDArray[np.float64]
Row = tuple[float, float, float, float, float, float, float, float, float, float, float, float]
"""A pose as x axis, y axis, z axis, origin."""


@lru_cache(maxsize=8)
def _links(arm: ArmDescription) -> tuple[tuple[float, float, float, float, float], ...]:
    """Return (theta, d, a, cos alpha, sin alpha) of each joint."""
    dh = arm.arm
    rows = zip(dh.theta.tolist(), dh.d.tolist(), dh.a.tolist(), dh.alpha.tolist(), strict=True)
    return tuple((theta, d, a, cos(alpha), sin(alpha)) for theta, d, a, alpha in rows)


@lru_cache(maxsize=8)
def _ends(arm: ArmDescription) -> tuple[Row, tuple[float, float, float]]:
    """Return the tool in the flange frame as a row, and the arm's base at rail position 0."""
    T = arm.tool.T_flange_tool
    row = (*T[:3, 0].tolist(), *T[:3, 1].tolist(), *T[:3, 2].tolist(), *T[:3, 3].tolist())
    x, y, z = arm.rail.base.tolist()
    return row, (x, y, z)


def frame_rows(arm: ArmDescription, q: Sequence[float]) -> Iterator[Row]:
    """Yield base, the DH frames and the tool in the world."""
    tool, (px, py, pz) = _ends(arm)
    px += q[0]
    xx, xy, xz, yx, yy, yz, zx, zy, zz = 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0
    yield xx, xy, xz, yx, yy, yz, zx, zy, zz, px, py, pz
    for angle, (theta, d, a, ca, sa) in zip(q[1:], _links(arm), strict=True):
        c, s = cos(angle + theta), sin(angle + theta)
        nx, ny, nz = c * xx + s * yx, c * xy + s * yy, c * xz + s * yz
        mx, my, mz = c * yx - s * xx, c * yy - s * xy, c * yz - s * xz
        px, py, pz = px + d * zx + a * nx, py + d * zy + a * ny, pz + d * zz + a * nz
        xx, xy, xz = nx, ny, nz
        yx, yy, yz = ca * mx + sa * zx, ca * my + sa * zy, ca * mz + sa * zz
        zx, zy, zz = ca * zx - sa * mx, ca * zy - sa * my, ca * zz - sa * mz
        yield xx, xy, xz, yx, yy, yz, zx, zy, zz, px, py, pz
    a0, a1, a2, b0, b1, b2, c0, c1, c2, t0, t1, t2 = tool
    yield (
        a0 * xx + a1 * yx + a2 * zx, a0 * xy + a1 * yy + a2 * zy, a0 * xz + a1 * yz + a2 * zz,
        b0 * xx + b1 * yx + b2 * zx, b0 * xy + b1 * yy + b2 * zy, b0 * xz + b1 * yz + b2 * zz,
        c0 * xx + c1 * yx + c2 * zx, c0 * xy + c1 * yy + c2 * zy, c0 * xz + c1 * yz + c2 * zz,
        px + t0 * xx + t1 * yx + t2 * zx, py + t0 * xy + t1 * yy + t2 * zy, pz + t0 * xz + t1 * yz + t2 * zz,
    )  # fmt: skip


def _floats(q: Array | Sequence[float]) -> list[float]:
    if isinstance(q, np.ndarray):
        values: list[float] = q.tolist()
        return values
    return list(q)


def _tool_row(arm: ArmDescription, q: Sequence[float]) -> Row:
    row: Row | None = None
    for row in frame_rows(arm, q):  # noqa: B007
        pass
    assert row is not None
    return row


def tool_position(arm: ArmDescription, q: Array | Sequence[float]) -> tuple[float, float, float]:
    """Return the tool's origin in the world [m]; the cheap part of `forward`, for the control loop."""
    (*_, t0, t1, t2), (px, py, pz) = _ends(arm)
    rail, *angles = _floats(q)
    px += rail
    xx, xy, xz, yx, yy, yz, zx, zy, zz = 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0
    for angle, (theta, d, a, ca, sa) in zip(angles, _links(arm), strict=True):  # as in `frame_rows`, with no frame kept
        c, s = cos(angle + theta), sin(angle + theta)
        nx, ny, nz = c * xx + s * yx, c * xy + s * yy, c * xz + s * yz
        mx, my, mz = c * yx - s * xx, c * yy - s * xy, c * yz - s * xz
        px, py, pz = px + d * zx + a * nx, py + d * zy + a * ny, pz + d * zz + a * nz
        xx, xy, xz = nx, ny, nz
        yx, yy, yz = ca * mx + sa * zx, ca * my + sa * zy, ca * mz + sa * zz
        zx, zy, zz = ca * zx - sa * mx, ca * zy - sa * my, ca * zz - sa * mz
    return px + t0 * xx + t1 * yx + t2 * zx, py + t0 * xy + t1 * yy + t2 * zy, pz + t0 * xz + t1 * yz + t2 * zz


def forward(arm: ArmDescription, q: Array | Sequence[float]) -> Array:
    """Return T_world_tool, shape (4, 4).

    Args:
        q: rail [m] and the joints [rad], shape (n + 1,).
    """
    T: Array = _matrix([_tool_row(arm, _floats(q))])[0]
    return T


def link_frames(arm: ArmDescription, q: Array | Sequence[float]) -> Array:
    """Return base, the DH frames and the tool in the world, shape (n + 2, 4, 4)."""
    return _matrix(list(frame_rows(arm, _floats(q))))


def _matrix(rows: list[Row]) -> Array:
    T = np.zeros((len(rows), 4, 4))
    T[:, :3, :] = np.array(rows).reshape(-1, 4, 3).transpose(0, 2, 1)
    T[:, 3, 3] = 1.0
    return T


def camera_pose(arm: ArmDescription, q: Array | Sequence[float]) -> Array:
    """Return T_world_camera (optical frame: z forward, x right, y down), shape (4, 4)."""
    pose: Array = forward(arm, q) @ arm.camera.T_tool_camera
    return pose


def jacobian(arm: ArmDescription, q: Array | Sequence[float]) -> Array:
    """Return the tool's Jacobian in the world, shape (6, n + 1).

    Rows are linear then angular velocity, columns the rail then the arm.
    """
    rows = list(frame_rows(arm, _floats(q)))
    px, py, pz = rows[-1][9:]
    J = np.zeros((6, len(rows) - 1))
    J[0, 0] = 1.0
    columns = []
    for row in rows[:-2]:
        zx, zy, zz, ox, oy, oz = row[6:]
        rx, ry, rz = px - ox, py - oy, pz - oz
        columns.append((zy * rz - zz * ry, zz * rx - zx * rz, zx * ry - zy * rx, zx, zy, zz))
    J[:, 1:] = np.array(columns).T
    return J
