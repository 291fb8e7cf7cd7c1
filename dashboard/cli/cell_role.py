"""The process of the simulated cell: physics, control loop, control node and camera in one thread; it moves time."""

from __future__ import annotations

import json
import logging
import select
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dashboard.cli.host import Host
from dashboard.cli.robot_roles import blackboxes, namespace
from dashboard.cli.roles import ROLES
from dashboard.cli.settings import SCORED, RunSettings
from dashboard.shared_clock import LeadingClock

if TYPE_CHECKING:
    from sim.cell import Cell, CellSettings
    from telemetry.farm import Bed

log = logging.getLogger(__name__)

LAG_S = 0.04
"""How far the cell may be ahead of the slowest process [s simulated]: what a picture's berries may be late by."""
GATHER_S = 15.0
"""Longest wait for the other processes before time begins [s]."""
REQUIRED = ("camera", "eyes", "picker", "mission", "gateway")
"""Nodes without whose heartbeat the robot holds."""


def cell(settings: RunSettings, name: str, slot: int | None) -> None:
    """Simulate the robot's cell until asked to end, then write down what became of the berries."""
    from robot.arms import load_arm
    from robot.loop import ControlLoop, LoopSettings
    from robot.nodes.camera import CameraNode, CameraSettings
    from robot.nodes.control import ControlNode, ControlSettings
    from sim.camera import SimCamera
    from sim.cell import Cell
    from sim.hardware import SimHardware
    from sim.rig import obstacles
    from sim.tray import Tray

    clock = LeadingClock(settings.clock)
    host = Host(settings, name, slot=None, clock=clock)
    arm = load_arm(host.robot.arm)
    simulated = Cell(cell_settings(settings, host.farm.bed(host.robot.bed)), settings.seed)
    camera = SimCamera(simulated)
    around = obstacles(arm, simulated.settings.scene)
    limits = LoopSettings(required=REQUIRED, local_reset=False, obstacles=around)
    loop = ControlLoop(SimHardware(simulated), arm, clock, limits)
    space = namespace(settings.robot)
    control = ControlSettings(namespace=space, blackbox=blackboxes(settings))
    host.add(ControlNode(host.context(), clock, control, loop, arm))
    host.add(CameraNode(host.context(), clock, CameraSettings(namespace=space, rate=arm.camera.rate), camera))
    host.add(Tray(host.context(), space, simulated))
    loop.bring_up()
    gather(host, clock)
    pacer = Pacer(settings.rate)

    def tick() -> float:
        """Advance by one control period when no process is behind; return how long the loop may wait [s]."""
        if clock.lag() > LAG_S:
            return 0.001
        wait = pacer.wait(clock.monotonic())
        if wait > 0.0:
            return wait
        loop.tick()
        simulated.step()
        clock.advance(simulated.time)
        return 0.0

    host.at_end(simulated.close)
    host.at_end(camera.close)
    host.at_end(loop.shut_down)
    host.at_end(lambda: write_score(settings, simulated, host.farm.program))
    host.run(tick)


def cell_settings(settings: RunSettings, bed: Bed) -> CellSettings:
    """Return the scenario's cell with the farm's bed in it; berries per metre stay the scenario's."""
    from sim.scenarios import load_scenario

    base = load_scenario(settings.scenario)
    x, edge, top = bed.origin
    scene = replace(
        base.scene,
        origin=x,
        edge_y=edge,
        top_z=top,
        length=bed.length,
        plants_per_m=bed.plants_per_m,
        segment_length=bed.segment_length,
        berries=max(1, round(base.scene.berries * bed.length / base.scene.length)),
    )
    return replace(base, scene=scene, epoch=settings.epoch)


def gather(host: Host, clock: LeadingClock) -> None:
    """Wait until every process that the cell waits for has shown itself, so that a run does not begin with a hold."""
    expected = sum(role.slot is not None for role in ROLES.values())
    deadline = time.monotonic() + GATHER_S
    while clock.followers() < expected and time.monotonic() < deadline and not host.ending:
        host.turn(0.0)
        select.select([], [], [], 0.02)
    log.info("%d of %d processes are here; time begins", clock.followers(), expected)


class Pacer:
    """Keeps simulated time from running ahead of the wall's; time that was lost is not made up.

    Args:
        rate: simulated seconds per wall second; 0 = no limit.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._wall = time.monotonic()
        self._simulated = 0.0

    def wait(self, simulated: float) -> float:
        """Return how long to wait before going on from `simulated` [s]; 0 = go on now."""
        if self._rate <= 0.0:
            return 0.0
        wall = time.monotonic()
        ahead = (simulated - self._simulated) / self._rate - (wall - self._wall)
        if ahead < -0.1:
            self._wall, self._simulated = wall, simulated
        return max(0.0, ahead)


def write_score(settings: RunSettings, simulated: Cell, program: Any) -> None:
    """Write down what became of the berries: for the report only, nothing in the robot reads it."""
    import numpy as np

    from sim.truth import score

    # Who hides behind leaves is not reported here, so it need not be measured.
    visible = np.ones(len(simulated.scene.bed.berries))
    result = score(simulated, window=(program.ripeness_min, program.ripeness_max), visible=visible)
    counts = {name: getattr(result, name) for name in SCORED if name != "berries_present"}
    counts["berries_present"] = len(result.records)
    settings.score.write_text(json.dumps(counts), encoding="utf-8")
