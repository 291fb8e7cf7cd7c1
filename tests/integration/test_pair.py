"""Two robots on one rail before one bed side: they share it without meeting, and one waits for the other's space."""

from __future__ import annotations

from robot.safety import RowSpace
from sim.fast.harvest import FastSettings
from sim.fast.pair import GAP, Pair, bed, windows

SETTINGS = FastSettings(scene=bed(3, 0), limit=200.0)


def test_two_robots_harvest_one_bed_side_and_never_come_near_each_other() -> None:
    pair = Pair(SETTINGS, 3)
    together = pair.run()
    assert together.picked == together.left.ripe == 3
    assert together.left.findings.unsafe == together.right.findings.unsafe == []
    assert together.nearest > GAP
    assert together.seconds < 40.0


def test_a_robot_waits_while_the_other_holds_the_space_it_needs() -> None:
    pair = Pair(SETTINGS, 3)
    assert isinstance(pair.space, RowSpace)
    middle = windows(SETTINGS.scene, 0.5, 1.0)[0][0]
    assert pair.space.claim("right", middle - 1.2, middle + 0.3), "the right one is at work beside its half"
    pair.left.begin()
    left = windows(SETTINGS.scene, 0.0, 0.5)
    gate = pair.left._gate
    assert not gate(pair.left, left[-1])
    pair.space.release("right")
    assert gate(pair.left, left[-1])
