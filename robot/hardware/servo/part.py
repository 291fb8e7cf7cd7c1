"""Joints, jaws and blade of one machine part, driven by servos on a bus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from robot.arms import Tool
from robot.hardware import GripperCommand, GripperState, HardwareError
from robot.hardware.parts import PartState
from robot.hardware.servo.bus import Bus, BusError, Reading

Array = npt.NDArray[np.float64]
TRIES = 2  # of a read: one lost reply in a tick is nothing, two in a row are a broken line
STEP_MAX = 0.02  # a pause between commands lets the jaws' goal walk on by no more than this time [s]
BLADE_SEEN = 0.05  # share of its stroke from which the blade counts as out
DWELL = 0.8  # share of the sweep after which the blade is sent back; the way back takes the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One servo and what it turns.

    Attributes:
        servo: number on the bus.
        zero: ticks at the joint's zero.
        ticks_per_unit: ticks per rad or m of the joint; negative when it turns the other way.
        turns: it goes over more than one turn, as a rail's does.
    """

    servo: int
    zero: int
    ticks_per_unit: float
    turns: bool = False

    def ticks(self, value: float) -> int:
        return self.zero + round(value * self.ticks_per_unit)

    def value(self, ticks: float) -> float:
        return (ticks - self.zero) / self.ticks_per_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Jaws:
    """Servos of the gripper.

    Attributes:
        opening: distance between the pads [m] against ticks.
        force_at_full_load: pad force at all of the servo's torque [N]; measured with a scale.
        blade, housed, out: the blade's servo and its two places [ticks].
    """

    opening: Axis
    force_at_full_load: float
    blade: int
    housed: int
    out: int


