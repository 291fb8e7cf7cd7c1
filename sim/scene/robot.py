"""The robot's bodies, joints and actuators as MJCF, one body per DH frame, from the arm description alone."""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription, Capsule

Array = npt.NDArray[np.float64]

ARM, FRUIT, STRUCTURE = 1, 2, 4
"""Contact bits; the arm does not collide with itself here (the safety layer's capsules watch that)."""

VISUAL, COLLISION, ROBOT = 0, 3, 2
"""Geom groups: 0 the scene, 2 the robot, 3 collision shapes (never drawn); 5 is put away."""

FINGER_MASS = 0.04
"""Of one finger [kg]; assumption. The rest of the tool's mass sits in its body."""

BLADE_HOUSED = -0.06
"""Tool z of the blade's edge at rest [m], behind the pads and out of the camera's view of them."""

ARMATURE = np.array([0.12, 0.12, 0.08, 0.02, 0.02, 0.02])
"""Rotor inertia seen at the joints of a small cobot with 100:1 drives [kg m^2]; assumption."""

WHITE, GREY, DARK, BLUE = (
    (0.90, 0.91, 0.92, 1.0),
    (0.55, 0.57, 0.60, 1.0),
    (0.13, 0.14, 0.15, 1.0),
    (0.28, 0.47, 0.66, 1.0),
)


def quaternion(rotation: Array) -> Array:
    """Return w, x, y, z of a rotation matrix, shape (4,)."""
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, np.ascontiguousarray(rotation, dtype=np.float64).ravel())
    return quat


def add_robot(spec: mujoco.MjSpec, arm: ArmDescription) -> None:
    """Add carriage, punnet, arm, gripper and camera to `spec`. Joints and actuators are named as in the description."""
    carriage = spec.worldbody.add_body(name="carriage", pos=[0.0, 0.0, 0.0], gravcomp=1)
    carriage.add_joint(
        name=arm.rail.joint,
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[1, 0, 0],
        range=[arm.rail.position_min, arm.rail.position_max],
        limited=True,
        frictionloss=5.0,
    )
    _inertia(carriage, arm.rail.mass, [0.0, 0.0, 0.4], 0.3)
    x, y, z = arm.rail.base.tolist()
    _box(carriage, [x, y, 0.5 * z + 0.12], [0.10, 0.10, 0.5 * z - 0.12], GREY)
    _box(carriage, [x + 0.1, y, 0.19], [0.36, 0.16, 0.06], WHITE)
    _punnet(carriage, arm)
    _links(spec, carriage, arm)
    for index, joint in enumerate(arm.joint_names):
        spec.add_actuator(
            name=joint,
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            target=joint,
            gaintype=mujoco.mjtGain.mjGAIN_FIXED,
            biastype=mujoco.mjtBias.mjBIAS_AFFINE,
            forcelimited=True,
            forcerange=[-1.0, 1.0] if index else [-500.0, 500.0],
        )
        if index:
            limit = float(arm.arm.effort[index - 1])
            spec.actuators[-1].forcerange = [-limit, limit]


def _inertia(body: mujoco.MjsBody, mass: float, center: list[float] | Array, radius: float) -> None:
    body.explicitinertial = True
    body.mass = mass
    body.ipos = center
    body.inertia = [0.4 * mass * radius**2] * 3


def _box(
    body: mujoco.MjsBody, pos: list[float], size: list[float], rgba: tuple[float, ...], *, hits: int = ARM
) -> None:
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=pos,
        size=size,
        rgba=rgba,
        group=ROBOT,
        contype=hits,
        conaffinity=0,
        condim=3,
        mass=0,
    )


