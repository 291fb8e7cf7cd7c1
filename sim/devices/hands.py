"""What stand-in devices do to fruit: jaws meet a berry, the blade cuts its stem, open jaws let it go."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.hardware.servo.part import Jaws
from robot.kinematics import forward
from sim.devices.servos import FakeBus
from sim.fast.row import Row, Where

Array = npt.NDArray[np.float64]

OUT = 0.5
"""Share of its stroke from which the blade cuts."""
LET_GO = 0.001
"""Jaws this much wider than what they hold let it fall [m]."""


class Hands:
    """Looks at shafts of a servo bus and at the arm's joints; `update` it often.

    Args:
        joints: the true ones now, shape (7,).
        bus: with the servos of jaws and blade.
    """

    def __init__(self, arm: ArmDescription, row: Row, joints: Callable[[], Array], bus: FakeBus, jaws: Jaws) -> None:
        self._arm, self._row, self._joints, self._bus, self._jaws = arm, row, joints, bus, jaws

    def update(self) -> None:
        """Bring fruit and jaws up to the present."""
        row, jaws = self._row, self._jaws
        q = self._joints()
        T = forward(self._arm, q)
        finger, blade = self._bus.servos[jaws.opening.servo], self._bus.servos[jaws.blade]
        berry = row.between(T)
        if berry is None:
            finger.blocked_at = None
            return
        width = 2.0 * row.berries[berry].half_width
        finger.blocked_at = float(jaws.opening.ticks(width))
        gripped = finger.load != 0.0
        if gripped and abs(blade.position - jaws.housed) > OUT * abs(jaws.out - jaws.housed):
            row.cut(berry)
        if row.where[berry] is Where.HELD and jaws.opening.value(finger.position) > width + LET_GO:
            row.let_go(self._arm, T, float(q[0]))
