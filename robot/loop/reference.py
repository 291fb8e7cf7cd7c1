"""The set point generator: holds a position, follows a trajectory, or comes to a stop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.motion import Trajectory, brake, brake_along

Array = npt.NDArray[np.float64]


class Reference:
    """Advances one period per accepted tick, however late the tick is: a late loop moves slower, never in bursts.

    Args:
        arm: limits for stops.
        period: of the control loop [s].
    """

    def __init__(self, arm: ArmDescription, period: float) -> None:
        self._arm, self._period = arm, period
        self._source: Trajectory | None = None
        self._t = 0.0
        self.q, self.v = np.zeros(7), np.zeros(7)
        self.stopping = self._hard = False

    @property
    def moving(self) -> bool:
        return self._source is not None

    def rest_at(self, q: Array) -> None:
        """Hold a joint vector from now on, shape (7,)."""
        self._source, self.stopping, self._hard = None, False, False
        self.q, self.v = q.copy(), np.zeros(7)

    def follow(self, trajectory: Trajectory) -> None:
        """Begin a trajectory that starts at `q`."""
        self._source, self._t, self.stopping, self._hard = trajectory, 0.0, False, False

    def stop(self, *, along: bool) -> None:
        """Come to a stop from the last accepted set point: along the path if asked and possible, else at once."""
        if self._source is None or (self.stopping and (along or self._hard)):
            return
        self._hard = not along
        trajectory = brake_along(self._arm, self._source, self._t) if along else None
        if trajectory is None:
            trajectory = brake(self._arm, self.q, self.v, self._source.acceleration(self._t))
        self._source, self._t, self.stopping = trajectory, 0.0, True

    def propose(self) -> tuple[Array, Array]:
        """Return position and velocity one period on, shape (7,) each."""
        if self._source is None:
            return self.q, self.v
        return self._source.sample(self._t + self._period)

    def accept(self, q: Array, v: Array) -> None:
        """Take the proposed set point as sent."""
        if self._source is None:
            return
        self.q, self.v = q, v
        self._t += self._period
        if self._t >= self._source.duration:
            self.rest_at(q)
