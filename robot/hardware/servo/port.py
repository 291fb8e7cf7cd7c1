"""A serial port by pyserial, whose ways to fail are all `OSError`."""

from __future__ import annotations

import termios
from functools import partial
from types import ModuleType

from robot.hardware import HardwareError

REPLY_TIMEOUT = (
    0.02  # [s]; a servo answers within 1 ms, a USB adapter hands over within its latency timer of up to 16 ms
)


def _pyserial() -> ModuleType:
    try:
        import serial
    except ImportError as error:
        raise HardwareError(
            "hardware_not_configured", "pyserial is missing; type: pip install 'berrybrain[servo]'"
        ) from error
    module: ModuleType = serial
    return module


class SerialPort:
    """An open serial port.

    Args:
        device: such as /dev/ttyUSB0.
        baud: of the bus; 1000000 as Feetech servos leave the factory, 57600 as Dynamixel do.

    Raises:
        HardwareError: `hardware_not_configured` without pyserial, `hardware_lost` when the port cannot be opened.
    """

    def __init__(self, device: str, baud: int, timeout: float = REPLY_TIMEOUT) -> None:
        self._open = partial(_pyserial().Serial, device, baud, timeout=timeout, write_timeout=timeout, exclusive=True)
        try:
            self._port = self._open()
        except (OSError, ValueError, termios.error) as error:
            raise HardwareError(
                "hardware_lost", f"{device} cannot be opened: {error}; is it plugged in, and may you use it (dialout)?"
            ) from error

    def write(self, data: bytes) -> None:
        self._port.write(data)

    def read(self, size: int) -> bytes:
        return bytes(self._port.read(size))

    def reset_input_buffer(self) -> None:
        try:
            self._port.reset_input_buffer()
        except termios.error as error:  # not an OSError, though it means one: the adapter was pulled
            raise OSError(*error.args) from error

    def reopen(self) -> None:
        """Open it again after the adapter was pulled; raises `OSError` while it is not there."""
        self._port.close()
        try:
            self._port = self._open()
        except termios.error as error:
            raise OSError(*error.args) from error

    def close(self) -> None:
        self._port.close()
