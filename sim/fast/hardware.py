"""The hardware protocol over the kinematic tier: servos with a lag, jaws, a blade, and what can break in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

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
from robot.kinematics import forward, solve
from robot.pick.grasp import LEVEL
from sim.fast.row import Row, Where

Array = npt.NDArray[np.float64]

LAG = 0.012
"""Time constant of the joint servos [s]."""

OVERSPEED = 1.2
"""Share of a joint's rated speed that its drive can reach at most."""

UNMEASURED = np.full(7, np.nan)
UNMEASURED.flags.writeable = False

STIFFNESS = 800.0
"""Of fruit between the pads [N/m]; assumption."""

HOME = (0.12, 0.40, 0.95)
"""Where the tool starts in the world [m], as in the other tier."""


def parked(arm: ArmDescription, x: float = HOME[0]) -> Array:
    """Return the joints with the tool level at its start, `x` along the row [m], shape (7,).

    Raises:
        ValueError: the arm has too few joints for that.
    """
    arm.require_six()
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = LEVEL, (x, *HOME[1:])
    like = arm.posture
    rail = x - float(arm.rail.base[0]) - like.ahead
    found: Array = solve(arm, pose, np.array([rail, *like.joints]), rail=rail)[0]
    return found


@dataclass(slots=True, kw_only=True)
class Broken:
    """What is broken in the machine itself. Everything off is a healthy one.

    Attributes:
        stuck: joints whose motor turns nothing.
        reversed: joints that move away from their set point, as after an encoder or a motor was wired wrongly.
        offset: added to the measured positions [m, rad], shape (7,).
        not_a_number: joints whose position reads NaN.
        codes: faults the drives report.
        slippery: what is held falls out of the jaws.
        blade_stuck: the blade does not come out.
    """

    stuck: tuple[int, ...] = ()
    reversed: tuple[int, ...] = ()
    offset: Array = field(default_factory=lambda: np.zeros(7))
    not_a_number: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    slippery: bool = False
    blade_stuck: bool = False


