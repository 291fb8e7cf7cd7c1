"""The fault campaign: rows harvested in the kinematic tier while things break at random times, judged independently."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sim.fast.faults import draw
from sim.fast.harvest import Ended, FastHarvest, FastSettings
from telemetry.messages.tables import Fault, faults

FAULTS_PER_ROW = (1, 3)
"""How many faults come in one row, both included."""

SPAN = 14.0
"""Within so long from the start they come [s]; a row without faults takes about as long."""

WORST = 20
"""So many unsafe runs are told in full."""


def harvest(seed: int, settings: FastSettings, span: float) -> Ended:
    """Harvest one row with the faults of this seed."""
    rng = np.random.default_rng([seed, 0xFA01])
    planned = draw(rng, int(rng.integers(FAULTS_PER_ROW[0], FAULTS_PER_ROW[1] + 1)), span)
    return FastHarvest(settings, seed, planned).run()


def complaints(ended: Ended, table: dict[str, Fault]) -> Iterator[str]:
    """Yield what was wrong with a run besides what the monitor saw."""
    for cause in ended.stops:
        known = table.get(cause)
        if known is None or not (known.zh and known.en and known.do_zh and known.do_en):
            yield f"it stopped for {cause!r}, which the fault table does not explain"
    if not ended.came_back:
        yield f"it did not come back after {ended.stops[-1]}"
    elif not ended.finished:
        yield f"the row was not finished after {ended.seconds:.0f} s"
    if not ended.counted <= ended.placed <= ended.counted + ended.tried:
        told = f"counted {ended.counted} berries and reported {ended.tried} as not picked"
        yield f"it {told}, {ended.placed} lie in the punnet"


def run(
    runs: int,
    seed: int,
    *,
    settings: FastSettings | None = None,
    span: float = SPAN,
    told: Callable[[int, Ended], None] = lambda _, __: None,
) -> dict[str, Any]:
    """Harvest `runs` rows and return the figures.

    Args:
        seed: of the first row; the next ones follow.
        settings: of the rows.
        span: faults come within so long from the start [s].
        told: called after each row with its seed.
    """
    table = faults()
    began = time.process_time()
    unsafe: list[dict[str, Any]] = []
    wrong: list[dict[str, Any]] = []
    came, stops = Counter[str](), Counter[str]()
    totals = Counter[str]()
    seconds = travel = force = speed = 0.0
    for k in range(runs):
        ended = harvest(seed + k, settings or FastSettings(), span)
        told(seed + k, ended)
        came.update(ended.faults)
        stops.update(ended.stops)
        findings = ended.findings
        problems = list(complaints(ended, table))
        if findings.unsafe:
            unsafe.append({"seed": seed + k, "faults": list(ended.faults), "what": findings.unsafe[:3]})
        if problems:
            wrong.append({"seed": seed + k, "faults": list(ended.faults), "what": problems})
        totals.update(ripe=ended.ripe, counted=ended.counted, placed=ended.placed, lost=ended.lost)
        totals.update(in_punnet_but_reported_as_not_picked=ended.placed - ended.counted)
        totals.update(commands=findings.commands)
        seconds += ended.seconds
        travel, force = max(travel, findings.travel), max(force, findings.force)
        speed = max(speed, findings.tool_speed)
    cpu = time.process_time() - began
    return {
        "bench": "faults",
        "tier": "fast",
        "runs": runs,
        "seed": seed,
        "unsafe": len(unsafe),
        "not_explained_or_not_resumed_or_miscounted": len(wrong),
        "faults": dict(sorted(came.items())),
        "stops": dict(sorted(stops.items())),
        **dict(totals),
        "simulated_s": round(seconds, 1),
        "cpu_s": round(cpu, 1),
        "cpu_ms_per_pick": round(1e3 * cpu / max(1, totals["counted"]), 1),
        "largest_travel_m": round(travel, 3),
        "largest_tool_speed": round(speed, 3),
        "largest_pad_force_n": round(force, 2),
        "unsafe_runs": unsafe[:WORST],
        "wrong_runs": wrong[:WORST],
    }
