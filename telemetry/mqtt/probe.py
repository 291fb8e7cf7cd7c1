"""A TCP connection attempt that never blocks, so that a vanished broker does not stop its client's other work."""

from __future__ import annotations

import logging
import select
import socket
import time

log = logging.getLogger(__name__)


class Probe:
    """One attempt. A host given by name is looked up first, which may block for as long as the resolver takes."""

    def __init__(self, host: str, port: int, deadline: float) -> None:
        self._deadline = deadline
        self._failed = False
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        except OSError as error:
            log.warning("cannot resolve %s: %s", host, error)
            self._failed = True
            self._socket = socket.socket()
            return
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)
        self._socket.connect_ex(address)

    def wait(self, timeout: float) -> bool | None:
        """Return whether the broker listens, or None while that is open after `timeout` [s]."""
        if self._failed:
            return False
        _, writable, _ = select.select([], [self._socket], [], max(0.0, timeout))
        if not writable:
            return False if time.monotonic() > self._deadline else None
        return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0

    def take(self) -> socket.socket:
        """Hand the connected socket over to whoever uses it from now on."""
        return self._socket

    def close(self) -> None:
        self._socket.close()
