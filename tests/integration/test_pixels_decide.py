"""What is picked is decided from pixels: the truth of the simulation never reaches the robot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import lockstep_harvest
from sim.rig import Rig
from sim.scenarios import load_scenario
from sim.scene import textures
from sim.truth import Score, score

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def harvest() -> Iterator[Callable[..., tuple[Any, Rig, Score]]]:
    """Return a function that harvests one short segment and returns what was seen, done and true."""
    rigs: list[Rig] = []

    def run(**options: Any) -> tuple[Any, Rig, Score]:
        watcher, rig = lockstep_harvest.harvest(load_scenario("short"), 3, **options)
        rigs.append(rig)
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
