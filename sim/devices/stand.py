"""All devices of one robot that is not there: a controller or a servo bus for the arm, servos for rail, jaws, blade."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.hardware.parts import Machine, Part
from robot.hardware.servo.bus import Bus
from robot.hardware.servo.dynamixel import DynamixelBus
from robot.hardware.servo.feetech import FeetechBus
from robot.hardware.servo.part import Axis, Jaws, ServoPart
from robot.hardware.ur.part import UrPart
from robot.hardware.xarm.part import XArmPart
from sim.devices.hands import Hands
from sim.devices.servos import FakeBus
from sim.devices.ur import FakeController, MemoryStream
from sim.devices.xarm import FakeXArm, MemoryXArm
from sim.fast.row import Row

Array = npt.NDArray[np.float64]

KINDS = ("ur", "xarm", "feetech", "dynamixel")
LITE = 9
"""Type of a Lite 6 as its controller tells it; an xArm 6 tells 6."""
RAIL = Axis(servo=1, zero=0, ticks_per_unit=10000.0, turns=True)
JAWS = Jaws(
    opening=Axis(servo=8, zero=1000, ticks_per_unit=20000.0), force_at_full_load=8.0, blade=9, housed=1024, out=1424
)
TURN = 4096 / (2.0 * np.pi)
RATE = 125.0
NAP = 0.004
"""How long a driver waits for an answer in memory [s]."""


def axis(joint: int) -> Axis:
    """Return the servo that drives an arm's joint (1 = the first after the rail)."""
    return Axis(servo=joint + 1, zero=2048, ticks_per_unit=TURN * (-1) ** joint)


class Stand:
    """Devices that begin at rest.

    Args:
        kind: what drives the arm: "ur", "xarm", "feetech" or "dynamixel".
        position: joints, shape (7,).
        monotonic: the devices' clock [s].
        row: fruit that the jaws can take; None = there is none.
    """

    def __init__(
        self, arm: ArmDescription, kind: str, position: Array, monotonic: Callable[[], float], row: Row | None = None
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"expected a kind out of {list(KINDS)}, got {kind!r}")
        self.arm, self.kind = arm, kind
        q = position.tolist()
        places = {
            RAIL.servo: float(RAIL.ticks(q[0])),
            JAWS.opening.servo: float(JAWS.opening.ticks(arm.tool.opening_max)),
        }
        places[JAWS.blade] = float(JAWS.housed)
        self.controller: FakeController | FakeXArm | None = None
        if kind == "ur":
            self.controller = FakeController(q[1:], monotonic)
        elif kind == "xarm":
            limits = tuple(zip(arm.position_min[1:].tolist(), arm.position_max[1:].tolist(), strict=True))
            self.controller = FakeXArm(q[1:], monotonic, limits=limits, kind=LITE if arm.name == "lite6" else 6)
        else:
            places |= {axis(joint).servo: float(axis(joint).ticks(q[joint])) for joint in range(1, len(q))}
        self.protocol = "feetech" if self.controller is not None else kind
        self.bus = FakeBus(self.protocol, places, monotonic)
        self.hands = Hands(arm, row, self.joints, self.bus, JAWS) if row is not None else None

    def joints(self) -> Array:
        """Return where everything really is, shape (7,)."""
        rail = RAIL.value(self.bus.servos[RAIL.servo].position)
        if self.controller is not None:
            return np.array([rail, *self.controller.q])
        axes = [axis(joint) for joint in range(1, self.arm.size)]
        return np.array([rail, *(one.value(self.bus.servos[one.servo].position) for one in axes)])

    def unplug(self, *, plugged: bool = False) -> None:
        """Pull the arm's cable, or put it back."""
        if self.controller is not None:
            self.controller.unplugged = not plugged
        else:
            self.bus.unplugged = not plugged

    def machine(self, monotonic: Callable[[], float], nap: Callable[[], None]) -> Machine:
        """Return the real drivers on these devices, through memory; `nap` lets time pass while one waits."""
        arm = self.arm
        bus: Bus = FeetechBus(self.bus) if self.protocol == "feetech" else DynamixelBus(self.bus)
        controller = self.controller
        axes = {0: RAIL} if controller else {0: RAIL} | {joint: axis(joint) for joint in range(1, arm.size)}
        parts: list[Part] = [ServoPart(bus, axes, monotonic, jaws=JAWS, tool=arm.tool)]
        if isinstance(controller, FakeController):
            told, expiry = controller, arm.safety.command_age
            parts.append(UrPart(lambda port: MemoryStream(told, port, nap), expiry=expiry, monotonic=monotonic))
        elif controller is not None:
            other, lite = controller, arm.name == "lite6"
            parts.append(XArmPart(lambda: MemoryXArm(other, nap), lite=lite, monotonic=monotonic, nap=nap))
        return Machine(arm, parts, monotonic, name=self.kind, rate=RATE, powers_off=self.kind != "ur")
