"""Figures of harvested beds by class of difficulty: the robot's own reports held against the truth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from sim import truth

CLASSES = ("isolated", "partly_hidden", "cluster", "enclosed")

MATCH = 0.03
"""An outcome belongs to the berry that hung within this distance of it [m]."""


class Harvested(Protocol):
    """What is judged; see `sim.bench.pick.Harvest`."""

    @property
    def outcomes(self) -> tuple[Any, ...]: ...
    @property
    def score(self) -> truth.Score: ...
    @property
    def score_half(self) -> truth.Score: ...
    @property
    def seconds(self) -> float: ...
    @property
    def cpu(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One berry: its truth, whether it is damaged at half the limits, and what the robot said of it."""

    record: truth.BerryRecord
    damaged_half: bool
    outcome: Any

    @property
    def ripe(self) -> bool:
        return truth.WINDOW[0] <= self.record.ripeness <= truth.WINDOW[1]

    @property
    def placed(self) -> bool:
        return self.record.place == "placed"


def figures(done: Sequence[Harvested], *, seed: int, camera_hz: float) -> dict[str, Any]:
    """Return the figures over several harvests, by class of difficulty and over all.

    Rates are shares: `first_attempt` and `success` of all ripe fruit present; `damaged`, `unripe_picked` and
    `neighbours_lost` per berry taken between the pads, where damage also counts fruit that was left hanging.
    `seconds_per_berry` of a class is the time of its attempts; over all it is the whole time, looking and travelling
    included, per berry placed. `reasons` says what became of ripe fruit that is in no punnet. `rtf` is simulated time
    over computing time of one core.
    """
    rows = [row for harvested in done for row in rows_of(harvested)]
    result: dict[str, Any] = {name: of_class([r for r in rows if r.record.difficulty == name]) for name in CLASSES}
    seconds, placed = sum(h.seconds for h in done), sum(h.score.placed for h in done)
    result["overall"] = of_class(rows) | {"seconds_per_berry": round(seconds / placed, 2) if placed else None}
    cpu = sum(h.cpu for h in done)
    return result | {"rtf": round(seconds / cpu, 2), "tier": "mujoco", "seed": seed, "camera_hz": camera_hz}


def rows_of(harvested: Harvested) -> list[Row]:
    """Return each berry's truth with the outcome reported at its place, the best one when there are several."""
    halves = {record.id: record.damaged for record in harvested.score_half.records}
    rows = []
    for record in harvested.score.records:
        near = [o for o in harvested.outcomes if math.dist(_place(o), record.position) < MATCH]
        near.sort(key=lambda o: (o.result != "ok", o.attempt == 0, math.dist(_place(o), record.position)))
        rows.append(Row(record=record, damaged_half=halves[record.id], outcome=near[0] if near else None))
    return rows


def _place(outcome: Any) -> tuple[float, float, float]:
    return float(outcome.position.x), float(outcome.position.y), float(outcome.position.z)


def of_class(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the figures of some berries; null where there was nothing to take a share of."""
    ripe = [r for r in rows if r.ripe]
    taken = [r for r in rows if r.record.gripped]
    placed = [r for r in ripe if r.placed]
    first = [r for r in placed if r.outcome is not None and r.outcome.attempt <= 1]
    seconds = [float(r.outcome.seconds) for r in placed if r.outcome is not None and r.outcome.result == "ok"]
    missed = Counter(_reason(r) for r in ripe if not r.placed)
    return {
        "n": len(ripe),
        "first_attempt": share(len(first), len(ripe)),
        "success": share(len(placed), len(ripe)),
        "seconds_per_berry": round(float(np.mean(seconds)), 2) if seconds else None,
        "damaged": share(sum(r.record.damaged for r in rows), len(taken)),
        "damaged_half_threshold": share(sum(r.damaged_half for r in rows), len(taken)),
        "unripe_picked": share(sum(not r.ripe for r in taken), len(taken)),
        "neighbours_lost": share(sum(bool(r.record.cause) and not r.record.gripped for r in rows), len(taken)),
        "reasons": dict(sorted(missed.items())),
    }


def _reason(row: Row) -> str:
    """Return the robot's own word; `unseen` when it never spoke of the berry, `dropped` when it thinks it has it."""
    if row.outcome is None:
        return "unseen"
    if row.outcome.result == "ok":
        return "dropped"
    return str(row.outcome.result)


def share(part: int, whole: int) -> float | None:
    """Return part over whole, 0-1; None of nothing."""
    return round(min(1.0, part / whole), 4) if whole else None
