"""The black box: the last seconds of the loop in a ring of numbers, written to a file after a stop."""

from __future__ import annotations

import hashlib
from collections import deque
from copy import copy
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.hardware import GripperState, JointState

Array = npt.NDArray[np.float64]
WIDTH = 32
COLUMNS = {
    "time": slice(0, 1),
    "position": slice(1, 8),
    "velocity": slice(8, 15),
    "command": slice(15, 22),
    "command_velocity": slice(22, 29),
    "opening": slice(29, 30),
    "force": slice(30, 31),
    "blade_out": slice(31, 32),
}
CHANGES = 200  # of state or causes that are kept


class BlackBox:
    """A ring of one row per tick, allocated once.

    Args:
        ticks: rows to keep.
    """

    def __init__(self, ticks: int) -> None:
        self._rows = np.full((ticks, WIDTH), np.nan)
        self._count = 0
        self.changes: deque[tuple[float, str, tuple[str, ...]]] = deque(maxlen=CHANGES)

    def record(self, now: float, joints: JointState, gripper: GripperState, q: Array, v: Array) -> None:
        """Write one tick.

        Args:
            now: monotonic [s].
            q: set point, shape (7,).
            v: its velocity, shape (7,).
        """
        row = self.row()
        row[0] = now
        row[1:8] = joints.position
        row[8:15] = joints.velocity
        row[15:22] = q
        row[22:29] = v
        row[29:] = gripper.opening, gripper.force, gripper.blade_out

    def row(self) -> Array:
        """Return the next row to write in place, shape (32,); columns are `COLUMNS`."""
        row: Array = self._rows[self._count % len(self._rows)]
        self._count += 1
        return row

    def snapshot(self) -> dict[str, Array]:
        """Return copies of the kept columns, oldest first."""
        kept = min(self._count, len(self._rows))
        rows = np.roll(self._rows, -(self._count % len(self._rows)), axis=0)[-kept:] if kept else self._rows[:0]
        return {name: rows[:, columns].copy() for name, columns in COLUMNS.items()}

    def copy(self) -> BlackBox:
        """Return what is kept now, for somebody who writes it while the loop goes on."""
        other = copy(self)
        other._rows, other.changes = self._rows.copy(), self.changes.copy()
        return other

    def save(self, path: Path, *, limits: str = "", wall_offset: float = float("nan")) -> None:
        """Write the kept rows and the changes of state to a compressed file; not from inside the loop.

        Args:
            path: comes into being whole or not at all.
            limits: `limits_hash` of the arm.
            wall_offset: to be added to the monotonic times for UTC epoch seconds.

        Raises:
            OSError: the disk does not take it.
        """
        times = np.array([at for at, _, _ in self.changes])
        texts = np.array([f"{state} {' '.join(causes)}".strip() for _, state, causes in self.changes], dtype=np.str_)
        columns: dict[str, Any] = {"change_time": times, "change": texts, **self.snapshot()}
        columns |= {"limits": np.str_(limits), "wall_offset": np.float64(wall_offset)}
        part = path.with_suffix(".part")
        try:
            with part.open("wb") as file:
                np.savez_compressed(file, **columns)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def limits_hash(arm: ArmDescription) -> str:
    """Return the SHA-256 of everything that limits the arm, so that a record tells which limits were in force."""
    digest = hashlib.sha256(arm.name.encode())
    for limit in (arm.position_min, arm.position_max, arm.velocity, arm.acceleration, arm.jerk):
        digest.update(limit.tobytes())
    for field in fields(arm.safety):
        digest.update(field.name.encode() + np.asarray(getattr(arm.safety, field.name), dtype=np.float64).tobytes())
    return digest.hexdigest()
