"""Every arm that can put its tool anywhere picks a row in the kinematic tier; one that cannot is refused in words."""

from __future__ import annotations

import numpy as np
import pytest

from robot.arms import arm_names, load_arm
from robot.collision import World
from robot.pick.reach import Reach
from sim.fast.harvest import FastHarvest, FastSettings
from sim.rig import obstacles
from sim.scene.settings import Mix, SceneSettings

SIX = [name for name in arm_names() if len(load_arm(name).arm.joints) == 6]


@pytest.mark.parametrize("name", SIX)
def test_an_arm_with_six_joints_picks_every_berry_of_a_row_from_its_own_posture(name: str) -> None:
    scene = SceneSettings(length=0.6, arm=name, mix=Mix(isolated=3, unripe=1), berries=4)
    ended = FastHarvest(FastSettings(scene=scene, limit=40.0), 7, []).run()
    assert (ended.counted, ended.placed, ended.stops) == (3, 3, ())


@pytest.mark.parametrize("name", SIX)
def test_an_arm_stands_free_and_within_its_limits_in_its_posture(name: str) -> None:
    arm = load_arm(name)
    world = World(arm, obstacles(arm, SceneSettings(arm=name)))
    assert world.clearance(np.array([1.0, *arm.posture.joints])) > 0.0


def test_five_joints_are_told_what_they_cannot_do() -> None:
    arm = load_arm("so101")
    with pytest.raises(ValueError, match=r"6 joints.*got so101 with 5.*does not pick"):
        Reach(arm, World(arm, obstacles(arm, SceneSettings())))
    with pytest.raises(ValueError, match="so101"):
        FastHarvest(FastSettings(scene=SceneSettings(arm="so101", mix=Mix(isolated=1))), 7, [])
