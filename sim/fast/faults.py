"""The fault table: what can go wrong in a harvest, how long, and by when the arm has to stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.fast.hardware import Broken
from sim.fast.wire import Trouble

if TYPE_CHECKING:
    from sim.fast.harvest import FastHarvest

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row.

    Attributes:
        begin: breaks it, with an integer from 0 to 6 that says which joint where that matters.
        end: mends it; None when nothing lasts.
        lasts: how long [s], drawn uniformly.
        stands: by when the arm has to stand, after it began [s]; None = it may go on, safely.
        travel: of the tool until then [m].
        only_while: the machine stands by itself while it lasts, and the loop may not have noticed anything.
        runs_away: the arm moves by itself, also one that stands; it shows itself only when commands arrive, and what
            keeps them away puts it off.
    """

    name: str
    begin: Callable[[FastHarvest, int], None]
    end: Callable[[FastHarvest], None] | None = None
    lasts: Range = (0.5, 2.0)
    stands: float | None = None
    travel: float = 1.0
    only_while: bool = False
    runs_away: bool = False


def wire(**values: object) -> Callable[[FastHarvest, int], None]:
    return lambda harvest, _: _set(harvest.wire.trouble, values)


def machine(**values: object) -> Callable[[FastHarvest, int], None]:
    return lambda harvest, _: _set(harvest.machine.broken, values)


def _set(target: Trouble | Broken, values: dict[str, object]) -> None:
    for name, value in values.items():
        setattr(target, name, value)


def _stuck(harvest: FastHarvest, joint: int) -> None:
    harvest.machine.broken.stuck = (joint,)


def _reversed(harvest: FastHarvest, joint: int) -> None:
    harvest.machine.broken.reversed = (joint,)


def _jump(harvest: FastHarvest, joint: int) -> None:
    offset = np.zeros(7)
    offset[joint] = 0.03 if joint == 0 else 0.5
    harvest.machine.broken.offset = offset


def _drift(harvest: FastHarvest, joint: int) -> None:
    offset = np.zeros(7)
    offset[joint] = 0.004 if joint == 0 else 0.02
    harvest.machine.broken.offset = offset


def _not_a_number(harvest: FastHarvest, joint: int) -> None:
    harvest.machine.broken.not_a_number = (joint,)


def _flip(harvest: FastHarvest, joint: int) -> None:
    harvest.wire.trouble.flip = joint


def mend(*names: str) -> Callable[[FastHarvest], None]:
    """Make whole again what these attributes broke, and nothing else that is broken too."""

    def end(harvest: FastHarvest) -> None:
        for target, whole in ((harvest.wire.trouble, Trouble()), (harvest.machine.broken, Broken())):
            for name in names:
                if hasattr(whole, name):
                    setattr(target, name, getattr(whole, name))
        harvest.monitor.allow_catching_up()

    return end


def _die(name: str) -> Callable[[FastHarvest, int], None]:
    return lambda harvest, _: harvest.die(name)


def _live(name: str) -> Callable[[FastHarvest], None]:
    return lambda harvest: harvest.live(name)


AT_ONCE = 0.35
"""A machine's own stop, or the fastest of all joints, with one tick to notice [s]."""

ON_THE_PATH = 1.9
"""Half a second until a silent program is missed, then a stop along the path [s]."""

KINDS: tuple[Kind, ...] = (
    Kind(name="commands dropped", begin=wire(drop=0.3), end=mend("drop")),
    Kind(name="commands lost", begin=wire(drop=1.0), end=mend("drop"), only_while=True,
         lasts=(1.0, 2.0), stands=0.1, travel=0.10),
    Kind(name="commands late", begin=wire(delay=5), end=mend("delay")),
    Kind(name="commands expired", begin=wire(delay=20), end=mend("delay"), only_while=True,
         lasts=(1.0, 2.0), stands=0.15, travel=0.10),
    Kind(name="commands doubled", begin=wire(twice=True), end=mend("twice")),
    Kind(name="commands reordered", begin=wire(reorder=True), end=mend("reorder")),
    Kind(name="measurement frozen", begin=wire(frozen=True), end=mend("frozen"), stands=AT_ONCE, travel=0.12),
    Kind(name="bit turned over", begin=_flip, end=mend("flip"), lasts=(0.004, 0.1)),
    Kind(name="not a number", begin=_not_a_number, end=mend("not_a_number"), stands=AT_ONCE, travel=0.12),
    Kind(name="joint stuck", begin=_stuck, end=mend("stuck")),
    Kind(name="joint runs away", begin=_reversed, end=mend("reversed"),
         lasts=(1.0, 2.0), stands=0.35, travel=0.30, runs_away=True),
    Kind(name="fruit slips", begin=machine(slippery=True), end=mend("slippery"), lasts=(0.02, 0.2)),
    Kind(name="blade stuck", begin=machine(blade_stuck=True), end=mend("blade_stuck")),
    Kind(name="encoder jumps", begin=_jump, end=mend("offset"), stands=AT_ONCE, travel=0.12),
    Kind(name="encoder off a little", begin=_drift, end=mend("offset")),
    Kind(name="wire cut", begin=wire(cut_off=True), end=mend("cut_off"),
         lasts=(0.3, 2.0), stands=AT_ONCE, travel=0.12),
    Kind(name="driver crashes", begin=wire(crash=True), end=mend("crash"),
         lasts=(0.3, 2.0), stands=AT_ONCE, travel=0.12),
    Kind(name="drive reports", begin=machine(codes=("over_current",)), end=mend("codes"),
         stands=AT_ONCE, travel=0.12),
    Kind(name="stop circuit open", begin=machine(codes=("estop_input",)), end=mend("codes"),
         stands=AT_ONCE, travel=0.12),
    Kind(name="door open", begin=machine(codes=("door_open",)), end=mend("codes"), stands=0.6, travel=0.25),
    Kind(name="wall clock steps", begin=lambda h, n: h.step_clock((n - 3) * 1200.0 or 60.0)),
    Kind(name="loop pauses", begin=lambda h, n: h.pause(0.03 * 2**n), stands=2.6, travel=0.25),
    Kind(name="eyes killed", begin=_die("eyes"), end=_live("eyes"), lasts=(1.0, 3.0), stands=ON_THE_PATH, travel=0.7),
    Kind(name="picker killed", begin=_die("picker"), end=_live("picker"), lasts=(1.0, 3.0), stands=ON_THE_PATH,
         travel=0.7),
    Kind(name="mission killed", begin=_die("mission"), end=_live("mission"), lasts=(1.0, 3.0), stands=ON_THE_PATH,
         travel=0.7),
    Kind(name="operator stops", begin=lambda h, _: h.loop.stop(), stands=0.6, travel=0.25),
    Kind(name="operator holds", begin=lambda h, _: h.loop.hold(), stands=1.4, travel=0.4),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A fault that will come: at `at` [s] after the start, for `lasts` [s]."""

    kind: Kind
    at: float
    lasts: float
    joint: int


def draw(rng: np.random.Generator, count: int, span: float) -> list[Planned]:
    """Draw faults at random times within `span` [s], in their order."""
    planned = []
    for _ in range(count):
        kind = KINDS[int(rng.integers(len(KINDS)))]
        planned.append(
            Planned(
                kind=kind,
                at=float(rng.uniform(0.5, span)),
                lasts=float(rng.uniform(*kind.lasts)),
                joint=int(rng.integers(7)),
            )
        )
    return sorted(planned, key=lambda fault: fault.at)
