"""A machine put together of parts: each drives some of the joints, one of them the gripper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

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

AGAIN = 1.0
"""Between two tries to connect to a part that was lost [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartState:
    """What one part measures, in the order of its `joints`; `gripper` is None where it has none."""

    stamp: float
    position: Array
    velocity: Array
    effort: Array
    gripper: GripperState | None = None
    faults: tuple[str, ...] = ()


class Part(Protocol):
    """Drives for some of the joints. Every method raises `HardwareError` when the device does not answer."""

    @property
    def joints(self) -> tuple[int, ...]:
        """Places in the machine's joint vector."""
        ...

    @property
    def has_gripper(self) -> bool: ...

    def configure(self) -> None: ...

    def reconnect(self) -> None:
        """Connect to a device that was lost; it moves nothing and leaves its drives as they are."""
        ...

    def activate(self) -> None:
        """Power the drives and hold the measured position."""
        ...

    def deactivate(self) -> None: ...

    def shutdown(self) -> None: ...

    def read(self) -> PartState: ...

    def write(self, position: Array, velocity: Array, valid_until: float, gripper: GripperCommand | None) -> None: ...

    def hold(self) -> None:
        """Stop where the joints are, whatever was written before."""
        ...


class FixedRail:
    """A base that is bolted down: a rail that is always where it was put, for an arm without one."""

    joints = (0,)
    has_gripper = False

    def __init__(self, position: float, monotonic: Callable[[], float]) -> None:
        self._position, self._monotonic = position, monotonic

    def configure(self) -> None: ...

    def reconnect(self) -> None: ...

    def activate(self) -> None: ...

    def deactivate(self) -> None: ...

    def shutdown(self) -> None: ...

    def read(self) -> PartState:
        still, nothing = np.zeros(1), np.full(1, np.nan)
        place = np.array([self._position])
        return PartState(stamp=self._monotonic(), position=place, velocity=still, effort=nothing)

    def write(self, position: Array, velocity: Array, valid_until: float, gripper: GripperCommand | None) -> None: ...

    def hold(self) -> None: ...


class Machine:
    """Hardware made of parts. Old numbers, expired commands, and anything while unpowered, are ignored.

    Args:
        arm: its description.
        parts: together every joint once, and exactly one gripper.
        monotonic: the clock of `valid_until` and of stamps [s].
        rate: how often the slowest part can be served [1/s].
        powers_off: whether the drives of every part can be switched off from here.

    Raises:
        ValueError: a joint is driven twice or not at all, or there is not one gripper.
    """

    def __init__(
        self,
        arm: ArmDescription,
        parts: Sequence[Part],
        monotonic: Callable[[], float],
        *,
        name: str,
        rate: float,
        powers_off: bool = True,
    ) -> None:
        driven = sorted(joint for part in parts for joint in part.joints)
        if driven != list(range(arm.size)):
            raise ValueError(f"expected parts for joints {list(range(arm.size))} of {arm.name}, got {driven}")
        if sum(part.has_gripper for part in parts) != 1:
            raise ValueError(f"expected one part with a gripper, got {sum(part.has_gripper for part in parts)}")
        self._arm, self._parts, self._monotonic = arm, tuple(parts), monotonic
        self._name, self._rate = name, rate
        self._categories = (StopCategory.STOP_AND_HOLD, StopCategory.STOP_THEN_POWER_OFF)[: 1 + powers_off]
        self._powered = False
        self._seq = -1
        self._lost: dict[Part, float] = {}  # when each is tried again

    @property
    def capabilities(self) -> Capabilities:
        arm = self._arm
        return Capabilities(
            name=self._name,
            joint_names=arm.joint_names,
            position_min=arm.position_min,
            position_max=arm.position_max,
            velocity_max=arm.velocity,
            rate=self._rate,
            has_effort=False,
            has_gripper_force=True,
            has_brakes=False,
            stop_categories=self._categories,
        )

    def configure(self) -> None:
        for part in self._parts:
            part.configure()

    def activate(self) -> None:
        """Power the drives and hold the measured position."""
        for part in self._parts:
            part.activate()
        self._powered, self._seq = True, -1

    def deactivate(self) -> None:
        self._powered = False
        self._each(lambda part: part.deactivate())

    def shutdown(self) -> None:
        self._powered = False
        self._each(lambda part: part.shutdown())

    def read(self) -> tuple[JointState, GripperState]:
        """Return the newest measurement of all parts; its stamp is that of the oldest.

        Raises:
            HardwareError: a part does not answer.
        """
        n = self._arm.size
        position, velocity, effort = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
        stamps: list[float] = []
        faults: list[str] = []
        gripper: GripperState | None = None
        for part in self._parts:
            state, joints = self._reading(part), list(part.joints)
            position[joints], velocity[joints], effort[joints] = state.position, state.velocity, state.effort
            stamps.append(state.stamp)
            faults += state.faults
            gripper = state.gripper or gripper
        if gripper is None:
            raise HardwareError("hardware_fault", "the part with the gripper measured none")
        codes = tuple(dict.fromkeys(faults))
        return JointState(stamp=min(stamps), position=position, velocity=velocity, effort=effort, faults=codes), gripper

    def _reading(self, part: Part) -> PartState:
        """Read a part; one that was lost is connected to again, now and then, before it is read."""
        again = self._lost.get(part)
        try:
            if again is not None:
                if self._monotonic() < again:
                    raise HardwareError("hardware_lost", "tried again in a moment")
                part.reconnect()
                del self._lost[part]
            return part.read()
        except HardwareError as error:
            if error.code == "hardware_lost" and (again is None or self._monotonic() >= again):
                self._lost[part] = self._monotonic() + AGAIN
            raise

    def write(self, joints: JointCommand, gripper: GripperCommand) -> None:
        """Send set points to all parts."""
        finite = np.all(np.isfinite(joints.position)) and np.all(np.isfinite(joints.velocity))
        if joints.position.shape != (self._arm.size,) or not finite:
            raise HardwareError("command_invalid", f"expected {self._arm.size} finite set points")
        late = joints.valid_until < self._monotonic()
        if late or not self._powered or joints.seq <= self._seq:
            return
        self._seq = joints.seq
        for part in self._parts:
            mine = list(part.joints)
            jaws = gripper if part.has_gripper else None
            part.write(joints.position[mine], joints.velocity[mine], joints.valid_until, jaws)

    def stop(self, category: StopCategory) -> None:
        """Stop where the joints are; other categories than holding take the power away."""
        self._each(lambda part: part.hold())
        if category is not StopCategory.STOP_AND_HOLD:
            self.deactivate()

    def _each(self, action: Callable[[Part], None]) -> None:
        """Do it to every part, even when one fails; then say which failed first."""
        failed: HardwareError | None = None
        for part in self._parts:
            try:
                action(part)
            except HardwareError as error:
                failed = failed or error
        if failed is not None:
            raise failed
