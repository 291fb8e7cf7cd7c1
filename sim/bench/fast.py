"""`bench pick --tier fast`: whole beds in the kinematic tier, a second of computing for each berry.

Nothing hides, swings, bends or is damaged there, and the eyes know the truth: the figures show what planning, moving
and laying down take, and nothing of perception or handling.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from robot.pick.candidates import Window
from robot.pick.result import PickResult
from sim.bench.pick import NEXT_BED, beds
from sim.fast.harvest import FastHarvest, FastSettings
from sim.scenarios.card import load_card
from sim.scene.settings import SceneSettings

PER_BERRY = 20.0
"""A bed that takes longer than this for each berry on it is broken off [s]."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """Sums over the beds; `first`: placed at their first attempt."""

    ripe: int = 0
    placed: int = 0
    first: int = 0
    seconds: float = 0.0
    cpu: float = 0.0


def run(seed: int, berries: int, *, scene: SceneSettings | None = None, arm: str = "") -> dict[str, Any]:
    """Harvest beds with `berries` ripe fruit in all, without faults, and return the figures.

    Args:
        seed: of the first bed.
        scene: this bed side instead of beds drawn by the card's mix.
        arm: another than the card's.
    """
    sum_, reasons, window = Tally(), Counter[str](), Window()
    for k, cell in enumerate(beds(load_card(), seed, berries, scene)):
        side = replace(cell.scene, arm=arm or cell.scene.arm)
        limit = PER_BERRY * max(1, len(side.given_berries) or side.berries)
        began = time.process_time()
        harvest = FastHarvest(FastSettings(scene=side, limit=limit), seed + NEXT_BED * k, [])
        ended = harvest.run()
        sum_.cpu += time.process_time() - began
        sum_.ripe += ended.ripe
        sum_.placed += ended.counted
        sum_.seconds += ended.seconds
        last = {outcome.target.id: outcome for outcome in harvest.picking.journal}.values()
        sum_.first += sum(outcome.result is PickResult.OK and outcome.attempt == 1 for outcome in last)
        left = [o for o in last if o.result is not PickResult.OK and o.target.ripeness >= window.ripeness_min]
        reasons.update(str(outcome.result) for outcome in left)
    overall = {
        "n": sum_.ripe,
        "first_attempt": _share(sum_.first, sum_.ripe),
        "success": _share(sum_.placed, sum_.ripe),
        "seconds_per_berry": round(sum_.seconds / sum_.placed, 2) if sum_.placed else None,
        "reasons": dict(sorted(reasons.items())),
    }
    rtf = round(sum_.seconds / max(1e-9, sum_.cpu), 2)
    return {"overall": overall, "rtf": rtf, "tier": "fast", "seed": seed, "camera_hz": None}


def _share(count: int, of: int) -> float | None:
    return round(count / of, 4) if of else None
