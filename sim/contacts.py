"""Who presses on which berry and how hard: contact forces of every physics step, kept per berry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import mujoco
import numpy as np
import numpy.typing as npt

from sim.scene import Scene
from sim.scene.build import HANGING, LOOSE

Array = npt.NDArray[np.float64]
TOUCHERS = ("pads", "arm", "fruit", "structure")


@dataclass(slots=True, kw_only=True)
class Touch:
    """What one berry has felt so far.

    Attributes:
        peak: largest normal force by toucher [N]; of the pads, that of the stronger one.
        sustained: largest force that lasted, by toucher: a low pass with the damage model's time constant [N].
        impact_energy: largest kinetic energy with which it hit something [J].
        pad_force: normal force of each pad of the hand that presses on it now [N].
    """

    peak: dict[str, float] = field(default_factory=dict)
    sustained: dict[str, float] = field(default_factory=dict)
    filtered: dict[str, float] = field(default_factory=dict)
    impact_energy: float = 0.0
    pad_force: tuple[float, float] = (0.0, 0.0)


class Contacts:
    """Reads MuJoCo's contacts after each step.

    Args:
        scenes: one model as each robot in it has it.

    Attributes:
        pad_force: what each pad of each robot presses on anything [N], shape (robots, 2).
    """

    def __init__(self, scenes: Sequence[Scene], data: mujoco.MjData, time_constant: float) -> None:
        scene = scenes[0]
        self._scene, self._model, self._data = scene, scene.model, data
        self._names = scene.names
        self._berry_of_geom = np.max([one.names.berry_of_geom for one in scenes], axis=0)
        pads = np.concatenate([one.names.pads for one in scenes])
        self._decay = float(np.exp(-scene.model.opt.timestep / time_constant))
        n = len(scene.bed.berries)
        self.touches = [Touch() for _ in range(n)]
        self.pad_force = np.zeros((len(scenes), 2))
        self._pad_force = self.pad_force.reshape(-1)
        self.pull = np.zeros((n, 3))
        """Sum of the contact forces on each berry in the world [N], shape (n, 3)."""
        self.touching: set[tuple[int, int]] = set()
        self._active: set[int] = set()
        self._kind = np.full(scene.model.ngeom, 3)
        self._kind[self._berry_of_geom >= 0] = 2
        self._kind[scene.names.arm_geoms] = 1
        self._kind[pads] = 0
        self._felt = (self._berry_of_geom >= 0) | (self._kind == 0)
        self._pad_index = {int(geom): index for index, geom in enumerate(pads)}
        self._before = data.qvel.copy()
        self._states = np.full(n, HANGING, dtype=np.int8)

    def update(self, before: Array, states: npt.NDArray[np.int8]) -> None:
        """Take the forces of the step just made.

        Args:
            before: all velocities before the step, as MuJoCo's `qvel`.
            states: of every berry, shape (n,).
        """
        self._before, self._states = before, states
        self.pad_force[:] = 0.0
        if self._active:
            self.pull[list(self._active)] = 0.0
        now: dict[tuple[int, str], float] = {}
        pairs: set[tuple[int, int]] = set()
        pads: dict[int, list[float]] = {}
        if self._data.ncon:
            self._scan(now, pairs, pads)
        self.touching = pairs
        if not now and not self._active:
            return
        touched = {berry for berry, _ in now}
        for berry in touched | self._active:
            self._remember(self.touches[berry], berry, now, pads.get(berry))
        self._active = {
            b for b in touched | self._active if b in touched or max(self.touches[b].filtered.values()) > 1e-3
        }

    def _scan(
        self,
        now: dict[tuple[int, str], float],
        pairs: set[tuple[int, int]],
        pads: dict[int, list[float]],
    ) -> None:
        contact = self._data.contact
        geoms, address = contact.geom, contact.efc_address
        felt = self._felt[geoms]
        relevant = np.flatnonzero((address >= 0) & (felt[:, 0] | felt[:, 1]))
        if not len(relevant):
            return
        geoms = geoms[relevant]
        rows = zip(
            relevant.tolist(),
            geoms.tolist(),
            self._berry_of_geom[geoms].tolist(),
            self._kind[geoms].tolist(),
            self._data.efc_force[address[relevant]].tolist(),
            strict=True,
        )
        for k, geom, berries, kinds, force in rows:
            if force <= 0.0:
                continue
            for side in (0, 1):
                if kinds[side] == 0:
                    pad, other = self._pad_index[geom[side]], berries[1 - side]
                    self._pad_force[pad] += force
                    if other >= 0:
                        pads.setdefault(other, [0.0] * len(self._pad_force))[pad] += force
            for side in (0, 1):
                berry = berries[side]
                if berry < 0:
                    continue
                other_geom, who = geom[1 - side], TOUCHERS[kinds[1 - side]]
                now[berry, who] = max(pads[berry]) if who == "pads" else now.get((berry, who), 0.0) + force
                pairs.add((berry, other_geom))
                if geom[side] == self._names.hull[berry, HANGING]:
                    self._add_pull(k, berry, side)
                if who != "pads" and (berry, other_geom) not in self.touching:
                    self._impact(k, berry, other_geom)

    def _add_pull(self, k: int, berry: int, side: int) -> None:
        local = np.zeros(6)
        mujoco.mj_contactForce(self._model, self._data, k, local)
        frame = self._data.contact.frame[k].reshape(3, 3)
        self.pull[berry] += (1.0 if side == 1 else -1.0) * (frame.T @ local[:3])

    def _impact(self, k: int, berry: int, other_geom: int) -> None:
        normal = self._data.contact.frame[k, :3]
        other = np.zeros(6)
        mujoco.mj_objectVelocity(self._model, self._data, mujoco.mjtObj.mjOBJ_GEOM, other_geom, other, 0)
        struck = int(self._berry_of_geom[other_geom])
        moving = self._velocity_before(struck) if struck >= 0 else other[3:]
        speed = float(normal @ (self._velocity_before(berry) - moving))
        energy = 0.5 * self._scene.bed.berries[berry].mass * speed * speed
        self.touches[berry].impact_energy = max(self.touches[berry].impact_energy, energy)

    def _remember(self, touch: Touch, berry: int, now: dict[tuple[int, str], float], pads: list[float] | None) -> None:
        for who in TOUCHERS:
            force = now.get((berry, who), 0.0)
            low = self._decay * touch.filtered.get(who, 0.0) + (1.0 - self._decay) * force
            if force == 0.0 and low < 1e-6 and who not in touch.peak:
                continue
            touch.filtered[who] = low
            touch.peak[who] = max(touch.peak.get(who, 0.0), force)
            touch.sustained[who] = max(touch.sustained.get(who, 0.0), low)
        hands = list(zip(pads[::2], pads[1::2], strict=True)) if pads else [(0.0, 0.0)]
        touch.pad_force = max(hands, key=min)

    def _velocity_before(self, berry: int) -> Array:
        """Return the velocity of a loose berry's centre in the world before the step [m/s]; zero for others."""
        if self._states[berry] != LOOSE:
            return np.zeros(3)
        first = int(self._names.free_dof[berry])
        velocity: Array = self._before[first : first + 3]
        return velocity

    def hanging(self, states: npt.NDArray[np.int8]) -> list[int]:
        """Return the indices of touched berries that still hang."""
        return [berry for berry in sorted(self._active) if states[berry] == HANGING]
