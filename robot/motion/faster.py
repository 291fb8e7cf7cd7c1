"""The same way in less time: a trajectory is hurried where its limits leave room and held back where they do not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.kinematics.many import tool_positions
from robot.motion.plan import SHARE, STEP, within_limits
from robot.motion.trajectory import Trajectory

Array = npt.NDArray[np.float64]
ROUNDS = 12
WINDOW = 6  # knots over which the rate is smoothed, to each side
FASTER, SLOWER = 1.15, 0.6  # bounds of what one round changes
DAMPING = 0.7  # power of the change that seems needed: a change of rate is felt by its neighbours too


def quicken(arm: ArmDescription, trajectory: Trajectory, tool_speed: Array) -> tuple[Trajectory, Array]:
    """Return a faster trajectory along the same path, inside every limit, and when it passes the old one's knots.

    Time is stretched locally: in every round each instant is given the rate at which the joint, the derivative or the
    tool's speed that is nearest to its limit there would just reach it, smoothed over time so that the change of rate
    costs little. The shortest of all rounds is taken; a single factor mends what is left over a limit.

    Args:
        trajectory: from rest to rest; it may exceed its limits.
        tool_speed: limit of the tool's speed at each knot [m/s], shape (n,).

    Returns:
        The trajectory, and the instants at which it is where the old one was at each of its knots [s], shape (n,).
    """
    n = max(8, int(np.ceil(trajectory.duration / STEP)))
    times = np.linspace(0.0, trajectory.duration, n + 1)
    step = float(times[1])
    q, v, a = trajectory.sample_many(times)
    tool = np.linalg.norm(np.gradient(tool_positions(arm, q), step, axis=0), axis=1)
    tool_share = tool / (SHARE * np.interp(times, trajectory.times, tool_speed))
    limits = [SHARE * limit for limit in (arm.velocity, arm.acceleration, arm.jerk)]
    rate = best = np.ones(n + 1)
    shortest = float("inf")
    for _ in range(ROUNDS):
        velocity, acceleration = _at(rate, v, a, step)
        jerk = np.zeros_like(acceleration)
        jerk[1:] = np.abs(np.diff(acceleration, axis=0)) / step
        jerk[:-1] = np.maximum(jerk[:-1], jerk[1:])
        jerk *= rate[:, None]
        need = np.maximum.reduce(
            [
                np.max(np.abs(velocity) / limits[0], axis=1),
                np.max(np.abs(acceleration) / limits[1], axis=1) ** 0.5,
                np.max(jerk / limits[2], axis=1) ** (1.0 / 3.0),
                tool_share * rate,
            ]
        )
        duration = float(np.sum(1.0 / rate)) * float(need.max())
        if duration < shortest:
            best, shortest = rate, duration
        rate = rate * _smooth(np.clip(np.maximum(need, 1e-3) ** -DAMPING, SLOWER, FASTER))
    slowness = 1.0 / best
    at = np.concatenate([[0.0], np.cumsum(0.5 * (slowness[1:] + slowness[:-1]) * step)])
    whole = float(tool_speed.max())
    quick = within_limits(arm, through(at, q), whole)
    quick = quick.slower(max(1.0, float((tool_share * best).max()) * float(at[-1]) / quick.duration))
    plain = within_limits(arm, trajectory, whole)
    plain = plain.slower(max(1.0, float(tool_share.max()) * trajectory.duration / plain.duration))
    if plain.duration <= quick.duration:
        return plain, trajectory.times * (plain.duration / trajectory.duration)
    return quick, np.interp(trajectory.times, times, quick.times)


def through(times: Array, positions: Array) -> Trajectory:
    """Return the cubic spline through positions, shape (n, joints), at rest at both ends.

    Its jerk is constant between two knots: what holds at the knots holds everywhere.
    """
    h = np.diff(times)
    slope = np.diff(positions, axis=0) / h[:, None]
    ahead, diagonal = 1.0 / h[1:], 2.0 / h[:-1] + 2.0 / h[1:]
    right = 3.0 * (slope[:-1] / h[:-1, None] + slope[1:] / h[1:, None])
    behind = (1.0 / h[:-1]).tolist()
    for i in range(1, len(diagonal)):  # a tridiagonal system, solved forwards and back
        share = behind[i] / diagonal[i - 1]
        diagonal[i] -= share * ahead[i - 1]
        right[i] -= share * right[i - 1]
    v = np.zeros_like(positions)
    for i in range(len(diagonal) - 1, -1, -1):
        v[i + 1] = (right[i] - ahead[i] * v[i + 2]) / diagonal[i]
    h = h[:, None]
    a = np.zeros_like(positions)
    a[1:-1] = (2.0 * v[:-2] + 4.0 * v[1:-1] - 6.0 * slope[:-1]) / h[:-1]
    return Trajectory(times=times, positions=positions, velocities=v, accelerations=a)


def _at(rate: Array, v: Array, a: Array, step: float) -> tuple[Array, Array]:
    """Return velocities and accelerations when time runs `rate` times as fast, shape (n,)."""
    change = np.gradient(rate, step) * rate
    return v * rate[:, None], a * (rate**2)[:, None] + v * change[:, None]


def _smooth(change: Array) -> Array:
    """Return the smallest value within a window around each instant, averaged over such a window."""
    padded = np.pad(change, 2 * WINDOW, mode="edge")
    least = np.lib.stride_tricks.sliding_window_view(padded, 2 * WINDOW + 1).min(axis=1)
    bell = np.convolve(np.ones(WINDOW + 1), np.ones(WINDOW + 1))
    mean: Array = np.convolve(least, bell / bell.sum(), mode="valid")
    return mean
