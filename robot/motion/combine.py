"""Puts trajectories together: one after the other with their corners cut, and the arm's with the rail's."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from robot.arms import ArmDescription
from robot.motion.plan import joint_move, within_limits
from robot.motion.trajectory import Trajectory

KNOT = 0.008
"""Between knots of a trajectory [s]; two periods of the control loop."""

OVERLAP_SHARE = 0.6
"""Two motions that follow each other share at most so much of either's time."""


def joined(parts: Sequence[Trajectory], overlaps: Sequence[float]) -> tuple[Trajectory, list[float]]:
    """Return trajectories, each from rest to rest and each beginning where the one before it ends, as one.

    Args:
        overlaps: each begins this long before the one ahead of it ends [s]; meanwhile both are added up.

    Returns:
        Their sum, and when each of them begins [s].
    """
    shared = [
        min(overlap, OVERLAP_SHARE * a.duration, OVERLAP_SHARE * b.duration)
        for overlap, (a, b) in zip(overlaps, pairwise(parts), strict=True)
    ]
    starts = np.concatenate([[0.0], np.cumsum([p.duration - o for p, o in zip(parts, shared, strict=False)])])
    end = float(starts[-1]) + parts[-1].duration
    times = np.linspace(0.0, end, max(2, int(np.ceil(end / KNOT))) + 1)
    positions = np.tile(parts[0].positions[0], (len(times), 1))
    velocities, accelerations = np.zeros_like(positions), np.zeros_like(positions)
    for start, part in zip(starts, parts, strict=True):
        inside = (times >= start) & (times <= start + part.duration)
        q, v, a = part.sample_many(times - start)
        positions += q - part.positions[0]
        velocities += v * inside[:, None]
        accelerations += a * inside[:, None]
    whole = Trajectory(times=times, positions=positions, velocities=velocities, accelerations=accelerations)
    return whole, starts.tolist()


def carry(arm: ArmDescription, trajectory: Trajectory, distance: float, speed: float) -> Trajectory:
    """Return the arm's trajectory, made for a rail at rest, with the rail going `distance` [m] meanwhile."""
    if abs(distance) < 1e-6:
        return trajectory
    start = trajectory.positions[0]
    goal = start.copy()
    goal[0] += distance
    rail = joint_move(arm, start, goal, speed=speed)
    T = max(trajectory.duration, rail.duration)
    times = np.linspace(0.0, T, max(2, int(np.ceil(T / KNOT))) + 1)
    moved = [part.slower(T / part.duration).sample_many(times) for part in (trajectory, rail)]
    positions, velocities, accelerations = (a + b for a, b in zip(*moved, strict=True))
    whole = Trajectory(times=times, positions=positions - start, velocities=velocities, accelerations=accelerations)
    return within_limits(arm, whole, arm.safety.tool_speed_auto * speed)
