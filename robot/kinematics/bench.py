"""Measure inverse kinematics from a cold start: poses of random joints, one home posture as the only seed."""

from __future__ import annotations

import gc
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription, arm_names, load_arm
from robot.kinematics.chain import forward
from robot.kinematics.numeric import pose_error
from robot.kinematics.solve import closed_form, solve

Array = npt.NDArray[np.float64]
EXACT = 1e-6  # largest error of a solution that counts, in each of x, y, z [m] and the rotation vector [rad]


def run(poses: int, seed: int) -> dict[str, Any]:
    """Return success and CPU time [ms] of `solve` at a given rail position, per arm."""
    return {"poses": poses, "seed": seed, "arms": {name: measure(load_arm(name), poses, seed) for name in arm_names()}}


def measure(arm: ArmDescription, poses: int, seed: int) -> dict[str, Any]:
    """Return the figures of one arm; the time of one call that returns every solution it finds, best first."""
    rng = np.random.default_rng(seed)
    home = np.clip(np.full(arm.size, 0.3), arm.position_min, arm.position_max)
    times, solved, exact, counts = [], 0, 0, 0
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(poses):
            q = rng.uniform(arm.position_min, arm.position_max)
            T = forward(arm, q)
            begin = time.thread_time()
            found = solve(arm, T, home, rail=float(q[0]))
            times.append(time.thread_time() - begin)
            solved += bool(found)
            exact += bool(found) and all(reaches(arm, T, way) for way in found)
            counts += len(found)
    finally:
        if collecting:
            gc.enable()
    p50, p99 = np.percentile(np.array(times) * 1e3, [50, 99])
    return {
        "method": "closed form" if closed_form(arm) is not None else "damped least squares",
        "success": solved / poses,
        "exact": exact / poses,
        "solutions": round(counts / poses, 2),
        "p50_ms": round(float(p50), 4),
        "p99_ms": round(float(p99), 4),
    }


def reaches(arm: ArmDescription, T_world_tool: Array, q: Array) -> bool:
    """Tell whether a joint vector is inside the limits and the tool at the pose."""
    inside = bool(np.all(q >= arm.position_min) and np.all(q <= arm.position_max))
    return inside and float(np.abs(pose_error(T_world_tool, forward(arm, q))).max()) < EXACT
