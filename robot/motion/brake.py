"""Stops: as fast as the joints' limits allow, or along the path a trajectory was on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from ruckig import ControlInterface, InputParameter, Result, Ruckig, Synchronization
from ruckig import Trajectory as Profile

from robot.arms import ArmDescription
from robot.motion.plan import from_profile
from robot.motion.trajectory import Trajectory

Array = npt.NDArray[np.float64]
PATH_STEP = 0.004  # knots of a stop along the path [s]
PATH_TRIES = 6
ACCELERATION_SLACK, JERK_SLACK = 1.03, 1.5  # over the limits, for a stop; planned moves keep below them


def brake(arm: ArmDescription, q: Array, velocity: Array, acceleration: Array) -> Trajectory:
    """Return each joint's own fastest jerk-limited stop.

    Args:
        q: commanded position, shape (7,).
        velocity: commanded velocity, shape (7,).
        acceleration: commanded acceleration, clipped to the limits, shape (7,).
    """
    question, profile = InputParameter(7), Profile(7)
    question.control_interface = ControlInterface.Velocity
    question.synchronization = Synchronization.No
    question.current_position, question.current_velocity = q.tolist(), velocity.tolist()
    question.current_acceleration = np.clip(acceleration, -arm.acceleration, arm.acceleration).tolist()
    question.target_velocity = question.target_acceleration = [0.0] * 7
    question.max_velocity, question.max_acceleration = arm.velocity.tolist(), arm.acceleration.tolist()
    question.max_jerk = arm.jerk.tolist()
    result = Ruckig(7).calculate(question, profile)
    if result not in (Result.Working, Result.Finished):
        raise ValueError(f"expected a stop from v={velocity.tolist()}, a={acceleration.tolist()}, got {result}")
    return from_profile(profile)


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
