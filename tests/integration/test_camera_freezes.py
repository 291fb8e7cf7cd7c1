"""A camera that repeats its picture in the middle of a harvest: nothing is picked on it, and the reason is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import lockstep_harvest
from robot.nodes.convert import RELIABLE
from robot.ros.interfaces import berry_msgs
from sim.camera import SimCamera
from sim.rig import Rig
from sim.scenarios import load_scenario
from sim.truth import score
from vision.types import CameraError, Frame

pytestmark = pytest.mark.timeout(180)


def repeat_whole_frames(rig: Rig) -> None:
    """The driver hangs: picture and stamp stay."""
    rig.camera.faults.frozen = True


def repeat_pictures_with_new_stamps(rig: Rig) -> None:
    """The sensor hangs behind a driver that lives: the picture stays, the stamp goes on."""
    rig.camera.faults.frozen = True
    camera: SimCamera = rig.camera
    repeat: Callable[[], Frame] = camera.read
    camera.read = lambda: replace(repeat(), stamp=rig.time.now())  # type: ignore[method-assign]


@pytest.mark.parametrize("freeze", [repeat_whole_frames, repeat_pictures_with_new_stamps])
def test_nothing_is_picked_on_a_picture_that_stands_still(freeze: Callable[[Rig], None]) -> None:
    watcher, rig = lockstep_harvest.harvest(load_scenario("short"), 3, until=lambda watcher: watcher.attempted > 0)
    picks: list[Any] = []
    watcher.create_subscription(berry_msgs.msg.PickOutcome, "picks", picks.append, RELIABLE)
    before = score(rig.cell)  # what was picked on pictures that moved
    assert before.ripe_present - before.picked >= 3, "without the fault these would be picked"
    freeze(rig)
    rig.time.run(until=lambda: watcher.status in ("done", "failed"), seconds=lockstep_harvest.SECONDS)
    truth = score(rig.cell)
    rig.close()
    assert "camera_frozen" in watcher.faults
    assert (watcher.status, watcher.fault) == ("failed", "camera_frozen")
    assert len(picks) >= 2, "what was seen before is tried in vain and told"
    assert {pick.result for pick in picks} <= {"lost_target", "timeout"}
    assert sum("camera_frozen" in pick.detail for pick in picks) >= len(picks) - 1, [pick.detail for pick in picks]
    assert truth.picked == before.picked < truth.ripe_present
    assert (truth.damaged, truth.neighbours_lost) == (before.damaged, before.neighbours_lost)


def test_a_camera_that_sees_nothing_from_the_beginning_counts_nothing_and_fails_the_order() -> None:
    watcher, rig = lockstep_harvest.harvest(load_scenario("short"), 3, dark=True)
    rig.close()
    assert (watcher.status, watcher.fault) == ("failed", "camera_dark")
    assert watcher.counted is None, "a count of nothing would say that nothing is ripe"


def test_a_camera_that_gives_no_pictures_fails_the_order() -> None:
    def lost() -> Frame:
        raise CameraError(code="camera_lost", detail="expected a picture, got none")

    watcher, rig = lockstep_harvest.harvest(
        load_scenario("short"), 3, until=lambda watcher: watcher.status == "started"
    )
    rig.camera.read = lost
    rig.time.run(until=lambda: watcher.status in ("done", "failed"), seconds=lockstep_harvest.SECONDS)
    rig.close()
    assert (watcher.status, watcher.fault) == ("failed", "camera_lost")
