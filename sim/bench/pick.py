"""How well and how fast the robot picks a simulated bed side: every node in one process, berries seen in pixels only.

Simulation is not the field: leaves and stems do not resist here, and the damage limits are assumptions.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from robot.nodes.convert import RELIABLE, to_time
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from sim import truth
from sim.cell import CellSettings, DamageModel
from sim.lockstep import Lockstep
from sim.rig import Rig, RigSettings
from sim.scenarios import load_scenario
from vision import default_detector

CLASSES = ("isolated", "partly_hidden", "cluster", "enclosed")
BERRIES_PER_SEGMENT = 11
"""As on the scenario `bed`: 45 berries on four segments of 0.6 m."""

SEGMENTS_PER_BED = 4
MATCH = 0.03
"""An outcome belongs to the berry that hung within this distance of it [m]."""

SECONDS_PER_SEGMENT = 240.0
"""A harvest that takes longer than this is broken off and scored as it is [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """One bed side, harvested."""

    outcomes: tuple[Any, ...]
    score: truth.Score
    score_half: truth.Score
    seconds: float
    wall: float
    cpu: float
    status: str


def run(
    seed: int, berries: int, *, scenario: str = "bed", segments: Sequence[int] | None = None, force: float = 1.0
) -> dict[str, Any]:
    """Harvest bed sides with `berries` fruit in all and return the figures.

    Args:
        seed: of the first bed; each further one adds 1000.
        berries: number of fruit of every stage; up to 45 grow on one bed side.
        scenario: a name of `sim.scenarios`.
        segments: harvests these only; all by default.
        force: largest pad force [N].
    """
    done: list[Harvest] = []
    left = berries
    while left > 0:
        here = min(left, BERRIES_PER_SEGMENT * SEGMENTS_PER_BED + 1)
        settings = bed(load_scenario(scenario), here)
        done.append(harvest(settings, seed + 1000 * len(done), segments=segments, force=force))
        left -= here
    return figures(done, seed)


def bed(settings: CellSettings, berries: int) -> CellSettings:
    """Return the cell with `berries` fruit at the scenario's density, in whole segments."""
    scene = settings.scene
    count = min(SEGMENTS_PER_BED, max(1, round(berries / BERRIES_PER_SEGMENT)))
    return replace(settings, scene=replace(scene, berries=berries, length=count * scene.segment_length))


def harvest(settings: CellSettings, seed: int, *, segments: Sequence[int] | None = None, force: float = 1.0) -> Harvest:
    """Harvest one bed side in lockstep."""
    scene = settings.scene
    visible = truth.visible_shares(scene, seed)
    clock = Lockstep(epoch=settings.epoch)
    rig = Rig(clock, RigSettings(cell=settings, seed=seed), default_detector())
    outcomes: list[Any] = []
    status: list[str] = []
    watcher = Node("bench", context=rig.context, namespace=rig.settings.namespace)
    watcher.create_subscription(berry_msgs.msg.PickOutcome, "picks", outcomes.append, RELIABLE)
    watcher.create_subscription(
        berry_msgs.msg.OrderStatus, "orders/status", lambda message: status.append(message.status), RELIABLE
    )
    wanted = list(segments) if segments is not None else list(range(math.ceil(scene.length / scene.segment_length)))
    order = berry_msgs.srv.SubmitOrder.Request(
        id="bench",
        issuer="bench",
        expires_at=to_time(clock.now() + 86400.0),
        bed=rig.settings.bed,
        side="a",
        segments=wanted,
        segment_length=scene.segment_length,
        ripeness_min=truth.WINDOW[0],
        ripeness_max=truth.WINDOW[1],
        speed=1.0,
        force=force,
    )
    watcher.create_client(berry_msgs.srv.SubmitOrder, "orders/submit").call_async(order)
    began, cpu = time.perf_counter(), time.process_time()
    clock.run(until=lambda: status[-1:] in (["done"], ["failed"]), seconds=SECONDS_PER_SEGMENT * len(wanted))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    damage = settings.damage
    half = DamageModel(
        marginal=damage.marginal / 2.0,
        bruised=damage.bruised / 2.0,
        crushed=damage.crushed / 2.0,
        impact=damage.impact / 2.0,
        time_constant=damage.time_constant,
    )
    result = Harvest(
        outcomes=tuple(outcomes),
        score=truth.score(rig.cell, visible=visible),
        score_half=truth.score(rig.cell, visible=visible, damage=half),
        seconds=clock.monotonic(),
        wall=wall,
        cpu=cpu,
        status=status[-1] if status else "not begun",
    )
    rig.close()
    return result


def figures(done: Sequence[Harvest], seed: int) -> dict[str, Any]:
    """Return the figures over several harvests, by class of difficulty and over all."""
    rows = [row for harvested in done for row in _rows(harvested)]
    result: dict[str, Any] = {name: _class([r for r in rows if r.record.difficulty == name]) for name in CLASSES}
    result["overall"] = _class(rows)
    seconds, placed = sum(h.seconds for h in done), sum(h.score.placed for h in done)
    result["overall"]["seconds_per_berry"] = round(seconds / placed, 2) if placed else None
    result["counts"] = {
        name: sum(getattr(h.score, name) for h in done)
        for name in ("ripe_present", "picked", "placed", "damaged", "unripe_picked", "neighbours_lost", "dropped")
    }
    result["counts"]["attempted"] = sum(o.attempt > 0 for h in done for o in h.outcomes)
    result |= {
        "seconds": round(seconds, 1),
        "rtf": round(seconds / sum(h.wall for h in done), 2),
        "rtf_cpu": round(seconds / sum(h.cpu for h in done), 2),
        "tier": "mujoco",
        "seed": seed,
        "camera_hz": 15.0,
        "status": sorted({h.status for h in done}),
    }
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    record: truth.BerryRecord
    damaged_half: bool
    outcome: Any

    @property
    def ripe(self) -> bool:
        return truth.WINDOW[0] <= self.record.ripeness <= truth.WINDOW[1]

    @property
    def placed(self) -> bool:
        return self.record.place == "placed"


def _rows(harvested: Harvest) -> list[_Row]:
    """Return each berry's truth with the outcome reported at its place, the best one when there are several."""
    halves = {record.id: record.damaged for record in harvested.score_half.records}
    rows = []
    for record in harvested.score.records:
        near = [o for o in harvested.outcomes if math.dist(_place(o), record.position) < MATCH]
        near.sort(key=lambda o: (o.result != "ok", o.attempt == 0, math.dist(_place(o), record.position)))
        rows.append(_Row(record=record, damaged_half=halves[record.id], outcome=near[0] if near else None))
    return rows


def _place(outcome: Any) -> tuple[float, float, float]:
    return float(outcome.position.x), float(outcome.position.y), float(outcome.position.z)


def _class(rows: Sequence[_Row]) -> dict[str, Any]:
    ripe = [r for r in rows if r.ripe]
    taken = [r for r in rows if r.record.cause]
    placed = [r for r in ripe if r.placed]
    first = [r for r in placed if r.outcome is not None and r.outcome.attempt <= 1]
    seconds = [float(r.outcome.seconds) for r in placed if r.outcome is not None and r.outcome.result == "ok"]
    missed = Counter(r.outcome.result if r.outcome is not None else "unseen" for r in ripe if not r.placed)
    return {
        "n": len(ripe),
        "first_attempt": _share(len(first), len(ripe)),
        "success": _share(len(placed), len(ripe)),
        "seconds_per_berry": round(float(np.mean(seconds)), 2) if seconds else None,
        "damaged": _share(sum(r.record.damaged for r in taken), len(taken)),
        "damaged_half_threshold": _share(sum(r.damaged_half for r in taken), len(taken)),
        "unripe_picked": _share(sum(r.record.gripped and not r.ripe for r in taken), len(taken)),
        "neighbours_lost": _share(sum(not r.record.gripped for r in taken), len(taken)),
        "reasons": dict(sorted(missed.items())),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures of one run as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--berries", type=int, default=45)
    parser.add_argument("--scenario", default="bed")
    parser.add_argument("--force", type=float, default=1.0)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.ERROR, format="%(message)s")
    result = run(options.seed, options.berries, scenario=options.scenario, force=options.force)
    json.dump(result, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
