"""Every arm's file: its own kinematics, its URDF and its MJCF put every frame at the same place."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import mujoco
import numpy as np
import numpy.typing as npt
import pytest

from dashboard.urdf import chain
from robot.arms import ArmDescription, arm_names, calibrated, load_arm
from robot.arms.mjcf import to_mjcf
from robot.arms.parse import transform_from_rpy
from robot.arms.urdf import to_urdf
from robot.kinematics import camera_pose, forward, link_frames

Array = npt.NDArray[np.float64]
DEGREE = np.pi / 180.0


NAMES = ("ur3e", "ur5e", "xarm6", "lite6", "so101")


@pytest.fixture(params=[(name, unit) for name in NAMES for unit in (False, True)], ids=lambda p: p[0] + "-unit" * p[1])
def arm(request: pytest.FixtureRequest) -> ArmDescription:
    """Return each arm as drawn, and as a unit of it that its maker has measured."""
    name, unit = request.param
    nominal = load_arm(name)
    if not unit:
        return nominal
    rng, n = np.random.default_rng(7), len(nominal.arm.joints)
    deltas = {f"delta_{k}": rng.normal(0.0, 1e-3, n).tolist() for k in ("theta", "a", "d", "alpha")}
    return calibrated(nominal, deltas, source="unit.toml")


def by_urdf(arm: ArmDescription, q: Array) -> dict[str, Array]:
    """Return each link in the world by the URDF alone."""
    tree = chain(to_urdf(arm))
    found, at = {tree["root"]: np.eye(4)}, dict(zip(arm.joint_names, q.tolist(), strict=True))
    for joint in tree["joints"]:
        T, axis = np.eye(4), np.array(joint["axis"])
        if joint["type"] == "prismatic":
            T[:3, 3] = at.get(joint["name"], 0.0) * axis
        elif joint["type"] == "revolute":
            angle = at[joint["name"]]
            K = np.array([[0.0, -axis[2], axis[1]], [axis[2], 0.0, -axis[0]], [-axis[1], axis[0], 0.0]])
            T[:3, :3] = np.eye(3) + np.sin(angle) * K + (1.0 - np.cos(angle)) * K @ K
        origin = joint["origin"]
        found[joint["child"]] = (
            found[joint["parent"]] @ transform_from_rpy(np.array(origin["xyz"]), np.array(origin["rpy"])) @ T
        )
    return found


def test_there_is_a_file_for_each_arm_the_readme_names() -> None:
    assert arm_names() == ["lite6", "so101", "ur3e", "ur5e", "xarm6"]


def test_dh_urdf_and_mujoco_agree_at_random_joints(arm: ArmDescription) -> None:
    model = mujoco.MjModel.from_xml_string(to_mjcf(arm))
    data = mujoco.MjData(model)
    rng = np.random.default_rng(1)
    for _ in range(10):
        q = rng.uniform(arm.position_min, arm.position_max)
        frames, urdf = link_frames(arm, q), by_urdf(arm, q)
        for name, value in zip(arm.joint_names, q, strict=True):
            data.qpos[model.joint(name).qposadr[0]] = value
        mujoco.mj_kinematics(model, data)
        mujoco.mj_camlight(model, data)
        bodies = ["base", *(f"link_{i + 1}" for i in range(len(arm.arm.joints))), "tool"]
        for frame, name in zip(frames, bodies, strict=True):
            body = data.body(name)
            assert np.abs(body.xpos - frame[:3, 3]).max() < 1e-9
            assert np.abs(body.xmat.reshape(3, 3) - frame[:3, :3]).max() < 1e-9
        assert np.abs(urdf["flange"] - frames[-2]).max() < 1e-9
        assert np.abs(urdf["tool"] - forward(arm, q)).max() < 1e-9
        assert np.abs(urdf["camera_color_optical_frame"] - camera_pose(arm, q)).max() < 1e-9
        assert np.abs(data.camera("eye").xpos - camera_pose(arm, q)[:3, 3]).max() < 1e-9
        assert np.abs(-data.camera("eye").xmat.reshape(3, 3)[:, 2] - camera_pose(arm, q)[:3, 2]).max() < 1e-9


def test_masses_and_limits_are_the_same_in_all_three(arm: ArmDescription) -> None:
    model = mujoco.MjModel.from_xml_string(to_mjcf(arm))
    urdf = ET.fromstring(to_urdf(arm))
    for i, mass in enumerate(arm.arm.mass.tolist(), start=1):
        told = urdf.find(f"link[@name='link_{i}']/inertial/mass")
        assert told is not None
        assert float(told.get("value", "nan")) == mass
        assert model.body(f"link_{i}").mass[0] == pytest.approx(mass, abs=1e-12)
    for name, low, high in zip(arm.joint_names, arm.position_min, arm.position_max, strict=True):
        limit = urdf.find(f"joint[@name='{name}']/limit")
        assert limit is not None
        assert (float(limit.get("lower", "nan")), float(limit.get("upper", "nan"))) == (low, high)
        assert model.joint(name).range == pytest.approx([low, high], abs=1e-12)
    assert model.ngeom == len(arm.arm.capsules)


def test_speeds_and_efforts_are_the_same_where_they_are_told(arm: ArmDescription) -> None:
    model, urdf = mujoco.MjModel.from_xml_string(to_mjcf(arm)), ET.fromstring(to_urdf(arm))
    efforts = dict(zip(arm.arm.joints, arm.arm.effort.tolist(), strict=True))
    for name, speed in zip(arm.joint_names, arm.velocity.tolist(), strict=True):
        limit = urdf.find(f"joint[@name='{name}']/limit")
        assert limit is not None
        assert float(limit.get("velocity", "nan")) == speed
        if name in efforts:
            assert float(limit.get("effort", "nan")) == efforts[name]
            assert model.actuator(name).ctrlrange == pytest.approx([-efforts[name], efforts[name]])


def test_capsules_lie_at_the_same_place_in_all_three(arm: ArmDescription) -> None:
    model = mujoco.MjModel.from_xml_string(to_mjcf(arm))
    data, tree = mujoco.MjData(model), chain(to_urdf(arm))
    rng = np.random.default_rng(2)
    q = rng.uniform(arm.position_min, arm.position_max)
    for name, value in zip(arm.joint_names, q, strict=True):
        data.qpos[model.joint(name).qposadr[0]] = value
    mujoco.mj_kinematics(model, data)
    frames, urdf = link_frames(arm, q), by_urdf(arm, q)
    ordered = sorted(arm.arm.capsules, key=lambda capsule: capsule.link)  # as bodies come in the MJCF
    assert model.ngeom == len(ordered) == len(tree["capsules"])
    for i, capsule in enumerate(ordered):
        T = frames[capsule.link]
        ends = [T[:3, :3] @ end + T[:3, 3] for end in (capsule.start, capsule.end)]
        axis = data.geom_xmat[i].reshape(3, 3)[:, 2] * model.geom_size[i][1]
        found = [data.geom_xpos[i] - axis, data.geom_xpos[i] + axis]
        if np.dot(found[1] - found[0], ends[1] - ends[0]) < 0.0:
            found.reverse()
        assert np.abs(np.array(found) - np.array(ends)).max() < 1e-9
        assert model.geom_size[i][0] == capsule.radius
    for capsule, drawn in zip(arm.arm.capsules, tree["capsules"], strict=True):
        T, link = frames[capsule.link], urdf[drawn["link"]]
        for told, end in (("from", capsule.start), ("to", capsule.end)):
            there = link[:3, :3] @ drawn[told] + link[:3, 3]
            assert np.abs(there - (T[:3, :3] @ end + T[:3, 3])).max() < 1e-9
        assert drawn["radius"] == capsule.radius


def test_centres_of_mass_and_moments_are_the_same_in_both_exports(arm: ArmDescription) -> None:
    model, urdf = mujoco.MjModel.from_xml_string(to_mjcf(arm)), ET.fromstring(to_urdf(arm))
    data = mujoco.MjData(model)
    for name in arm.joint_names:
        data.qpos[model.joint(name).qposadr[0]] = 0.0
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    places = by_urdf(arm, np.zeros(arm.size))
    for link in (f"link_{i + 1}" for i in range(len(arm.arm.joints))):
        inertial = urdf.find(f"link[@name='{link}']/inertial")
        assert inertial is not None
        origin, inertia = inertial.find("origin"), inertial.find("inertia")
        assert origin is not None
        assert inertia is not None
        center = places[link] @ [*map(float, origin.get("xyz", "").split()), 1.0]
        assert np.abs(data.body(link).xipos - center[:3]).max() < 1e-9
        moments = [float(inertia.get(key, "nan")) for key in ("ixx", "iyy", "izz")]
        assert model.body(link).inertia == pytest.approx(moments, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "joints", "flange", "approach"),
    [
        # UR5e: x = a2 + a3, y = -(d4 + d6), z = d1 - d5. xArm 6 and Lite 6: the TCP their manuals show at zero, in mm
        # (207, 0, 112) and (87, 0, 154.2), looking down. SO-101: the wrist of the published URDF.
        ("ur5e", [0.0] * 6, [-0.8172, -0.2329, 0.0628], [0.0, -1.0, 0.0]),
        ("xarm6", [0.0] * 6, [0.207, 0.0, 0.112], [0.0, 0.0, -1.0]),
        ("lite6", [0.0] * 6, [0.087, 0.0, 0.1542], [0.0, 0.0, -1.0]),
        ("so101", [0.0] * 5, [0.2544, 0.0, 0.26685], [1.0, 0.0, 0.0]),
        ("so101", [np.pi / 2, 0.0, 0.0, 0.0, 0.0], [0.0, 0.2544, 0.26685], [0.0, 1.0, 0.0]),
    ],
)
def test_flange_is_where_the_maker_says(
    name: str, joints: list[float], flange: list[float], approach: list[float]
) -> None:
    arm = load_arm(name)
    T = link_frames(arm, [0.0, *joints])[-2]
    assert T[:3, 3] - arm.rail.base == pytest.approx(flange, abs=3e-4)
    assert T[:3, 2] == pytest.approx(approach, abs=1e-6)


def test_the_tool_of_so101_is_level_at_zero() -> None:
    R = forward(load_arm("so101"), [0.0] * 6)[:3, :3]
    assert R[:, 2] == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)
    assert R[:, 1] == pytest.approx([0.0, 0.0, -1.0], abs=1e-6)


def test_calibration_moves_the_tool_and_keeps_the_nominal_arm(tmp_path: Path) -> None:
    file = tmp_path / "unit.toml"
    file.write_text(
        "delta_theta = [0.001, 0, 0, 0, 0, 0]\ndelta_a = [0, 0.0005, 0, 0, 0, 0]\n"
        "delta_d = [0, 3.0, -3.0, 0, 0, 0]\ndelta_alpha = [0, 0.0, 0, 0, 0, 0]\n"
    )
    nominal, unit = load_arm("ur3e"), load_arm("ur3e", file)
    q = [0.0, 0.3, -1.2, 1.0, 0.2, 0.4, 0.1]
    moved = float(np.linalg.norm(forward(unit, q)[:3, 3] - forward(nominal, q)[:3, 3]))
    assert 1e-4 < moved < 2e-3  # the 3 m along parallel axes cancel
    assert unit.nominal is not None
    assert np.array_equal(unit.nominal.arm.a, nominal.arm.a)
    with pytest.raises(ValueError, match=r"delta_theta: expected 6 finite numbers"):
        calibrated(nominal, {k: [0.0] * 5 for k in ("delta_a", "delta_theta", "delta_d", "delta_alpha")}, source="x")
