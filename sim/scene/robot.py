"""The robot's bodies, joints and actuators as MJCF, one body per DH frame, from the arm description alone."""

from __future__ import annotations

from collections.abc import Mapping

import mujoco
import numpy as np

from robot.arms import ArmDescription
from sim.scene.gripper import add_tool
from sim.scene.parts import BLUE, FRUIT, GREY, ROBOT, STRUCTURE, WHITE, box, capsules, cylinder, inertia, quaternion

OTHERS = 8
"""First of the contact bits by which robots in one scene touch each other, and never themselves."""

ARMATURE = np.array([0.12, 0.12, 0.08, 0.02, 0.02, 0.02])
"""Rotor inertia seen at the joints of a small cobot with 100:1 drives [kg m^2]; assumption."""


def prefix(number: int) -> str:
    """Return what a robot's names in the model begin with; those of the first have nothing before them."""
    return f"robot{number + 1}/" if number else ""


def add_robots(spec: mujoco.MjSpec, robots: Mapping[str, ArmDescription]) -> None:
    """Add robots on one rail, by the prefix of their names; the first one's is empty. They can touch each other."""
    for number, (own, arm) in enumerate(robots.items()):
        if number == 0:
            add_robot(spec, arm)
        else:
            alone = mujoco.MjSpec()
            alone.compiler.degree = False
            add_robot(alone, arm)
            spec.attach(alone, prefix=own, frame=spec.worldbody.add_frame())
        if len(robots) == 1:
            return
        for geom in spec.body(f"{own}carriage").find_all("geom"):
            if geom.contype:
                geom.contype |= OTHERS << number
                geom.conaffinity |= sum(OTHERS << before for before in range(number))


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
    inertia(carriage, arm.rail.mass, [0.0, 0.0, 0.4], 0.3)
    x, y, z = arm.rail.base.tolist()
    box(carriage, [x, y, 0.5 * z + 0.12], [0.10, 0.10, 0.5 * z - 0.12], GREY)
    box(carriage, [x + 0.1, y, 0.19], [0.36, 0.16, 0.06], WHITE)
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
    box(carriage, [float(punnet.position[0]), float(punnet.position[1]), 0.5 * float(punnet.position[2])],
         [0.03, 0.03, 0.5 * float(punnet.position[2]) - 0.006], GREY)  # fmt: skip


def _links(spec: mujoco.MjSpec, carriage: mujoco.MjsBody, arm: ArmDescription) -> None:
    dh = arm.arm
    body = carriage.add_body(name="base", pos=arm.rail.base, gravcomp=1)
    capsules(body, arm, 0)
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
            ref=-float(dh.theta[i]),
            armature=float(ARMATURE[i]),
            damping=0.05,
        )
        mine = [c for c in dh.capsules if c.link == i + 1]
        center = 0.5 * (mine[0].start + mine[0].end) if mine else np.zeros(3)
        reach = float(np.linalg.norm(mine[0].end - mine[0].start)) if mine else 0.0
        inertia(body, float(dh.mass[i]), center, max(0.045, 0.4 * reach))
        capsules(body, arm, i + 1)
        if i == 0:
            cylinder(body, [0, 0, -0.06], [0, 0, 0.13], 0.05, BLUE)
        if i == 5:
            cylinder(body, [0, 0, -0.05], [0, 0, 0.0], 0.032, GREY)
    add_tool(spec, body, arm)
