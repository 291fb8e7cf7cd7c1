"""A TCP connection attempt that never blocks, so that a vanished broker does not stop its client's other work."""

from __future__ import annotations

import os
import select
import socket
import time


class Probe:
    """One attempt. A host given by name is looked up first, which may block for as long as the resolver takes.

    Attributes:
        why: what the system said of an attempt that failed at once; empty before, and when nobody answered in time.
    """

    def __init__(self, host: str, port: int, deadline: float) -> None:
        self._deadline = deadline
        self.why = ""
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        except OSError as error:
            self.why = error.strerror or str(error)
            self._socket = socket.socket()
            return
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)
        self._socket.connect_ex(address)

    def wait(self, timeout: float) -> bool | None:
        """Return whether the broker listens, or None while that is open after `timeout` [s]."""
        if self.why:
            return False
        _, writable, _ = select.select([], [self._socket], [], max(0.0, timeout))
        if not writable:
            return False if time.monotonic() > self._deadline else None
        failed = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.why = os.strerror(failed) if failed else ""
        return not failed

    def take(self) -> socket.socket:
        """Hand the connected socket over to whoever uses it from now on."""
        return self._socket

    def close(self) -> None:
        self._socket.close()
