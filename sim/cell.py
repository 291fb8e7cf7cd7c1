"""The simulated robot cell: physics, fruit, blade and drives, advanced one control tick at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

import mujoco
import numpy as np
import numpy.typing as npt

from robot.kinematics import solve
from sim.blade import Blade, CutSettings
from sim.contacts import Contacts
from sim.drive import Drive, ServoSettings
from sim.fruit import Fruit
from sim.scene import Scene, SceneSettings, build_scene

Array = npt.NDArray[np.float64]

TICK = 0.004
"""One control period [s]; the physics makes two steps in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DamageModel:
    """When fruit counts as damaged; assumed until calibrated on real fruit: no published limit in newton was found.

    The protocol is in `sim/scenarios/DAMAGE.md`.

    Attributes:
        marginal, bruised: sustained force [N]; hand picking of blackberries takes 0.4-0.8 N (HortSci 57(5)).
        crushed: force at any instant [N].
        impact: energy of a hit [J]; bruise volume grows linearly above about 0.02 J (Ferreira 2008; Aliasgarian).
        time_constant: a force shorter than this does not count as sustained [s].
    """

    marginal: float = 1.0
    bruised: float = 3.0
    crushed: float = 8.0
    impact: float = 0.02
    time_constant: float = 0.05

    def scaled(self, share: float) -> DamageModel:
        """Return the limits of fruit that stands `share` as much, such as a softer cultivar."""
        return DamageModel(
            marginal=share * self.marginal,
            bruised=share * self.bruised,
            crushed=share * self.crushed,
            impact=share * self.impact,
            time_constant=self.time_constant,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSettings:
    """Everything about one simulated cell but its seed.

    Attributes:
        epoch: UTC epoch seconds at simulated time 0 (default 2026-05-20 06:00).
        home: where the tool starts in the world [m], level and in the posture it works in.
        camera_noise: depth and colour noise of a real sensor; off only where a test needs exact pixels.
    """

    scene: SceneSettings = field(default_factory=SceneSettings)
    servo: ServoSettings = field(default_factory=ServoSettings)
    cut: CutSettings = field(default_factory=CutSettings)
    damage: DamageModel = field(default_factory=DamageModel)
    epoch: float = 1779256800.0
    home: tuple[float, float, float] = (0.12, 0.40, 0.95)
    camera_noise: bool = True


class CellError(RuntimeError):
    """The simulation cannot go on; `code` is the alarm's key."""

    code = "simulation_unstable"


class Cell:
    """One robot in front of one bed side. Deterministic for settings and seed."""

    def __init__(self, settings: CellSettings, seed: int) -> None:
        self.settings, self.seed = settings, seed
        self.scene: Scene = build_scene(settings.scene, seed)
        self.model: mujoco.MjModel = self.scene.model
        self.data: mujoco.MjData = mujoco.MjData(self.model)
        self._ticks = 0
        self._closed = False
        self._place_arm()
        self.contacts = Contacts(self.scene, self.data, settings.damage.time_constant)
        self.fruit = Fruit(self.scene, self.data, self.contacts)
        self.blade = Blade(self.scene, self.data, self.fruit, settings.cut)
        self.drive = Drive(self.scene, self.data, settings.servo)

    def _place_arm(self) -> None:
        self.scene.arm.require_six()
        level = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = level, self.settings.home
        like = self.scene.arm.posture
        rail = self.settings.home[0] - float(self.scene.arm.rail.base[0]) - like.ahead
        found = solve(self.scene.arm, pose, np.array([rail, *like.joints]), rail=rail)
        if not found:
            raise ValueError(f"home {self.settings.home} is out of the arm's reach with the rail at {rail:.2f} m")
        self.data.qpos[self.scene.names.joint_qpos] = found[0]
        self.data.qpos[self.scene.names.fingers_qpos] = 0.5 * self.scene.arm.tool.opening_max
        mujoco.mj_forward(self.model, self.data)

    @property
    def time(self) -> float:
        """Simulated seconds since the start."""
        return self._ticks * TICK

    @property
    def now(self) -> float:
        """Simulated UTC epoch seconds."""
        return self.settings.epoch + self.time

    @property
    def joints(self) -> Array:
        """True rail and joint positions [m, rad], shape (7,)."""
        return np.array(self.data.qpos[self.scene.names.joint_qpos])

    @property
    def opening(self) -> float:
        """True distance between the pads [m]."""
        return float(self.data.qpos[self.scene.names.fingers_qpos].sum())

    def step(self) -> None:
        """Advance the physics by one control tick.

        Raises:
            CellError: the physics became unstable; the cell is of no more use.
        """
        if self._closed:
            raise RuntimeError("expected an open cell, got a step after close()")
        dt = float(self.model.opt.timestep)
        for substep in range(round(TICK / dt)):
            time = self.time + substep * dt
            self.drive.apply(time, dt)
            before = self.contacts.berry_velocities(self.fruit.states)
            mujoco.mj_step(self.model, self.data)
            self.contacts.update(before)
            self.fruit.tear(time)
        self._ticks += 1
        if self.data.warning[mujoco.mjtWarning.mjWARN_BADQACC].number or not np.isfinite(self.data.qpos).all():
            raise CellError(
                f"expected finite accelerations, got none at {self.time:.3f} s; last touches {self.contacts.touching}"
            )
        self.blade.update(self.time, self.opening)
        self.fruit.stow(self.time)

    def empty_punnet(self) -> list[int]:
        """Change the full punnet for an empty one; return the ids of the berries taken away."""
        return [self.scene.bed.berries[i].id for i in self.fruit.empty_punnet()]

    def close(self) -> None:
        """End the simulation: no more steps; what became of the fruit can still be read."""
        self._closed = True
