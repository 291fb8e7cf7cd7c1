"""The hardware as the loop meets it: the newest measurement, and a watchdog that hears of every failure."""

from __future__ import annotations

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
from robot.loop.watch import Watch

JOINTS = (7,)  # shape of what is measured of the joints


class Device:
    """Reads, writes and stops; what the driver raises becomes a cause instead of an end.

    Args:
        hardware: the device.
        watch: told of every failure.
    """

    def __init__(self, hardware: Hardware, watch: Watch) -> None:
        self._hardware, self._watch = hardware, watch
        self._owed: StopCategory | None = None
        unknown = np.full(JOINTS, np.nan)
        self.joints = JointState(stamp=float("-inf"), position=unknown, velocity=unknown, effort=unknown)
        self.gripper = GripperState(
            stamp=float("-inf"), opening=np.nan, opening_velocity=np.nan, force=np.nan, blade_out=False
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._hardware.capabilities

    def connect(self) -> None:
        """Find the device.

        Raises:
            HardwareError: it does not answer.
        """
        self._hardware.configure()

    def power(self) -> None:
        """Power the drives, which hold from then on, and measure.

        Raises:
            HardwareError: the drives cannot be powered, or nothing can be measured.
        """
        self._owed = None
        self._hardware.activate()
        self.joints, self.gripper = self._hardware.read()

    def let_go(self) -> None:
        """Power the drives down and part with the device."""
        self._hardware.deactivate()
        self._hardware.shutdown()

    def read(self) -> bool:
        """Take a measurement; false when the device does not give one. A stop that it did not hear is told it again."""
        try:
            joints, gripper = self._hardware.read()
        except HardwareError as error:
            self._watch.driver_failed(error.code)
            return False
        if not joints.position.shape == joints.velocity.shape == joints.effort.shape == JOINTS:
            self._watch.driver_failed("hardware_fault")
            return False
        self.joints, self.gripper = joints, gripper
        if self._owed is not None:
            self.stop(self._owed)
        return True

    def write(self, joints: JointCommand, gripper: GripperCommand) -> bool:
        """Send set points; false when they did not get through."""
        try:
            self._hardware.write(joints, gripper)
        except HardwareError as error:
            self._watch.driver_failed(error.code)
            return False
        return True

    def stop(self, category: StopCategory) -> None:
        """Leave the stop to the device; what does not get through is said again as soon as it answers."""
        self._owed = category
        try:
            self._hardware.stop(category)
        except HardwareError as error:
            self._watch.driver_failed(error.code)
        else:
            self._owed = None
