"""An arm's description as MJCF, which MuJoCo loads as it stands: bodies, joints, motors, masses, capsules, camera."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from math import atan2, cos, sin, sqrt

import numpy as np
import numpy.typing as npt

from robot.arms.description import ArmDescription, Capsule
from robot.arms.inertia import link_mass

Array = npt.NDArray[np.float64]
Element = ET.Element
RAIL_EFFORT = 500.0  # [N]; assumption


def to_mjcf(arm: ArmDescription) -> str:
    """Return the robot as an MJCF model.

    Bodies: `base` on the rail, `link_1` to `link_n` whose frames are the DH frames, `tool` with the site `tool`, and
    the camera `eye`. Joints and motors are named as in the description, and a joint's position is the arm's own angle.
    Links next to each other do not collide; the jaws are not modelled (`sim.scene` has them).
    """
    root = ET.Element("mujoco", model=arm.name)
    ET.SubElement(root, "compiler", angle="radian", autolimits="true")
    ET.SubElement(root, "option", timestep="0.002", integrator="implicitfast")
    world = ET.SubElement(root, "worldbody")
    motors = ET.SubElement(root, "actuator")
    body = _body(world, "base", arm.rail.base, np.eye(3))
    rail = {"name": arm.rail.joint, "type": "slide", "axis": "1 0 0"}
    ET.SubElement(body, "joint", rail, range=_texts([arm.rail.position_min, arm.rail.position_max]))
    _mass(body, arm.rail.mass, np.zeros(3), 0.4 * arm.rail.mass * 0.3**2)
    _motor(motors, arm.rail.joint, RAIL_EFFORT)
    _capsules(body, arm, 0)
    dh = arm.arm
    for i, joint in enumerate(dh.joints):
        c, s = cos(float(dh.alpha[i])), sin(float(dh.alpha[i]))
        turn = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
        offset = np.array([float(dh.a[i]), 0.0, float(dh.d[i])])
        body = _body(body, f"link_{i + 1}", offset, turn)
        # The DH frame lies behind its joint: anchor and axis are the frame before, seen from it. The body is drawn as
        # it is when angle and theta cancel.
        ET.SubElement(
            body,
            "joint",
            name=joint,
            type="hinge",
            pos=_texts(-turn.T @ offset),
            axis=_texts(turn[2]),
            ref=_text(-float(dh.theta[i])),
            range=_texts([dh.position_min[i], dh.position_max[i]]),
        )
        _mass(body, *link_mass(arm, i + 1))
        _capsules(body, arm, i + 1)
        _motor(motors, joint, float(dh.effort[i]))
    tool = _body(body, "tool", arm.tool.T_flange_tool[:3, 3], arm.tool.T_flange_tool[:3, :3])
    _mass(tool, *link_mass(arm, arm.tool_link))
    _capsules(tool, arm, arm.tool_link)
    ET.SubElement(tool, "site", name="tool", size="0.004")
    T = arm.camera.T_tool_camera @ np.diag([1.0, -1.0, -1.0, 1.0])  # MuJoCo's cameras look along -z, y up
    place = {"pos": _texts(T[:3, 3]), "quat": _quaternion(T[:3, :3])}
    ET.SubElement(tool, "camera", place, name="eye", fovy=_text(arm.camera.fovy_deg))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode")


def _body(parent: Element, name: str, position: Array, rotation: Array) -> Element:
    place = {"pos": _texts(position), "quat": _quaternion(rotation)}
    return ET.SubElement(parent, "body", place, name=name, gravcomp="1")


def _mass(body: Element, mass: float, center: Array, moment: float) -> None:
    ET.SubElement(body, "inertial", mass=_text(mass), pos=_texts(center), diaginertia=_texts([moment] * 3))


def _motor(motors: Element, joint: str, effort: float) -> None:
    ET.SubElement(motors, "motor", name=joint, joint=joint, ctrlrange=_texts([-effort, effort]))


def _capsules(body: Element, arm: ArmDescription, link: int) -> None:
    for capsule in arm.arm.capsules:
        if capsule.link == link:
            _capsule(body, capsule)


def _capsule(body: Element, capsule: Capsule) -> None:
    ends = _texts([*capsule.start, *capsule.end])
    kind = "capsule" if float(np.linalg.norm(capsule.end - capsule.start)) > 1e-9 else "sphere"
    place = {"fromto": ends} if kind == "capsule" else {"pos": _texts(capsule.start)}
    ET.SubElement(body, "geom", place, type=kind, size=_text(capsule.radius), contype="0", conaffinity="0")


def _quaternion(R: Array) -> str:
    """Return w, x, y, z of a rotation, by its angle about the axis; exact for half turns."""
    w = 0.5 * sqrt(max(0.0, 1.0 + float(np.trace(R))))
    axis = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])
    sine = 0.5 * float(np.linalg.norm(axis))
    if sine < 1e-9 and w < 0.5:
        column = (R + np.eye(3))[:, int(np.argmax(np.diag(R)))]
        return _texts([0.0, *(column / np.linalg.norm(column))])
    half = 0.5 * atan2(sine, 0.5 * (float(np.trace(R)) - 1.0))
    unit = axis / np.linalg.norm(axis) if sine >= 1e-9 else np.zeros(3)
    return _texts([cos(half), *(sin(half) * unit)])


def _texts(values: Array | list[float]) -> str:
    return " ".join(_text(float(value)) for value in values)


def _text(value: float) -> str:
    """Return the shortest text that reads back as the same number."""
    return repr(float(value) + 0.0)