class ServoPart:
    """A machine part on one bus. The servos hold their last goal by themselves, which is one tick away.

    Pad force is limited in the servo and judged by its load: a motor's effort, not a measured force. Drives and blade
    count on `read` or `write` being called in every tick.

    Args:
        axes: by place in the machine's joint vector.
        jaws: None when the gripper is elsewhere.
        monotonic: [s].
    """

    def __init__(
        self,
        bus: Bus,
        axes: Mapping[int, Axis],
        monotonic: Callable[[], float],
        *,
        jaws: Jaws | None = None,
        tool: Tool | None = None,
    ) -> None:
        if (jaws is None) != (tool is None):
            raise ValueError("expected jaws and tool together, or neither")
        self._bus, self._monotonic, self._jaws, self._tool = bus, monotonic, jaws, tool
        self._joints = tuple(sorted(axes))
        self._axes = [axes[joint] for joint in self._joints]
        self._servos = [axis.servo for axis in self._axes]
        if jaws is not None:
            self._servos += [jaws.opening.servo, jaws.blade]
        if len(set(self._servos)) != len(self._servos):
            raise ValueError(f"expected every servo once, got {self._servos}")
        self._opening = 0.0
        self._share = -1.0
        self._wrote_at = float("-inf")
        self._cut_was, self._back_at = False, float("inf")

    @property
    def joints(self) -> tuple[int, ...]:
        return self._joints

    @property
    def has_gripper(self) -> bool:
        return self._jaws is not None

    def configure(self) -> None:
        for servo in self._servos:
            self._asked(partial(self._bus.ping, servo))
        forceful = self._jaws.opening.servo if self._jaws is not None else None
        far = {axis.servo for axis in self._axes if axis.turns}
        for servo in self._servos:
            self._asked(partial(self._bus.prepare, servo, forceful=servo == forceful, turns=servo in far))

    def reconnect(self) -> None:
        """Open the line again. The servos kept their settings, and their torque if they had power."""
        self._asked(self._bus.reopen)
        for servo in self._servos:
            self._asked(partial(self._bus.ping, servo))

    def activate(self) -> None:
        """Make the measured positions the goals before the torque comes on, or the servos would leap."""
        self.hold()
        self._asked(lambda: self._bus.torque(self._servos, on=True))
        self._cut_was, self._back_at, self._share = False, float("inf"), -1.0
        self._wrote_at = self._monotonic()

    def deactivate(self) -> None:
        self._asked(lambda: self._bus.torque(self._servos, on=False))

    def shutdown(self) -> None:
        self._bus.close()

    def hold(self) -> None:
        readings = self._measure()
        goals = {servo: reading.position for servo, reading in zip(self._servos, readings, strict=True)}
        if self._jaws is not None:
            goals[self._jaws.blade] = self._jaws.housed
            self._opening = self._jaws.opening.value(readings[-2].position)
        self._back_at = float("inf")
        self._sent(goals)

    def read(self) -> PartState:
        """Ask all servos for what they measure."""
        now = self._monotonic()
        readings = self._measure()
        self._return_blade(now)
        arm = readings[: len(self._axes)]
        pairs = list(zip(self._axes, arm, strict=True))
        faults = ("hardware_fault",) if any(reading.fault for reading in readings) else ()
        return PartState(
            stamp=now,
            position=np.array([axis.value(reading.position) for axis, reading in pairs]),
            velocity=np.array([reading.velocity / axis.ticks_per_unit for axis, reading in pairs]),
            effort=np.full(len(arm), np.nan),
            gripper=self._gripper(now, readings[-2], readings[-1]),
            faults=faults,
        )

    def write(self, position: Array, velocity: Array, valid_until: float, gripper: GripperCommand | None) -> None:
        """Send goals to all servos in one packet; the jaws' goal walks at their own speed."""
        now = self._monotonic()
        goals = {axis.servo: axis.ticks(float(q)) for axis, q in zip(self._axes, position, strict=True)}
        jaws, tool = self._jaws, self._tool
        if gripper is not None and jaws is not None and tool is not None:
            step = tool.opening_velocity * min(now - self._wrote_at, STEP_MAX)
            wanted = min(max(gripper.opening, tool.opening_min), tool.opening_max)
            self._opening += min(max(wanted - self._opening, -step), step)
            goals[jaws.opening.servo] = jaws.opening.ticks(self._opening)
            self._limit(min(max(gripper.max_force, 0.0), tool.force_max) / jaws.force_at_full_load)
            if gripper.cut and not self._cut_was:
                goals[jaws.blade] = jaws.out
                self._back_at = now + DWELL * tool.blade_time
            self._cut_was = gripper.cut
        self._wrote_at = now
        self._sent(goals)
        self._return_blade(now)

    def _limit(self, share: float) -> None:
        if self._jaws is not None and abs(share - self._share) > 1e-3:
            servo = self._jaws.opening.servo
            self._asked(lambda: self._bus.limit(servo, share))
            self._share = share

    def _return_blade(self, now: float) -> None:
        if self._jaws is not None and now >= self._back_at:
            self._back_at = float("inf")
            self._sent({self._jaws.blade: self._jaws.housed})

    def _gripper(self, now: float, opening: Reading, blade: Reading) -> GripperState | None:
        jaws = self._jaws
        if jaws is None:
            return None
        closing = -float(np.sign(jaws.opening.ticks_per_unit))
        return GripperState(
            stamp=now,
            opening=jaws.opening.value(opening.position),
            opening_velocity=opening.velocity / jaws.opening.ticks_per_unit,
            force=max(0.0, closing * opening.load) * jaws.force_at_full_load,
            blade_out=abs(blade.position - jaws.housed) > BLADE_SEEN * abs(jaws.out - jaws.housed),
        )

    def _measure(self) -> list[Reading]:
        for left in reversed(range(TRIES)):
            try:
                return self._bus.read(self._servos)
            except BusError as error:
                if not left:
                    raise HardwareError("hardware_lost", str(error)) from error
        raise AssertionError("unreachable")

    def _asked(self, ask: Callable[[], None]) -> None:
        for left in reversed(range(TRIES)):
            try:
                return ask()
            except BusError as error:
                if not left:
                    raise HardwareError("hardware_lost", str(error)) from error
        return None

    def _sent(self, goals: dict[int, int]) -> None:
        try:
            self._bus.move(goals)
        except (BusError, ValueError) as error:
            raise HardwareError("hardware_lost", str(error)) from error