class FastHardware:
    """A machine without physics: what it measures is computed from the time passed and the commands that arrived.

    Args:
        arm: the arm's description.
        monotonic: clock that moves it on [s].
        row: the fruit in front of it.
        position: joints at power-up, shape (7,).
    """

    def __init__(self, arm: ArmDescription, monotonic: Callable[[], float], row: Row, position: Array) -> None:
        self.broken = Broken()
        self.row = row
        self._arm, self._monotonic = arm, monotonic
        self.q, self.v = position.copy(), np.zeros(7)
        self._target = position.copy()
        self._valid_until = self._gripper_until = float("-inf")
        self.opening, self._opening_velocity = arm.tool.opening_max, 0.0
        self._opening_target, self._max_force = self.opening, 0.0
        self._cut_was, self._blade_until = False, float("-inf")
        self._time = monotonic()
        self._seq = -1
        self.powered = False
        self._width = 0.0
        self._top_speed = arm.velocity * OVERSPEED

    @property
    def capabilities(self) -> Capabilities:
        arm = self._arm
        return Capabilities(
            name=f"fast:{arm.name}",
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

    @property
    def force(self) -> float:
        """True pad force [N]."""
        return max(0.0, (self._width - self.opening) * STIFFNESS)

    @property
    def blade_out(self) -> bool:
        return self._time < self._blade_until

    def configure(self) -> None:
        """Nothing to connect to."""

    def activate(self) -> None:
        """Release the brakes and hold where the arm is."""
        self.advance()
        self._target, self._opening_target = self.q.copy(), self.opening
        self.powered, self._seq = True, -1

    def deactivate(self) -> None:
        self.stop(StopCategory.POWER_OFF)

    def shutdown(self) -> None:
        self.stop(StopCategory.POWER_OFF)

    def read(self) -> tuple[JointState, GripperState]:
        """Return what the sensors say now."""
        self.advance()
        position = self.q + self.broken.offset
        if self.broken.not_a_number:
            position[list(self.broken.not_a_number)] = np.nan
        joints = JointState(
            stamp=self._time,
            position=position,
            velocity=self.v.copy(),
            effort=UNMEASURED,
            faults=self.broken.codes if self.powered else ("drives_off", *self.broken.codes),
        )
        gripper = GripperState(
            stamp=self._time,
            opening=self.opening,
            opening_velocity=self._opening_velocity,
            force=self.force,
            blade_out=self.blade_out,
        )
        return joints, gripper

    def write(self, joints: JointCommand, gripper: GripperCommand) -> None:
        """Take set points; old numbers, expired ones and anything while unpowered are ignored."""
        self.advance()
        if not (np.isfinite(joints.position).all() and np.isfinite(gripper.opening + gripper.max_force)):
            raise HardwareError("command_not_finite", f"expected finite set points, got {joints.position}")
        if not self.powered or joints.seq <= self._seq or joints.valid_until <= self._time:
            return
        self._seq = joints.seq
        self._target, self._valid_until = joints.position.copy(), joints.valid_until
        self._gripper_until = gripper.valid_until
        tool = self._arm.tool
        self._opening_target = min(max(gripper.opening, tool.opening_min), tool.opening_max)
        self._max_force = min(max(gripper.max_force, 0.0), tool.force_max)
        if gripper.cut and not self._cut_was and not self.broken.blade_stuck:
            self._blade_until = self._time + tool.blade_time
            berry = self.row.between(forward(self._arm, self.q))
            if berry is not None and self.force > 0.0:
                self.row.cut(berry)
        self._cut_was = gripper.cut

    def stop(self, category: StopCategory) -> None:
        """Stop where the joints are, whatever was written before; 0 and 1 set the brakes and take the power away."""
        self.advance()
        self._target = self.q.copy()
        self._valid_until = self._gripper_until = float("-inf")
        if category is not StopCategory.STOP_AND_HOLD:
            self.powered = False

    def advance(self) -> None:
        """Move joints and jaws on to the present; a command counts until it expires, then the drives hold."""
        now = self._monotonic()
        elapsed = now - self._time
        if elapsed <= 0.0:
            return
        driven = min(max(self._valid_until - self._time, 0.0), elapsed) if self.powered else 0.0
        before = self.q
        self.q = self._turned(driven)
        self.v = (self.q - before) / elapsed
        closing = min(max(self._gripper_until - self._time, 0.0), elapsed) if self.powered else 0.0
        self._time = now
        self._move_jaws(closing, elapsed)

    def _turned(self, driven: float) -> Array:
        broken = self.broken
        reach = self._top_speed * driven
        way = (self._target - self.q) * (1.0 - np.exp(-driven / LAG))
        for joint in broken.reversed:  # positive feedback: away from the set point, faster and faster
            push = 1e-4 if self.q[joint] >= self._target[joint] else -1e-4
            way[joint] = (self.q[joint] - self._target[joint] + push) * (np.exp(driven / LAG) - 1.0)
        if broken.stuck:
            way[list(broken.stuck)] = 0.0
        turned: Array = self.q + np.minimum(np.maximum(way, -reach), reach)
        return turned

    def _move_jaws(self, closing: float, elapsed: float) -> None:
        moves = self._opening_target != self.opening or self._width > 0.0
        if moves:
            if self.broken.slippery:
                self.row.let_go(self._arm, forward(self._arm, self.q), float(self.q[0]))
            berry = self.row.held()
            if berry is None:
                berry = self.row.between(forward(self._arm, self.q))
            self._width = 2.0 * self.row.berries[berry].half_width if berry is not None else 0.0
        step = self._arm.tool.opening_velocity * closing
        floor = max(self._opening_target, self._width - self._max_force / STIFFNESS)
        reach = min(max(floor - self.opening, -step), step)
        self._opening_velocity = reach / elapsed
        self.opening += reach
        if moves and berry is not None and self.opening > self._width and self.row.where[berry] is Where.HELD:
            self.row.let_go(self._arm, forward(self._arm, self.q), float(self.q[0]))
            self._width = 0.0
