"""Where a picture is taken from, and in what light: drawn from a seed and set in the model."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from sim.dataset.scene import Still
from vision.types import Intrinsics

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """A camera: `T_world_camera` of its optical frame, shape (4, 4), and its vertical field of view [rad]."""

    T_world_camera: Array
    field_of_view: float


def draw_view(still: Still, rng: np.random.Generator, *, near: bool = False) -> View:
    """Draw a view of one fruit or another: mostly 0.25-0.6 m away from the front, some oblique, wide or from above.

    Args:
        near: only views at 0.25-0.6 m with the robot camera's field of view, for measuring positions.
    """
    bed = still.look.bed
    if still.fruit:
        aim = still.fruit[int(rng.integers(len(still.fruit)))].center + rng.normal(0.0, 0.03, 3)
    else:
        aim = np.array([bed.origin + 0.5 * bed.length, np.mean(bed.fruit_y), np.mean(bed.fruit_z)])
    kind = "near" if near else str(rng.choice(["near", "oblique", "wide", "above"], p=[0.62, 0.16, 0.12, 0.10]))
    azimuth, elevation = rng.uniform(-0.6, 0.6), rng.uniform(-0.35, 0.45)
    distance = rng.uniform(0.25, 0.6) if near else rng.uniform(0.18, 0.6)
    field = np.radians(58.0)
    if kind == "oblique":
        azimuth, distance = float(rng.choice([-1, 1])) * rng.uniform(0.5, 1.15), rng.uniform(0.25, 0.8)
    elif kind == "wide":
        distance = rng.uniform(0.6, 1.2)
    elif kind == "above":
        elevation, distance = rng.uniform(0.6, 1.25), rng.uniform(0.35, 0.9)
    if not near:
        field = np.radians(rng.uniform(38.0, 66.0))
    toward = np.array(
        [np.sin(azimuth) * np.cos(elevation), np.cos(azimuth) * np.cos(elevation), -np.sin(elevation)]
    )  # from the camera to the fruit
    roll = float(rng.normal(0.0, 0.05 if near else 0.12))
    return View(T_world_camera=look_along(aim - distance * toward, toward, roll), field_of_view=float(field))


def look_along(place: Array, forward: Array, roll: float) -> Array:
    """Return T_world_camera of a camera at `place` [m] that looks along the unit vector `forward`, rolled [rad]."""
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    pose = np.eye(4)
    pose[:3, 0] = np.cos(roll) * right + np.sin(roll) * down
    pose[:3, 1] = np.cos(roll) * down - np.sin(roll) * right
    pose[:3, 2] = forward
    pose[:3, 3] = place
    return pose


def take_place(still: Still, data: mujoco.MjData, view: View) -> None:
    """Put the model's camera where the view is."""
    pose = view.T_world_camera
    flipped = np.stack([pose[:3, 0], -pose[:3, 1], -pose[:3, 2]], axis=1)  # MuJoCo's camera looks along -z, y up
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, np.ascontiguousarray(flipped).ravel())
    still.model.cam_pos[still.camera] = pose[:3, 3]
    still.model.cam_quat[still.camera] = quat
    still.model.cam_fovy[still.camera] = np.degrees(view.field_of_view)
    mujoco.mj_kinematics(still.model, data)
    mujoco.mj_camlight(still.model, data)


def set_light(still: Still, rng: np.random.Generator) -> bool:
    """Set sun and sky and return whether the sun throws shadows: dull, bright, warm, cold, from any side in front."""
    model = still.model
    warmth = rng.uniform(-0.12, 0.12)
    tint = np.array([1.0 + warmth, 1.0, 1.0 - warmth])
    shadows = bool(rng.random() < 0.45)
    sun = rng.uniform(0.45, 0.95) if shadows else rng.uniform(0.0, 0.7)
    model.light_diffuse[still.sun] = sun * tint
    model.light_specular[still.sun] = rng.uniform(0.05, 0.5)
    model.light_dir[still.sun] = [rng.uniform(-0.8, 0.8), rng.uniform(-0.2, 0.8), -rng.uniform(0.35, 1.0)]
    model.vis.headlight.ambient = rng.uniform(0.22, 0.5) * tint
    model.vis.headlight.diffuse = rng.uniform(0.05, 0.35) * tint
    return shadows


def intrinsics_of(view: View, width: int, height: int) -> Intrinsics:
    """Return the pinhole of a view; pixel centres are at whole numbers."""
    focal = 0.5 * height / np.tan(0.5 * view.field_of_view)
    return Intrinsics(width=width, height=height, fx=focal, fy=focal, cx=0.5 * (width - 1), cy=0.5 * (height - 1))
