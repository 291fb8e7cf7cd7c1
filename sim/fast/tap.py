"""Where the monitor listens: between the loop and everything behind it."""

from __future__ import annotations

from collections.abc import Callable

from robot.hardware import (
    Capabilities,
    GripperCommand,
    GripperState,
    Hardware,
    JointCommand,
    JointState,
    StopCategory,
)
from sim.fast.monitor import Monitor


class Tap:
    """`robot.hardware.Hardware` that shows the monitor what is sent, and passes everything on."""

    def __init__(self, hardware: Hardware, monitor: Monitor, monotonic: Callable[[], float]) -> None:
        self._hardware, self._monitor, self._monotonic = hardware, monitor, monotonic
        self.capabilities: Capabilities = hardware.capabilities
        self.configure, self.deactivate = hardware.configure, hardware.deactivate
        self.shutdown = hardware.shutdown

    def activate(self) -> None:
        self._monitor.restart()
        self._hardware.activate()

    def read(self) -> tuple[JointState, GripperState]:
        return self._hardware.read()

    def write(self, joints: JointCommand, gripper: GripperCommand) -> None:
        self._monitor.command(joints, self._monotonic())
        self._hardware.write(joints, gripper)

    def stop(self, category: StopCategory) -> None:
        self._monitor.restart()
        self._hardware.stop(category)
