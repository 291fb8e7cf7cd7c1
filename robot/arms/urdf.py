"""An arm's description as URDF, for viewers and ROS tools: the kinematics of its DH parameters, and its capsules."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from math import atan2, hypot

import numpy as np
import numpy.typing as npt

from robot.arms.description import ArmDescription, Capsule
from robot.arms.inertia import link_mass

Array = npt.NDArray[np.float64]
Element = ET.Element

GRIPPER_JOINT = "gripper_joint"


def to_urdf(arm: ArmDescription) -> str:
    """Return the robot as URDF 1.0.

    Links: `world`, `base`, `link_1` to `link_n` (after each joint's turn), `flange` (DH frame n), `tool`, two fingers,
    `camera_color_optical_frame`, `punnet`. A capsule is a cylinder with a ball at each end.
    """
    robot = ET.Element("robot", name=arm.name)
    count = len(arm.arm.joints)
    statics = [np.eye(4), *(_after_turn(arm, i) for i in range(count))]
    names = ["base", *(f"link_{i}" for i in range(1, count + 1)), "tool"]
    ET.SubElement(robot, "link", name="world")
    for index, name in enumerate(names):
        link = ET.SubElement(robot, "link", name=name)
        if index:
            _add_mass(link, *link_mass(arm, index), np.eye(4) if index == arm.tool_link else statics[index])
        for number, capsule in enumerate(c for c in arm.arm.capsules if c.link == index):
            # Capsules are given in the DH frame, which is behind the link's own by what follows the turn.
            _add_capsule(link, capsule, np.eye(4) if index == arm.tool_link else statics[index], f"{name}_{number}")
    rail = _joint(robot, arm.rail.joint, "prismatic", ("world", "base"), _moved(arm.rail.base))
    _limit(rail, "1 0 0", arm.rail.position_min, arm.rail.position_max, velocity=arm.rail.velocity, effort=0.0)
    for i, name in enumerate(arm.arm.joints):
        joint = _joint(robot, name, "revolute", (names[i], names[i + 1]), statics[i] @ _turned(float(arm.arm.theta[i])))
        low, high = float(arm.arm.position_min[i]), float(arm.arm.position_max[i])
        _limit(joint, "0 0 1", low, high, velocity=float(arm.arm.velocity[i]), effort=float(arm.arm.effort[i]))
    ET.SubElement(robot, "link", name="flange")
    _joint(robot, "flange_joint", "fixed", (names[count], "flange"), statics[count])
    _joint(robot, "tool_joint", "fixed", ("flange", "tool"), arm.tool.T_flange_tool)
    _add_gripper(robot, arm)
    ET.SubElement(robot, "link", name="camera_color_optical_frame")
    _joint(robot, "camera_joint", "fixed", ("tool", "camera_color_optical_frame"), arm.camera.T_tool_camera)
    _add_punnet(robot, arm)
    ET.indent(robot)
    return ET.tostring(robot, encoding="unicode")


def _after_turn(arm: ArmDescription, index: int) -> Array:
    """Return Tz(d) Tx(a) Rx(alpha) of one DH row, shape (4, 4)."""
    a, d, alpha = (float(values[index]) for values in (arm.arm.a, arm.arm.d, arm.arm.alpha))
    c, s = np.cos(alpha), np.sin(alpha)
    return np.array([[1.0, 0.0, 0.0, a], [0.0, c, -s, 0.0], [0.0, s, c, d], [0.0, 0.0, 0.0, 1.0]])


def _turned(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0, 0.0], [s, c, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def _moved(position: Array) -> Array:
    T = np.eye(4)
    T[:3, 3] = position
    return T


def _joint(robot: Element, name: str, kind: str, ends: tuple[str, str], T: Array) -> Element:
    parent, child = ends
    joint = ET.SubElement(robot, "joint", name=name, type=kind)
    _origin(joint, T)
    ET.SubElement(joint, "parent", link=parent)
    ET.SubElement(joint, "child", link=child)
    return joint


def _limit(joint: Element, axis: str, low: float, high: float, *, velocity: float, effort: float) -> None:
    ET.SubElement(joint, "axis", xyz=axis)
    ET.SubElement(joint, "limit", lower=_text(low), upper=_text(high), velocity=_text(velocity), effort=_text(effort))


def _origin(parent: Element, T: Array) -> None:
    """Write a transform as URDF does: R = Rz(yaw) Ry(pitch) Rx(roll)."""
    R = T[:3, :3]
    level = hypot(R[0, 0], R[1, 0])
    if level > 1e-9:
        rpy = (atan2(R[2, 1], R[2, 2]), atan2(-R[2, 0], level), atan2(R[1, 0], R[0, 0]))
    else:  # pitch of 90 degrees: roll and yaw turn about the same axis
        rpy = (atan2(-R[1, 2], R[1, 1]), atan2(-R[2, 0], level), 0.0)
    ET.SubElement(parent, "origin", xyz=" ".join(map(_text, T[:3, 3].tolist())), rpy=" ".join(map(_text, rpy)))


def _text(value: float) -> str:
    """Return the shortest text that reads back as the same number."""
    return repr(float(value) + 0.0)


def _add_mass(link: Element, mass: float, center: Array, moment: float, T_link_dh: Array) -> None:
    inertial = ET.SubElement(link, "inertial")
    _origin(inertial, _moved(T_link_dh[:3, :3] @ center + T_link_dh[:3, 3]))
    ET.SubElement(inertial, "mass", value=_text(mass))
    about = {name: _text(moment if name[1] == name[2] else 0.0) for name in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")}
    ET.SubElement(inertial, "inertia", about)


def _add_capsule(link: Element, capsule: Capsule, T_link_dh: Array, name: str) -> None:
    ends = [T_link_dh[:3, :3] @ end + T_link_dh[:3, 3] for end in (capsule.start, capsule.end)]
    for kind in ("visual", "collision"):
        along = ends[1] - ends[0]
        length = float(np.linalg.norm(along))
        T = _along(along / length if length > 0.0 else np.array([0.0, 0.0, 1.0]))
        T[:3, 3] = (ends[0] + ends[1]) / 2.0
        body = _shape(link, kind, f"{name}_capsule", T)
        ET.SubElement(body, "cylinder", radius=_text(capsule.radius), length=_text(length))
        for end, place in zip("ab", ends, strict=True):
            ET.SubElement(_shape(link, kind, f"{name}_{end}", _moved(place)), "sphere", radius=_text(capsule.radius))


def _shape(link: Element, kind: str, name: str, T: Array) -> Element:
    element = ET.SubElement(link, kind, name=name)
    _origin(element, T)
    return ET.SubElement(element, "geometry")


def _along(z: Array) -> Array:
    """Return a rotation whose z axis is `z`, shape (4, 4)."""
    helper = np.array([1.0, 0.0, 0.0]) if abs(z[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    x = np.cross(helper, z)
    x /= np.linalg.norm(x)
    T = np.eye(4)
    T[:3, :3] = np.column_stack([x, np.cross(z, x), z])
    return T


def _add_gripper(robot: Element, arm: ArmDescription) -> None:
    """Add the opening [m] as a joint of its own, which two fingers follow by half each."""
    tool = arm.tool
    ET.SubElement(robot, "link", name="opening")
    opening = _joint(robot, GRIPPER_JOINT, "prismatic", ("tool", "opening"), np.eye(4))
    _limit(opening, "1 0 0", tool.opening_min, tool.opening_max, velocity=tool.opening_velocity, effort=tool.force_max)
    thick, height, depth = (float(v) for v in tool.pad)
    for side, axis, sign in (("left", "1 0 0", 1.0), ("right", "-1 0 0", -1.0)):
        link = ET.SubElement(robot, "link", name=f"finger_{side}")
        for kind in ("visual", "collision"):
            pad = _shape(link, kind, f"pad_{side}", _moved(np.array([sign * thick, 0.0, 0.0])))
            ET.SubElement(pad, "box", size=" ".join(_text(2.0 * v) for v in (thick, height, depth)))
        middle = np.array([sign * thick, 0.0, -tool.finger_length / 2.0])
        finger = _shape(link, "visual", f"finger_{side}", _moved(middle))
        ET.SubElement(finger, "box", size=f"{_text(thick)} {_text(height)} {_text(tool.finger_length)}")
        joint = _joint(robot, f"finger_{side}_joint", "prismatic", ("tool", f"finger_{side}"), np.eye(4))
        half = (tool.opening_min / 2.0, tool.opening_max / 2.0)
        _limit(joint, axis, *half, velocity=tool.opening_velocity, effort=tool.force_max)
        ET.SubElement(joint, "mimic", joint=GRIPPER_JOINT, multiplier="0.5", offset="0.0")


def _add_punnet(robot: Element, arm: ArmDescription) -> None:
    """Add the punnet that rides on the carriage, as its inner space."""
    link = ET.SubElement(robot, "link", name="punnet")
    box = _shape(link, "visual", "punnet", _moved(np.array([0.0, 0.0, float(arm.punnet.inner[2]) / 2.0])))
    ET.SubElement(box, "box", size=" ".join(_text(float(v)) for v in arm.punnet.inner))
    _joint(robot, "punnet_joint", "fixed", ("base", "punnet"), _moved(arm.punnet.position - arm.rail.base))
