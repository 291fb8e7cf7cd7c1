"""Bus servos that are not there: they take octets, move as time passes and answer octets, wrong ones on request."""

from __future__ import annotations

import math
import os
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from robot.hardware.servo import dynamixel, feetech

LAG = 0.012  # of a servo behind its goal [s]
TOP = 8000.0  # fastest turn [ticks/s]


@dataclass(slots=True)
class Servo:
    """One servo: a control table as octets, and a shaft."""

    position: float = 2048.0
    velocity: float = 0.0
    table: bytearray = field(default_factory=lambda: bytearray(256))
    stuck: bool = False
    overload: bool = False
    load: float = 0.0
    blocked_at: float | None = None
    """Something is held: the shaft gets no lower than this [ticks]."""


class FakeBus:
    """Servos of one protocol behind a port. Faults: `lost` replies, `damaged` replies, `unplugged`.

    Args:
        positions: by servo number [ticks].
    """

    def __init__(self, protocol: str, positions: dict[int, float], monotonic: Callable[[], float]) -> None:
        self.feetech = protocol == "feetech"
        self.servos = {number: Servo(position=place) for number, place in positions.items()}
        self.lost = self.damaged = 0
        self.unplugged = False
        self.asked = 0
        self._monotonic, self._time = monotonic, monotonic()
        self._in, self._out = bytearray(), bytearray()

    # The port's side

    def write(self, data: bytes) -> None:
        if self.unplugged:
            raise OSError(5, "Input/output error")
        self._in += data
        self._advance()
        while self._take():
            pass

    def read(self, size: int) -> bytes:
        if self.unplugged:
            raise OSError(5, "Input/output error")
        got = bytes(self._out[:size])
        del self._out[:size]
        return got

    def reset_input_buffer(self) -> None:
        self._out.clear()

    def reopen(self) -> None:
        if self.unplugged:
            raise OSError(2, "No such file or directory")
        self._in.clear()
        self._out.clear()

    def close(self) -> None:
        self.unplugged = True

    # The servos' side

    def _take(self) -> bool:
        """Serve one packet, if a whole one is there."""
        if self.feetech:
            if len(self._in) < 4 or len(self._in) < 4 + self._in[3]:
                return False
            end = 4 + self._in[3]
            whole, servo, instruction, data = self._in[:end], self._in[2], self._in[4], bytes(self._in[5 : end - 1])
            good = feetech.packet(servo, instruction, data) == whole
        else:
            if len(self._in) < 7 or len(self._in) < 7 + int.from_bytes(self._in[5:7], "little"):
                return False
            end = 7 + int.from_bytes(self._in[5:7], "little")
            whole, servo, instruction = self._in[:end], self._in[4], self._in[7]
            data = bytes(self._in[8 : end - 2]).replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")
            good = dynamixel.crc16(bytes(whole[:-2])) == int.from_bytes(whole[-2:], "little")
        del self._in[:end]
        if good:
            self._serve(servo, instruction, data)
        return True

    def _serve(self, servo: int, instruction: int, data: bytes) -> None:
        self.asked += 1
        wide = 1 if self.feetech else 2
        if instruction == feetech.PING and servo in self.servos:
            self._answer(servo, b"" if self.feetech else b"\x06\x04\x26")
        elif instruction == feetech.READ and servo in self.servos:
            at, size = int.from_bytes(data[:wide], "little"), int.from_bytes(data[wide : 2 * wide], "little")
            self._answer(servo, bytes(self._measured(servo)[at : at + size]))
        elif instruction == feetech.WRITE and servo in self.servos:
            self._store(servo, int.from_bytes(data[:wide], "little"), data[wide:])
            self._answer(servo, b"")
        elif instruction == feetech.SYNC_READ:
            at, size = int.from_bytes(data[:wide], "little"), int.from_bytes(data[wide : 2 * wide], "little")
            for number in data[2 * wide :]:
                if number in self.servos:
                    self._answer(number, bytes(self._measured(number)[at : at + size]))
        elif instruction == feetech.SYNC_WRITE:
            at, size = int.from_bytes(data[:wide], "little"), int.from_bytes(data[wide : 2 * wide], "little")
            rest = data[2 * wide :]
            for start in range(0, len(rest), size + 1):
                if rest[start] in self.servos:
                    self._store(rest[start], at, rest[start + 1 : start + 1 + size])

    def _store(self, servo: int, at: int, data: bytes) -> None:
        self.servos[servo].table[at : at + len(data)] = data

    def _answer(self, servo: int, data: bytes) -> None:
        if self.lost:
            self.lost -= 1
            return
        overload = self.servos[servo].overload
        if self.feetech:
            reply = bytearray(feetech.packet(servo, 0x20 if overload else 0, data))
        else:
            error = bytes([dynamixel.ALERT if overload else 0])
            reply = bytearray(dynamixel.packet(servo, dynamixel.STATUS, error + data))
        if self.damaged:
            self.damaged -= 1
            reply[-3] ^= 0x10
        self._out += reply

    def _measured(self, servo: int) -> bytearray:
        """Return the control table with what is measured now in its places."""
        it, table = self.servos[servo], bytearray(self.servos[servo].table)
        ticks = math.floor(it.position + 0.5)
        if self.feetech:
            load = feetech.unsigned(round(1000 * it.load), feetech.LOAD_SIGN)
            table[56:58] = feetech.unsigned(ticks, 15).to_bytes(2, "little")
            table[58:60] = feetech.unsigned(round(it.velocity), 15).to_bytes(2, "little")
            table[60:62] = load.to_bytes(2, "little")
        else:
            table[126:128] = round(1193 * it.load).to_bytes(2, "little", signed=True)
            table[128:132] = round(it.velocity / dynamixel.VELOCITY_UNIT).to_bytes(4, "little", signed=True)
            table[132:136] = ticks.to_bytes(4, "little", signed=True)
        return table

    def _goal(self, it: Servo) -> float:
        if self.feetech:
            return feetech.signed(int.from_bytes(it.table[42:44], "little"), 15)
        return int.from_bytes(it.table[116:120], "little", signed=True)

    def _limit(self, it: Servo) -> float:
        if self.feetech:
            return int.from_bytes(it.table[48:50], "little") / 1000.0
        return int.from_bytes(it.table[102:104], "little") / 1193.0

    def _advance(self) -> None:
        now = self._monotonic()
        elapsed, self._time = now - self._time, now
        if elapsed <= 0.0:
            return
        for it in self.servos.values():
            powered = it.table[40 if self.feetech else 64]
            before = it.position
            if powered and not it.stuck:
                step = (self._goal(it) - it.position) * (1.0 - math.exp(-elapsed / LAG))
                it.position += min(max(step, -TOP * elapsed), TOP * elapsed)
            it.load = 0.0
            if it.blocked_at is not None and it.position < it.blocked_at:
                it.position, it.load = it.blocked_at, -self._limit(it)
            it.velocity = (it.position - before) / elapsed


class PtyServos:
    """A fake bus behind a pseudo terminal, for a real serial port library. Use as a context."""

    def __init__(self, bus: FakeBus) -> None:
        self._bus = bus
        self._master, self._slave = os.openpty()
        self.name = os.ttyname(self._slave)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> PtyServos:
        self._thread.start()
        return self

    def _serve(self) -> None:
        while not self._ended.is_set():
            if not select.select([self._master], [], [], 0.01)[0]:
                continue
            data = os.read(self._master, 4096)
            if self._bus.unplugged:
                continue  # nobody answers
            self._bus.write(data)
            reply = self._bus.read(4096)
            if reply:
                os.write(self._master, reply)

    def unplug(self) -> None:
        self._ended.set()
        self._thread.join()
        os.close(self._slave)
        os.close(self._master)

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self.unplug()
