"""Dynamixel protocol 2.0 with the control table of the X series (XL330, XL430, XM430, XH540 and their kin).

FF FF FD 00 id length(2) instruction parameters crc(2), little-endian, with FF FF FD stuffed by another FD (ROBOTIS
e-manual, "DYNAMIXEL Protocol 2.0"). Addresses: 11 mode, 64 torque, 102 goal current, 116 goal, 126 measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from robot.hardware.servo.bus import BusError, Port, Reading

HEADER = b"\xff\xff\xfd\x00"
BROADCAST = 0xFE
PING, READ, WRITE, STATUS, SYNC_READ, SYNC_WRITE = 0x01, 0x02, 0x03, 0x55, 0x82, 0x83
MODE, TORQUE, GOAL_CURRENT, GOAL, MEASURED = 11, 64, 102, 116, 126
POSITION, EXTENDED_POSITION, CURRENT_POSITION = 3, 4, 5
MEASURED_SIZE = 10  # current (2), velocity (4), position (4)
VELOCITY_UNIT = 0.229 / 60.0 * 4096  # [ticks/s]
ALERT = 0x80  # bit of the error octet: the servo's own fault, to be read at address 70


def crc16(data: bytes) -> int:
    """Return CRC-16 with polynomial 0x8005, start 0, most significant bit first."""
    crc = 0
    for octet in data:
        crc ^= octet << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x8005 if crc & 0x8000 else crc << 1
        crc &= 0xFFFF
    return crc


def packet(servo: int, instruction: int, parameters: bytes = b"") -> bytes:
    """Return a packet; a status packet has instruction 0x55 and the error octet as first parameter."""
    body = (bytes([instruction]) + parameters).replace(b"\xff\xff\xfd", b"\xff\xff\xfd\xfd")
    head = HEADER + bytes([servo]) + (len(body) + 2).to_bytes(2, "little") + body
    return head + crc16(head).to_bytes(2, "little")


class DynamixelBus:
    """X series servos.

    Args:
        port: an open serial port with a timeout.
        current_limit: goal current that stands for the whole torque, in the servo's unit (address 38).
    """

    ticks_per_turn = 4096

    def __init__(self, port: Port, current_limit: int = 1193) -> None:
        self._port, self._current_limit = port, current_limit

    def reopen(self) -> None:
        try:
            self._port.reopen()
        except OSError as error:
            raise BusError(f"the line is not there: {error}") from error

    def ping(self, servo: int) -> None:
        self._send(packet(servo, PING))
        self._status(servo)

    def prepare(self, servo: int, *, forceful: bool = False, turns: bool = False) -> None:
        self.torque([servo], on=False)
        mode = CURRENT_POSITION if forceful else EXTENDED_POSITION if turns else POSITION
        self._write(servo, MODE, bytes([mode]))

    def torque(self, servos: Sequence[int], *, on: bool) -> None:
        for servo in servos:
            self._write(servo, TORQUE, bytes([on]))

    def limit(self, servo: int, share: float) -> None:
        current = round(self._current_limit * min(max(share, 0.0), 1.0))
        self._write(servo, GOAL_CURRENT, current.to_bytes(2, "little"))

    def read(self, servos: Sequence[int]) -> list[Reading]:
        """Ask all at once; they answer one after the other."""
        where = MEASURED.to_bytes(2, "little") + MEASURED_SIZE.to_bytes(2, "little")
        self._send(packet(BROADCAST, SYNC_READ, where + bytes(servos)))
        found = []
        for servo in servos:
            error, data = self._status(servo)
            if len(data) != MEASURED_SIZE:
                raise BusError(f"servo {servo}: {len(data)} octets measured instead of {MEASURED_SIZE}")
            current, velocity, position = (
                int.from_bytes(part, "little", signed=True) for part in (data[:2], data[2:6], data[6:])
            )
            load = current / self._current_limit
            speed = velocity * VELOCITY_UNIT
            found.append(Reading(position=position, velocity=speed, load=load, fault=bool(error & ALERT)))
        return found

    def move(self, goals: dict[int, int]) -> None:
        data = GOAL.to_bytes(2, "little") + (4).to_bytes(2, "little")
        for servo, ticks in goals.items():
            data += bytes([servo]) + ticks.to_bytes(4, "little", signed=True)
        self._send(packet(BROADCAST, SYNC_WRITE, data))

    def close(self) -> None:
        self._port.close()

    def _write(self, servo: int, address: int, data: bytes) -> None:
        self._send(packet(servo, WRITE, address.to_bytes(2, "little") + data))
        error, _ = self._status(servo)
        if error & ~ALERT:
            raise BusError(f"servo {servo}: refused to write address {address}, error {error & ~ALERT}")

    def _send(self, data: bytes) -> None:
        try:
            self._port.reset_input_buffer()
            self._port.write(data)
        except OSError as error:
            raise BusError(f"the port is gone: {error}") from error

    def _status(self, servo: int) -> tuple[int, bytes]:
        """Return error octet and data of one servo's reply."""
        head = self._octets(servo, 7)
        if head[:4] != HEADER or head[4] != servo:
            raise BusError(f"servo {servo}: damaged reply {head.hex(' ')}")
        rest = self._octets(servo, int.from_bytes(head[5:7], "little"))
        if crc16(head + rest[:-2]) != int.from_bytes(rest[-2:], "little") or rest[0] != STATUS:
            raise BusError(f"servo {servo}: damaged reply {(head + rest).hex(' ')}")
        body = rest[:-2].replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")
        return body[1], body[2:]

    def _octets(self, servo: int, size: int) -> bytes:
        try:
            got = self._port.read(size)
        except OSError as error:
            raise BusError(f"the port is gone: {error}") from error
        if len(got) < size or size < 4:
            raise BusError(f"servo {servo}: {len(got)} of {size} octets came")
        return got
