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
from sim.devices.hands import Hands
from sim.devices.servos import FakeBus
from sim.devices.ur import FakeController, MemoryStream
from sim.fast.row import Row

Array = npt.NDArray[np.float64]

KINDS = ("ur", "feetech", "dynamixel")
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
        kind: what drives the arm: "ur", "feetech" or "dynamixel".
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
        self.controller: FakeController | None = None
        if kind == "ur":
            self.controller = FakeController(q[1:], monotonic)
        else:
            places |= {axis(joint).servo: float(axis(joint).ticks(q[joint])) for joint in range(1, len(q))}
        self.protocol = "feetech" if kind == "ur" else kind
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
        axes = {0: RAIL} if self.kind == "ur" else {0: RAIL} | {joint: axis(joint) for joint in range(1, arm.size)}
        parts: list[Part] = [ServoPart(bus, axes, monotonic, jaws=JAWS, tool=arm.tool)]
        controller = self.controller
        if controller is not None:
            expiry = arm.safety.command_age
            parts.append(UrPart(lambda port: MemoryStream(controller, port, nap), expiry=expiry, monotonic=monotonic))
        return Machine(arm, parts, monotonic, name=self.kind, rate=RATE, powers_off=self.kind != "ur")
