"""The robot's hardware protocol in front of the simulated cell: measured feedback, expiring commands, faults."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from robot.hardware import (
    Capabilities,
    GripperCommand,
    GripperState,
    HardwareError,
    JointCommand,
    JointState,
    StopCategory,
)
from sim.cell import TICK, Cell

Array = npt.NDArray[np.float64]

ENCODER_STEP = np.array([1e-5, *([2.0 * math.pi / 2**17] * 6)])
"""Resolution of rail [m] and joint encoders [rad]: 0.01 mm scale, 17 bit."""

OPENING_STEP = 2e-5
FORCE_NOISE = 0.02
"""Standard deviation of the pads' force sensors [N]; assumption."""

VELOCITY_FILTER = 0.5
"""Share of the newest difference in the measured velocity; encoders are differenced, as drives do."""


@dataclass(slots=True, kw_only=True)
class Faults:
    """Faults to inject, changed while the simulation runs. Joints by name.

    Attributes:
        frozen: the newest measurement is repeated with its old stamp.
        comms_lost: `read` and `write` raise, commands do not arrive.
        disconnected: motors without power; the drives do not notice, only the tracking error shows it.
        codes: faults the drives report.
        jump: added to the encoder [rad or m].
        nan: position reads NaN.
        slippery: the pads have almost no friction.
    """

    frozen: bool = False
    comms_lost: bool = False
    disconnected: set[str] = field(default_factory=set)
    jump: dict[str, float] = field(default_factory=dict)
    nan: set[str] = field(default_factory=set)
    slippery: bool = False
    codes: tuple[str, ...] = ()


