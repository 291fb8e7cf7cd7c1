"""A tick does no I/O, logs nothing and leaves nothing behind, so that collecting garbage may stay off for months."""

from __future__ import annotations

import gc
import logging
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from robot.arms import load_arm
from robot.collision import Obstacles, carriage
from robot.hardware.fake import FakeHardware
from robot.loop import ControlLoop, LoopSettings
from robot.motion import joint_move

ARM = load_arm("ur3e")
DT = 0.004
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
RAIL = np.array([0.05, 0, 0, 0, 0, 0, 0])
OUTSIDE = {"posix", "io", "_io", "time", "socket", "_socket", "select", "logging", "_thread", "subprocess", "print"}
"""Modules whose compiled functions talk to the system."""


class Rig:
    def __init__(self) -> None:
        self.time = 0.0
        self.hardware = FakeHardware(ARM, self.monotonic, position=HOME)
        limits = LoopSettings(local_reset=False, blackbox=1.0, obstacles=Obstacles(boxes=carriage(ARM)))
        self.loop = ControlLoop(self.hardware, ARM, self, limits)
        self.loop.bring_up()
        self.run(5)
        assert self.loop.start() == ""

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            self.time += DT
            self.loop.tick()

    def to_and_fro(self) -> None:
        """Move, be stopped on the way, be reset, started and sent back; all in 300 ticks."""
        here = self.loop.set_point
        self.loop.follow(joint_move(ARM, here, HOME + RAIL))
        self.run(50)
        self.loop.stop()
        self.run(100)
        assert self.loop.reset() == ""
        assert self.loop.start() == ""
        self.loop.grip(0.03, 0.8)
        self.loop.follow(joint_move(ARM, self.loop.set_point, HOME))
        self.run(150)
        assert not self.loop.busy


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    made.to_and_fro()  # what is made once is made by now
    gc.collect()
    gc.disable()
    yield made
    gc.enable()


def test_a_loop_leaves_no_cycles_that_only_a_collection_would_free(rig: Rig) -> None:
    rig.to_and_fro()
    assert gc.collect() == 0


def test_a_loop_holds_no_more_memory_after_more_ticks(rig: Rig) -> None:
    tracemalloc.start()
    try:
        rig.to_and_fro()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(2):
            rig.to_and_fro()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 30_000, "the changes of state that the black box keeps are all that grows, up to 200"


def test_a_tick_calls_nothing_of_the_system_and_logs_nothing(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    called: Counter[str] = Counter()

    def note(_: Any, event: str, callee: Callable[..., Any]) -> None:
        if event == "c_call":
            called[(getattr(callee, "__module__", None) or type(getattr(callee, "__self__", None)).__module__)] += 1

    rig.loop.follow(joint_move(ARM, rig.loop.set_point, HOME + RAIL))
    with caplog.at_level(logging.DEBUG):
        sys.setprofile(note)
        try:
            rig.run(50)
            rig.loop.stop()
            rig.run(50)
        finally:
            sys.setprofile(None)
    assert called["math"] > 100, "it sees the calls"
    assert not OUTSIDE & set(called)
    assert caplog.records == []
