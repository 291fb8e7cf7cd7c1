"""A Universal Robots controller that is not there: RTDE in octets, programs as text, joints that follow in time."""

from __future__ import annotations

import math
import re
import select
import socket
import struct
import threading
from collections.abc import Callable

from robot.hardware.ur import rtde

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
STEP, LAG = 0.002, 0.012
STOP_BITS = 0b11_1111_0100
"""Of the safety status: what ends the program."""


class Session:
    """One RTDE client's connection."""

    def __init__(self) -> None:
        self.taken, self.reply = bytearray(), bytearray()
        self.outputs: list[str] = []
        self.inputs: list[str] = []
        self.started = False


class FakeController:
    """The controller. Faults: `unplugged`, `silent` (sends no data), `safety_bits`, `mode`, `stuck` joints.

    It obeys the program's text: how long a set point counts is read from it.
    """

    def __init__(self, q: list[float], monotonic: Callable[[], float]) -> None:
        self.q, self.v = list(q), [0.0] * 6
        self.unplugged = self.silent = self.refuses_inputs = False
        self.safety_bits, self.mode = 1, 7
        self.stuck: set[int] = set()
        self.program = ""
        self.registers: dict[str, float] = {}
        self._monotonic, self._time = monotonic, monotonic()
        self._last, self._quiet, self._following = 0.0, 0.0, False
        self._goal = list(q)
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
            now = self._monotonic()
            while self._time + STEP <= now + 1e-9:
                self._time += STEP
                self._step()
                if session.started and not self.silent:
                    session.reply += self._data(session)

    def _data(self, session: Session) -> bytes:
        playing = bool(self.program)
        values: dict[str, list[float]] = {
            "timestamp": [self._time],
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
        share = 1.0 - math.exp(-STEP / LAG) if self._following and self.mode == 7 else 0.0
        for i in range(6):
            moved = 0.0 if i in self.stuck else (self._goal[i] - self.q[i]) * share
            self.q[i] += moved
            self.v[i] = moved / STEP


class MemoryStream:
    """A connection without a network, in the clock's time; once a cable was pulled it is gone for good."""

    def __init__(self, controller: FakeController, port: int, nap: Callable[[], None]) -> None:
        self._controller, self._port, self._nap = controller, port, nap
        self._session = Session()
        self._broken = False

    def send(self, data: bytes) -> None:
        self._reachable()
        if self._port == rtde.PORT:
            self._controller.advance(self._session)
            self._controller.serve(self._session, data)
        else:
            self._controller.run(data.decode())

    def receive(self, *, wait: bool) -> bytes:
        self._reachable()
        self._controller.advance(self._session)
        if wait and not self._session.reply:
            self._nap()
            self._controller.advance(self._session)
            if not self._session.reply:
                raise TimeoutError("timed out")
        data = bytes(self._session.reply)
        self._session.reply.clear()
        return data

    def close(self) -> None: ...

    def _reachable(self) -> None:
        self._broken = self._broken or self._controller.unplugged
        if self._broken:
            raise ConnectionResetError("connection reset by peer")


class TcpController:
    """The controller behind two real ports of 127.0.0.1. Use as a context."""

    def __init__(self, controller: FakeController) -> None:
        self.controller = controller
        self._listen = {name: socket.create_server(("127.0.0.1", 0)) for name in ("rtde", "script")}
        self.ports = {name: server.getsockname()[1] for name, server in self._listen.items()}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> TcpController:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for server in self._listen.values():
            server.close()

    def _run(self) -> None:
        clients: dict[socket.socket, Session | None] = {}
        while not self._ended.is_set():
            ready, _, _ = select.select([*self._listen.values(), *clients], [], [], 0.002)
            if self.controller.unplugged:
                for client in clients:
                    client.close()
                clients.clear()
            for one in ready:
                if one.fileno() < 0:
                    continue
                if one in self._listen.values():
                    client, _ = one.accept()
                    if self.controller.unplugged:
                        client.close()
                        continue
                    clients[client] = Session() if one is self._listen["rtde"] else None
                    continue
                session = clients[one]
                try:
                    data = one.recv(65536)
                except OSError:
                    data = b""
                if not data:
                    clients.pop(one)
                    one.close()
                elif session is None:
                    self.controller.run(data.decode())
                else:
                    self.controller.serve(session, data)
            for client, session in list(clients.items()):
                if session is None:
                    continue
                self.controller.advance(session)
                try:
                    client.sendall(session.reply)
                except OSError:  # it has gone
                    del clients[client]
                    client.close()
                session.reply.clear()
        for client in clients:
            client.close()
