"""A FollowJointTrajectory goal becomes a trajectory and tolerances, or the error code the interface has for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.motion import Trajectory, refuse, slow_down

Array = npt.NDArray[np.float64]
POINTS_MAX = 5000  # of a goal: to take such a message apart holds up a tick by some 25 ms
LONGEST = 120.0  # of a trajectory [s]: each tick of it is looked at before it begins
WILD = 1e4  # no arm has a position, speed or acceleration beyond this [rad, rad/s, rad/s^2]
STALE = 0.0  # a goal whose end lies before now minus this is too old [s]
START_SOON = 0.05  # goals for later than this are refused: nothing here waits [s]


class ErrorCode(IntEnum):
    """Of control_msgs/FollowJointTrajectory."""

    SUCCESSFUL = 0
    INVALID_GOAL = -1
    INVALID_JOINTS = -2
    OLD_HEADER_TIMESTAMP = -3
    PATH_TOLERANCE_VIOLATED = -4
    GOAL_TOLERANCE_VIOLATED = -5


class GoalError(ValueError):
    """A goal that cannot be accepted."""

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Goal:
    """A goal in the arm's own order of joints. Tolerances [m, rad], shape (7,); None = the loop's default."""

    trajectory: Trajectory
    path_tolerance: Array | None
    goal_tolerance: Array | None
    goal_time: float | None


def read_goal(arm: ArmDescription, request: Any, set_point: Array, now: float) -> Goal:
    """Check a goal and put its joints in order.

    Args:
        request: `control_msgs/action/FollowJointTrajectory.Goal`.
        set_point: where the arm is held now, shape (7,).
        now: UTC epoch [s].

    Raises:
        GoalError: with the code of the interface and a text that says what is wrong.
    """
    message = request.trajectory
    names = list(message.joint_names)
    if sorted(names) != sorted(arm.joint_names):
        raise GoalError(ErrorCode.INVALID_JOINTS, f"expected joints {list(arm.joint_names)}, got {names}")
    order = np.array([names.index(name) for name in arm.joint_names])
    points = list(message.points)
    if not 1 <= len(points) <= POINTS_MAX:
        raise GoalError(ErrorCode.INVALID_GOAL, f"expected 1 to {POINTS_MAX} points, got {len(points)}")
    times = np.array([p.time_from_start.sec + 1e-9 * p.time_from_start.nanosec for p in points])
    _check_stamp(message.header.stamp, float(times[-1]), now)
    positions = _column(points, "positions", order, needed=True)
    velocities = _column(points, "velocities", order, needed=False)
    accelerations = _column(points, "accelerations", order, needed=False)
    if times[0] > 0.0:
        times = np.concatenate([[0.0], times])
        positions = np.concatenate([[set_point], positions])
        velocities, accelerations = _begin_at_rest(velocities), _begin_at_rest(accelerations)
    if len(times) < 2 or times[0] < 0.0 or not np.all(np.diff(times) > 0.0):
        raise GoalError(ErrorCode.INVALID_GOAL, "expected times that increase from 0 s, at least two instants")
    derived = accelerations.size == 0
    if velocities.size == 0:
        velocities = _derivative(positions, times)
    if derived:
        accelerations = _derivative(velocities, times)
    trajectory = Trajectory(times=times, positions=positions, velocities=velocities, accelerations=accelerations)
    if derived:  # what the goal left open may take longer than it says
        _check_length(trajectory.duration)
        trajectory = slow_down(arm, trajectory)
    _check_length(trajectory.duration)
    reason = refuse(arm, trajectory)
    if reason:
        raise GoalError(ErrorCode.INVALID_GOAL, reason)
    if np.abs(trajectory.velocities[-1]).max() > 1e-3:
        raise GoalError(ErrorCode.INVALID_GOAL, "expected a trajectory that ends at rest")
    seconds = request.goal_time_tolerance.sec + 1e-9 * request.goal_time_tolerance.nanosec
    return Goal(
        trajectory=trajectory,
        path_tolerance=_tolerance(arm, request.path_tolerance),
        goal_tolerance=_tolerance(arm, request.goal_tolerance),
        goal_time=seconds if seconds > 0.0 else None,
    )


def _check_length(duration: float) -> None:
    if not duration <= LONGEST:
        raise GoalError(
            ErrorCode.INVALID_GOAL, f"expected a trajectory of at most {LONGEST:.0f} s, got {duration:.3g} s"
        )


def _check_stamp(stamp: Any, duration: float, now: float) -> None:
    at = stamp.sec + 1e-9 * stamp.nanosec
    if at == 0.0:
        return
    if at + duration < now - STALE:
        raise GoalError(ErrorCode.OLD_HEADER_TIMESTAMP, f"the goal ended {now - at - duration:.3f} s ago")
    if at > now + START_SOON:
        raise GoalError(ErrorCode.INVALID_GOAL, f"expected a goal for now, got one for {at - now:.3f} s from now")


def _column(points: list[Any], name: str, order: npt.NDArray[np.int_], *, needed: bool) -> Array:
    """Return one column of the points in the arm's order, shape (n, 7); empty when absent and not needed."""
    rows = [getattr(point, name) for point in points]
    lengths = {len(row) for row in rows}
    if lengths == {0} and not needed:
        return np.empty((0, 7))
    if lengths != {7}:
        raise GoalError(ErrorCode.INVALID_GOAL, f"expected 7 {name} in each point, got {sorted(lengths)}")
    column: Array = np.array(rows, dtype=np.float64)[:, order]
    if not np.isfinite(column).all():
        raise GoalError(ErrorCode.INVALID_GOAL, f"expected finite {name}, got NaN or infinity")
    if np.abs(column).max() > WILD:
        raise GoalError(ErrorCode.INVALID_GOAL, f"expected {name} of an arm, got {np.abs(column).max():.3g}")
    return column


def _begin_at_rest(column: Array) -> Array:
    return column if column.size == 0 else np.concatenate([np.zeros((1, 7)), column])


def _derivative(column: Array, times: Array) -> Array:
    """Return the slope at each knot, at rest at both ends."""
    slope: Array = np.gradient(column, times, axis=0)
    slope[[0, -1]] = 0.0
    return slope


def _tolerance(arm: ArmDescription, tolerances: Any) -> Array | None:
    """Return position tolerances, shape (7,); None when the goal names none. 0 = default, negative = unlimited."""
    given = {t.name: float(t.position) for t in tolerances if t.position != 0.0}
    unknown = sorted(set(given) - set(arm.joint_names))
    if unknown:
        raise GoalError(ErrorCode.INVALID_JOINTS, f"tolerance for {unknown}, expected {list(arm.joint_names)}")
    if not given:
        return None
    values = np.array([given.get(name, np.inf) for name in arm.joint_names])
    if np.isnan(values).any():
        raise GoalError(ErrorCode.INVALID_GOAL, "expected finite tolerances, got NaN")
    return np.where(values < 0.0, np.inf, values)
