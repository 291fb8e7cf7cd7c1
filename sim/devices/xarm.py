"""A UFACTORY controller that is not there: the maker's frames in octets, joints that follow set points in time."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable

from robot.hardware.xarm.sdk import take
from sim.devices.arm import FakeArm, MemoryLine
from sim.devices.tcp import Client, TcpArm

AXES, SLOTS = 6, 7
SERVO_MODE = 1
MOVING, STANDBY, STOPPED, MODE_CHANGED = 1, 2, 4, 5
LEAP = 0.0628
"""A set point so far from the last one asks for more than the joints' 3.14 rad/s over the controller's 20 ms [rad]."""

GET_VERSION, GET_SERIAL, MOTION_EN, SET_STATE, GET_STATE, GET_CMDNUM, GET_ERROR = 1, 2, 11, 12, 13, 14, 15
CLEAN_ERR, CLEAN_WAR, SET_MODE, MOVE_SERVOJ, GET_TCP_POSE, GET_JOINTS = 16, 17, 19, 29, 41, 42
"""Registers, from `xarm.core.config.x_config.XCONF.UxbusReg`."""

REFUSED, NOT_READY, WARNED, FAILED = 0x08, 0x10, 0x20, 0x40
"""Bits of the controller's state in every answer."""

ESTOP_IO, LIMIT, SPEED, COLLISION = 2, 23, 24, 31
PERIOD = 0.01
"""Between two reports on port 30003 [s]."""


class FakeXArm(FakeArm):
    """The controller. More faults: `estop` (pressed), `fail(code)`.

    Args:
        q: joints, six of them [rad].
        limits: (low, high) of each [rad].
        kind: 9 for a Lite 6, else an xArm 6.
    """

    def __init__(
        self,
        q: list[float],
        monotonic: Callable[[], float],
        *,
        limits: tuple[tuple[float, float], ...] = ((-6.2832, 6.2832),) * AXES,
        kind: int = 6,
        firmware: str = "2.3.0",
    ) -> None:
        super().__init__(q, monotonic)
        self.estop = False
        self.error = self.warning = self.mode = 0
        self.state = STOPPED
        self.enabled = False
        self._limits, self._version = limits, f"{AXES},{kind},XI{kind}000000000000,AC1300000000,v{firmware}"
        self._lock = threading.Lock()

    def fail(self, error: int) -> None:
        """Stop as the controller does by itself."""
        self.error, self.state = error, STOPPED

    def serve(self, taken: bytearray) -> bytes:
        """Take whole frames off what a client has sent and return the answers."""
        answers = b""
        with self._lock:
            self._advance()
            while (frame := take(taken)) is not None:
                if self.silent or len(frame) < 7:
                    continue
                bits, data = self._answer(frame[6], frame[7:])
                bits |= FAILED * bool(self.error) | WARNED * bool(self.warning) | NOT_READY * (not self._ready)
                answers += frame[:4] + struct.pack(">HBB", 2 + len(data), frame[6], bits) + data
        return answers

    def report(self) -> bytes:
        """Return what port 30003 sends a hundred times a second: size, state and mode, joints, pose, torques."""
        with self._lock:
            self._advance()
            head = struct.pack(">IBH", 87, self.state | self.mode << 4, 0)
            return head + struct.pack("<20f", *self.q, 0.0, *[0.0] * 6, *[0.0] * SLOTS)

    @property
    def _ready(self) -> bool:
        return self.enabled and not self.error and self.state < STOPPED

    def _answer(self, register: int, data: bytes) -> tuple[int, bytes]:
        """Return the bits and the octets of one answer."""
        if register == GET_VERSION:
            return 0, self._version.encode().ljust(40, b"\0")
        if register == GET_SERIAL:
            return 0, b"XI6000000000000".ljust(40, b"\0")
        if register == GET_STATE:
            return 0, bytes([self.state])
        if register == GET_CMDNUM:
            return 0, bytes(2)
        if register == GET_ERROR:
            return 0, bytes([self.error, self.warning])
        if register == GET_TCP_POSE:
            return 0, bytes(24)
        if register == GET_JOINTS:
            told = [*self.q, 0.0]
            if data and data[0] & 0x0F > 1:
                told += [*self.v, 0.0, *[0.0] * SLOTS][: SLOTS * ((data[0] & 0x0F) - 1)]
            return 0, struct.pack(f"<{len(told)}f", *told)
        return self._order(register, data), b""

    def _order(self, register: int, data: bytes) -> int:
        """Do what a client asks for; return the bit of a refusal."""
        if register == MOTION_EN:
            self.enabled = bool(data[1]) and not self.estop
            self.state = self.state if self.enabled else STOPPED
        elif register == SET_STATE:
            self._goal = list(self.q)
            self.state = STANDBY if data[0] == 0 and not self.error else STOPPED
        elif register == SET_MODE:
            self.mode, self.state = data[0], MODE_CHANGED
        elif register == CLEAN_ERR:
            self.error = ESTOP_IO if self.estop else 0
        elif register == CLEAN_WAR:
            self.warning = 0
        elif register == MOVE_SERVOJ:
            self._follow(struct.unpack("<6f", data[:24]))
        else:
            return REFUSED
        return 0

    def _follow(self, goal: tuple[float, ...]) -> None:
        if not self._ready or self.mode != SERVO_MODE:
            return
        if any(not low <= value <= high for value, (low, high) in zip(goal, self._limits, strict=True)):
            self.fail(LIMIT)
        elif max(abs(new - old) for new, old in zip(goal, self._goal, strict=True)) > LEAP:
            self.fail(SPEED)
        else:
            self._goal, self.state = list(goal), MOVING

    def _advance(self) -> None:
        if self.estop:
            self.fail(ESTOP_IO)
            self.enabled = False
        for _ in range(self.steps()):
            self.step(follows=self._ready and self.mode == SERVO_MODE)


class MemoryXArm(MemoryLine):
    """A connection to the controller in memory."""

    def __init__(self, controller: FakeXArm, nap: Callable[[], None]) -> None:
        super().__init__(controller)
        self._controller, self._nap = controller, nap
        self._taken, self._reply = bytearray(), b""

    def send(self, data: bytes) -> None:
        self.reachable()
        self._taken += data
        self._reply += self._controller.serve(self._taken)

    def receive(self, *, wait: bool) -> bytes:
        self.reachable()
        if wait and not self._reply:
            self._nap()
            raise TimeoutError("timed out")
        data, self._reply = self._reply, b""
        return data


class Commander:
    """A client of the command port: every frame is answered."""

    def __init__(self, controller: FakeXArm) -> None:
        self._controller, self._taken = controller, bytearray()

    def told(self, data: bytes) -> bytes:
        self._taken += data
        return self._controller.serve(self._taken)

    def due(self) -> bytes:
        return b""


class Listener:
    """A client of the report port: it gets a report every `PERIOD`."""

    def __init__(self, controller: FakeXArm) -> None:
        self._controller, self._due = controller, 0.0

    def told(self, data: bytes) -> bytes:
        return b""

    def due(self) -> bytes:
        if time.monotonic() < self._due:
            return b""
        self._due = time.monotonic() + PERIOD
        return self._controller.report()


class TcpXArm(TcpArm):
    """The controller behind two real ports, "command" and "report"."""

    def __init__(self, controller: FakeXArm) -> None:
        meet: dict[str, Callable[[], Client]] = {
            "command": lambda: Commander(controller),
            "report": lambda: Listener(controller),
        }
        super().__init__(controller, meet, PERIOD)
