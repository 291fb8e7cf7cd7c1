"""Measure the simulated cell itself: real-time factor, time per frame, and picks by a hand that knows the truth."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sim.bench.scripted import Hand, ripe
from sim.camera import SimCamera
from sim.cell import Cell, CellSettings
from sim.scenarios import load_scenario, scenarios
from sim.scene.build import HANGING
from sim.truth import Score, score


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFigures:
    """What one run measured; times are CPU time of this process.

    Attributes:
        rtf_idle: simulated over CPU seconds while nothing moves, with the hardware read and written each tick.
        rtf_picking: the same while picking, with the script's own inverse kinematics.
        frame_ms: one RGB-D frame.
        tool_error: largest tracking error of the tool in free motion and in contact [m].
        peak_pad_force: largest of any pad on any berry [N].
    """

    berries: int
    rtf_idle: float
    rtf_picking: float
    frame_ms: float
    tool_error: float
    peak_pad_force: float
    seconds_per_berry: float
    score: Score


def measure_cell(settings: CellSettings, seed: int, *, force: float = 0.8, picks: int | None = None) -> CellFigures:
    """Pick ripe berries one after another with true positions.

    Args:
        force: largest pad force [N].
        picks: how many; None = all that are ripe.
    """
    cell = Cell(settings, seed)
    hand = Hand(cell)
    began = time.process_time()
    hand.wait(2.0)
    rtf_idle = 2.0 / (time.process_time() - began)
    frame_ms = _frame_ms(cell)
    began, started, n = time.process_time(), cell.time, 0
    for berry in ripe(cell)[:picks]:
        if cell.fruit.states[berry] == HANGING:
            hand.pick(berry, force=force, place=n)
            n += 1
    cpu, simulated = time.process_time() - began, cell.time - started
    peak = max((t.peak.get("pads", 0.0) for t in cell.contacts.touches), default=0.0)
    return CellFigures(
        berries=len(cell.scene.bed.berries),
        rtf_idle=rtf_idle,
        rtf_picking=simulated / cpu if n else float("nan"),
        frame_ms=frame_ms,
        tool_error=hand.tool_error,
        peak_pad_force=peak,
        seconds_per_berry=simulated / n if n else float("nan"),
        score=score(cell),
    )


def _frame_ms(cell: Cell, frames: int = 10) -> float:
    camera = SimCamera(cell)
    try:
        camera.read()
        began = time.process_time()
        for _ in range(frames):
            camera.read()
        return (time.process_time() - began) / frames * 1e3
    finally:
        camera.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures of one bed as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenario", choices=scenarios(), default="bed")
    parser.add_argument("--picks", type=int, default=None)
    options = parser.parse_args(arguments)
    figures = asdict(measure_cell(load_scenario(options.scenario), options.seed, picks=options.picks))
    figures["score"].pop("records")
    json.dump(figures, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
