"""The fruit of one bed side as the kinematic tier knows it: where each berry is, and what became of it."""

from __future__ import annotations

from copy import copy
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from sim.scene.plants import BerrySpec, grow
from sim.scene.settings import SceneSettings

Array = npt.NDArray[np.float64]

JAW = np.array([0.016, 0.014, 0.014])
"""A berry this near to the tool's origin, along tool x, y, z, is between the pads [m]."""


class Where(IntEnum):
    """Where a berry is."""

    HANGING = 0
    HELD = 1
    PLACED = 2
    DROPPED = 3


class Row:
    """The berries, their places and which of them the jaws hold; nothing swings, bends or gives way.

    Args:
        settings: of the bed side.
        seed: the same seed hangs the same fruit.
    """

    def __init__(self, settings: SceneSettings, seed: int) -> None:
        self.berries: tuple[BerrySpec, ...] = grow(settings, seed).berries
        self.centers = np.array([berry.center for berry in self.berries]).reshape(-1, 3)
        self.where = [Where.HANGING] * len(self.berries)
        self._mine: set[int] = set()

    def shared(self) -> Row:
        """Return the same row as another machine's hand meets it: one fruit, and each hand holds its own."""
        other = copy(self)
        other._mine = set()
        return other

    def held(self) -> int | None:
        """Return the index of the berry that is parted from its stem and in the jaws; None when there is none."""
        return next(iter(self._mine), None)

    def between(self, T_world_tool: Array) -> int | None:
        """Return the index of the berry between the pads; None when there is none."""
        held = self.held()
        if held is not None:
            return held
        local = (self.centers - T_world_tool[:3, 3]) @ T_world_tool[:3, :3]
        hanging = np.array([where is Where.HANGING for where in self.where])
        inside = hanging & np.all(np.abs(local) < JAW, axis=1)
        found = np.flatnonzero(inside)
        return int(found[np.argmin(np.linalg.norm(local[found], axis=1))]) if len(found) else None

    def cut(self, berry: int) -> None:
        """Part a berry that hangs between the pads from its stem."""
        self.where[berry] = Where.HELD
        self._mine.add(berry)

    def let_go(self, arm: ArmDescription, T_world_tool: Array, rail: float) -> None:
        """Part with what is held: it lies in the punnet when the tool is over one, else on the floor."""
        at = T_world_tool[:3, 3] - arm.punnet.position - [rail, 0.0, 0.0]
        over = bool(np.all(np.abs(at[:2]) < arm.punnet.inner[:2] / 2.0) and at[2] < arm.punnet.inner[2] + 0.03)
        for i in self._mine:
            self.where[i] = Where.PLACED if over else Where.DROPPED
        self._mine.clear()

    def count(self, where: Where) -> int:
        """Return how many berries are there."""
        return sum(w is where for w in self.where)
