"""Stand-in controllers of arms behind real ports of 127.0.0.1, served by one thread."""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from typing import Protocol, Self

from sim.devices.arm import FakeArm

PATIENCE = 5.0
"""With a client that does not read what it is sent [s]."""


class Client(Protocol):
    """One client's connection, as the controller has it."""

    def told(self, data: bytes) -> bytes:
        """Take what the client has sent; return the answer.

        Raises:
            OSError, ValueError, LookupError, struct.error: it makes no sense; the client is parted with.
        """
        ...

    def due(self) -> bytes:
        """Return what the controller sends by itself, by now."""
        ...


class TcpArm:
    """A controller behind ports of its own. Use as a context.

    Args:
        meet: by port, makes what stands for a new client.
        period: the controller looks this often at what it has to send by itself [s].

    Attributes:
        ports: numbers of the ports, by name.
    """

    def __init__(self, controller: FakeArm, meet: Mapping[str, Callable[[], Client]], period: float) -> None:
        self.controller, self._period = controller, period
        self._listen = {socket.create_server(("127.0.0.1", 0)): name for name in meet}
        self.ports = {name: int(server.getsockname()[1]) for server, name in self._listen.items()}
        self._meet, self._clients = meet, dict[socket.socket, Client]()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for server in self._listen:
            server.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            ready, _, _ = select.select([*self._listen, *self._clients], [], [], self._period)
            if self.controller.unplugged:
                self._part(*self._clients)
            for one in ready:
                if one in self._listen:
                    self._accept(one)
                elif one in self._clients and not self._served(one):
                    self._part(one)
            self._part(*[one for one, client in self._clients.items() if not _sent(one, client.due())])
        self._part(*self._clients)

    def _accept(self, server: socket.socket) -> None:
        one, _ = server.accept()
        one.settimeout(PATIENCE)
        if self.controller.unplugged:
            one.close()
        else:
            self._clients[one] = self._meet[self._listen[server]]()

    def _served(self, one: socket.socket) -> bool:
        """Take what a client sends and answer it; false when it has gone, or sends what makes no sense."""
        try:
            data = one.recv(65536)
            return bool(data) and _sent(one, self._clients[one].told(data))
        except (OSError, ValueError, LookupError, struct.error):
            return False

    def _part(self, *clients: socket.socket) -> None:
        for one in clients:
            del self._clients[one]
            one.close()


def _sent(one: socket.socket, data: bytes) -> bool:
    """Send it; false when the client has gone."""
    try:
        if data:
            one.sendall(data)
    except OSError:
        return False
    return True
