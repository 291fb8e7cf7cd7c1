"""Faults at random times in a harvest: the robot ends safe, says why, goes on after a reset and counts right."""

from __future__ import annotations

import pytest

from robot.arms import load_arm
from sim.fast.campaign import complaints, run
from sim.fast.faults import KINDS, Kind, Planned
from sim.fast.harvest import FastHarvest, FastSettings
from sim.scene.settings import Mix, SceneSettings
from telemetry.messages.tables import faults

SHORT = FastSettings(scene=SceneSettings(length=0.6, mix=Mix(isolated=1, unripe=1), berries=2))
ARM = load_arm("ur3e")


def test_twenty_rows_with_random_faults_are_safe_explained_and_counted_right() -> None:
    figures = run(20, 4000, settings=SHORT, span=4.0)
    assert figures["unsafe_runs"] == []
    assert figures["wrong_runs"] == []
    assert sum(figures["faults"].values()) >= 20
    assert figures["counted"] > 0


MUST_STOP = [kind for kind in KINDS if kind.stands is not None and "pauses" not in kind.name]


@pytest.mark.parametrize("kind", MUST_STOP, ids=lambda kind: kind.name)
def test_a_fault_in_the_middle_of_a_move_stops_the_arm_where_it_must(kind: Kind) -> None:
    harvest = FastHarvest(SHORT, 3, [Planned(kind=kind, at=1.0, lasts=kind.lasts[0], joint=1)])
    ended = harvest.run()
    assert ended.findings.unsafe == []
    assert list(complaints(ended, faults())) == []
    assert len(ended.stops) >= 1
    assert ended.findings.travel > 0.0


def test_the_monitor_sees_what_must_not_happen() -> None:
    harvest = FastHarvest(SHORT, 1, [])
    harvest.monitor.forbid_motion("although it must not")
    harvest.machine.v = ARM.velocity * 2.0
    harvest.machine.q = harvest.machine.q.copy()
    harvest.machine.q[0] = 9.0
    harvest.monitor.look(0.004)
    told = " ".join(harvest.monitor.findings.unsafe)
    assert "beyond its limit" in told
    assert "too fast" in told
    assert "although it must not" in told
