"""The life of the simulated fruit: hanging, cut or torn loose, carried, and at rest in the punnet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from sim.contacts import Contacts
from sim.scene import Scene
from sim.scene.build import HANGING, LOOSE, PARKED_Z, STOWED, UPPER_STEM
from sim.scene.parts import AWAY, FRUIT, STRUCTURE, VISUAL, quaternion

Array = npt.NDArray[np.float64]

REST_SPEED = 0.015
REST_TIME = 0.25
"""A berry in the punnet slower than this [m/s] for so long [s] lies; it then rides along without being simulated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detachment:
    """One berry that left its stem.

    Attributes:
        berry: its index.
        time: simulated [s].
        cause: "cut" or "torn".
        gripped: it was between the pads, both pressing.
    """

    berry: int
    time: float
    cause: str
    gripped: bool


class Fruit:
    """State of all berries, shape (n,): HANGING, LOOSE or STOWED; of the latter, in which robot's punnet.

    Args:
        scenes: one model as each robot in it has it.
    """

    def __init__(self, scenes: Sequence[Scene], data: mujoco.MjData, contacts: Contacts) -> None:
        scene = scenes[0]
        self._scenes, self._scene, self._model, self._data = scenes, scene, scene.model, data
        self._names, self._contacts = scene.names, contacts
        n = len(scene.bed.berries)
        self._carrier = np.zeros(n, dtype=np.int8)
        self.states = np.full(n, HANGING, dtype=np.int8)
        self.detachments: list[Detachment] = []
        self.flesh_cut: set[int] = set()
        self.delivered: set[int] = set()
        """Berries in punnets that were taken away full."""
        self._still_since = np.full(n, math.nan)

    def position(self, berry: int) -> Array:
        """Return the centre of a berry in the world [m], shape (3,)."""
        names = self._scenes[self._carrier[berry]].names
        return np.array(self._data.geom_xpos[names.hull[berry, self.states[berry]]])

    def stem_path(self, berry: int) -> Array:
        """Return a hanging berry's stem in the world [m]: its node, where it bends, the calyx; shape (3, 3)."""
        spec = self._scene.bed.berries[berry]
        body = int(self._names.bodies[berry, HANGING])
        bend = self._data.xpos[body]
        down = -self._data.xmat[body].reshape(3, 3)[:, 2]
        calyx = bend + down * ((1.0 - UPPER_STEM) * spec.stem_length)
        return np.array([self._data.xpos[self._names.stalk[berry]], bend, calyx])

    def stem(self, berry: int) -> tuple[Array, Array]:
        """Return where a hanging berry's stem bends and its lower end in the world [m]."""
        _, bend, calyx = self.stem_path(berry)
        return bend, calyx

    def gripped(self, berry: int) -> bool:
        """Return whether both pads press on a berry now."""
        return min(self._contacts.touches[berry].pad_force) > 0.02

    def detach(self, berry: int, *, remaining: float, time: float, cause: str) -> None:
        """Let a hanging berry go, with `remaining` metres of stem on it."""
        gripped = self.gripped(berry)
        spec, names, data, model = self._scene.bed.berries[berry], self._names, self._data, self._model
        hull = int(names.hull[berry, HANGING])
        velocity = np.zeros(6)
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_GEOM, hull, velocity, 0)
        rotation = data.geom_xmat[hull].reshape(3, 3)
        q, v = int(names.free_qpos[berry]), int(names.free_dof[berry])
        data.qpos[q : q + 3] = data.geom_xpos[hull]
        data.qpos[q + 3 : q + 7] = quaternion(rotation)
        data.qvel[v : v + 3] = velocity[3:]
        data.qvel[v + 3 : v + 6] = rotation.T @ velocity[:3]
        self._set_stem(berry, LOOSE, top=spec.half_length, length=remaining)
        self._leave_stump(berry, spec.stem_length - remaining)
        self.states[berry] = LOOSE
        self._wake(berry)
        self._still_since[berry] = math.nan
        self.detachments.append(Detachment(berry=berry, time=time, cause=cause, gripped=gripped))

    def _leave_stump(self, berry: int, length: float) -> None:
        """Show the loose body, and of the stem only the `length` [m] that stays on the plant."""
        model, names = self._model, self._names
        upper = UPPER_STEM * self._scene.bed.berries[berry].stem_length
        self._show(berry, LOOSE)
        for geom, left in ((names.stalk_geom[berry], min(length, upper)), (names.stem[berry, HANGING], length - upper)):
            half = 0.5 * max(left, 0.002)
            model.geom_size[geom, 1] = half
            model.geom_pos[geom] = [0.0, 0.0, -half]
            model.geom_group[geom] = VISUAL if left > 0.002 else AWAY

    def _set_stem(self, berry: int, kind: int, *, top: float, length: float) -> None:
        stem = int(self._scenes[self._carrier[berry]].names.stem[berry, kind])
        self._model.geom_size[stem, 1] = 0.5 * max(length, 0.001)
        self._model.geom_pos[stem] = [0.0, 0.0, top + 0.5 * length]

    def _show(self, berry: int, kind: int) -> None:
        """Put one of a berry's three bodies in place of the others."""
        model, names = self._model, self._scenes[self._carrier[berry]].names
        for other in (HANGING, LOOSE, STOWED):
            here = other == kind
            hull = int(names.hull[berry, other])
            body = int(names.bodies[berry, other])
            model.geom_contype[hull] = model.body_contype[body] = FRUIT if here else 0
            model.geom_conaffinity[hull] = model.body_conaffinity[body] = (FRUIT | STRUCTURE | 1) if here else 0
            for geoms in (names.flesh, names.calyx, names.stem):
                model.geom_group[geoms[berry, other]] = VISUAL if here else AWAY
        model.body_gravcomp[names.bodies[berry, LOOSE]] = 0.0 if kind == LOOSE else 1.0

    def _wake(self, berry: int) -> None:
        """Wake a berry that was just let go, and its truss that leaned on it: MuJoCo wakes what has a velocity."""
        self._data.qvel[self._names.free_dof[berry] + 2] -= 1e-6
        truss = self._scene.bed.berries[berry].truss
        for other, spec in enumerate(self._scene.bed.berries):
            if spec.truss == truss and self.states[other] == HANGING:
                self._data.qvel[self._names.ball_dof[other]] += 1e-6

    def tear(self, time: float) -> None:
        """Tear off what is pulled along its stem harder than it holds."""
        for berry in self._contacts.hanging(self.states):
            spec = self._scene.bed.berries[berry]
            down = -self._data.xmat[self._names.bodies[berry, HANGING]].reshape(3, 3)[:, 2]
            pull = float(down @ self._contacts.pull[berry]) + spec.mass * 9.81
            if pull > spec.break_force:
                self.detach(berry, remaining=0.0, time=time, cause="torn")

    def in_punnet(self, berry: int) -> bool:
        """Return whether a berry's centre is inside a punnet, or little above its rim, and no pad presses on it."""
        return self._punnet_of(berry) is not None

    def _punnet_of(self, berry: int) -> int | None:
        """Return the number of the robot in whose punnet a berry is."""
        if max(self._contacts.touches[berry].pad_force) > 0.0:
            return None
        for number, scene in enumerate(self._scenes):
            punnet = scene.arm.punnet
            local = self.position(berry) - self._data.xpos[scene.names.punnet]
            over = abs(local[0]) < 0.5 * punnet.inner[0] and abs(local[1]) < 0.5 * punnet.inner[1]
            if over and 0.0 < local[2] < punnet.inner[2] + 0.03:
                return number
        return None

    def stow(self, time: float) -> None:
        """Fix berries that lie still in a punnet to it."""
        for berry in np.flatnonzero(self.states == LOOSE).tolist():
            number = self._punnet_of(berry)
            if number is None or not self._rests(berry, self._scenes[number]):
                self._still_since[berry] = math.nan
            elif math.isnan(self._still_since[berry]):
                self._still_since[berry] = time
            elif time - self._still_since[berry] >= REST_TIME:
                self._carrier[berry] = number
                self._fix(berry)

    def _rests(self, berry: int, scene: Scene) -> bool:
        """Return whether a loose berry moves along with a robot's carriage."""
        v = int(self._names.free_dof[berry])
        velocity = self._data.qvel[v : v + 3].copy()
        velocity[0] -= self._data.qvel[scene.names.joint_dof[0]]
        spinning = float(np.linalg.norm(self._data.qvel[v + 3 : v + 6]))
        return float(np.linalg.norm(velocity)) < REST_SPEED and spinning < 1.0

    def _fix(self, berry: int) -> None:
        names, data, model = self._scenes[self._carrier[berry]].names, self._data, self._model
        loose, body = int(names.bodies[berry, LOOSE]), int(names.bodies[berry, STOWED])
        model.body_pos[body] = data.xpos[loose] - data.xpos[names.carriage]
        model.body_quat[body] = data.xquat[loose]
        stem = int(names.stem[berry, LOOSE])
        self._set_stem(
            berry, STOWED, top=self._scene.bed.berries[berry].half_length, length=2.0 * float(model.geom_size[stem, 1])
        )
        self._park(berry)
        self._show(berry, STOWED)
        self.states[berry] = STOWED

    def _park(self, berry: int) -> None:
        q, v = int(self._names.free_qpos[berry]), int(self._names.free_dof[berry])
        self._data.qpos[q : q + 7] = [float(berry), 2.0, PARKED_Z, 1.0, 0.0, 0.0, 0.0]
        self._data.qvel[v : v + 6] = 0.0

    def empty_punnet(self, number: int = 0) -> list[int]:
        """Take a robot's full punnet away and put an empty one there; return the indices of the berries in it."""
        names = self._scenes[number].names
        taken = np.flatnonzero((self.states == STOWED) & (self._carrier == number)).tolist()
        for berry in taken:
            if berry not in self.delivered:
                self._model.body_pos[names.bodies[berry, STOWED]] = [0.0, 0.0, PARKED_Z]
        fresh = [berry for berry in taken if berry not in self.delivered]
        self.delivered.update(taken)
        return fresh
