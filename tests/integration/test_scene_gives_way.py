"""Plants give way and come back: leaves before the fruit, stems that bend; a ridge reaches the floor."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from sim.cell import CellSettings, DamageModel
from sim.fruit import Fruit
from sim.scene import Scene, SceneSettings, build_scene
from sim.scene.build import HANGING
from sim.scene.settings import Cultivar, GivenBerry, GivenLeaf
from sim.truth import score

BERRY = GivenBerry(position=(0.3, 0.05, 0.2), ripeness=1.0, stem_length=0.12)
LEAF = GivenLeaf(position=(0.3, 0.09, 0.18))


def scene(**changed: object) -> Scene:
    settings = {"length": 0.6, "given_berries": (BERRY,), "given_leaves": (LEAF,)} | changed
    return build_scene(SceneSettings(**settings), 1)  # type: ignore[arg-type]


def pushed(of: Scene, body: str, force: tuple[float, float, float], seconds: float, data: mujoco.MjData) -> None:
    """Push a body's middle for a while."""
    data.xfrc_applied[of.model.body(body).id, :3] = force
    for _ in range(round(seconds / of.model.opt.timestep)):
        mujoco.mj_step(of.model, data)


def test_a_leaf_gives_way_to_a_light_push_and_hangs_there_again() -> None:
    of = scene()
    name = next(of.model.body(i).name for i in range(of.model.nbody) if of.model.body(i).name.startswith("leaf_"))
    data = mujoco.MjData(of.model)
    mujoco.mj_forward(of.model, data)
    rest = data.body(name).xipos.copy()
    pushed(of, name, (0.0, 0.05, 0.0), 1.0, data)
    assert 0.01 < np.linalg.norm(data.body(name).xipos - rest) < 0.25
    pushed(of, name, (0.0, 0.0, 0.0), 4.0, data)
    assert np.linalg.norm(data.body(name).xipos - rest) < 0.005


def test_a_stem_bends_in_its_middle_and_keeps_its_length() -> None:
    of = scene()
    data = mujoco.MjData(of.model)
    pushed(of, "hanging_1", (0.0, -0.12, 0.0), 0.4, data)
    fruit = Fruit.__new__(Fruit)  # its geometry only: nothing is cut here
    fruit._scene, fruit._data, fruit._names = of, data, of.names
    node, bend, calyx = fruit.stem_path(0)
    upper, lower = bend - node, calyx - bend
    assert np.linalg.norm(upper) + np.linalg.norm(lower) == pytest.approx(0.12, abs=1e-6)
    angle = np.arccos(upper @ lower / np.linalg.norm(upper) / np.linalg.norm(lower))
    assert angle > 0.05
    assert data.body(of.names.bodies[0, HANGING]).xpos == pytest.approx(bend)


def test_a_ridge_stands_on_the_floor_and_a_table_top_hangs_above_it() -> None:
    def bottom(of: Scene) -> float:
        geom = of.model.geom("gutter")
        return float(geom.pos[2] - geom.size[2])

    assert bottom(scene(style="ridge")) == pytest.approx(0.0)
    assert bottom(scene()) > 0.9
    with pytest.raises(ValueError, match="table_top"):
        SceneSettings(style="wall")


def test_soft_cultivars_stand_less() -> None:
    from sim.cell import Cell

    verdicts = {}
    for firmness in (1.0, 0.5):
        settings = SceneSettings(length=0.6, given_berries=(BERRY,), cultivar=Cultivar(firmness=firmness))
        cell = Cell(CellSettings(scene=settings), 1)
        cell.contacts.touches[0].sustained["pads"] = 2.0
        verdicts[firmness] = score(cell, visible=np.ones(1)).records[0].damage
    assert verdicts == {1.0: "marginal", 0.5: "bruised"}
    assert DamageModel().scaled(0.5).bruised == DamageModel().bruised / 2.0
