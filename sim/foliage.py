"""Leaves that fold: a stiff blade on a hinge can wedge itself before the jaws and hold the arm, which no leaf can."""

from __future__ import annotations

import mujoco
import numpy as np

from sim.scene import Scene

BEARS = 2.0
"""A leaf that is pressed harder than this [N] folds; jaws that push one aside meet less than 1 N. Assumption: its
petiole, 0.2 m long, buckles under some hundredths of a newton, and what the blade bears edgewise is little more."""
LASTS = 0.02
"""For so long [s]: a blow of a light leaf is none."""


class Foliage:
    """Watches what presses on the leaves that hang before the fruit. One that folded hangs limp: nothing touches it.

    Attributes:
        folded: bodies of the leaves that did.
    """

    def __init__(self, scene: Scene, data: mujoco.MjData) -> None:
        self._model, self._data = scene.model, data
        self._leaf_of_geom = scene.names.leaf_of_geom
        self._since: dict[int, float] = {}
        self.folded: set[int] = set()

    def update(self, time: float) -> None:
        """Take the forces of the step that began at `time` [s]."""
        contact = self._data.contact
        leaves = self._leaf_of_geom[contact.geom]
        leaves = np.maximum(leaves[:, 0], leaves[:, 1])
        pressed = np.flatnonzero((leaves >= 0) & (contact.efc_address >= 0))
        forces: dict[int, float] = {}
        for leaf, force in zip(
            leaves[pressed].tolist(), self._data.efc_force[contact.efc_address[pressed]].tolist(), strict=True
        ):
            forces[leaf] = forces.get(leaf, 0.0) + force
        hard = {leaf for leaf, force in forces.items() if force > BEARS}
        self._since = {leaf: self._since.get(leaf, time) for leaf in hard}
        for leaf, since in self._since.items():
            if time - since >= LASTS:
                self._fold(leaf)

    def _fold(self, leaf: int) -> None:
        model = self._model
        geoms = self._leaf_of_geom == leaf
        model.geom_contype[geoms] = model.geom_conaffinity[geoms] = 0
        model.body_contype[leaf] = model.body_conaffinity[leaf] = 0
        self.folded.add(leaf)
