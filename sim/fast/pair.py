"""Two robots on one rail before one bed side, every node of both in lock-step: the lease keeps them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from robot.arms import load_arm
from robot.nodes.row_lease import EXPIRED
from robot.pick.candidates import Window
from sim.fast.hardware import HOME, FastHardware, parked
from sim.fast.rig import FastRig, FastRigSettings
from sim.fast.row import Row, Where
from sim.lockstep import Lockstep
from sim.scene.settings import Mix, SceneSettings
from sim.sharing import LENGTH, NAMES, STRETCH, SharedRail, Together

EPOCH = 1779256800.0


def bed(berries: int, unripe: int) -> SceneSettings:
    """Return a bed side as long as one rail serves."""
    return SceneSettings(length=LENGTH, segment_length=STRETCH, mix=Mix(isolated=berries, unripe=unripe))


class SharedRow(SharedRail):
    """Robots of the kinematic tier on one rail.

    Args:
        names: of the robots, from left to right.
    """

    def __init__(self, scene: SceneSettings, seed: int, names: Sequence[str] = NAMES) -> None:
        self.arm = load_arm(scene.arm)
        super().__init__(Lockstep(EPOCH), scene, dict.fromkeys(names, self.arm))
        self.fruit = Row(scene, seed)
        self.machines: dict[str, FastHardware] = {}
        self.rigs: dict[str, FastRig] = {}
        for number, name in enumerate(self.names):
            home = self.begins(name) + 0.1 if number else HOME[0]
            row = self.fruit.shared()
            machine = self.machines[name] = FastHardware(self.arm, self.time.monotonic, row, parked(self.arm, home))
            settings = FastRigSettings(scene=scene, seed=seed, namespace=f"/{name}", row=self.row, local_reset=False)
            self.rigs[name] = FastRig(
                self.time,
                self.context,
                settings,
                arm=self.arm,
                row=row,
                hardware=machine,
                joints=lambda machine=machine: machine.q,  # type: ignore[misc]
                moved=machine.advance,
            )
            self.watch(name, lambda machine=machine: machine.q)  # type: ignore[misc]

    def result(self) -> Together:
        """Return how it went so far."""
        window = Window()
        ripe = sum(window.ripeness_min <= berry.ripeness <= window.ripeness_max for berry in self.fruit.berries)
        return self.together(placed=self.fruit.count(Where.PLACED), ripe=ripe)

    def close(self) -> None:
        for rig in self.rigs.values():
            rig.close()


def harvest(seed: int, berries: int, names: Sequence[str]) -> Together:
    """Harvest one bed side by robots that share its rail."""
    row = SharedRow(bed(berries, berries // 2), seed, names)
    row.get_ready()
    row.order()
    row.run(limit=40.0 * (berries + 8))
    result = row.result()
    row.close()
    return result


def compare(seed: int, berries: int) -> dict[str, Any]:
    """Harvest one bed side with one robot and with two; return both rates and their ratio."""
    alone, both = harvest(seed, berries, NAMES[:1]), harvest(seed, berries, NAMES)
    one, two = sum(alone.picked) / alone.seconds, sum(both.picked) / both.seconds
    return {
        "tier": "fast",
        "seed": seed,
        "ripe": alone.ripe,
        "picked_by_one": sum(alone.picked),
        "picked_by_two": sum(both.picked),
        "placed_by_two": both.placed,
        "seconds_one": round(alone.seconds, 1),
        "seconds_two": round(both.seconds, 1),
        "waited_s": round(both.waited, 1),
        "nearest_m": round(both.nearest, 3),
        "overlaps": both.overlaps,
        "outside_m": round(both.outside, 4),
        "stops_one": list(alone.stops),
        "stops_two": [stop for stop in both.stops if EXPIRED not in stop],
        "finished": alone.finished and both.finished,
        "ratio": round(two / one, 2) if one else None,
    }
