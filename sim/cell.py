"""The simulated robot cell: one robot before a bed side, alone or on a rail that it shares with others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import mujoco
import numpy as np
import numpy.typing as npt

from sim.blade import CutSettings
from sim.drive import ServoSettings
from sim.scene import Scene, SceneSettings
from sim.scene.build import build_scenes
from sim.world import TICK, CellError, World

__all__ = ["TICK", "Cell", "CellError", "CellSettings", "DamageModel", "cells_on_one_rail"]

Array = npt.NDArray[np.float64]


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


class Cell:
    """One robot in front of one bed side. Deterministic for settings and seed.

    Args:
        world: which it shares with other robots, as `cells_on_one_rail` makes it; None = it has one to itself.
        number: of the robot in that world.
    """

    def __init__(self, settings: CellSettings, seed: int, world: World | None = None, number: int = 0) -> None:
        self.settings, self.seed, self.number = settings, seed, number
        self.world = world or _world([settings], seed)
        self.scene: Scene = self.world.scenes[number]
        self.model: mujoco.MjModel = self.world.model
        self.data: mujoco.MjData = self.world.data
        self.contacts, self.fruit = self.world.contacts, self.world.fruit
        self.blade, self.drive = self.world.blades[number], self.world.drives[number]

    @property
    def time(self) -> float:
        """Simulated seconds since the start."""
        return self.world.time

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
        return self.world.opening(self.number)

    def rng(self, tag: int) -> np.random.Generator:
        """Return the random numbers of one part of this robot."""
        return np.random.default_rng([self.seed, tag, *([self.number] if self.number else [])])

    def step(self) -> None:
        """Advance the physics by one control tick, of all robots that share it.

        Raises:
            CellError: the physics became unstable; the cell is of no more use.
        """
        self.world.step()

    def empty_punnet(self) -> list[int]:
        """Change the full punnet for an empty one; return the ids of the berries taken away."""
        return [self.scene.bed.berries[i].id for i in self.fruit.empty_punnet(self.number)]

    def close(self) -> None:
        """End the simulation: no more steps; what became of the fruit can still be read."""
        self.world.close()


def cells_on_one_rail(settings: CellSettings, seed: int, arms: Sequence[str], homes: Sequence[float]) -> list[Cell]:
    """Return the cells of robots that share one bed side, its rail and the physics; a step of one is a step of all.

    Args:
        arms: name of each one's description.
        homes: where each one's tool begins along the bed [m].
    """
    each = [
        replace(settings, scene=replace(settings.scene, arm=arm), home=(home, *settings.home[1:]))
        for arm, home in zip(arms, homes, strict=True)
    ]
    world = _world(each, seed)
    return [Cell(own, seed, world, number) for number, own in enumerate(each)]


def _world(each: Sequence[CellSettings], seed: int) -> World:
    """Build the world of robots that differ in arm and home only."""
    first = each[0]
    return World(
        build_scenes(first.scene, seed, [own.scene.arm for own in each]),
        [own.home for own in each],
        servo=first.servo,
        cut=first.cut,
        time_constant=first.damage.time_constant,
    )
