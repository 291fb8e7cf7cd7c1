"""A scripted hand that knows the truth: picks through the hardware protocol, to measure the cell itself."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from robot.hardware import GripperCommand, GripperState, JointCommand, JointState
from robot.kinematics import forward, solve
from sim.cell import TICK, Cell
from sim.hardware import SimHardware

Array = npt.NDArray[np.float64]
LEVEL = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
STEM_LEFT = 0.006
"""Stem on the berry after the cut [m]."""

TILT = 1.3
"""Of the tool below the horizontal over the punnet [rad]."""


class Hand:
    """Drives one cell; knows the truth, which the robot never does."""

    def __init__(self, cell: Cell) -> None:
        self.cell, self.arm = cell, cell.scene.arm
        self.hardware = SimHardware(cell)
        self.hardware.configure()
        self.hardware.activate()
        self.q = cell.joints
        self.seq = 0
        self.opening, self.force = self.arm.tool.opening_max, 1.0
        self.tool_error = 0.0
        self.state: tuple[JointState, GripperState] = self.hardware.read()

    def tick(self, q: Array, velocity: Array, *, cut: bool = False) -> None:
        self.seq += 1
        until = self.cell.time + 0.05
        self.hardware.write(
            JointCommand(seq=self.seq, valid_until=until, position=q, velocity=velocity),
            GripperCommand(seq=self.seq, valid_until=until, opening=self.opening, max_force=self.force, cut=cut),
        )
        self.cell.step()
        self.state = self.hardware.read()
        wanted, real = forward(self.arm, q + velocity * TICK), forward(self.arm, self.cell.joints)
        self.tool_error = max(self.tool_error, float(np.linalg.norm(wanted[:3, 3] - real[:3, 3])))

    def wait(self, seconds: float, *, cut: bool = False) -> None:
        for _ in range(round(seconds / TICK)):
            self.tick(self.q, np.zeros(7), cut=cut)

    def joints(self, q: Array) -> None:
        start, way = self.q.copy(), q - self.q
        n = max(50, math.ceil(1.875 * float(np.max(np.abs(way) / self.arm.velocity)) / 0.5 / TICK))
        for k in range(1, n + 1):
            u = k / n
            rate = (30 * u**2 - 60 * u**3 + 30 * u**4) / (n * TICK)
            self.tick(start + (10 * u**3 - 15 * u**4 + 6 * u**5) * way, rate * way)
        self.q = q.copy()

    def line(self, start: Array, end: Array, seconds: float = 0.6) -> None:
        n, before = round(seconds / TICK), self.q.copy()
        for k in range(1, n + 1):
            u = k / n
            pose = end.copy()
            pose[:3, 3] = start[:3, 3] + (10 * u**3 - 15 * u**4 + 6 * u**5) * (end[:3, 3] - start[:3, 3])
            q = solve(self.arm, pose, before, rail=float(before[0]))[0]
            self.tick(before, (q - before) / TICK)
            before = q
        self.q = before

    def grasp_pose(self, berry: int) -> Array:
        """Return the tool's pose that has the berry between the pads and the blade a little above its calyx."""
        bottom = self.cell.fruit.stem(berry)[1]
        pose = np.eye(4)
        pose[:3, :3] = LEVEL
        center = self.cell.fruit.position(berry)
        pose[:3, 3] = [center[0], center[1], bottom[2] + STEM_LEFT - self.arm.tool.blade_offset]
        return pose

    def approach(self, berry: int) -> tuple[Array, Array]:
        """Bring the open jaws around a berry; return the pose before and the pose there."""
        at = self.grasp_pose(berry)
        before = at.copy()
        before[1, 3] -= 0.10
        self.move_over(before)
        self.line(before, at)
        return before, at

    def move_over(self, pose: Array) -> None:
        """Bring the tool to a pose, the carriage standing a little to its left."""
        self.joints(solve(self.arm, pose, self.q, rail=float(pose[0, 3]) - 0.12)[0])

    def close(self, force: float = 0.8) -> None:
        self.opening, self.force = 0.0, force
        self.wait(0.6)

    def place(self, berry: int, place: int = 1) -> None:
        """Lay the held berry into the punnet at the `place`-th place."""
        spec, punnet = self.cell.scene.bed.berries[berry], self.arm.punnet
        columns, rows = punnet.places
        layer, cell = divmod(place, columns * rows)
        row, column = divmod(cell, columns)
        offset = [
            (column - 0.5 * (columns - 1)) * punnet.inner[0] / columns,
            (0.5 * (rows - 1) - row) * punnet.inner[1] / rows,
            spec.half_width * (1.0 + 1.5 * layer) + 0.010,
        ]
        z = np.array([0.0, math.cos(TILT), -math.sin(TILT)])
        x = np.array([1.0, 0.0, 0.0])
        down = np.eye(4)
        down[:3, :3] = np.column_stack([x, np.cross(z, x), z])
        down[:3, 3] = punnet.position + np.array(offset)
        down[0, 3] += float(self.q[0])
        above = down.copy()
        above[2, 3] += 0.10
        self.joints(solve(self.arm, above, self.q, rail=float(self.q[0]))[0])
        self.line(above, down)
        self.opening = 2.0 * spec.half_width + 0.012
        self.wait(0.3)
        self.line(down, above)

    def pick(self, berry: int, *, force: float = 0.8, place: int = 0) -> None:
        """Take a berry off and lay it into the punnet."""
        self.opening, self.force = self.arm.tool.opening_max, 1.0
        before, at = self.approach(berry)
        self.close(force)
        self.wait(0.3, cut=True)
        self.line(at, before)
        self.place(berry, place)


def ripe(cell: Cell) -> list[int]:
    """Return the indices of the berries inside the default window."""
    return [i for i, b in enumerate(cell.scene.bed.berries) if b.ripeness >= 0.8]
