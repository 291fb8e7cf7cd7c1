"""Where the arm is while nobody commands it: it may come to rest, but no hand may move it on unseen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.hardware import JointState
from robot.loop.follower import MISMATCH

Array = npt.NDArray[np.float64]
COASTING = 2e-3  # joints slower than this have come to rest [m/s, rad/s]
COAST = 2.0 * MISMATCH  # brakes that close may let a joint that stood sink so far [m, rad]
ANSWERS = 0.1  # so long a device goes on before it stops, or a measurement froze before it was noticed [s]


class Coast:
    """Follows the arm from the moment the driver was told to stop."""

    def __init__(self, arm: ArmDescription) -> None:
        self._arm = arm
        self._from = np.full(7, np.nan)
        self._most = COAST
        self._left: Array | None = None
        self.under_way = False

    def begin(self, joints: JointState, set_point: Array) -> Array:
        """Note where the arm is while the driver stops it, and how far that may take; return where it is, shape (7,).

        Args:
            set_point: the last one, for joints that are not measured, shape (7,).
        """
        q, v = joints.position, np.abs(joints.velocity)
        v = np.where(np.isfinite(v), v, self._arm.velocity)
        self._from = np.where(np.isfinite(q), q, set_point)
        self._most = COAST + ANSWERS * v + v**2 / (2.0 * self._arm.acceleration)
        self._left, self.under_way = self._from, True
        return self._from

    def follow(self, joints: JointState) -> Array:
        """Follow the arm until it has come to rest; no hand that moves it on is followed, nor a runaway.

        Returns:
            Where it was left, shape (7,).
        """
        if (np.abs(joints.position - self._from) <= self._most).all():
            self._left = joints.position
            self.under_way = bool((np.abs(joints.velocity) > COASTING).any())
        else:
            self._left, self.under_way = self._from, False
        return self._left

    def moved(self, position: Array) -> bool:
        """Tell, once the drives are on again, whether the arm is elsewhere than where it was left; asked once."""
        left, self._left = self._left, None
        return left is not None and not bool((np.abs(position - left) <= MISMATCH).all())
