"""The physics of one bed side and of the robots before it: one model, one clock, one lot of fruit."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np
import numpy.typing as npt

from robot.kinematics import solve
from sim.blade import Blade, CutSettings
from sim.contacts import Contacts
from sim.drive import Drive, ServoSettings
from sim.foliage import Foliage
from sim.fruit import Fruit
from sim.scene import Scene

Array = npt.NDArray[np.float64]
Place = tuple[float, float, float]

TICK = 0.004
"""One control period [s]; the physics makes two steps in it."""


class CellError(RuntimeError):
    """The simulation cannot go on; `code` is the alarm's key."""

    code = "simulation_unstable"


class World:
    """What robots in one scene share. `step` advances all of it by one control period.

    Args:
        scenes: one model as each robot in it has it.
        homes: where each robot's tool starts in the world [m].
        time_constant: of a force that counts as sustained [s].

    Attributes:
        clashes: physics steps in which two robots touched each other.
        clash_force: the largest normal force between two robots [N].
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        homes: Sequence[Place],
        *,
        servo: ServoSettings,
        cut: CutSettings,
        time_constant: float,
    ) -> None:
        self.scenes = tuple(scenes)
        self.model: mujoco.MjModel = scenes[0].model
        self.data: mujoco.MjData = mujoco.MjData(self.model)
        self._ticks = 0
        self._closed = False
        for scene, home in zip(scenes, homes, strict=True):
            _place_arm(scene, self.data, home)
        mujoco.mj_forward(self.model, self.data)
        self.contacts = Contacts(self.scenes, self.data, time_constant)
        self.fruit = Fruit(self.scenes, self.data, self.contacts)
        self.foliage = Foliage(scenes[0], self.data)
        self.blades = [Blade(scene, self.data, self.fruit, cut) for scene in scenes]
        self.drives = [Drive(scene, self.data, servo) for scene in scenes]
        self.clashes, self.clash_force = 0, 0.0
        self._robot_of_geom = np.full(self.model.ngeom, -1)
        root = self.model.body_rootid[self.model.geom_bodyid]
        for number, scene in enumerate(scenes):
            self._robot_of_geom[root == scene.names.carriage] = number

    @property
    def time(self) -> float:
        """Simulated seconds since the start."""
        return self._ticks * TICK

    def opening(self, number: int) -> float:
        """Return the true distance between a robot's pads [m]."""
        return self.drives[number].opening

    def step(self) -> None:
        """Advance the physics by one control tick.

        Raises:
            CellError: the physics became unstable; the world is of no more use.
        """
        if self._closed:
            raise RuntimeError("expected an open cell, got a step after close()")
        dt = float(self.model.opt.timestep)
        for substep in range(round(TICK / dt)):
            time = self.time + substep * dt
            for drive in self.drives:
                drive.apply(time, dt)
            before = self.data.qvel.copy()
            mujoco.mj_step(self.model, self.data)
            self.contacts.update(before, self.fruit.states)
            if self.data.ncon:
                self.foliage.update(time)
            if len(self.scenes) > 1:
                self._note_clash()
            self.fruit.tear(time)
        self._ticks += 1
        if self.data.warning[mujoco.mjtWarning.mjWARN_BADQACC].number or not np.isfinite(self.data.qpos).all():
            raise CellError(
                f"expected finite accelerations, got none at {self.time:.3f} s; last touches {self.contacts.touching}"
            )
        for number, blade in enumerate(self.blades):
            if blade.out:
                blade.update(self.time, self.opening(number))
        self.fruit.stow(self.time)

    def _note_clash(self) -> None:
        if not self.data.ncon:
            return
        robots = self._robot_of_geom[self.data.contact.geom]
        met = np.flatnonzero((robots >= 0).all(axis=1) & (robots[:, 0] != robots[:, 1]))
        self.clashes += bool(len(met))
        for contact in met.tolist():
            force = np.zeros(6)
            mujoco.mj_contactForce(self.model, self.data, contact, force)
            self.clash_force = max(self.clash_force, float(force[0]))

    def close(self) -> None:
        """End the simulation: no more steps; what became of the fruit can still be read."""
        self._closed = True


def _place_arm(scene: Scene, data: mujoco.MjData, home: Place) -> None:
    """Put a robot where its tool is at home, level and in the posture it works in."""
    scene.arm.require_six()
    level = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = level, home
    like = scene.arm.posture
    rail = home[0] - float(scene.arm.rail.base[0]) - like.ahead
    found = solve(scene.arm, pose, np.array([rail, *like.joints]), rail=rail)
    if not found:
        raise ValueError(f"home {home} is out of the arm's reach with the rail at {rail:.2f} m")
    data.qpos[scene.names.joint_qpos] = found[0]
    data.qpos[scene.names.fingers_qpos] = 0.5 * scene.arm.tool.opening_max
