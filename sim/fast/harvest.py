"""One harvest of a whole bed side in the kinematic tier: loop, picking tree, faults, a person who resets, a count."""

from __future__ import annotations

import gc
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from robot.arms import load_arm
from robot.collision import Obstacles, World, carriage
from robot.loop import ControlLoop, LoopSettings
from robot.pick.candidates import Window
from robot.pick.reach import Reach
from robot.pick.result import PickResult
from sim.fast.body import FastBody
from sim.fast.faults import Planned
from sim.fast.hardware import HOME, FastHardware, parked
from sim.fast.monitor import Findings, Monitor
from sim.fast.person import Person
from sim.fast.picking import Picking
from sim.fast.row import Row, Where
from sim.fast.tap import Tap
from sim.fast.wire import Wire
from sim.rig import gutter
from sim.scene.settings import Mix, SceneSettings

Array = npt.NDArray[np.float64]

TICK = 0.004
"""Period of the control loop [s]."""

EPOCH = 1779256800.0
REQUIRED = ("camera", "eyes", "picker", "mission")
BEAT = 0.1
"""Signs of life every so often [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FastSettings:
    """What is harvested.

    Attributes:
        scene: the bed side; nothing hides or moves in this tier, so its leaves do not matter.
        limit: a harvest that takes longer is broken off [s].
    """

    scene: SceneSettings = field(
        default_factory=lambda: SceneSettings(length=1.2, mix=Mix(isolated=2, partly_hidden=1, unripe=2), berries=5)
    )
    limit: float = 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a harvest ended.

    Attributes:
        ripe, counted, placed: ripe fruit present; picked by the robot's own count; really in the punnet.
        lost: cut, and on the floor or still in the jaws.
        stops: causes, in the order in which they stopped the robot.
        tried: candidates that were tried and are reported as not picked.
        came_back: it went on after every stop.
        findings: what the independent monitor saw.
        seconds: simulated [s].
    """

    ripe: int
    counted: int
    placed: int
    lost: int
    stops: tuple[str, ...]
    came_back: bool
    finished: bool
    tried: int
    findings: Findings
    results: Counter[str]
    seconds: float
    faults: tuple[str, ...]


