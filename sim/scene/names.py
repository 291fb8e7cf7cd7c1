"""Which MuJoCo id is what: joints, actuators, pads, and the three bodies of every berry."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from sim.scene.parts import ARM
from sim.scene.plants import Bed

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Names:
    """MuJoCo ids, looked up once. Arrays over berries have shape (n, 3): hanging, loose, stowed.

    Attributes:
        joint_qpos, joint_dof: address of rail and arm joints in qpos and qvel, shape (7,).
        actuators: of rail and arm, shape (7,).
        hull, flesh, calyx, stem: geoms of the berries; `hull` is what collides.
        stalk, stalk_geom: body and geom of the upper half of each stem, shape (n,).
        berry_of_geom: index of the berry a geom belongs to, -1 for others.
        leaf_of_geom: body of the hanging leaf a geom belongs to, -1 for others.
    """

    joint_qpos: Ids
    joint_dof: Ids
    actuators: Ids
    gripper: int
    fingers_qpos: Ids
    fingers_dof: Ids
    tool: int
    pads: Ids
    blade: int
    camera: int
    carriage: int
    punnet: int
    bodies: Ids
    hull: Ids
    flesh: Ids
    calyx: Ids
    stem: Ids
    stalk: Ids
    stalk_geom: Ids
    ball_qpos: Ids
    ball_dof: Ids
    free_qpos: Ids
    free_dof: Ids
    berry_of_geom: Ids
    leaf_of_geom: Ids
    arm_geoms: npt.NDArray[np.bool_]


def look_up(model: mujoco.MjModel, arm: ArmDescription, bed: Bed, own: str = "") -> Names:
    """Find every id the cell needs; `own` is what the robot's names begin with."""
    kinds = ("hanging", "loose", f"{own}stowed")

    def ids(prefix: str) -> Ids:
        return np.array(
            [[model.geom(f"{prefix}_{kind}_{b.id}").id for kind in kinds] for b in bed.berries], dtype=np.int32
        ).reshape(-1, 3)

    joints = [model.joint(own + name) for name in arm.joint_names]
    fingers = [model.joint(f"{own}finger_{side}") for side in ("left", "right")]
    balls = [model.joint(f"hanging_{b.id}") for b in bed.berries]
    frees = [model.joint(f"loose_{b.id}") for b in bed.berries]
    hull, flesh, calyx, stem = (ids(p) for p in ("hull", "flesh", "calyx", "stem"))
    berry_of_geom = np.full(model.ngeom, -1, dtype=np.int32)
    for i in range(len(bed.berries)):
        for group in (hull, flesh, calyx, stem):
            berry_of_geom[group[i]] = i
    leaves = [body for body in range(model.nbody) if model.body(body).name.startswith("leaf_")]
    bodies = np.array(
        [[model.body(f"{kind}_{b.id}").id for kind in kinds] for b in bed.berries],
        dtype=np.int32,
    )
    return Names(
        joint_qpos=np.array([j.qposadr[0] for j in joints], dtype=np.int32),
        joint_dof=np.array([j.dofadr[0] for j in joints], dtype=np.int32),
        actuators=np.array([model.actuator(own + name).id for name in arm.joint_names], dtype=np.int32),
        gripper=model.actuator(f"{own}gripper_joint").id,
        fingers_qpos=np.array([j.qposadr[0] for j in fingers], dtype=np.int32),
        fingers_dof=np.array([j.dofadr[0] for j in fingers], dtype=np.int32),
        tool=model.body(f"{own}tool").id,
        pads=np.array([model.geom(f"{own}pad_{side}").id for side in ("left", "right")], dtype=np.int32),
        blade=model.geom(f"{own}blade").id,
        camera=model.camera(f"{own}hand").id,
        carriage=model.body(f"{own}carriage").id,
        punnet=model.body(f"{own}punnet").id,
        bodies=bodies.reshape(-1, 3),
        hull=hull,
        flesh=flesh,
        calyx=calyx,
        stem=stem,
        stalk=np.array([model.body(f"stalk_{b.id}").id for b in bed.berries], dtype=np.int32),
        stalk_geom=np.array([model.geom(f"stalk_{b.id}").id for b in bed.berries], dtype=np.int32),
        ball_qpos=np.array([j.qposadr[0] for j in balls], dtype=np.int32),
        ball_dof=np.array([j.dofadr[0] for j in balls], dtype=np.int32),
        free_qpos=np.array([j.qposadr[0] for j in frees], dtype=np.int32),
        free_dof=np.array([j.dofadr[0] for j in frees], dtype=np.int32),
        berry_of_geom=berry_of_geom,
        leaf_of_geom=np.where(np.isin(model.geom_bodyid, leaves), model.geom_bodyid, -1).astype(np.int32),
        arm_geoms=(np.asarray(model.geom_contype) & ARM > 0),
    )
