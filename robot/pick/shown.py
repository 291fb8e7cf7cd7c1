"""What the pictures have shown of the crop: a grid along the row and up, each cell with when it was in view."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from robot.arms import Camera
from robot.pick.grasp import Pose
from robot.pick.target import Vector

CELL = 0.05
"""Of the grid along the row [m]."""

LEVELS = (0.17, 0.5, 0.83)
"""Heights that are asked for, as shares of where fruit hangs."""

BORDER = 0.04
"""Share of the picture along each edge that does not count: fruit there is cut off."""

NEAREST, FURTHEST = 0.12, 0.45
"""From nearer a fruit fills the picture, from further it is too small to be judged [m]."""


def in_view(points: Vector, T_world_camera: Pose, camera: Camera) -> npt.NDArray[np.bool_]:
    """Return which points in the world [m], shape (n, 3), a picture shows well, as far as nothing hides them."""
    local = (points - T_world_camera[:3, 3]) @ T_world_camera[:3, :3]
    half = math.tan(0.5 * math.radians(camera.fovy_deg)) * (1.0 - 2.0 * BORDER) * np.maximum(local[:, 2], 1e-6)
    wide = half * camera.width / camera.height
    inside = (np.abs(local[:, 0]) < wide) & (np.abs(local[:, 1]) < half)
    seen: npt.NDArray[np.bool_] = inside & (local[:, 2] > NEAREST) & (local[:, 2] < FURTHEST)
    return seen


@dataclass(slots=True, kw_only=True)
class Coverage:
    """What was in view, in a plane along the row.

    Attributes:
        front: the plane, world y [m].
        heights: of fruit above the floor, lowest and highest [m].
        cells: (along, level) and when it was last in a picture, UTC epoch [s].
    """

    front: float
    heights: tuple[float, float]
    cells: dict[tuple[int, int], float] = field(default_factory=dict)

    def see(self, T_world_camera: Pose, camera: Camera, stamp: float) -> None:
        """Note what a picture from `T_world_camera` (z forward, x right, y down) shows."""
        x = float(T_world_camera[0, 3])
        along = np.arange(math.floor((x - FURTHEST) / CELL), math.ceil((x + FURTHEST) / CELL))
        for level, share in enumerate(LEVELS):
            z = self.heights[0] + share * (self.heights[1] - self.heights[0])
            points = np.stack([(along + 0.5) * CELL, np.full(len(along), self.front), np.full(len(along), z)], axis=1)
            inside = in_view(points, T_world_camera, camera)
            self.cells.update({(int(i), level): stamp for i in along[inside]})

    def share(self, start: float, end: float, since: float) -> float:
        """Return the share of a stretch of the row [m] that was in view since `since` (UTC epoch) [s], 0-1."""
        wanted = [(i, level) for i in range(*_cells(start, end)) for level in range(len(LEVELS))]
        return sum(self.cells.get(cell, -math.inf) >= since for cell in wanted) / max(1, len(wanted))

    def missing(self, start: float, end: float, since: float) -> list[float]:
        """Return the middles of the cells along a stretch of the row [m] of which most heights were not in view."""
        along = [i for i in range(*_cells(start, end)) if self.share(i * CELL, (i + 1) * CELL, since) < 0.5]
        return [(i + 0.5) * CELL for i in along]

    def forget(self, start: float, end: float) -> None:
        """Look at a stretch of the row [m] anew."""
        self.cells = {cell: at for cell, at in self.cells.items() if not start <= (cell[0] + 0.5) * CELL < end}


def _cells(start: float, end: float) -> tuple[int, int]:
    """Return the first cell that a stretch touches, and the first beyond it."""
    return math.floor(start / CELL + 1e-9), math.ceil(end / CELL - 1e-9)
