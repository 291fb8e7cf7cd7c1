"""A pick in physics, scripted with true positions: grip, cut, carry, lay down; and what a wrong one does."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sim.bench.cell import main
from sim.bench.scripted import Hand as Rig
from sim.bench.scripted import ripe
from sim.cell import Cell, CellSettings
from sim.scene import SceneSettings
from sim.scene.build import HANGING, LOOSE, STOWED
from sim.truth import score

ALONE = CellSettings(
    scene=SceneSettings(length=0.6, berries=5, cluster_rate=0.0, leaf_occlusion=0.0), camera_noise=False
)
ALL_SEEN = np.ones(5)


@pytest.fixture
def rig() -> Rig:
    return Rig(Cell(ALONE, 2))


def test_a_berry_is_gripped_cut_carried_and_laid_down_undamaged(rig: Rig) -> None:
    berry = ripe(rig.cell)[0]
    before, at = rig.approach(berry)
    rig.close(0.8)
    assert rig.state[1].force == pytest.approx(0.8, abs=0.1)
    rig.wait(0.3, cut=True)
    assert rig.cell.fruit.states[berry] == LOOSE
    rig.line(at, before)
    assert rig.cell.fruit.gripped(berry)
    rig.place(berry)
    rig.wait(0.6)
    assert rig.cell.fruit.states[berry] == STOWED
    result = score(rig.cell, visible=ALL_SEEN)
    assert (result.picked, result.placed, result.damaged, result.dropped) == (1, 1, 0, 0)
    assert (result.unripe_picked, result.neighbours_lost) == (0, 0)
    record = result.records[berry]
    assert record.cause == "cut"
    assert record.gripped
    assert record.pad_force == pytest.approx(0.8, rel=0.2)
    assert rig.tool_error < 0.003


def test_a_berry_that_is_not_ripe_counts_as_unripe_picked_and_as_nothing_else(rig: Rig) -> None:
    berry = ripe(rig.cell)[0]
    rig.pick(berry)
    rig.wait(0.6)
    above = rig.cell.scene.bed.berries[berry].ripeness + 0.01
    result = score(rig.cell, visible=ALL_SEEN, window=(above, 1.0))
    assert (result.ripe_present, result.picked, result.placed, result.unripe_picked) == (1, 0, 0, 1)


@pytest.mark.parametrize("force", [0.5, 1.0, 2.0])
def test_pads_press_no_harder_than_asked(rig: Rig, force: float) -> None:
    berry = ripe(rig.cell)[0]
    rig.approach(berry)
    rig.close(force)
    assert rig.cell.contacts.pad_force[0] == pytest.approx([force, force], rel=0.1)
    assert rig.cell.contacts.touches[berry].peak["pads"] < 1.25 * force + 0.1


def test_a_sweep_that_meets_no_stem_does_nothing(rig: Rig) -> None:
    rig.wait(0.3, cut=True)
    assert np.all(rig.cell.fruit.states == HANGING)
    assert not rig.cell.fruit.detachments


def test_a_blade_that_sits_too_low_cuts_into_the_fruit_and_not_the_stem(rig: Rig) -> None:
    berry = ripe(rig.cell)[0]
    _, at = rig.approach(berry)
    low = at.copy()
    low[2, 3] -= 0.018
    rig.line(at, low)
    rig.wait(0.3, cut=True)
    assert rig.cell.fruit.states[berry] == HANGING
    assert score(rig.cell, visible=ALL_SEEN).records[berry].damage == "blade"


def test_an_ungripped_berry_falls_to_the_floor_and_is_bruised(rig: Rig) -> None:
    berry = ripe(rig.cell)[0]
    rig.approach(berry)
    rig.wait(1.2, cut=True)
    record = score(rig.cell, visible=ALL_SEEN).records[berry]
    assert record.place == "outside"
    height = record.position[2] - record.half_length
    assert record.impact_energy == pytest.approx(record.mass * 9.81 * height, rel=0.2)
    assert record.damage in ("bruised", "crushed")
    assert score(rig.cell, visible=ALL_SEEN).neighbours_lost == 1


def test_slippery_pads_lose_the_berry_on_the_way_out(rig: Rig) -> None:
    berry = ripe(rig.cell)[0]
    before, at = rig.approach(berry)
    rig.close(0.8)
    rig.hardware.faults.slippery = True
    rig.wait(0.3, cut=True)
    rig.line(at, before)
    rig.wait(0.5)
    assert score(rig.cell, visible=ALL_SEEN).dropped == 1


def test_pulling_without_a_cut_tears_the_fruit_off(rig: Rig) -> None:
    berry = ripe(rig.cell)[0]
    _, at = rig.approach(berry)
    rig.close(8.0)
    down = at.copy()
    down[2, 3] -= 0.06
    rig.line(at, down)
    record = score(rig.cell, visible=ALL_SEEN).records[berry]
    assert record.cause == "torn"
    assert record.damage == "torn"


def test_two_stems_between_the_open_jaws_are_both_cut() -> None:
    scene = SceneSettings(length=0.6, berries=12, cluster_rate=1.0, leaf_occlusion=0.0)
    rig = Rig(Cell(CellSettings(scene=scene), 1))
    berries = rig.cell.scene.bed.berries
    pairs = [
        (i, k)
        for i, a in enumerate(berries)
        for k, b in enumerate(berries[:i])
        if a.truss == b.truss and abs(a.center[0] - b.center[0]) < 0.045 and abs(a.center[1] - b.center[1]) < 0.02
    ]
    i, k = pairs[0]
    pose = rig.grasp_pose(i)
    pose[:3, 3] = 0.5 * (rig.grasp_pose(i)[:3, 3] + rig.grasp_pose(k)[:3, 3])
    pose[2, 3] = max(rig.grasp_pose(i)[2, 3], rig.grasp_pose(k)[2, 3])
    before = pose.copy()
    before[1, 3] -= 0.10
    rig.move_over(before)
    rig.line(before, pose)
    rig.wait(0.3, cut=True)
    assert {i, k} <= {d.berry for d in rig.cell.fruit.detachments if d.cause == "cut"}
    assert score(rig.cell, visible=np.ones(12)).neighbours_lost >= 2


def test_a_full_punnet_is_changed_and_its_berries_stay_counted(rig: Rig) -> None:
    berry = ripe(rig.cell)[0]
    rig.pick(berry)
    rig.wait(0.6)
    assert rig.cell.empty_punnet() == [rig.cell.scene.bed.berries[berry].id]
    assert rig.cell.empty_punnet() == []
    rig.wait(0.1)
    assert rig.cell.fruit.position(berry)[2] < 0.0
    assert score(rig.cell, visible=ALL_SEEN).placed == 1


def test_the_same_seed_and_commands_end_in_the_same_state() -> None:
    ends = []
    for _ in range(2):
        rig = Rig(Cell(ALONE, 2))
        rig.approach(ripe(rig.cell)[0])
        rig.close(0.8)
        rig.wait(0.2, cut=True)
        ends.append((rig.cell.data.qpos.copy(), rig.state[0].effort))
    assert np.array_equal(ends[0][0], ends[1][0])
    assert np.array_equal(ends[0][1], ends[1][1])


def test_the_command_the_readme_names_prints_the_cells_figures(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--scenario", "short", "--picks", "1"])
    figures = json.loads(capsys.readouterr().out)
    assert figures["score"]["picked"] == 1
    assert 0.0 < figures["peak_pad_force"] < 2.0