def _punnet(carriage: mujoco.MjsBody, arm: ArmDescription) -> None:
    """Add the open box the berries are laid into, its pad soft as a bubble-film liner."""
    punnet = arm.punnet
    body = carriage.add_body(name="punnet", pos=punnet.position, gravcomp=1)
    lx, ly, h = (0.5 * punnet.inner[0], 0.5 * punnet.inner[1], punnet.inner[2])
    wall = 0.002
    walls = (
        ("floor", [0, 0, -wall], [lx, ly, wall]),
        ("left", [-lx - wall, 0, 0.5 * h], [wall, ly, 0.5 * h]),
        ("right", [lx + wall, 0, 0.5 * h], [wall, ly, 0.5 * h]),
        ("front", [0, -ly - wall, 0.5 * h], [lx, wall, 0.5 * h]),
        ("back", [0, ly + wall, 0.5 * h], [lx, wall, 0.5 * h]),
    )
    for name, pos, size in walls:
        body.add_geom(
            name=f"punnet_{name}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=pos,
            size=size,
            rgba=(0.35, 0.55, 0.75, 1.0) if name == "floor" else (0.55, 0.72, 0.85, 1.0),
            group=ROBOT,
            contype=STRUCTURE,
            conaffinity=FRUIT,
            condim=6,
            friction=[0.6, 0.005, 0.002],
            solref=[0.01, 1.0],
            solimp=[0.8, 0.97, 0.002, 0.5, 2.0],
            mass=0,
        )
    _box(carriage, [float(punnet.position[0]), float(punnet.position[1]), 0.5 * float(punnet.position[2])],
         [0.03, 0.03, 0.5 * float(punnet.position[2]) - 0.006], GREY)  # fmt: skip


def _links(spec: mujoco.MjSpec, carriage: mujoco.MjsBody, arm: ArmDescription) -> None:
    dh = arm.arm
    body = carriage.add_body(name="base", pos=arm.rail.base, gravcomp=1)
    _capsules(body, arm, 0)
    for i, joint in enumerate(dh.joints):
        c, s = float(np.cos(dh.alpha[i])), float(np.sin(dh.alpha[i]))
        turn = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
        offset = np.array([dh.a[i], 0.0, dh.d[i]])
        body = body.add_body(name=f"link_{i + 1}", pos=offset, quat=quaternion(turn), gravcomp=1)
        body.add_joint(
            name=joint,
            type=mujoco.mjtJoint.mjJNT_HINGE,
            pos=-turn.T @ offset,
            axis=turn.T @ np.array([0.0, 0.0, 1.0]),
            range=[float(dh.position_min[i]), float(dh.position_max[i])],
            limited=True,
            armature=float(ARMATURE[i]),
            damping=0.05,
        )
        mine = [c for c in dh.capsules if c.link == i + 1]
        center = 0.5 * (mine[0].start + mine[0].end) if mine else np.zeros(3)
        reach = float(np.linalg.norm(mine[0].end - mine[0].start)) if mine else 0.0
        _inertia(body, float(dh.mass[i]), center, max(0.045, 0.4 * reach))
        _capsules(body, arm, i + 1)
        if i == 0:
            _cylinder(body, [0, 0, -0.06], [0, 0, 0.13], 0.05, BLUE)
        if i == 5:
            _cylinder(body, [0, 0, -0.05], [0, 0, 0.0], 0.032, GREY)
    _tool(spec, body, arm)


def _cylinder(
    body: mujoco.MjsBody, start: list[float], end: list[float], radius: float, rgba: tuple[float, ...]
) -> None:
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        fromto=[*start, *end],
        size=[radius, 0, 0],
        rgba=rgba,
        group=ROBOT,
        contype=0,
        conaffinity=0,
        mass=0,
    )


def _capsules(body: mujoco.MjsBody, arm: ArmDescription, link: int) -> None:
    for index, capsule in enumerate(c for c in arm.arm.capsules if c.link == link):
        _capsule(body, capsule, f"link_{link}_{index}", WHITE if link in {0, 2, 3} else BLUE if link < 7 else GREY)


def _capsule(body: mujoco.MjsBody, capsule: Capsule, name: str, rgba: tuple[float, ...]) -> None:
    body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        fromto=[*capsule.start, *capsule.end],
        size=[capsule.radius, 0, 0],
        rgba=rgba,
        group=ROBOT,
        contype=ARM,
        conaffinity=0,
        condim=3,
        mass=0,
    )


def _tool(spec: mujoco.MjSpec, flange: mujoco.MjsBody, arm: ArmDescription) -> None:
    tool = arm.tool
    body = flange.add_body(
        name="tool", pos=tool.T_flange_tool[:3, 3], quat=quaternion(tool.T_flange_tool[:3, :3]), gravcomp=1
    )
    _inertia(body, tool.mass - 2.0 * FINGER_MASS, tool.center_of_mass, 0.05)
    _capsules(body, arm, 7)
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
    _inertia(finger, FINGER_MASS, [0, 0, -0.5 * tool.finger_length], 0.03)
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
    _box(finger, [sign * 0.25 * thickness, 0, -depth - shank], [0.6 * thickness, 0.7 * height, shank], GREY)


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
