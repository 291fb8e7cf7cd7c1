"""What is picked is decided from pixels: the truth of the simulation never reaches the robot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from robot.nodes.convert import RELIABLE, to_time
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from sim.lockstep import Lockstep
from sim.rig import Rig, RigSettings
from sim.scenarios import load_scenario
from sim.scene import textures
from sim.truth import Score, score
from vision.detect import BaselineDetector

pytestmark = pytest.mark.timeout(180)

SECONDS = 60.0
"""Virtual time within which the one segment is done [s]."""


class Watcher(Node):
    """Orders one segment and notes what becomes of it."""

    def __init__(self, rig: Rig) -> None:
        super().__init__("watcher", context=rig.context, namespace="/robot")
        self.status = ""
        self.results: Counter[str] = Counter()
        self.attempted = 0
        self.counted: Any = None
        self.faults: set[str] = set()
        self._submit = self.create_client(berry_msgs.srv.SubmitOrder, "orders/submit")
        self.create_subscription(berry_msgs.msg.PickOutcome, "picks", self._on_pick, RELIABLE)
        self.create_subscription(berry_msgs.msg.OrderStatus, "orders/status", self._on_status, RELIABLE)
        self.create_subscription(berry_msgs.msg.SegmentCount, "segment_counts", self._on_count, RELIABLE)
        self.create_subscription(berry_msgs.msg.BerryArray, "berries", self._on_berries, RELIABLE)

    def order(self, now: float) -> None:
        request = berry_msgs.srv.SubmitOrder.Request(
            id="order-1", issuer="test", expires_at=to_time(now + 3600.0), bed="bed-1", side="a", segments=[0],
            segment_length=0.6, ripeness_min=0.8, ripeness_max=1.0, quota=0, speed=1.0, force=1.0,
        )  # fmt: skip
        self._submit.call_async(request)

    def _on_pick(self, message: Any) -> None:
        self.results[message.result] += 1
        self.attempted += message.attempt > 0

    def _on_status(self, message: Any) -> None:
        self.status = message.status

    def _on_count(self, message: Any) -> None:
        self.counted = message

    def _on_berries(self, message: Any) -> None:
        self.faults.add(message.fault)


@pytest.fixture
def harvest() -> Iterator[Callable[..., tuple[Watcher, Rig, Score]]]:
    """Return a function that harvests one short segment and returns what was seen, done and true."""
    rigs: list[Rig] = []

    def run(*, dark: bool = False, until: Callable[[Watcher], bool] = lambda _: False) -> tuple[Watcher, Rig, Score]:
        time = Lockstep(epoch=1779256800.0)
        rig = Rig(time, RigSettings(cell=load_scenario("short"), seed=3), BaselineDetector())
        rigs.append(rig)
        rig.camera.faults.dark = dark
        watcher = Watcher(rig)
        time.run(seconds=1.0)
        watcher.order(time.now())
        time.run(until=lambda: watcher.status in ("done", "failed") or until(watcher), seconds=SECONDS)
        return watcher, rig, score(rig.cell)

    yield run
    for rig in rigs:
        rig.close()


def test_a_ripe_berry_is_attempted_when_it_looks_ripe(harvest: Callable[..., Any]) -> None:
    watcher, _, truth = harvest(until=lambda watcher: watcher.attempted >= 1)
    assert truth.ripe_present >= 3
    assert watcher.attempted >= 1


def test_ripe_berries_that_are_painted_green_are_not_attempted(
    harvest: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    paint = textures.fruit_skin
    monkeypatch.setattr(
        textures, "fruit_skin", lambda berry, rng: paint(replace(berry, ripeness=0.0, maturity=0.2), rng)
    )
    watcher, _, truth = harvest()
    assert truth.ripe_present >= 3, "by the truth they are ripe"
    assert watcher.status == "done"
    assert watcher.counted is not None
    assert watcher.counted.in_window == 0
    assert watcher.attempted == 0
    assert truth.picked == 0


def test_green_berries_that_are_painted_ripe_are_taken_for_ripe(
    harvest: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    paint = textures.fruit_skin
    monkeypatch.setattr(textures, "fruit_skin", lambda berry, rng: paint(replace(berry, ripeness=0.95), rng))
    watcher, _, truth = harvest(until=lambda watcher: watcher.counted is not None)
    assert watcher.counted.in_window > truth.ripe_present, "more look ripe than are"


def test_with_a_dark_camera_nothing_is_attempted_and_the_reason_is_told(harvest: Callable[..., Any]) -> None:
    watcher, rig, truth = harvest(dark=True, until=lambda watcher: "camera_dark" in watcher.faults)
    rig.time.run(seconds=5.0)
    assert "camera_dark" in watcher.faults
    assert watcher.attempted == 0
    assert truth.ripe_present >= 3
    assert truth.picked == 0
