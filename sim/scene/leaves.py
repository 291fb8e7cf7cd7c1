"""Draw the leaves of a plant from a seed: an upright crown, and some that droop in front of the fruit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.scene.settings import SceneSettings

Array = npt.NDArray[np.float64]

LEAFLET_THICKNESS = 0.0015
"""Half of it, as the robot meets it [m]: more than a real blade of 0.3 mm, so that no step of the physics skips it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeafSpec:
    """One trifoliate leaf: petiole from `root` through `bend` to `tip`, leaflets of `size` [m] facing `normal`.

    `droops`: it hangs in front of the fruit, where the robot meets it: it gives way when touched.
    """

    root: Array
    bend: Array
    tip: Array
    normal: Array
    heading: float
    size: float
    droops: bool = False


def plant_positions(settings: SceneSettings, rng: np.random.Generator) -> list[float]:
    """Return where the plants stand along the bed [m]."""
    n = max(1, round(settings.length * settings.plants_per_m))
    pitch = settings.length / n
    return [float(settings.origin + (i + 0.5) * pitch + rng.uniform(-0.02, 0.02)) for i in range(n)]


def plant(settings: SceneSettings, rng: np.random.Generator, x: float) -> tuple[LeafSpec, ...]:
    """Return the leaves of one plant: an upright crown, and some that droop on the aisle side."""
    crown = np.array([x, settings.edge_y + 0.10, settings.top_z + 0.01])
    leaves = []
    for _ in range(12):
        droops = rng.random() < settings.leaf_occlusion
        if droops:
            heading = float(-math.pi / 2 + rng.uniform(-0.7, 0.7))
            front = settings.fruit_y[0] - rng.uniform(0.0, 0.05)
            low = settings.top_z - rng.uniform(0.02, 0.16)
            tip = np.array([x + rng.uniform(-0.09, 0.09), front, low])
            bend = np.array([0.5 * (x + tip[0]), settings.edge_y - 0.03, settings.top_z + rng.uniform(0.04, 0.09)])
            normal = np.array([rng.uniform(-0.35, 0.35), -1.0, rng.uniform(0.0, 0.5)])
            size = float(rng.uniform(0.04, 0.055))
        else:
            heading = float(rng.uniform(0.0, 2.0 * math.pi))
            reach = float(rng.uniform(0.06, 0.16))
            tip = crown + np.array(
                [reach * math.cos(heading), 0.9 * reach * math.sin(heading), rng.uniform(0.10, 0.24)]
            )
            bend = 0.5 * (crown + tip) + np.array([0.0, 0.0, 0.04])
            normal = np.array([0.5 * math.cos(heading), 0.5 * math.sin(heading), 1.0])
            size = float(rng.uniform(0.05, 0.08))
        leaves.append(
            LeafSpec(
                root=crown,
                bend=bend,
                tip=tip,
                normal=normal / np.linalg.norm(normal),
                heading=heading,
                size=size,
                droops=droops,
            )
        )
    return tuple(leaves)


def leaflets(leaf: LeafSpec) -> list[tuple[Array, Array, Array]]:
    """Return centre [m], axes (3, 3) and half sizes [m] of a flat box around each of a leaf's three leaflets.

    The axes are the columns across, along and out of the leaflet, as it is drawn in `shapes`.
    """
    n = leaf.normal / np.linalg.norm(leaf.normal)
    along = leaf.tip - leaf.bend
    v = along - n * float(along @ n)
    v = v / np.linalg.norm(v)
    u = np.cross(v, n)
    boxes = []
    for turn, scale in ((0.0, 1.0), (1.15, 0.9), (-1.15, 0.9)):
        direction = math.cos(turn) * v + math.sin(turn) * u
        size = leaf.size * scale
        axes = np.column_stack([np.cross(direction, n), direction, n])
        center = leaf.tip + size * (0.55 * direction - 0.06 * n)
        boxes.append((center, axes, np.array([0.40 * size, 0.52 * size, LEAFLET_THICKNESS])))
    return boxes


def hanging_leaf(settings: SceneSettings, tip: Array, *, size: float, turn: float, tilt: float) -> LeafSpec:
    """Return a leaf whose petiole comes over the edge and ends at `tip` in the world [m], shape (3,).

    Args:
        turn, tilt: of its face from the aisle about the vertical, and upwards [rad].
    """
    root = np.array([tip[0], settings.edge_y + 0.10, settings.top_z + 0.01])
    bend = np.array([tip[0], settings.edge_y - 0.03, settings.top_z + 0.06])
    normal = np.array([math.sin(turn) * math.cos(tilt), -math.cos(turn) * math.cos(tilt), math.sin(tilt)])
    return LeafSpec(root=root, bend=bend, tip=tip, normal=normal, heading=-0.5 * math.pi, size=size, droops=True)
