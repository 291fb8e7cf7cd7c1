"""The compiled model against the arm description: same kinematics, masses and limits."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from robot.arms import load_arm
from robot.kinematics import camera_pose, link_frames
from sim.scene import Scene, SceneSettings, build_scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return build_scene(SceneSettings(length=0.6, berries=6), 1)


def test_mujoco_and_dh_kinematics_agree_to_a_nanometre(scene: Scene) -> None:
    data = mujoco.MjData(scene.model)
    rng = np.random.default_rng(3)
    for _ in range(50):
        q = rng.uniform(scene.arm.position_min, scene.arm.position_max)
        data.qpos[scene.names.joint_qpos] = q
        mujoco.mj_kinematics(scene.model, data)
        mujoco.mj_camlight(scene.model, data)
        frames = link_frames(scene.arm, q)
        for i, name in enumerate(["base", *(f"link_{k}" for k in range(1, 7)), "tool"]):
            assert np.abs(data.body(name).xpos - frames[i, :3, 3]).max() < 1e-9
            assert np.abs(data.body(name).xmat.reshape(3, 3) - frames[i, :3, :3]).max() < 1e-9
        optical = camera_pose(scene.arm, q)
        seen = data.cam_xmat[scene.names.camera].reshape(3, 3) @ np.diag([1.0, -1.0, -1.0])
        assert np.abs(data.cam_xpos[scene.names.camera] - optical[:3, 3]).max() < 1e-9
        assert np.abs(seen - optical[:3, :3]).max() < 1e-9


def test_masses_and_effort_limits_come_from_the_description(scene: Scene) -> None:
    arm = load_arm("ur3e")
    for i, mass in enumerate(arm.arm.mass):
        assert scene.model.body(f"link_{i + 1}").mass[0] == pytest.approx(mass)
    tool = sum(scene.model.body(name).mass[0] for name in ("tool", "finger_left", "finger_right"))
    assert tool == pytest.approx(arm.tool.mass)
    for name, effort in zip(arm.arm.joints, arm.arm.effort, strict=True):
        assert scene.model.actuator(name).forcerange.tolist() == [-effort, effort]


def test_bodies_at_rest_sleep(scene: Scene) -> None:
    data = mujoco.MjData(scene.model)
    for _ in range(50):
        mujoco.mj_step(scene.model, data)
    assert int(data.tree_awake.sum()) == 1  # the robot, which has motors


def test_scene_is_the_same_for_the_same_seed() -> None:
    settings = SceneSettings(length=0.6, berries=6)
    a, b = build_scene(settings, 7).model, build_scene(settings, 7).model
    for field in ("body_pos", "geom_pos", "geom_size", "mesh_vert", "tex_data"):
        assert np.array_equal(getattr(a, field), getattr(b, field)), field
