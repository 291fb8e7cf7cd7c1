"""The blade of the simulated gripper: one sweep per trigger, and the rule that says which stems it cuts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from sim.fruit import Fruit
from sim.scene import Scene
from sim.scene.build import HANGING
from sim.scene.gripper import BLADE_HOUSED

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CutSettings:
    """When a peduncle is cut.

    Attributes:
        force_needed: blade force that cuts a strawberry peduncle [N] (arXiv 2207.12552).
        angle_min: smallest angle between stem and blade plane [rad]; below 60 deg the stem is pushed aside; assumption.
        tolerance: how far the plane may pass beyond the stem's end, or the stem outside the jaws, and still cut [m].
        flesh_depth: a blade deeper than this in the fruit damages it [m].
    """

    force_needed: float = 15.0
    angle_min: float = math.radians(60.0)
    tolerance: float = 0.002
    flesh_depth: float = 0.003


class Blade:
    """Sweeps out along the tool's z and back in `blade_time`."""

    def __init__(self, scene: Scene, data: mujoco.MjData, fruit: Fruit, settings: CutSettings) -> None:
        self._scene, self._model, self._data = scene, scene.model, data
        self._fruit, self._settings = fruit, settings
        self._started = -math.inf
        self._rest = scene.model.geom_pos[scene.names.blade].copy()
        self.out = False

    def trigger(self, time: float) -> None:
        """Begin a sweep, unless one is under way."""
        if not self.out:
            self._started, self.out = time, True

    def update(self, time: float, opening: float) -> None:
        """Move the blade, which is out, and cut what it passes through.

        Args:
            opening: between the pads [m]; the blade cuts between them.
        """
        tool = self._scene.arm.tool
        phase = (time - self._started) / tool.blade_time
        extension = 0.0 if phase >= 1.0 else 1.0 - abs(2.0 * phase - 1.0)
        self.out = phase < 1.0
        travel = extension * (tool.blade_reach[1] - BLADE_HOUSED)
        self._model.geom_pos[self._scene.names.blade] = self._rest + np.array([0.0, 0.0, travel])
        if 0.0 < phase <= 0.5 + 1e-9:
            self._cut(time, opening, BLADE_HOUSED + travel)

    def _cut(self, time: float, opening: float, front: float) -> None:
        tool, limits = self._scene.arm.tool, self._settings
        origin = self._data.xpos[self._scene.names.tool]
        rotation = self._data.xmat[self._scene.names.tool].reshape(3, 3)
        for berry in np.flatnonzero(self._fruit.states == HANGING).tolist():
            path = self._fruit.stem_path(berry)
            if float(np.linalg.norm(path[2] - origin)) > 0.12:
                continue
            node, bend, calyx = (path - origin) @ rotation
            below = 0.0
            crossing = _crossing(bend, calyx, -tool.blade_offset, limits.tolerance)
            along = calyx - bend
            if crossing is None:
                crossing, below = _crossing(node, bend, -tool.blade_offset, 0.0), float(np.linalg.norm(along))
                along = bend - node
            if crossing is None:
                self._flesh(berry, origin, rotation, front, opening)
                continue
            point, remaining = crossing[0], crossing[1] + below
            along = along / np.linalg.norm(along)
            steep = abs(float(along[1])) >= math.sin(limits.angle_min)
            inside = abs(point[0]) <= 0.5 * opening + limits.tolerance
            reached = tool.blade_reach[0] - limits.tolerance <= point[2] <= front
            if inside and reached and steep and tool.blade_force >= limits.force_needed:
                self._fruit.detach(berry, remaining=remaining, time=time, cause="cut")

    def _flesh(self, berry: int, origin: Array, rotation: Array, front: float, opening: float) -> None:
        """Note a fruit that the blade runs into because the jaws sit too low."""
        spec, tool = self._scene.bed.berries[berry], self._scene.arm.tool
        center = rotation.T @ (self._fruit.position(berry) - origin)
        height = abs(-tool.blade_offset - center[1]) / spec.half_length
        if height >= 1.0 or abs(center[0]) > 0.5 * opening:
            return
        near = center[2] - spec.half_width * math.sqrt(1.0 - height**2)
        if tool.blade_reach[0] < near + self._settings.flesh_depth < front:
            self._fruit.flesh_cut.add(berry)


def _crossing(a: Array, b: Array, plane_y: float, tolerance: float) -> tuple[Array, float] | None:
    """Return where the segment from `a` (top) to `b` (calyx) crosses the blade's plane and the stem's length below."""
    rise = float(b[1] - a[1])
    if abs(rise) < 1e-9:
        return None
    share = (plane_y - float(a[1])) / rise
    length = float(np.linalg.norm(b - a))
    slack = tolerance / length
    if not -slack <= share <= 1.0 + slack:
        return None
    share = min(max(share, 0.0), 1.0)
    return a + share * (b - a), (1.0 - share) * length
