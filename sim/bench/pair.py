"""`bench pair --tier mujoco`: two robots on one rail in one MuJoCo scene, with perception; the lease keeps them apart.

Each has its loop, its nodes and its eyes; physics, fruit and the lease are common. Simulation is not the field.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from robot.arms import load_arm
from robot.nodes.row_lease import EXPIRED
from sim import truth
from sim.bench.figures import share
from sim.bench.pick import SECONDS_PER_SEGMENT
from sim.cell import TICK, CellSettings, cells_on_one_rail
from sim.lockstep import Lockstep
from sim.rig import Rig, RigSettings
from sim.scenarios.card import Card, cell_settings, load_card
from sim.scenarios.scene_file import deal
from sim.scene.settings import SceneSettings
from sim.sharing import LENGTH, NAMES, STRETCH, SharedRail, Together
from vision.types import Detector


def bed(card: Card, ripe: int) -> CellSettings:
    """Return the card's cell with a bed side as long as one rail serves, its fruit by the card's mix of classes."""
    unripe = round(ripe * card.number("crop", "unripe_per_m") / card.number("crop", "ripe_per_m"))
    scene = SceneSettings(
        length=LENGTH,
        segment_length=STRETCH,
        mix=deal(ripe, unripe, card.numbers("crop", "mix")),
        leaf_occlusion=card.number("crop", "leaf_occlusion"),
        berries=ripe + unripe,
    )
    return cell_settings(card, scene)


class SharedBed(SharedRail):
    """Robots of the MuJoCo tier on one rail.

    Args:
        arms: name of each one's description, from left to right.
        latency: computing time that is modelled for the eyes [s].
        oracle: true poses in place of pictures and perception.
    """

    def __init__(
        self,
        cell: CellSettings,
        seed: int,
        arms: Sequence[str],
        detector: Detector,
        *,
        latency: float = 0.1,
        oracle: bool = False,
    ) -> None:
        names = NAMES[: len(arms)]
        clock = Lockstep(cell.epoch)
        super().__init__(clock, cell.scene, {name: load_arm(arm) for name, arm in zip(names, arms, strict=True)})
        homes = [self.begins(name) + 0.1 if number else cell.home[0] for number, name in enumerate(names)]
        self.cells = cells_on_one_rail(cell, seed, arms, homes)
        self.world = self.cells[0].world
        clock.every(TICK, self.world.step)
        self.rigs: dict[str, Rig] = {}
        for name, own in zip(names, self.cells, strict=True):
            settings = RigSettings(
                cell=own.settings,
                seed=seed,
                namespace=f"/{name}",
                robot=name,
                latency=latency,
                oracle=oracle,
                row=self.row,
            )
            self.rigs[name] = Rig(clock, settings, detector, cell=own, context=self.context)
            self.watch(name, lambda own=own: own.joints)  # type: ignore[misc]

    def score(self, visible: Any = None) -> truth.Score:
        """Return the truth about the fruit; `visible`: as `truth.visible_shares` measured it."""
        return truth.score(self.cells[0], visible=visible)

    def result(self, score: truth.Score) -> Together:
        """Return how it went so far."""
        return self.together(placed=score.placed, ripe=score.ripe_present)

    def close(self) -> None:
        for rig in self.rigs.values():
            rig.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvested:
    """One bed side, harvested by robots that share it.

    Attributes:
        cpu: computing time of one core [s].
        clashes, clash_force: physics steps in which two robots touched, and how hard at most [N].
    """

    together: Together
    score: truth.Score
    cpu: float
    clashes: int
    clash_force: float

    @property
    def rate(self) -> float:
        """Ripe berries in the punnets per second."""
        return self.score.placed / self.together.seconds

    def figures(self) -> dict[str, Any]:
        """Return what is told of one harvest; damage per berry that was taken between pads."""
        taken = sum(record.gripped for record in self.score.records)
        return {
            "arms": len(self.together.picked),
            "picked_by": list(self.together.picked),
            "placed": self.score.placed,
            "picked_rate": share(self.score.placed, self.score.ripe_present),
            "damaged": share(self.score.damaged, taken),
            "unripe_picked": share(self.score.unripe_picked, taken),
            "neighbours_lost": share(self.score.neighbours_lost, taken),
            "dropped": self.score.dropped,
            "seconds": round(self.together.seconds, 1),
            "ready_s": round(self.together.ready, 1),
            "berries_per_hour": round(3600.0 * self.rate),
            "stops": [stop for stop in self.together.stops if EXPIRED not in stop],
            "finished": self.together.finished,
        }


def harvest(
    cell: CellSettings,
    seed: int,
    arms: Sequence[str],
    detector: Detector,
    *,
    visible: Any,
    latency: float,
    oracle: bool,
) -> Harvested:
    """Harvest one bed side by robots that share its rail."""
    row = SharedBed(cell, seed, arms, detector, latency=latency, oracle=oracle)
    row.get_ready()
    row.order()
    began = time.process_time()
    row.run(limit=SECONDS_PER_SEGMENT * cell.scene.length / cell.scene.segment_length, until=row.over)
    cpu = time.process_time() - began
    score = row.score(visible)
    done = Harvested(
        together=row.result(score),
        score=score,
        cpu=cpu,
        clashes=row.world.clashes,
        clash_force=row.world.clash_force,
    )
    row.close()
    return done


def compare(seed: int, ripe: int, *, arms: Sequence[str], detector: Detector, oracle: bool = False) -> dict[str, Any]:
    """Harvest one bed side with the first of two robots alone and with both; `ratio` is that of their rates."""
    card = load_card()
    cell, latency = bed(card, ripe), card.number("camera", "latency")
    visible = truth.visible_shares(cell.scene, seed)
    alone, both = (
        harvest(cell, seed, those, detector, visible=visible, latency=latency, oracle=oracle)
        for those in (arms[:1], arms)
    )
    return {
        "tier": "mujoco",
        "seed": seed,
        "arms": list(arms),
        "ripe": alone.score.ripe_present,
        "one": alone.figures(),
        "two": both.figures(),
        "ratio": round(both.rate / alone.rate, 2) if alone.score.placed else None,
        "clashes": both.clashes,
        "clash_force_n": round(both.clash_force, 1),
        "nearest_m": round(both.together.nearest, 3),
        "overlaps": both.together.overlaps,
        "outside_m": round(both.together.outside, 4),
        "waited_s": round(both.together.waited, 1),
        "rtf_one": round(alone.together.seconds / alone.cpu, 2),
        "rtf_two": round(both.together.seconds / both.cpu, 2),
    }
