"""What stand-in controllers of arms share: joints that lag behind set points, and a cable that can be pulled."""

from __future__ import annotations

import math
from collections.abc import Callable

STEP = 0.002
"""Of a controller [s]."""

LAG = 0.012
"""Time constant of the joints [s]."""


class FakeArm:
    """Joints and cable. Faults: `unplugged`, `silent`, `stuck` joints.

    Args:
        q: joints [rad].
        monotonic: the device's clock [s].
    """

    def __init__(self, q: list[float], monotonic: Callable[[], float]) -> None:
        self.q, self.v = list(q), [0.0] * len(q)
        self.unplugged = self.silent = False
        self.stuck: set[int] = set()
        self._goal = list(q)
        self._monotonic, self._time = monotonic, monotonic()

    def steps(self) -> int:
        """Return how many of the controller's steps are due; the caller makes them."""
        due = int((self._monotonic() + 1e-9 - self._time) / STEP)
        self._time += due * STEP
        return due

    def step(self, *, follows: bool) -> None:
        """Move the joints on by one step, towards their set points or not at all."""
        share = 1.0 - math.exp(-STEP / LAG) if follows else 0.0
        for i, goal in enumerate(self._goal):
            moved = 0.0 if i in self.stuck else (goal - self.q[i]) * share
            self.q[i] += moved
            self.v[i] = moved / STEP


class MemoryLine:
    """A connection without a network, in the clock's time; once a cable was pulled it is gone for good."""

    def __init__(self, arm: FakeArm) -> None:
        self._arm, self._broken = arm, False

    def reachable(self) -> None:
        """See that the cable is in.

        Raises:
            ConnectionResetError: it is not, or was not.
        """
        self._broken = self._broken or self._arm.unplugged
        if self._broken:
            raise ConnectionResetError("connection reset by peer")

    def close(self) -> None: ...
