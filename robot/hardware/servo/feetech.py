"""Feetech's protocol of the STS and SMS series (SCS layout, little-endian) over a serial port.

FF FF id length instruction parameters checksum; the checksum is the inverted sum of what follows FF FF. Addresses are
those of the series' memory table (FT-SMS-STS e-manual): 33 mode, 40 torque, 42 goal, 48 torque limit, 56 measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from robot.hardware.servo.bus import BusError, Port, Reading

BROADCAST = 0xFE
PING, READ, WRITE, SYNC_READ, SYNC_WRITE = 0x01, 0x02, 0x03, 0x82, 0x83
MODE, TORQUE, GOAL, TORQUE_LIMIT, LOCK, MEASURED = 33, 40, 42, 48, 55, 56
LIMITS = 9  # smallest and largest position; both 0 = many turns
MEASURED_SIZE = 6  # position, velocity, load: two octets each
TURNS_SIGN, LOAD_SIGN = 15, 10  # bit that carries the sign


def packet(servo: int, instruction: int, parameters: bytes = b"") -> bytes:
    """Return an instruction packet; a status packet has the error octet in place of the instruction."""
    body = bytes([servo, len(parameters) + 2, instruction]) + parameters
    return b"\xff\xff" + body + bytes([~sum(body) & 0xFF])


def signed(value: int, sign: int) -> int:
    """Return a number whose sign is a bit of its own."""
    size = value & ((1 << sign) - 1)
    return -size if value & (1 << sign) else size


def unsigned(value: int, sign: int) -> int:
    """Return the two octets' value of a signed number whose sign is a bit of its own.

    Raises:
        ValueError: it has more bits than there are.
    """
    if abs(value) >= 1 << sign:
        raise ValueError(f"expected a number within +-{(1 << sign) - 1}, got {value}")
    return abs(value) | (1 << sign if value < 0 else 0)


class FeetechBus:
    """STS3215 and their kin.

    Args:
        port: an open serial port with a timeout, 1 Mbit/s as the servos leave the factory.
    """

    ticks_per_turn = 4096

    def __init__(self, port: Port) -> None:
        self._port = port

    def reopen(self) -> None:
        try:
            self._port.reopen()
        except OSError as error:
            raise BusError(f"the line is not there: {error}") from error

    def ping(self, servo: int) -> None:
        self._ask(servo, PING)

    def prepare(self, servo: int, *, forceful: bool = False, turns: bool = False) -> None:
        self.torque([servo], on=False)
        self._write(servo, LOCK, b"\0")
        if turns:
            self._write(servo, LIMITS, b"\0\0\0\0")
        self._write(servo, MODE, b"\0")
        self._write(servo, LOCK, b"\1")

    def torque(self, servos: Sequence[int], *, on: bool) -> None:
        for servo in servos:
            self._write(servo, TORQUE, bytes([on]))

    def limit(self, servo: int, share: float) -> None:
        self._write(servo, TORQUE_LIMIT, round(1000 * min(max(share, 0.0), 1.0)).to_bytes(2, "little"))

    def read(self, servos: Sequence[int]) -> list[Reading]:
        """Ask all at once; they answer one after the other."""
        self._send(packet(BROADCAST, SYNC_READ, bytes([MEASURED, MEASURED_SIZE, *servos])))
        return [reading(*self._status(servo, MEASURED_SIZE)) for servo in servos]

    def move(self, goals: dict[int, int]) -> None:
        data = bytes([GOAL, 2])
        for servo, ticks in goals.items():
            data += bytes([servo]) + unsigned(ticks, TURNS_SIGN).to_bytes(2, "little")
        self._send(packet(BROADCAST, SYNC_WRITE, data))

    def close(self) -> None:
        self._port.close()

    def _write(self, servo: int, address: int, data: bytes) -> None:
        self._ask(servo, WRITE, bytes([address]) + data)

    def _ask(self, servo: int, instruction: int, parameters: bytes = b"") -> None:
        self._send(packet(servo, instruction, parameters))
        self._status(servo, 0)

    def _send(self, data: bytes) -> None:
        try:
            self._port.reset_input_buffer()
            self._port.write(data)
        except OSError as error:
            raise BusError(f"the port is gone: {error}") from error

    def _status(self, servo: int, size: int) -> tuple[int, bytes]:
        """Return error octet and data of one servo's reply."""
        try:
            got = self._port.read(size + 6)
        except OSError as error:
            raise BusError(f"the port is gone: {error}") from error
        if len(got) < size + 6:
            raise BusError(f"servo {servo}: {len(got)} of {size + 6} octets came")
        status, data = got[4], got[5:-1]
        if got != packet(servo, status, data):
            raise BusError(f"servo {servo}: damaged reply {got.hex(' ')}")
        return status, data


def reading(error: int, data: bytes) -> Reading:
    """Return what the six octets from address 56 mean; velocity is in ticks/s, load in thousandths."""
    position, velocity, load = (int.from_bytes(data[i : i + 2], "little") for i in (0, 2, 4))
    return Reading(
        position=signed(position, TURNS_SIGN),
        velocity=float(signed(velocity, TURNS_SIGN)),
        load=signed(load & 0x7FF, LOAD_SIGN) / 1000.0,
        fault=error != 0,
    )
