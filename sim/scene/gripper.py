"""The cutting gripper as MJCF: body, two coupled fingers of limited force, blade, and the eye in hand."""

from __future__ import annotations

import mujoco
import numpy as np

from robot.arms import ArmDescription
from sim.scene.parts import ARM, DARK, GREY, ROBOT, box, capsules, inertia, quaternion

FINGER_MASS = 0.04
"""Of one finger [kg]; assumption. The rest of the tool's mass sits in its body."""

BLADE_HOUSED = -0.06
"""Tool z of the blade's edge at rest [m], behind the pads and out of the camera's view of them."""


def add_tool(spec: mujoco.MjSpec, flange: mujoco.MjsBody, arm: ArmDescription) -> None:
    """Add gripper body, fingers, blade and camera to the flange."""
    tool = arm.tool
    body = flange.add_body(
        name="tool", pos=tool.T_flange_tool[:3, 3], quat=quaternion(tool.T_flange_tool[:3, :3]), gravcomp=1
    )
    inertia(body, tool.mass - 2.0 * FINGER_MASS, tool.center_of_mass, 0.05)
    capsules(body, arm, 7)
    body.add_site(name="tool", size=[0.004, 0, 0], group=4)
    for sign, name in ((1.0, "left"), (-1.0, "right")):
        _finger(body, arm, sign, name)
    low, high = tool.blade_reach
    body.add_geom(
        name="blade",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=[0, -tool.blade_offset, BLADE_HOUSED - 0.5 * (high - low)],
        size=[0.012, 0.0005, 0.5 * (high - low)],
        rgba=(0.75, 0.77, 0.8, 1.0),
        group=ROBOT,
        contype=0,
        conaffinity=0,
        mass=0,
    )
    _tendon(spec, arm)
    _camera(body, arm)


def _finger(body: mujoco.MjsBody, arm: ArmDescription, sign: float, name: str) -> None:
    tool = arm.tool
    thickness, height, depth = tool.pad.tolist()
    finger = body.add_body(name=f"finger_{name}", pos=[sign * thickness, 0, 0], gravcomp=1)
    finger.add_joint(
        name=f"finger_{name}",
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[sign, 0, 0],
        range=[0.5 * tool.opening_min, 0.5 * tool.opening_max],
        limited=True,
        damping=0.5,
    )
    inertia(finger, FINGER_MASS, [0, 0, -0.5 * tool.finger_length], 0.03)
    finger.add_geom(
        name=f"pad_{name}",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=tool.pad,
        rgba=DARK,
        group=ROBOT,
        contype=ARM,
        conaffinity=0,
        condim=4,
        friction=[0.9, 0.012, 0.0001],
        priority=1,  # the pads' friction counts, whatever they hold
        solref=[0.01, 1.0],
        solimp=[0.8, 0.97, 0.002, 0.5, 2.0],
        mass=0,
    )
    shank = 0.5 * (tool.finger_length - depth)
    box(finger, [sign * 0.25 * thickness, 0, -depth - shank], [0.6 * thickness, 0.7 * height, shank], GREY)


def _tendon(spec: mujoco.MjSpec, arm: ArmDescription) -> None:
    """Couple the fingers and drive their opening; the actuator's force is the force on each pad."""
    tendon = spec.add_tendon(name="opening")
    tendon.wrap_joint("finger_left", 1.0)
    tendon.wrap_joint("finger_right", 1.0)
    spec.add_equality(
        type=mujoco.mjtEq.mjEQ_JOINT,
        objtype=mujoco.mjtObj.mjOBJ_JOINT,
        name1="finger_left",
        name2="finger_right",
        data=[0.0, 1.0, *([0.0] * 10)],
        solref=[0.004, 1.0],
        solimp=[0.95, 0.99, 0.001, 0.5, 2.0],
    )
    force = arm.tool.force_max
    spec.add_actuator(
        name="gripper_joint",
        trntype=mujoco.mjtTrn.mjTRN_TENDON,
        target="opening",
        gaintype=mujoco.mjtGain.mjGAIN_FIXED,
        biastype=mujoco.mjtBias.mjBIAS_AFFINE,
        gainprm=[800.0, *([0.0] * 9)],
        biasprm=[0.0, -800.0, -8.0, *([0.0] * 7)],
        forcelimited=True,
        forcerange=[-force, force],
    )


def _camera(body: mujoco.MjsBody, arm: ArmDescription) -> None:
    camera = arm.camera
    optical = camera.T_tool_camera
    turned = optical[:3, :3] @ np.diag([1.0, -1.0, -1.0])  # MuJoCo looks along -z with y up
    body.add_camera(
        name="hand",
        pos=optical[:3, 3],
        quat=quaternion(turned),
        fovy=camera.fovy_deg,
        resolution=[camera.width, camera.height],
    )
    behind = optical[:3, 3] - optical[:3, 2] * 0.022
    body.add_geom(
        name="camera_body",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=behind,
        quat=quaternion(optical[:3, :3]),
        size=[0.021, 0.021, 0.012],
        rgba=GREY,
        group=ROBOT,
        contype=ARM,
        conaffinity=0,
        mass=0,
    )
