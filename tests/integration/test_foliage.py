"""Leaves that are wedged before the jaws fold; those that are pushed aside stay as they are."""

from __future__ import annotations

from types import SimpleNamespace

import mujoco
import numpy as np

from sim.foliage import BEARS, LASTS, Foliage
from sim.scene import SceneSettings, build_scene
from sim.scene.settings import GivenBerry, GivenLeaf

WEDGED = """
<mujoco>
  <option gravity="0 0 0" timestep="0.002" cone="elliptic"/>
  <worldbody>
    <body name="leaf" gravcomp="1">
      <joint type="hinge" axis="1 0 0"/>
      <geom name="blade" type="box" pos="0 0 -0.04" size="0.02 0.002 0.04" mass="0.0015"/>
    </body>
    <body name="pad" pos="0 0 -0.09">
      <joint name="pad" type="slide" axis="0 0 1"/>
      <geom type="box" size="0.01 0.01 0.01" mass="0.5"/>
    </body>
  </worldbody>
</mujoco>
"""


def pressed(force: float, seconds: float) -> tuple[Foliage, float]:
    """Press a pad along a leaf, towards its hinge; return what became of it and how far the pad came [m]."""
    model = mujoco.MjModel.from_xml_string(WEDGED)
    data = mujoco.MjData(model)
    leaf = model.body("leaf").id
    names = SimpleNamespace(leaf_of_geom=np.where(model.geom_bodyid == leaf, leaf, -1))
    foliage = Foliage(SimpleNamespace(model=model, names=names), data)  # type: ignore[arg-type]
    for tick in range(round(seconds / model.opt.timestep)):
        data.joint("pad").qfrc_applied[0] = force
        mujoco.mj_step(model, data)
        foliage.update(tick * model.opt.timestep)
    return foliage, float(data.joint("pad").qpos[0])


def test_a_leaf_that_is_wedged_before_the_jaws_folds_and_lets_them_through() -> None:
    foliage, way = pressed(2.0 * BEARS, 0.5)
    assert len(foliage.folded) == 1 and way > 0.10


def test_what_a_leaf_bears_does_not_fold_it() -> None:
    foliage, way = pressed(0.7 * BEARS, 0.5)
    assert not foliage.folded and way < 0.02


def test_a_blow_folds_no_leaf() -> None:
    assert not pressed(3.0 * BEARS, 0.8 * LASTS)[0].folded


def test_the_leaves_of_a_scene_are_known_by_their_geoms() -> None:
    berry = GivenBerry(position=(0.3, 0.05, 0.2), ripeness=1.0, stem_length=0.12)
    leaves = tuple(GivenLeaf(position=(x, 0.09, 0.18)) for x in (0.2, 0.4))
    scene = build_scene(SceneSettings(length=0.6, given_berries=(berry,), given_leaves=leaves), 1)
    bodies = set(scene.names.leaf_of_geom.tolist()) - {-1}
    assert {scene.model.body(body).name[:5] for body in bodies} == {"leaf_"} and len(bodies) == 2
    assert not (scene.names.leaf_of_geom[scene.names.arm_geoms] >= 0).any()
