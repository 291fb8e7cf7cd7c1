"""Closed-form inverse kinematics of arms whose axes 2, 3, 4 are parallel (Universal Robots' layout): 8 solutions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import acos, asin, atan2, cos, hypot, pi, sin

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription

Array = npt.NDArray[np.float64]
TURN = 2.0 * pi
SINGULAR = 1e-7  # |sin theta5| below which theta6 is free


@lru_cache(maxsize=8)
def is_ur_like(arm: ArmDescription) -> bool:
    """Tell whether the closed form applies: alpha = (90, 0, 0, 90, -90, 0) deg and the zero offsets it needs."""
    dh = arm.arm
    if len(dh.joints) != 6:
        return False
    alpha = np.allclose(dh.alpha, [pi / 2, 0, 0, pi / 2, -pi / 2, 0], atol=1e-9)
    zero = [dh.a[0], dh.a[3], dh.a[4], dh.a[5], dh.d[1], dh.d[2], *dh.theta]
    return bool(alpha and np.allclose(zero, 0.0, atol=1e-12))


@lru_cache(maxsize=8)
def _parameters(arm: ArmDescription) -> tuple[float, ...]:
    d, a = arm.arm.d.tolist(), arm.arm.a.tolist()
    return d[0], d[3], d[4], d[5], a[1], a[2]


def analytic(arm: ArmDescription, T_base_flange: Array, theta6: float = 0.0) -> list[tuple[float, ...]]:
    """Return every joint vector (6 angles [rad] in -pi..pi) whose flange is at `T_base_flange`.

    The derivation: theta1 from the circle of the wrist centre, theta5 and theta6 from the approach axis, then
    theta2..theta4 as a planar arm of two links.

    Args:
        T_base_flange: DH frame 6 in the arm's base frame, shape (4, 4).
        theta6: value kept when theta6 is free (tool axis parallel to axis 4) [rad].

    Raises:
        ValueError: the arm has another layout.
    """
    if not is_ur_like(arm):
        raise ValueError(f"expected an arm with parallel axes 2, 3, 4 (Universal Robots' layout), got {arm.name!r}")
    d1, d4, d5, d6, a2, a3 = _parameters(arm)
    (r00, r01, r02, x), (r10, r11, r12, y), (r20, r21, r22, z), _ = T_base_flange.tolist()
    wx, wy = x - d6 * r02, y - d6 * r12
    radius = hypot(wx, wy)
    if radius < abs(d4):
        return []
    psi, offset = atan2(wy, wx), asin(d4 / radius)
    solutions: list[tuple[float, ...]] = []
    for theta1 in (psi + offset, psi + pi - offset):
        c1, s1 = cos(theta1), sin(theta1)
        c5 = s1 * r02 - c1 * r12
        if abs(c5) > 1.0 + 1e-9:
            continue
        c5 = max(-1.0, min(1.0, c5))
        for theta5 in (acos(c5), -acos(c5)):
            s5 = sin(theta5)
            free = abs(s5) < SINGULAR
            if free:
                angle6 = theta6 - TURN * round(theta6 / TURN)
            else:
                angle6 = atan2(-(s1 * r01 - c1 * r11) / s5, (s1 * r00 - c1 * r10) / s5)
            c6, s6 = cos(angle6), sin(angle6)
            # R04's x axis in the plane of links 2 and 3 gives phi = theta2 + theta3 + theta4.
            ux, uy, uz = c6 * r00 - s6 * r01, c6 * r10 - s6 * r11, c6 * r20 - s6 * r21
            px, pz = c1 * ux + s1 * uy, uz
            ax, az = c1 * r02 + s1 * r12, r22
            phi = atan2(c5 * pz - s5 * az, c5 * px - s5 * ax)
            # z axis of frame 4 (axis 5) is (sin phi, -cos phi) in that plane.
            hx = c1 * (x - d6 * r02) + s1 * (y - d6 * r12) - d5 * sin(phi)
            hz = z - d6 * r22 - d1 + d5 * cos(phi)
            c3 = (hx * hx + hz * hz - a2 * a2 - a3 * a3) / (2.0 * a2 * a3)
            if abs(c3) > 1.0 + 1e-9:
                continue
            c3 = max(-1.0, min(1.0, c3))
            for theta3 in (acos(c3), -acos(c3)):
                theta2 = atan2(hz, hx) - atan2(a3 * sin(theta3), a2 + a3 * cos(theta3))
                theta4 = phi - theta2 - theta3
                solutions.append(
                    (
                        theta1 - TURN * round(theta1 / TURN),
                        theta2 - TURN * round(theta2 / TURN),
                        theta3,
                        theta4 - TURN * round(theta4 / TURN),
                        theta5,
                        angle6,
                    )
                )
            if free:
                break
    return solutions


def unwrap_near(
    angles: Sequence[float], seed: Sequence[float], low: Sequence[float], high: Sequence[float]
) -> list[float] | None:
    """Move each angle by whole turns next to the seed, inside the limits; None when a joint has no such angle."""
    result = []
    for angle, near, lo, hi in zip(angles, seed, low, high, strict=True):
        value = angle + TURN * round((near - angle) / TURN)
        if value > hi:
            value -= TURN
        elif value < lo:
            value += TURN
        if not lo <= value <= hi:
            return None
        result.append(value)
    return result
