"""The fault campaign: rows harvested in the kinematic tier while things break at random times, judged independently."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sim.fast.faults import KINDS, draw
from sim.fast.harvest import Ended, FastHarvest, FastSettings
from telemetry.messages.tables import Fault, faults

FAULTS_PER_ROW = (1, 3)
"""How many faults come in one row, both included."""

SPAN = 14.0
"""Within so long from the start they come [s]; a row without faults takes about as long."""

WORST = 20
"""So many unsafe runs are told in full."""

SUMS = ("ripe", "counted", "placed", "lost", "commands")
LARGEST = {"travel": "largest_travel_m", "tool_speed": "largest_tool_speed", "force": "largest_pad_force_n"}

Row = Mapping[str, Any]
"""What is kept of one row: plain values, so that it can be a line of JSON."""


def harvest(seed: int, settings: FastSettings, span: float) -> Ended:
    """Harvest one row with the faults of this seed."""
    rng = np.random.default_rng([seed, 0xFA01])
    planned = draw(rng, int(rng.integers(FAULTS_PER_ROW[0], FAULTS_PER_ROW[1] + 1)), span)
    return FastHarvest(settings, seed, planned).run()


def unexplained(ended: Ended, table: Mapping[str, Fault]) -> Iterator[str]:
    """Yield the causes it stopped for that the fault table has no words for, in zh and in en."""
    for cause in ended.stops:
        known = table.get(cause)
        if known is None or not (known.zh and known.en and known.do_zh and known.do_en):
            yield f"it stopped for {cause!r}, which the fault table does not explain"


def stranded(ended: Ended) -> Iterator[str]:
    """Yield that it did not go on after a stop, or not to the end of the row."""
    if not ended.came_back:
        yield f"it did not come back after {ended.stops[-1]}"
    elif not ended.finished:
        yield f"the row was not finished after {ended.seconds:.0f} s"


def miscounted(ended: Ended) -> Iterator[str]:
    """Yield that its own count is not what lies in the punnet; what it says it tried in vain may lie there too."""
    if not ended.counted <= ended.placed <= ended.counted + ended.tried:
        told = f"counted {ended.counted} berries and reported {ended.tried} as not picked"
        yield f"it {told}, {ended.placed} lie in the punnet"


def complaints(ended: Ended, table: Mapping[str, Fault]) -> Iterator[str]:
    """Yield what was wrong with a run besides what the monitor saw."""
    yield from unexplained(ended, table)
    yield from stranded(ended)
    yield from miscounted(ended)


def kept(seed: int, ended: Ended, table: Mapping[str, Fault], cpu: float) -> Row:
    """Return what is kept of a row."""
    findings = ended.findings
    return {
        "seed": seed,
        "faults": list(ended.faults),
        "stops": list(ended.stops),
        "unsafe": findings.unsafe[:3],
        "problems": list(complaints(ended, table)),
        "explained": not any(unexplained(ended, table)),
        "resumed": not any(stranded(ended)),
        "counted_right": not any(miscounted(ended)),
        "ripe": ended.ripe,
        "counted": ended.counted,
        "placed": ended.placed,
        "lost": ended.lost,
        "commands": findings.commands,
        "travel": findings.travel,
        "tool_speed": findings.tool_speed,
        "force": findings.force,
        "seconds": round(ended.seconds, 3),
        "cpu": round(cpu, 3),
    }


def rows_in(out: Path) -> list[Row]:
    """Return the rows that a file holds; make it where there is none, cut off a last line that was not written whole.

    Raises:
        ValueError: a line is no row: the file is another one, and is left as it is.
        OSError: it cannot be read or written.
    """
    out.touch()
    text = out.read_text(encoding="utf-8")
    whole, end, torn = text.rpartition("\n")
    found: list[Row] = []
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            row = None
        if not isinstance(row, dict) or "seed" not in row or "stops" not in row:
            raise ValueError(f"{out}, line {number}: expected a row of a fault campaign, got {line[:40]!r}")
        found.append(row)
    if torn and not torn.startswith('{"seed"'[: len(torn)]):
        raise ValueError(f"{out}: expected rows of a fault campaign, got {torn[:40]!r}")
    if torn:
        out.write_text(whole + end, encoding="utf-8")
    return found


def rows(
    count: int,
    seed: int,
    *,
    settings: FastSettings | None = None,
    span: float = SPAN,
    told: Callable[[int], None] = lambda _: None,
    out: Path | None = None,
) -> list[Row]:
    """Harvest `count` rows.

    Args:
        seed: of the first row; the next ones follow.
        settings: of the rows.
        span: faults come within so long from the start [s].
        told: called after each row with its seed.
        out: each row is written there as one line of JSON at once; rows that are there already are not harvested again.

    Raises:
        ValueError: `out` holds something else than rows.
        OSError: it cannot be read or written.
    """
    table = faults()
    done = {} if out is None else {row["seed"]: row for row in rows_in(out)}
    harvested = []
    for number in range(seed, seed + count):
        row = done.get(number)
        if row is None:
            began = time.process_time()
            ended = harvest(number, settings or FastSettings(), span)
            row = kept(number, ended, table, time.process_time() - began)
            if out is not None:
                with out.open("a", encoding="utf-8") as file:
                    print(json.dumps(row, ensure_ascii=False), file=file)
        harvested.append(row)
        told(number)
    return harvested


def by_fault(harvested: Iterable[Row]) -> dict[str, dict[str, int]]:
    """Count for each fault of the table the rows in which it came, and how those ended; a row may have several."""
    table: dict[str, Counter[str]] = {kind.name: Counter() for kind in KINDS}
    for row in harvested:
        for name in set(row["faults"]):
            table[name].update(
                rows=1,
                safe=not row["unsafe"],
                wrong_counts=not row["counted_right"],
                stopped=bool(row["stops"]),
                resumed=bool(row["stops"]) and row["resumed"],
                texts_zh_en=row["explained"],
            )
    keys = ("rows", "safe", "wrong_counts", "stopped", "resumed", "texts_zh_en")
    return {name: {key: counts[key] for key in keys} for name, counts in sorted(table.items())}


def figures(harvested: list[Row], seed: int) -> dict[str, Any]:
    """Return the figures of rows that were harvested."""
    unsafe = [{"seed": r["seed"], "faults": r["faults"], "what": r["unsafe"]} for r in harvested if r["unsafe"]]
    wrong = [{"seed": r["seed"], "faults": r["faults"], "what": r["problems"]} for r in harvested if r["problems"]]
    totals = {name: sum(row[name] for row in harvested) for name in SUMS}
    cpu = sum(row["cpu"] for row in harvested)
    return {
        "bench": "faults",
        "tier": "fast",
        "runs": len(harvested),
        "seed": seed,
        "unsafe": len(unsafe),
        "not_explained_or_not_resumed_or_miscounted": len(wrong),
        "faults": dict(sorted(Counter(name for row in harvested for name in row["faults"]).items())),
        "by_fault": by_fault(harvested),
        "stops": dict(sorted(Counter(cause for row in harvested for cause in row["stops"]).items())),
        **totals,
        "in_punnet_but_reported_as_not_picked": totals["placed"] - totals["counted"],
        "simulated_s": round(sum(row["seconds"] for row in harvested), 1),
        "cpu_s": round(cpu, 1),
        "cpu_ms_per_pick": round(1e3 * cpu / max(1, totals["counted"]), 1),
        **{told: round(max((row[name] for row in harvested), default=0.0), 3) for name, told in LARGEST.items()},
        "unsafe_runs": unsafe[:WORST],
        "wrong_runs": wrong[:WORST],
    }


def run(count: int, seed: int, **how: Any) -> dict[str, Any]:
    """Harvest `count` rows and return the figures; `how` as for `rows`."""
    return figures(rows(count, seed, **how), seed)
