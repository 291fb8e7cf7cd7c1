"""The arm as URDF: the same places as its DH parameters, its capsules; and what the 3-D view reads of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dashboard.urdf import chain
from robot.arms import load_arm
from robot.arms.parse import transform_from_rpy
from robot.arms.urdf import to_urdf
from robot.kinematics import camera_pose, forward
from robot.kinematics.chain import link_frames

ARM = load_arm("ur3e")
URDF = to_urdf(ARM)
CHAIN = chain(URDF)
Array = npt.NDArray[np.float64]


def origin(values: dict[str, list[float]]) -> Array:
    return np.array(transform_from_rpy(np.array(values["xyz"]), np.array(values["rpy"])))


def motion(joint: dict[str, Any], positions: dict[str, float]) -> Array:
    mimic = joint["mimic"]
    q = positions.get(joint["name"], 0.0)
    if mimic is not None:
        q = positions.get(mimic["joint"], 0.0) * mimic["multiplier"] + mimic["offset"]
    T, axis = np.eye(4), np.array(joint["axis"])
    if joint["type"] == "prismatic":
        T[:3, 3] = q * axis
    elif joint["type"] == "revolute":
        K = np.array([[0.0, -axis[2], axis[1]], [axis[2], 0.0, -axis[0]], [-axis[1], axis[0], 0.0]])
        T[:3, :3] = np.eye(3) + np.sin(q) * K + (1.0 - np.cos(q)) * K @ K  # Rodrigues
    return T


def places(positions: dict[str, float]) -> dict[str, Array]:
    """Return each link in the world by the URDF alone."""
    found = {CHAIN["root"]: np.eye(4)}
    for joint in CHAIN["joints"]:
        found[joint["child"]] = found[joint["parent"]] @ origin(joint["origin"]) @ motion(joint, positions)
    return found


@pytest.fixture(params=range(20))
def q(request: pytest.FixtureRequest) -> Array:
    rng = np.random.default_rng(request.param)
    return rng.uniform(ARM.position_min, ARM.position_max)


def test_urdf_places_every_frame_where_the_dh_parameters_do(q: Array) -> None:
    found = places(dict(zip(ARM.joint_names, q.tolist(), strict=True)))
    frames = link_frames(ARM, q)
    assert np.abs(found["base"] - frames[0]).max() < 1e-9
    assert np.abs(found["flange"] - frames[6]).max() < 1e-9
    assert np.abs(found["tool"] - forward(ARM, q)).max() < 1e-9
    assert np.abs(found["camera_color_optical_frame"] - camera_pose(ARM, q)).max() < 1e-9


def test_capsules_lie_where_the_collision_check_has_them(q: Array) -> None:
    found = places(dict(zip(ARM.joint_names, q.tolist(), strict=True)))
    frames = link_frames(ARM, q)
    drawn = [
        ([found[c["link"]][:3, :3] @ c[end] + found[c["link"]][:3, 3] for end in ("from", "to")], c["radius"])
        for c in CHAIN["capsules"]
    ]
    assert len(drawn) == len(ARM.arm.capsules)
    for capsule, (ends, radius) in zip(ARM.arm.capsules, drawn, strict=True):
        T = frames[capsule.link]
        wanted = [T[:3, :3] @ point + T[:3, 3] for point in (capsule.start, capsule.end)]
        assert np.abs(np.array(ends) - np.array(wanted)).max() < 1e-9
        assert radius == capsule.radius


def test_fingers_follow_the_opening_by_half_each() -> None:
    at = places({"gripper_joint": 0.05})
    gap = (at["finger_left"] - at["finger_right"])[:3, 3]
    assert np.linalg.norm(gap) == pytest.approx(0.05)


def test_joints_are_those_of_the_arm_with_its_limits_and_the_whole_is_small_enough_to_send() -> None:
    moving = {joint["name"]: joint for joint in CHAIN["joints"] if joint["type"] != "fixed" and not joint["mimic"]}
    assert list(moving) == [*ARM.joint_names, "gripper_joint"]
    for name, low, high in zip(ARM.joint_names, ARM.position_min, ARM.position_max, strict=True):
        assert (moving[name]["lower"], moving[name]["upper"]) == (low, high)
    assert len(URDF.encode()) < 32 * 1024


BAD = {
    "no XML": "not a robot",
    "another root": "<html/>",
    "an entity": '<!DOCTYPE r [<!ENTITY a "b">]><robot name="&a;"/>',
    "no link": '<robot name="r"/>',
    "two roots": '<robot name="r"><link name="a"/><link name="b"/></robot>',
    "an unknown link": '<robot name="r"><link name="a"/><joint name="j" type="fixed"><parent link="a"/>'
    '<child link="b"/></joint></robot>',
    "a loop": '<robot name="r"><link name="w"/><link name="a"/><link name="b"/>'
    '<joint name="j" type="fixed"><parent link="a"/><child link="b"/></joint>'
    '<joint name="k" type="fixed"><parent link="b"/><child link="a"/></joint></robot>',
    "a type": '<robot name="r"><link name="a"/><link name="b"/><joint name="j" type="floating"><parent link="a"/>'
    '<child link="b"/></joint></robot>',
    "not a number": '<robot name="r"><link name="a"><visual><origin xyz="0 nan 0"/></visual></link></robot>',
    "too large": f'<robot name="r">{" " * 70_000}</robot>',
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_is_no_urdf_of_a_tree_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        chain(text)
