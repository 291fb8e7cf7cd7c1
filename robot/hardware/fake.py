"""A kinematic stand-in for arm and gripper: first-order servos, a jaw that can hold something, faults on request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.hardware import (
    Capabilities,
    GripperCommand,
    GripperState,
    HardwareError,
    JointCommand,
    JointState,
    StopCategory,
)

Array = npt.NDArray[np.float64]


@dataclass(slots=True, kw_only=True)
class Faults:
    """What is broken now. Everything off is a healthy device.

    Attributes:
        disconnected: read, write and stop raise `hardware_lost`.
        drop_writes: commands get lost on the way.
        frozen: read repeats its last measurement, stamp included.
        not_a_number: one joint's position reads NaN.
        stuck: joints whose motor turns nothing.
        offset: added to the measured positions [m, rad], one for all or shape (n,).
        codes: faults the drives report.
        blade_stuck: the blade does not come out.
    """

    disconnected: bool = False
    drop_writes: bool = False
    frozen: bool = False
    not_a_number: bool = False
    stuck: tuple[int, ...] = ()
    offset: Array | float = 0.0
    codes: tuple[str, ...] = ()
    blade_stuck: bool = False


class FakeHardware:
    """Hardware without physics. What it measures follows the set points with a lag and is computed from time passed.

    Args:
        arm: the arm's description.
        monotonic: clock that moves it on [s].
        position: joints at power-up, shape (n,); None = the posture that the arm works in, at the rail's zero.
        lag: time constant of the joint servos [s].
        held_width: width of what is between the pads [m]; 0 = nothing.
        stiffness: of what is held [N/m].
    """

    def __init__(
        self,
        arm: ArmDescription,
        monotonic: Callable[[], float],
        *,
        position: Array | None = None,
        lag: float = 0.012,
        held_width: float = 0.0,
        stiffness: float = 800.0,
    ) -> None:
        self.faults = Faults()
        self.held_width = held_width
        self._arm, self._monotonic, self._lag, self._stiffness = arm, monotonic, lag, stiffness
        self._q = np.array([0.0, *arm.posture.joints]) if position is None else position.copy()
        self._v = np.zeros(arm.size)
        self._target = self._q.copy()
        self._valid_until = float("-inf")
        self._gripper_valid_until = float("-inf")
        self._opening, self._opening_velocity = arm.tool.opening_max, 0.0
        self._opening_target, self._max_force = self._opening, 0.0
        self._cut_was, self._blade_until = False, float("-inf")
        self._time = monotonic()
        self._seq = -1
        self._powered = False
        self._last: tuple[JointState, GripperState] | None = None

    @property
    def capabilities(self) -> Capabilities:
        arm = self._arm
        return Capabilities(
            name="fake",
            joint_names=arm.joint_names,
            position_min=arm.position_min,
            position_max=arm.position_max,
            velocity_max=arm.velocity,
            rate=250.0,
            has_effort=False,
            has_gripper_force=True,
            has_brakes=True,
            stop_categories=tuple(StopCategory),
        )

    def configure(self) -> None:
        self._reachable()

    def activate(self) -> None:
        """Power the drives and hold the measured position."""
        self._reachable()
        self._advance()
        self._target = self._q.copy()
        self._opening_target = self._opening
        self._powered = True
        self._seq = -1

    def deactivate(self) -> None:
        self._powered = False

    def shutdown(self) -> None:
        self._powered = False

    def read(self) -> tuple[JointState, GripperState]:
        """Return the newest measurement.

        Raises:
            HardwareError: the device is disconnected.
        """
        self._reachable()
        if self.faults.frozen and self._last is not None:
            return self._last
        self._advance()
        position = self._q + self.faults.offset
        if self.faults.not_a_number:
            position[3] = np.nan
        joints = JointState(
            stamp=self._time,
            position=position,
            velocity=self._v.copy(),
            effort=np.full(self._arm.size, np.nan),
            faults=self.faults.codes,
        )
        gripper = GripperState(
            stamp=self._time,
            opening=self._opening,
            opening_velocity=self._opening_velocity,
            force=self._force(),
            blade_out=self._time < self._blade_until,
        )
        self._last = joints, gripper
        return joints, gripper

    def write(self, joints: JointCommand, gripper: GripperCommand) -> None:
        """Take set points; old sequence numbers, and anything while unpowered, are ignored."""
        self._reachable()
        self._advance()
        if self.faults.drop_writes or not self._powered or joints.seq <= self._seq:
            return
        self._seq = joints.seq
        self._target, self._valid_until = joints.position.copy(), joints.valid_until
        self._gripper_valid_until = gripper.valid_until
        tool = self._arm.tool
        self._opening_target = min(max(gripper.opening, tool.opening_min), tool.opening_max)
        self._max_force = min(max(gripper.max_force, 0.0), tool.force_max)
        if gripper.cut and not self._cut_was and not self.faults.blade_stuck:
            self._blade_until = self._time + tool.blade_time
        self._cut_was = gripper.cut

    def stop(self, category: StopCategory) -> None:
        """Stop where the joints are, whatever was written before; categories 0 and 1 take the power away."""
        self._reachable()
        self._advance()
        self._target = self._q.copy()
        self._valid_until = float("-inf")
        if category is not StopCategory.STOP_AND_HOLD:
            self._powered = False

    def _reachable(self) -> None:
        if self.faults.disconnected:
            raise HardwareError("hardware_lost", "the fake device is disconnected")

    def _advance(self) -> None:
        """Move the joints and the jaws on to the present; a command counts until it expires."""
        now = self._monotonic()
        elapsed = now - self._time
        if elapsed <= 0.0:
            return
        driven = min(max(self._valid_until - self._time, 0.0), elapsed) if self._powered else 0.0
        before = self._q
        share = 1.0 - np.exp(-driven / self._lag)
        moved = self._q + (self._target - self._q) * share
        for joint in self.faults.stuck:
            moved[joint] = before[joint]
        self._q, self._v = moved, (moved - before) / elapsed
        closing = min(max(self._gripper_valid_until - self._time, 0.0), elapsed) if self._powered else 0.0
        step = self._arm.tool.opening_velocity * closing
        floor = max(self._opening_target, self.held_width - self._max_force / self._stiffness)
        reach = min(max(floor - self._opening, -step), step)
        self._opening_velocity = reach / elapsed
        self._opening += reach
        self._time = now

    def _force(self) -> float:
        return max(0.0, (self.held_width - self._opening) * self._stiffness)
