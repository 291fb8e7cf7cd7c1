"""Two robots in one MuJoCo scene: each with its own hands and punnet, kept apart by the lease; contact is seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from dashboard.cli import main
from robot.hardware import GripperCommand, JointCommand
from robot.span import extent
from sim import truth
from sim.bench.pair import SharedBed
from sim.cell import TICK, Cell, CellSettings, cells_on_one_rail
from sim.hardware import SimHardware
from sim.scene import SceneSettings
from sim.scene.settings import GivenBerry
from sim.sharing import LENGTH, STRETCH
from vision.types import Detection

BARE = CellSettings(scene=SceneSettings(berries=0, plants_per_m=0.5, length=LENGTH))


class Blind:
    """Eyes that are not asked: the true poses take their place."""

    def detect(self, color: npt.NDArray[np.uint8]) -> list[Detection]:
        raise AssertionError(f"expected nobody to look at a picture of {color.shape}")


def drive(cells: list[Cell], rails: list[float | None], seconds: float) -> None:
    """Move carriages at 0.3 m/s towards places on the rail; nobody watches where the other one is."""
    hands = [SimHardware(cell) for cell in cells]
    for hand in hands:
        hand.configure()
        hand.activate()
    wanted = [cell.joints for cell in cells]
    for tick in range(round(seconds / TICK)):
        for hand, q, rail in zip(hands, wanted, rails, strict=True):
            q[0] += 0.0 if rail is None else float(np.clip(rail - q[0], -0.3 * TICK, 0.3 * TICK))
            until = cells[0].time + 0.1
            jaws = GripperCommand(seq=tick, valid_until=until, opening=0.04, max_force=1.0, cut=False)
            hand.write(JointCommand(seq=tick, valid_until=until, position=q.copy(), velocity=np.zeros(7)), jaws)
        cells[0].step()


def test_a_robot_that_runs_into_another_is_seen_and_felt_and_not_before() -> None:
    cells = cells_on_one_rail(BARE, 1, ("ur3e", "ur3e"), (0.12, 1.2))
    world = cells[0].world
    drive(cells, [None, None], 0.2)
    assert world.clashes == 0
    drive(cells, [float(cells[1].joints[0]), None], 3.0)
    assert world.clashes > 0
    assert world.clash_force > 5.0
    assert cells[0].joints[0] < cells[1].joints[0] - 0.1, "they do not pass through each other"


@pytest.mark.parametrize("other", ["xarm6", "ur5e"])
def test_robots_of_different_kinds_stand_in_one_scene_and_move_by_themselves(other: str) -> None:
    cells = cells_on_one_rail(BARE, 1, ("ur3e", other), (0.12, 2.2))
    assert [cell.scene.arm.name for cell in cells] == ["ur3e", other]
    before = [cell.joints for cell in cells]
    drive(cells, [None, float(before[1][0]) + 0.1], 1.0)
    moved = [np.abs(cell.joints - start).max() for cell, start in zip(cells, before, strict=True)]
    assert moved[0] < 2e-3
    assert moved[1] == pytest.approx(0.1, abs=0.01)
    assert cells[0].world.clashes == 0
    assert extent(cells[0].scene.arm, cells[0].joints)[1] < extent(cells[1].scene.arm, cells[1].joints)[0]


def test_two_robots_pick_from_one_bed_each_into_its_own_punnet_and_never_touch() -> None:
    berries = tuple(GivenBerry(position=(along, 0.05, 0.22), ripeness=0.95, half_width=0.014) for along in (0.2, 1.8))
    scene = SceneSettings(length=LENGTH, segment_length=STRETCH, plants_per_m=0.5, given_berries=berries)
    row = SharedBed(CellSettings(scene=scene), 1, ("ur3e", "ur3e"), Blind(), oracle=True)
    row.order({"left": [0], "right": [4]})
    row.run(60.0)
    score = truth.score(row.cells[0], visible=np.ones(2))
    together = row.result(score)
    assert together.finished, (row.orders, row.stops)
    assert (together.picked, together.placed, together.ripe) == ((1, 1), 2, 2)
    assert (row.world.clashes, together.overlaps, score.damaged) == (0, 0, 0)
    assert together.outside < row.gap
    assert together.nearest > 0.02
    row.run(1.0, until=lambda: False)  # what was laid down comes to rest
    left, right = row.cells
    assert [len(left.empty_punnet()), len(right.empty_punnet()), len(right.empty_punnet())] == [1, 1, 0]
    row.close()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--tier", "mujoco", "--arms", "ur3e"), "expected two names"),
        (("--tier", "mujoco", "--arms", "ur3e,so101"), "6 joints"),
        (("--tier", "mujoco", "--arms", "ur3e,ur9"), "ur9"),
        (("--oracle",), "--tier mujoco"),
        (("--arms", "ur3e,ur5e"), "--tier mujoco"),
    ],
)
def test_robots_that_cannot_be_measured_are_refused_by_name(
    words: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["bench", "pair", *words])
    assert stop.value.code == 2
    assert why in capsys.readouterr().err
