"""A Universal Robots controller that is not there: RTDE in octets, programs as text, joints that follow in time."""

from __future__ import annotations

import re
import struct
import threading
from collections.abc import Callable

from robot.hardware.ur import rtde
from sim.devices.arm import STEP, FakeArm, MemoryLine
from sim.devices.tcp import Client, TcpArm

TYPES = (
    {
        "timestamp": "DOUBLE",
        "actual_q": "VECTOR6D",
        "actual_qd": "VECTOR6D",
        "robot_mode": "INT32",
        "safety_mode": "INT32",
        "safety_status_bits": "UINT32",
        "runtime_state": "UINT32",
        "output_int_register_24": "INT32",
    }
    | {f"input_double_register_{i}": "DOUBLE" for i in range(48)}
    | {f"input_int_register_{i}": "INT32" for i in range(48)}
)
STOP_BITS = 0b11_1111_0100
"""Of the safety status: what ends the program."""


class Session:
    """One RTDE client's connection."""

    def __init__(self) -> None:
        self.taken, self.reply = bytearray(), bytearray()
        self.outputs: list[str] = []
        self.inputs: list[str] = []
        self.started = False


class FakeController(FakeArm):
    """The controller. More faults: `safety_bits`, `mode`, `refuses_inputs`; a silent one sends no data.

    It obeys the program's text: how long a set point counts is read from it.
    """

    def __init__(self, q: list[float], monotonic: Callable[[], float]) -> None:
        super().__init__(q, monotonic)
        self.refuses_inputs = False
        self.safety_bits, self.mode = 1, 7
        self.program = ""
        self.registers: dict[str, float] = {}
        self._last, self._quiet, self._following = 0.0, 0.0, False
        self._lock = threading.Lock()

    def run(self, text: str) -> None:
        """Take a program, as the secondary interface does."""
        self.program = text
        self._last = self.registers.get("input_int_register_24", 0)
        self._following = False

    def serve(self, session: Session, data: bytes) -> None:
        """Take octets of one client and put the answers into its `reply`."""
        session.taken += data
        while (got := rtde.take(session.taken)) is not None:
            kind, payload = got
            if kind == rtde.VERSION:
                session.reply += rtde.package(kind, b"\x01")
            elif kind == ord("v"):
                session.reply += rtde.package(kind, struct.pack(">4I", 5, 11, 0, 0))
            elif kind == rtde.OUTPUTS:
                session.outputs = [name for name in payload[8:].decode().split(",") if name]
                self._recipe(session, kind, session.outputs)
            elif kind == rtde.INPUTS:
                session.inputs = payload.decode().split(",")
                self._recipe(session, kind, session.inputs)
            elif kind == rtde.START:
                session.started = True
                session.reply += rtde.package(kind, b"\x01")
            elif kind == rtde.DATA:
                values = struct.unpack(">" + "".join(rtde.FORMATS[TYPES[n]] for n in session.inputs), payload[1:])
                self.registers.update(zip(session.inputs, values, strict=True))

    def _recipe(self, session: Session, kind: int, names: list[str]) -> None:
        types = [TYPES.get(name, "NOT_FOUND") for name in names]
        if kind == rtde.INPUTS and self.refuses_inputs:
            types[0] = "IN_USE"
        session.reply += rtde.package(kind, b"\x01" + ",".join(types).encode())

    def advance(self, session: Session) -> None:
        """Move on to the present, a package per step of the controller."""
        with self._lock:
            due = self.steps()
            for left in reversed(range(due)):
                self._step()
                if session.started and not self.silent:
                    session.reply += self._data(session, self._time - left * STEP)

    def _data(self, session: Session, at: float) -> bytes:
        playing = bool(self.program)
        values: dict[str, list[float]] = {
            "timestamp": [at],
            "actual_q": self.q,
            "actual_qd": self.v,
            "robot_mode": [self.mode],
            "safety_mode": [1],
            "safety_status_bits": [self.safety_bits],
            "runtime_state": [2 if playing else 1],
            "output_int_register_24": [4711 if playing else 0],
        }
        payload = b"\x01"
        for name in session.outputs:
            numbers: list[float] = values[name]
            payload += struct.pack(">" + rtde.FORMATS[TYPES[name]], *numbers)
        return rtde.package(rtde.DATA, payload)

    def _step(self) -> None:
        if self.safety_bits & STOP_BITS:
            self.program, self._following = "", False
        number, mode = self.registers.get("input_int_register_24", 0), self.registers.get("input_int_register_25", 0)
        if self.program and mode == -1:
            self.program, self._following = "", False
        if self.program:
            told = re.search(r"quiet > ([0-9.]+)", self.program)
            assert told is not None
            assert "servoj(" in self.program
            if number != self._last:
                self._last, self._quiet, self._following = number, 0.0, True
                self._goal = [self.registers[f"input_double_register_{24 + i}"] for i in range(6)]
            else:
                self._quiet += STEP
            if self._quiet > float(told.group(1)) or mode == 0:
                self._following = False
        self.step(follows=self._following and self.mode == 7)


class MemoryStream(MemoryLine):
    """A connection to one port of the controller in memory."""

    def __init__(self, controller: FakeController, port: int, nap: Callable[[], None]) -> None:
        super().__init__(controller)
        self._controller, self._port, self._nap = controller, port, nap
        self._session = Session()

    def send(self, data: bytes) -> None:
        self.reachable()
        if self._port == rtde.PORT:
            self._controller.advance(self._session)
            self._controller.serve(self._session, data)
        else:
            self._controller.run(data.decode())

    def receive(self, *, wait: bool) -> bytes:
        self.reachable()
        self._controller.advance(self._session)
        if wait and not self._session.reply:
            self._nap()
            self._controller.advance(self._session)
            if not self._session.reply:
                raise TimeoutError("timed out")
        data = bytes(self._session.reply)
        self._session.reply.clear()
        return data


class Listener:
    """A client of the RTDE port: it is answered, and gets a package per step of the controller once it has begun."""

    def __init__(self, controller: FakeController) -> None:
        self._controller, self._session = controller, Session()

    def told(self, data: bytes) -> bytes:
        self._controller.serve(self._session, data)
        return b""

    def due(self) -> bytes:
        self._controller.advance(self._session)
        data = bytes(self._session.reply)
        self._session.reply.clear()
        return data


class Programmer:
    """A client of the port that takes programs."""

    def __init__(self, controller: FakeController) -> None:
        self._controller = controller

    def told(self, data: bytes) -> bytes:
        self._controller.run(data.decode())
        return b""

    def due(self) -> bytes:
        return b""


class TcpController(TcpArm):
    """The controller behind two real ports, "rtde" and "script"."""

    def __init__(self, controller: FakeController) -> None:
        meet: dict[str, Callable[[], Client]] = {
            "rtde": lambda: Listener(controller),
            "script": lambda: Programmer(controller),
        }
        super().__init__(controller, meet, STEP)