class SimHardware:
    """`robot.hardware.Hardware` over a `Cell`. The owner of the loop calls `cell.step()` once per control period."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._arm = cell.scene.arm
        self.faults = Faults()
        self._rng = cell.rng(0x4A)
        self._configured = self._active = False
        self._joint_seq = self._gripper_seq = -1
        self._cut_before = False
        self._pad_friction = cell.model.geom_friction[cell.scene.names.pads].copy()
        self._slippery = False
        self._last: tuple[JointState, GripperState] | None = None
        self._encoder: Array | None = None
        self._velocity = np.zeros(7)
        self._measured_at = -1.0
        self._opening = cell.opening

    @property
    def capabilities(self) -> Capabilities:
        arm = self._arm
        return Capabilities(
            name=f"sim:{arm.name}",
            joint_names=arm.joint_names,
            position_min=arm.position_min,
            position_max=arm.position_max,
            velocity_max=arm.velocity,
            rate=1.0 / TICK,
            has_effort=True,
            has_gripper_force=True,
            has_brakes=True,
            stop_categories=(StopCategory.POWER_OFF, StopCategory.STOP_THEN_POWER_OFF, StopCategory.STOP_AND_HOLD),
        )

    def configure(self) -> None:
        """Open the connection; the drives stay unpowered."""
        self._answer()
        self._configured = True

    def activate(self) -> None:
        """Power the drives and hold where the arm is; motion needs a fresh command."""
        self._answer()
        if not self._configured:
            raise HardwareError("hardware_not_configured", "expected configure() before activate()")
        self._cell.drive.brake()
        self._cell.drive.powered = self._active = True

    def deactivate(self) -> None:
        """Set the brakes and take the power away."""
        self._power_off()

    def shutdown(self) -> None:
        """Close the connection."""
        self._power_off()
        self._configured = False

    def _power_off(self) -> None:
        self._cell.drive.brake()
        self._cell.drive.powered = self._active = False

    def _answer(self) -> None:
        if self.faults.comms_lost:
            raise HardwareError("hardware_comms_lost", "the controller does not answer")

    def read(self) -> tuple[JointState, GripperState]:
        """Return what the sensors say now."""
        self._answer()
        self._inject()
        cell = self._cell
        if self.faults.frozen and self._last is not None:
            return self._last
        if self._last is None or cell.time > self._measured_at:
            self._last = (self._joints(), self._gripper())
            self._measured_at = cell.time
        return self._last

    def _joints(self) -> JointState:
        names = self._arm.joint_names
        position = self._cell.joints
        if self.faults.jump:
            position += [self.faults.jump.get(name, 0.0) for name in names]
        position = np.round(position / ENCODER_STEP) * ENCODER_STEP
        elapsed = self._cell.time - self._measured_at
        if self._encoder is not None and self._measured_at >= 0.0 and elapsed > 0.0:
            difference = (position - self._encoder) / elapsed
            self._velocity += VELOCITY_FILTER * (difference - self._velocity)
        self._encoder = position.copy()
        for name in self.faults.nan:
            position[names.index(name)] = math.nan
        torque = self._cell.data.actuator_force[self._cell.scene.names.actuators]
        effort = torque * (1.0 + self._rng.normal(0.0, 0.02, 7))
        return JointState(
            stamp=self._cell.time,
            position=position,
            velocity=self._velocity.copy(),
            effort=effort,
            faults=self._codes(),
        )

    def _gripper(self) -> GripperState:
        opening = round(self._cell.opening / OPENING_STEP) * OPENING_STEP
        elapsed = max(self._cell.time - self._measured_at, TICK) if self._measured_at >= 0.0 else TICK
        velocity = (opening - self._opening) / elapsed
        self._opening = opening
        left, right = self._cell.contacts.pad_force[self._cell.number].tolist()
        force = 0.5 * (left + right) + float(self._rng.normal(0.0, FORCE_NOISE))
        return GripperState(
            stamp=self._cell.time,
            opening=opening,
            opening_velocity=velocity,
            force=max(0.0, force),
            blade_out=self._cell.blade.out,
            faults=self._codes(),
        )

    def _codes(self) -> tuple[str, ...]:
        codes = ["drives_off"] if not self._cell.drive.powered else []
        return (*codes, *self.faults.codes)

    def write(self, joints: JointCommand, gripper: GripperCommand) -> None:
        """Take set points with a newer `seq` that have not expired; all others are ignored."""
        self._answer()
        self._inject()
        if not self._active:
            return
        now = self._cell.time
        for what in (joints.position, joints.velocity):
            if what.shape != (7,) or not np.all(np.isfinite(what)):
                raise HardwareError("command_not_finite", f"expected 7 finite numbers, got {what}")
        if joints.seq > self._joint_seq and joints.valid_until > now:
            self._joint_seq = joints.seq
            self._cell.drive.command(joints.position, joints.velocity, joints.valid_until, now)
        if gripper.seq > self._gripper_seq and gripper.valid_until > now:
            if not (math.isfinite(gripper.opening) and math.isfinite(gripper.max_force)):
                raise HardwareError("command_not_finite", f"expected a finite opening and force, got {gripper}")
            self._gripper_seq = gripper.seq
            self._cell.drive.grip(gripper.opening, gripper.max_force, gripper.valid_until)
            if gripper.cut and not self._cut_before:
                self._cell.blade.trigger(now)
            self._cut_before = gripper.cut

    def stop(self, category: StopCategory) -> None:
        """Stop by the drives' own means. After a stop that ends in power off, `activate` is needed again."""
        if category is StopCategory.POWER_OFF:
            self._power_off()
            return
        self._cell.drive.hold()
        if category is StopCategory.STOP_THEN_POWER_OFF:
            self._active = False
            self._cell.drive.powered = False

    def _inject(self) -> None:
        """Pass the injected faults on to the cell."""
        names = self._arm.joint_names
        self._cell.drive.disconnected = {names.index(name) for name in self.faults.disconnected}
        if self.faults.slippery != self._slippery:
            self._slippery = self.faults.slippery
            pads = self._cell.scene.names.pads
            self._cell.model.geom_friction[pads] = self._pad_friction * (0.02 if self._slippery else 1.0)
