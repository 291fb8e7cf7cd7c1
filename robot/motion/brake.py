"""Stops: as fast as the joints' limits allow, or gently along the path a trajectory was on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.motion.trajectory import Trajectory
from robot.safety import stop_duration, stop_position

Array = npt.NDArray[np.float64]
PATH_STEP = 0.004  # knots of a stop along the path [s]
PATH_TRIES = 6
ACCELERATION_SLACK, JERK_SLACK = 1.03, 1.5  # over the limits, for a stop; planned moves keep below them


def brake(arm: ArmDescription, q: Array, velocity: Array, acceleration: Array) -> Trajectory:
    """Return the shortest stop of all joints together; the one the limiter keeps possible.

    Args:
        q: commanded position, shape (7,).
        velocity: commanded velocity, shape (7,).
        acceleration: commanded acceleration, clipped to the limits, shape (7,).
    """
    a = np.clip(acceleration, -arm.acceleration, arm.acceleration)
    duration = stop_duration(velocity, a, arm)
    end = stop_position(q, velocity, a, duration)
    still = np.zeros(7)
    return Trajectory(
        times=np.array([0.0, duration]),
        positions=np.stack([q, end]),
        velocities=np.stack([velocity, still]),
        accelerations=np.stack([a, still]),
    )


def stops(arm: ArmDescription, trajectory: Trajectory, step: float) -> Array:
    """Return where the shortest stops of all joints from a trajectory would end, one every `step` [s], shape (m, 7).

    They leave the path: what is free of collisions while it is followed need not be so when it is broken off.
    """
    q, v, a = trajectory.sample_many(np.arange(0.0, trajectory.duration, step))
    ends = [
        stop_position(place, velocity, push, stop_duration(velocity.tolist(), push.tolist(), arm))
        for place, velocity, push in zip(q, v, np.clip(a, -arm.acceleration, arm.acceleration), strict=True)
    ]
    return np.array(ends)


def brake_along(arm: ArmDescription, trajectory: Trajectory, t: float) -> Trajectory | None:
    """Return a stop that stays on the trajectory's path from time `t` [s]; None when limits do not allow one.

    Time along the path slows from 1 to 0 as 1 - smoothstep; the stop takes twice the path time it covers.
    """
    _, velocity = trajectory.sample(t)
    duration = max(0.08, 2.0 * float(np.max(np.abs(velocity) / arm.acceleration)))
    for _ in range(PATH_TRIES):
        n = max(2, int(duration / PATH_STEP))
        u = np.linspace(0.0, 1.0, n + 1)
        path = t + duration * (u - u**3 + 0.5 * u**4)  # integral of 1 - (3 u^2 - 2 u^3)
        rate = 1.0 - 3 * u**2 + 2 * u**3
        change = (-6 * u + 6 * u**2) / duration
        q, dq, ddq = trajectory.sample_many(path)
        velocities = dq * rate[:, None]
        accelerations = ddq * (rate**2)[:, None] + dq * change[:, None]
        jerk = np.diff(accelerations, axis=0) * (n / duration)
        inside = np.all(np.abs(accelerations) <= ACCELERATION_SLACK * arm.acceleration)
        inside = inside and np.all(np.abs(jerk) <= JERK_SLACK * arm.jerk)
        if inside and np.all(np.abs(velocities) <= arm.velocity):
            velocities[-1] = 0.0
            return Trajectory(times=u * duration, positions=q, velocities=velocities, accelerations=accelerations)
        duration *= 1.3
    return None
