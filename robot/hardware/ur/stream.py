"""A TCP connection to an arm's controller."""

from __future__ import annotations

import socket

from robot.hardware import HardwareError

SCRIPT_PORT = 30002  # the secondary interface, which takes programs
CHUNK = 65536


class TcpStream:
    """One connection.

    Args:
        timeout: of connecting and sending [s].
        patience: of waiting for an answer, where that is another [s].

    Raises:
        HardwareError: `hardware_lost` when nobody answers there.
    """

    def __init__(self, host: str, port: int, timeout: float = 1.0, patience: float | None = None) -> None:
        self._timeout, self._patience = timeout, timeout if patience is None else patience
        try:
            self._socket = socket.create_connection((host, port), timeout)
        except OSError as error:
            raise HardwareError(
                "hardware_lost", f"no controller at {host}:{port}: {error}; is it on, is remote control allowed?"
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        self._socket.settimeout(self._timeout)
        self._socket.sendall(data)

    def receive(self, *, wait: bool) -> bytes:
        self._socket.settimeout(self._patience if wait else 0.0)
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return b""
        if not data:
            raise ConnectionResetError("the controller closed the connection")
        return data

    def close(self) -> None:
        self._socket.close()
