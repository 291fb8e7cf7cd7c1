"""Pieces the robot's model is built of: contact bits, groups, colours, boxes and capsules."""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription, Capsule

Array = npt.NDArray[np.float64]

ARM, FRUIT, STRUCTURE = 1, 2, 4
"""Contact bits; the arm does not collide with itself here (the safety layer's capsules watch that)."""

TOUCHES_ARM = ARM
"""What gives way to the robot and touches nothing else: leaves."""

VISUAL, COLLISION, ROBOT = 0, 3, 2
"""Geom groups: 0 the scene, 2 the robot, 3 collision shapes (never drawn)."""

AWAY = 5
"""Geom group of everything that is not there now."""

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


def inertia(body: mujoco.MjsBody, mass: float, center: list[float] | Array, radius: float) -> None:
    """Give a body its mass [kg], its centre and the inertia of a ball of `radius` [m]."""
    body.explicitinertial = True
    body.mass = mass
    body.ipos = center
    body.inertia = [0.4 * mass * radius**2] * 3


def box(body: mujoco.MjsBody, pos: list[float], size: list[float], rgba: tuple[float, ...], *, hits: int = ARM) -> None:
    """Add a box that collides with `hits` (the arm, by default)."""
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


def cylinder(
    body: mujoco.MjsBody, start: list[float], end: list[float], radius: float, rgba: tuple[float, ...]
) -> None:
    """Add a cylinder that is only drawn."""
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


def capsules(body: mujoco.MjsBody, arm: ArmDescription, link: int) -> None:
    """Add the collision capsules of one link, drawn as they are."""
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
