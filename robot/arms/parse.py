"""Reads an arm's TOML tables strictly: unknown or missing keys, wrong shapes and wrong signs are errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt

from robot.arms.description import Arm, ArmDescription, Camera, Capsule, Posture, Punnet, Rail, SafetyLimits, Tool
from robot.arms.ranges import plausible

Array = npt.NDArray[np.float64]


class Table:
    """One TOML table that hands out its keys by type and complains about what is left over."""

    def __init__(self, values: Mapping[str, Any], where: str, keys: Iterable[str]) -> None:
        self._values, self._where = values, where
        known = list(keys)
        for key in values:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"{where}: unknown key {key!r}, expected one of {known}{hint}")
        for key in known:
            if key not in values:
                raise ValueError(f"{where}: missing key {key!r}")

    def table(self, key: str, keys: Iterable[str]) -> Table:
        value = self._values[key]
        if not isinstance(value, Mapping):
            raise self.error(key, "a table", value)
        return Table(value, f"{self._where}.{key}", keys)

    def error(self, key: str, expected: str, got: object) -> ValueError:
        return ValueError(f"{self._where}.{key}: expected {expected}, got {got!r}")

    def number(self, key: str, *, positive: bool = False) -> float:
        value = self._values[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            raise self.error(key, "a finite number", value)
        if positive and value <= 0:
            raise self.error(key, "a number > 0", value)
        return float(value)

    def integer(self, key: str) -> int:
        value = self._values[key]
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise self.error(key, "an integer > 0", value)
        return value

    def text(self, key: str) -> str:
        value = self._values[key]
        if not isinstance(value, str) or not value:
            raise self.error(key, "a text", value)
        return value

    def names(self, key: str, least: int, most: int) -> tuple[str, ...]:
        value = self._values[key]
        texts = isinstance(value, list) and all(isinstance(x, str) and x for x in value)
        if not texts or not least <= len(value) <= most:
            raise self.error(key, f"{least} to {most} texts", value)
        if len(set(value)) != len(value):
            raise self.error(key, "names that differ", value)
        return tuple(value)

    def vector(self, key: str, n: int, *, positive: bool = False) -> Array:
        value = self._values[key]
        numbers = isinstance(value, list) and all(isinstance(x, int | float) for x in value)
        if not numbers or len(value) != n or not np.all(np.isfinite(value)):
            raise self.error(key, f"{n} finite numbers", value)
        if positive and min(value) <= 0:
            raise self.error(key, f"{n} numbers > 0", value)
        return frozen(np.array(value, dtype=np.float64))

    def bounds(self, key: str) -> tuple[float, float]:
        low, high = self.vector(key, 2)
        if low >= high:
            raise self.error(key, "[low, high] with low < high", [float(low), float(high)])
        return float(low), float(high)

    def tables(self, key: str, keys: Iterable[str]) -> list[Table]:
        value = self._values[key]
        if not isinstance(value, list) or not value:
            raise self.error(key, "an array of tables", value)
        known = list(keys)
        return [Table(item, f"{self._where}.{key}[{i}]", known) for i, item in enumerate(value)]


def frozen(array: Array) -> Array:
    """Return the array made read-only."""
    array.setflags(write=False)
    return array


def transform_from_rpy(position: Array, rpy: Array) -> Array:
    """Return the transform of a mount: R = Rz(yaw) Ry(pitch) Rx(roll) (URDF's fixed axes), shape (4, 4)."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(rpy), np.sin(rpy)
    T = np.eye(4)
    T[:3, :3] = [
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ]
    T[:3, 3] = position
    return frozen(T)


def parse_arm(values: Mapping[str, Any], *, source: str) -> ArmDescription:
    """Build an arm description from parsed TOML.

    Args:
        source: name shown in errors.

    Raises:
        ValueError: names the key, what was expected and what was found.
    """
    root = Table(values, source, ("name", "rail", "arm", "tool", "camera", "punnet", "posture", "safety"))
    rail, arm, tool = _rail(root), _arm(root), _tool(root)
    if tool.mass + HEAVIEST_FRUIT > arm.payload + 1e-6:  # [kg]
        most = (
            f"at most {arm.payload - HEAVIEST_FRUIT:.3f} kg: the arm bears {arm.payload} kg, fruit in the jaws included"
        )
        raise root.table("tool", TOOL_KEYS).error("mass", most, tool.mass)
    described = ArmDescription(
        name=root.text("name"),
        rail=rail,
        arm=arm,
        tool=tool,
        camera=_camera(root),
        punnet=_punnet(root),
        posture=_posture(root, arm),
        safety=_safety(root, 1 + len(arm.joints)),
        joint_names=(rail.joint, *arm.joints),
        position_min=frozen(np.concatenate([[rail.position_min], arm.position_min])),
        position_max=frozen(np.concatenate([[rail.position_max], arm.position_max])),
        velocity=frozen(np.concatenate([[rail.velocity], arm.velocity])),
        acceleration=frozen(np.concatenate([[rail.acceleration], arm.acceleration])),
        jerk=frozen(np.concatenate([[rail.jerk], arm.jerk])),
    )
    return plausible(described, source)


def _rail(root: Table) -> Rail:
    t = root.table("rail", ("joint", "position", "velocity", "acceleration", "jerk", "base", "mass"))
    low, high = t.bounds("position")
    return Rail(
        joint=t.text("joint"),
        position_min=low,
        position_max=high,
        velocity=t.number("velocity", positive=True),
        acceleration=t.number("acceleration", positive=True),
        jerk=t.number("jerk", positive=True),
        base=t.vector("base", 3),
        mass=t.number("mass", positive=True),
    )


HEAVIEST_FRUIT = 0.05  # in the jaws [kg]

ARM_KEYS = (
    "joints", "d", "a", "alpha", "theta", "mass", "position_min", "position_max", "velocity", "acceleration", "jerk",
    "effort", "payload", "capsules",
)  # fmt: skip


def _arm(root: Table) -> Arm:
    t = root.table("arm", ARM_KEYS)
    joints = t.names("joints", 5, 6)
    n = len(joints)
    low, high = t.vector("position_min", n), t.vector("position_max", n)
    if not np.all(low < high):
        raise t.error("position_min", "values below position_max", low.tolist())
    capsules = []
    for c in t.tables("capsules", ("link", "from", "to", "radius")):
        link = c.number("link")
        if link not in range(n + 2):
            raise c.error("link", f"a link 0..{n + 1}", link)
        capsules.append(
            Capsule(
                link=int(link),
                start=c.vector("from", 3),
                end=c.vector("to", 3),
                radius=c.number("radius", positive=True),
            )
        )
    return Arm(
        joints=joints,
        d=t.vector("d", n),
        a=t.vector("a", n),
        alpha=t.vector("alpha", n),
        theta=t.vector("theta", n),
        mass=t.vector("mass", n, positive=True),
        position_min=low,
        position_max=high,
        velocity=t.vector("velocity", n, positive=True),
        acceleration=t.vector("acceleration", n, positive=True),
        jerk=t.vector("jerk", n, positive=True),
        effort=t.vector("effort", n, positive=True),
        payload=t.number("payload", positive=True),
        capsules=tuple(capsules),
    )


TOOL_KEYS = (
    "flange", "mass", "center_of_mass", "opening", "opening_velocity", "pad", "finger_length", "force_max",
    "force_limit", "blade_offset", "blade_reach", "blade_time", "blade_force",
)  # fmt: skip


def _tool(root: Table) -> Tool:
    t = root.table("tool", TOOL_KEYS)
    flange = t.table("flange", ("position", "rpy"))
    low, high = t.bounds("opening")
    force_max, force_limit = t.number("force_max", positive=True), t.number("force_limit", positive=True)
    if force_limit > force_max:
        raise t.error("force_limit", f"at most force_max = {force_max}", force_limit)
    return Tool(
        T_flange_tool=transform_from_rpy(flange.vector("position", 3), flange.vector("rpy", 3)),
        mass=t.number("mass", positive=True),
        center_of_mass=t.vector("center_of_mass", 3),
        opening_min=low,
        opening_max=high,
        opening_velocity=t.number("opening_velocity", positive=True),
        pad=t.vector("pad", 3, positive=True),
        finger_length=t.number("finger_length", positive=True),
        force_max=force_max,
        force_limit=force_limit,
        blade_offset=t.number("blade_offset"),
        blade_reach=t.bounds("blade_reach"),
        blade_time=t.number("blade_time", positive=True),
        blade_force=t.number("blade_force", positive=True),
    )


def _camera(root: Table) -> Camera:
    t = root.table("camera", ("mount", "width", "height", "fovy", "range", "rate"))
    mount = t.table("mount", ("position", "rpy"))
    near, far = t.bounds("range")
    return Camera(
        T_tool_camera=transform_from_rpy(mount.vector("position", 3), mount.vector("rpy", 3)),
        width=t.integer("width"),
        height=t.integer("height"),
        fovy_deg=t.number("fovy", positive=True),
        range_min=near,
        range_max=far,
        rate=t.number("rate", positive=True),
    )


def _punnet(root: Table) -> Punnet:
    t = root.table("punnet", ("position", "inner", "capacity", "places"))
    columns, rows = t.vector("places", 2, positive=True)
    return Punnet(
        position=t.vector("position", 3),
        inner=t.vector("inner", 3, positive=True),
        capacity=t.integer("capacity"),
        places=(int(columns), int(rows)),
    )


def _posture(root: Table, arm: Arm) -> Posture:
    t = root.table("posture", ("joints", "ahead", "neutral"))
    joints = t.vector("joints", len(arm.joints))
    if not np.all((arm.position_min <= joints) & (joints <= arm.position_max)):
        raise t.error("joints", "angles inside the arm's limits", joints.tolist())
    neutral = []
    for pose in t.tables("neutral", ("position", "tilt")):
        y, z = pose.vector("position", 2).tolist()
        neutral.append((y, z, pose.number("tilt")))
    return Posture(joints=joints, ahead=t.number("ahead"), neutral=tuple(neutral))


SAFETY_KEYS = (
    "tool_speed_auto", "tool_speed_manual", "workspace_min", "workspace_max", "command_age", "heartbeat_age",
    "tracking_error", "crop_volume_min", "crop_volume_max",
)  # fmt: skip


def _safety(root: Table, size: int) -> SafetyLimits:
    t = root.table("safety", SAFETY_KEYS)
    for box in ("workspace", "crop_volume"):
        low, high = t.vector(f"{box}_min", 3), t.vector(f"{box}_max", 3)
        if not np.all(low < high):
            raise t.error(f"{box}_min", f"values below {box}_max", low.tolist())
    return SafetyLimits(
        tool_speed_auto=t.number("tool_speed_auto", positive=True),
        tool_speed_manual=t.number("tool_speed_manual", positive=True),
        workspace_min=t.vector("workspace_min", 3),
        workspace_max=t.vector("workspace_max", 3),
        command_age=t.number("command_age", positive=True),
        heartbeat_age=t.number("heartbeat_age", positive=True),
        tracking_error=t.vector("tracking_error", size, positive=True),
        crop_volume_min=t.vector("crop_volume_min", 3),
        crop_volume_max=t.vector("crop_volume_max", 3),
    )
