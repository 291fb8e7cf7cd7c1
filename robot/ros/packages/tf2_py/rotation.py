"""Rigid transforms as (translation [m], quaternion x y z w): composed, inverted, interpolated."""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

Vector: TypeAlias = tuple[float, float, float]
Quaternion: TypeAlias = tuple[float, float, float, float]
NEARLY_PARALLEL = 0.9995  # beyond it the sine in slerp is too small to divide by


class Transform(NamedTuple):
    """Maps a point p of the child frame to `rotate(rotation, p) + translation` in the parent frame."""

    translation: Vector = (0.0, 0.0, 0.0)
    rotation: Quaternion = (0.0, 0.0, 0.0, 1.0)

    def __matmul__(self, other: Transform) -> Transform:
        return Transform(self.apply(other.translation), multiply(self.rotation, other.rotation))

    def apply(self, point: Vector) -> Vector:
        x, y, z = rotate(self.rotation, point)
        return x + self.translation[0], y + self.translation[1], z + self.translation[2]

    def inverse(self) -> Transform:
        x, y, z, w = self.rotation
        back = (-x, -y, -z, w)
        tx, ty, tz = rotate(back, self.translation)
        return Transform((-tx, -ty, -tz), back)


def multiply(a: Quaternion, b: Quaternion) -> Quaternion:
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def rotate(q: Quaternion, v: Vector) -> Vector:
    """Rotate `v` by the unit quaternion `q`: v + 2 w (u × v) + 2 u × (u × v)."""
    x, y, z, w = q
    cx, cy, cz = y * v[2] - z * v[1], z * v[0] - x * v[2], x * v[1] - y * v[0]
    return (
        v[0] + 2.0 * (w * cx + y * cz - z * cy),
        v[1] + 2.0 * (w * cy + z * cx - x * cz),
        v[2] + 2.0 * (w * cz + x * cy - y * cx),
    )


def slerp(a: Quaternion, b: Quaternion, share: float) -> Quaternion:
    """Turn from `a` (share 0) to `b` (share 1) on the shorter way at constant speed (Shoemake 1985)."""
    dot = sum(p * q for p, q in zip(a, b, strict=True))
    sign = -1.0 if dot < 0.0 else 1.0
    dot = min(abs(dot), 1.0)
    if dot > NEARLY_PARALLEL:
        first, second = 1.0 - share, share
    else:
        angle = math.acos(dot)
        first, second = math.sin((1.0 - share) * angle) / math.sin(angle), math.sin(share * angle) / math.sin(angle)
    mixed = [first * p + sign * second * q for p, q in zip(a, b, strict=True)]
    norm = math.hypot(*mixed)
    return mixed[0] / norm, mixed[1] / norm, mixed[2] / norm, mixed[3] / norm


def interpolate(a: Transform, b: Transform, share: float) -> Transform:
    x, y, z = (p + share * (q - p) for p, q in zip(a.translation, b.translation, strict=True))
    return Transform((x, y, z), slerp(a.rotation, b.rotation, share))
