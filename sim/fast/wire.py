"""The wire between loop and machine, which loses, delays, doubles, reorders, freezes, damages and breaks off."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from robot.hardware import (
    Capabilities,
    GripperCommand,
    GripperState,
    Hardware,
    HardwareError,
    JointCommand,
    JointState,
    StopCategory,
)

UNLISTED = "driver_crashed"
"""A code that no fault table knows, on purpose."""


@dataclass(slots=True, kw_only=True)
class Trouble:
    """What is wrong with the wire. Everything off is a healthy one.

    Attributes:
        drop: share of the commands that get lost, 0-1; damaged ones count as lost, a real bus knows them by their CRC.
        delay: ticks by which commands come late.
        twice: every command arrives twice.
        reorder: each pair of commands arrives in the wrong order.
        frozen: the same measurement is read again and again, stamp included.
        flip: a bit of this joint's measured position is turned over, unnoticed; -1 = none.
        cut_off: nothing gets through; read, write and stop raise.
        crash: the driver itself raises something that it has no code for.
    """

    drop: float = 0.0
    delay: int = 0
    twice: bool = False
    reorder: bool = False
    frozen: bool = False
    flip: int = -1
    cut_off: bool = False
    crash: bool = False


class Wire:
    """`robot.hardware.Hardware` before another one.

    Args:
        hardware: the machine.
        rng: decides which commands are lost and which bits turn over.
    """

    def __init__(self, hardware: Hardware, rng: np.random.Generator) -> None:
        self.trouble = Trouble()
        self._hardware, self._rng = hardware, rng
        self._queue: list[tuple[JointCommand, GripperCommand]] = []
        self._last: tuple[JointState, GripperState] | None = None

    @property
    def capabilities(self) -> Capabilities:
        return self._hardware.capabilities

    def configure(self) -> None:
        self._carry()
        self._hardware.configure()

    def activate(self) -> None:
        self._carry()
        self._queue.clear()
        self._hardware.activate()

    def deactivate(self) -> None:
        self._hardware.deactivate()

    def shutdown(self) -> None:
        self._hardware.shutdown()

    def read(self) -> tuple[JointState, GripperState]:
        """Return what arrives of the measurement."""
        self._carry()
        if self.trouble.frozen and self._last is not None:
            return self._last
        joints, gripper = self._hardware.read()
        if self.trouble.flip >= 0:
            position = joints.position.copy()
            bits = position[self.trouble.flip : self.trouble.flip + 1].view(np.uint64)
            bits ^= np.uint64(1) << np.uint64(self._rng.integers(48, 64))  # the high ones; low ones are noise
            joints = replace(joints, position=position)
        self._last = joints, gripper
        return joints, gripper

    def write(self, joints: JointCommand, gripper: GripperCommand) -> None:
        """Pass a command on, or what the trouble makes of it."""
        self._carry()
        trouble = self.trouble
        if trouble.drop and self._rng.random() < trouble.drop:
            return
        self._queue.append((joints, gripper))
        if len(self._queue) <= max(trouble.delay, int(trouble.reorder)):
            return
        due = self._queue[: len(self._queue) - trouble.delay]
        del self._queue[: len(due)]
        for command in reversed(due) if trouble.reorder else due:
            self._hardware.write(*command)
            if trouble.twice:
                self._hardware.write(*command)

    def stop(self, category: StopCategory) -> None:
        self._carry()
        self._queue.clear()
        self._hardware.stop(category)

    def _carry(self) -> None:
        if self.trouble.cut_off:
            raise HardwareError("hardware_comms_lost", "the controller does not answer")
        if self.trouble.crash:
            raise HardwareError(UNLISTED, "the driver raised something it has no code for")