class FastHarvest:
    """A robot in front of a bed side; `run` harvests it while `faults` come true.

    Args:
        seed: of fruit, noise and wire.
        faults: what will go wrong, in the order of time.
        home: where the tool begins along the bed [m].
    """

    def __init__(
        self,
        settings: FastSettings,
        seed: int,
        faults: list[Planned],
        *,
        home: float = HOME[0],
    ) -> None:
        self._settings, self._faults = settings, list(faults)
        self._time, self._wall = 0.0, EPOCH
        self._rng = np.random.default_rng([seed, 0xFA57])
        self.arm = arm = load_arm(settings.scene.arm)
        self.row = Row(settings.scene, seed)
        self.machine = FastHardware(arm, self.monotonic, self.row, parked(arm, home))
        self.wire = Wire(self.machine, self._rng)
        self.monitor = Monitor(arm, self.machine)
        tap = Tap(self.wire, self.monitor, self.monotonic)
        obstacles = Obstacles(boxes=(*carriage(arm), gutter(settings.scene)))
        limits = LoopSettings(
            required=REQUIRED, overrun_policy=True, blackbox=1.0, local_reset=False, obstacles=obstacles
        )
        self.loop: ControlLoop = ControlLoop(tap, arm, self, limits)
        self.loop.bring_up()
        self.body = FastBody(
            self.loop, self, arm=arm, reach=Reach(arm, World(arm, obstacles)), row=self.row, rng=self._rng
        )
        self._dead: set[str] = set()
        self._paused_until = 0.0
        self._mends: list[tuple[float, Planned]] = []
        self._came: list[str] = []
        self.picking = Picking(arm, settings.scene, self.body)
        self.person = Person(self.loop, self.monitor, REQUIRED, TICK)

    # Clock

    def now(self) -> float:
        return self._wall + self._time

    def monotonic(self) -> float:
        return self._time

    # What faults do

    def step_clock(self, by: float) -> None:
        """Set the wall clock by so many seconds; the monotonic one goes on."""
        self._wall += by

    def pause(self, seconds: float) -> None:
        """Keep the loop from running, as a collection of garbage or a suspended machine would."""
        self._paused_until = self._time + seconds

    def die(self, name: str) -> None:
        """End a program; what it had in hand is gone with it."""
        self._dead.add(name)
        self.body.eyes_alive = "eyes" not in self._dead
        if name == "picker":
            self.picking.die()

    def live(self, name: str) -> None:
        """Start a program again."""
        self._dead.discard(name)
        self.body.eyes_alive = "eyes" not in self._dead

    # One harvest

    def run(self) -> Ended:
        """Harvest until nothing is left, the robot does not come back, or time is up."""
        self.person.start()
        self._step()
        collects = gc.isenabled()
        gc.disable()
        try:
            while not self.over:
                self._step()
        finally:
            if collects:
                gc.enable()
        return self._ended()

    @property
    def over(self) -> bool:
        """Nothing is left to do, time is up, or the robot does not come back."""
        return self.picking.done or self._time >= self._settings.limit or self.person.gave_up(self._time)

    def _step(self) -> None:
        """One period of the loop, and of everybody else when it is their turn."""
        self._time += TICK
        tick = round(self._time / TICK)
        self._break()
        if self._time >= self._paused_until:
            if tick % round(BEAT / TICK) == 0:
                for name in REQUIRED:
                    if name not in self._dead:
                        self.loop.heartbeat(name)
            self.loop.tick()
        self.machine.advance()
        self.monitor.look(self._time)
        if self._time < self._paused_until:
            return
        self.person.look(self._time, broken=bool(self._mends or self._dead))
        if tick % 3 == 0 and "picker" not in self._dead:
            self.picking.turn()

    def _break(self) -> None:
        """Let due faults begin and end."""
        while self._faults and self._faults[0].at <= self._time:
            fault = self._faults.pop(0)
            self._came.append(fault.kind.name)
            if fault.kind.runs_away:
                self.monitor.runs_away(self._time, fault.kind.travel)
            if fault.kind.stands is not None:
                at = self._shows_at(fault) + fault.kind.stands
                self.monitor.expect_rest(fault.kind.name, at=at, travel=fault.kind.travel)
            fault.kind.begin(self, fault.joint)
            self._mends.append((self._time + fault.lasts, fault))
        for at, fault in [m for m in self._mends if m[0] <= self._time]:
            self._mends.remove((at, fault))
            if fault.kind.end is not None:
                fault.kind.end(self)
            if fault.kind.only_while:
                self.monitor.no_longer(fault.kind.name)

    def _shows_at(self, fault: Planned) -> float:
        """Return when a fault that begins now can show itself: not while another one keeps its commands away."""
        kept_away = [at for at, other in self._mends if other.kind.only_while] if fault.kind.runs_away else []
        return max(kept_away, default=self._time)

    def _ended(self) -> Ended:
        row = self.row
        taken = row.count(Where.PLACED) + row.count(Where.DROPPED) + row.count(Where.HELD)
        journal = self.picking.journal
        results = Counter(str(o.result) for o in journal)
        counted = results[str(PickResult.OK)]
        window = Window()
        ripe = sum(window.ripeness_min <= b.ripeness <= window.ripeness_max for b in row.berries)
        return Ended(
            ripe=ripe,
            counted=counted,
            placed=row.count(Where.PLACED),
            lost=taken - row.count(Where.PLACED),
            stops=tuple(self.person.stops),
            came_back=not self.person.gave_up(self._time),
            finished=self.picking.done,
            tried=sum(o.result is not PickResult.OK and o.attempt > 0 for o in journal),
            findings=self.monitor.findings,
            results=results,
            seconds=self._time,
            faults=tuple(self._came),
        )
