"""From a trajectory to set points that have passed the limiter: begins, stops and judges one motion at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.collision import Obstacles, World
from robot.kinematics import tool_position
from robot.loop.motion import LoopError, Motion
from robot.loop.reference import Reference
from robot.motion import Trajectory, rebase, within_limits
from robot.safety import Limiter

Array = npt.NDArray[np.float64]
START_TOLERANCE = np.array([0.01] + [0.05] * 6)  # trajectory's start from the set point [m, rad]
MISMATCH = np.array([0.005] + [0.035] * 6)  # measured from the set point at rest [m, rad]; R11


class Follower:
    """Reference and limiter of one arm, and the motion under way.

    Args:
        arm: all limits come from here.
        period: of the control loop [s].
        obstacles: what the limiter keeps the arm off, itself included; None = it does not look.
    """

    def __init__(self, arm: ArmDescription, period: float, obstacles: Obstacles | None = None) -> None:
        self._arm = arm
        self._reference = Reference(arm, period)
        clearance = World(arm, obstacles).clearance if obstacles is not None else None
        self._limiter = Limiter(arm, lambda q: tool_position(arm, q), period, clearance)
        self._motion: Motion | None = None

    @property
    def q(self) -> Array:
        """The last accepted set point, shape (7,)."""
        return self._reference.q

    @property
    def v(self) -> Array:
        return self._reference.v

    @property
    def moving(self) -> bool:
        return self._reference.moving

    @property
    def busy(self) -> bool:
        """A motion has not ended yet, though its set points may be at rest."""
        return self._motion is not None or self._reference.moving

    @property
    def tool_speed(self) -> float:
        """Speed of the tool by the last set points [m/s]."""
        return self._limiter.tool_speed if self._reference.moving else 0.0

    def mismatch(self, measured: Array) -> bool:
        """Tell whether the arm is elsewhere than where it is held."""
        return bool((np.abs(measured - self._reference.q) > MISMATCH).any())

    def fence(self, low: float, high: float, rail: tuple[float, float]) -> None:
        """Keep the tool between two places along the row, and the rail between two of its positions [m]."""
        self._limiter.fence(low, high, rail)

    def rest_at(self, q: Array) -> None:
        """Hold a joint vector from now on, shape (7,)."""
        self._reference.rest_at(q)
        self._limiter.rest_at(q)

    def begin(self, trajectory: Trajectory, motion: Motion, *, tool_speed: float) -> None:
        """Begin a trajectory, slowed down to `tool_speed` [m/s] where it is faster.

        Raises:
            LoopError: another one is under way, or it begins elsewhere.
        """
        if self.busy:
            raise LoopError("busy", "another trajectory is under way; cancel it first")
        offset = trajectory.positions[0] - self._reference.q
        if (np.abs(offset) > START_TOLERANCE).any():
            raise LoopError("bad_start", f"begins {np.round(offset, 4).tolist()} m, rad from the arm's set point")
        self._reference.follow(within_limits(self._arm, rebase(trajectory, self._reference.q), tool_speed))
        self._motion = motion

    def stop(self, code: str, *, along: bool) -> None:
        """Come to a stop, along the path if asked and possible; the motion ends with the first code it gets."""
        if self._motion is not None:
            self._motion.code = self._motion.code or code
        self._reference.stop(along=along)

    def drop(self, code: str) -> None:
        """Leave the stop to the driver: no set point follows."""
        if self._motion is not None:
            self._motion.code = self._motion.code or code
        self._reference.rest_at(self._reference.q)

    def advance(self, tool_speed: float) -> tuple[Array, Array, str, bool]:
        """Return the next position and velocity (7,), what was refused on the way there, and whether they may be sent.

        A refused set point is replaced by the first of the fastest stop.

        Args:
            tool_speed: limit in the present state [m/s].
        """
        if self._motion is not None and self._motion.canceled and not self._reference.stopping:
            self.stop("canceled", along=True)
        q, v = self._reference.propose()
        wrong = self._limiter.judge(q, v, tool_speed=tool_speed, stopping=self._reference.stopping)
        if wrong and not self._reference.stopping:
            self.stop(wrong, along=False)
            q, v = self._reference.propose()
            if self._limiter.judge(q, v, tool_speed=tool_speed, stopping=True):
                return q, v, wrong, False
        elif wrong:
            return q, v, wrong, False
        self._reference.accept(q, v)
        return q, v, wrong, True

    def judge(self, measured: Array, error: Array, now: float) -> None:
        """Judge the motion under way by the measured joints and their tracking error, shape (7,) each."""
        motion = self._motion
        if motion is None:
            return
        np.maximum(motion.error, error, out=motion.error)
        tolerance = motion.path_tolerance
        if tolerance is not None and not motion.code and (error > tolerance).any():
            self.stop("path_tolerance", along=True)
        if self._reference.moving:
            return
        if motion.code or (np.abs(measured - self._reference.q) <= motion.goal_tolerance).all():
            motion.end()
        else:
            motion.settle_by = min(motion.settle_by, now + motion.goal_time)
            if now > motion.settle_by:
                motion.end("goal_tolerance")
        if motion.done:
            self._motion = None
