"""A place in the domain for endpoints that live elsewhere: proxies on the bus, and news of what the domain has.

One thread runs a door; others hand it work with `post`.
"""

from __future__ import annotations

import fcntl
import os
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

from robot.ros.bridge.proxies import Proxy
from robot.ros.bus import HERE, Bus
from robot.ros.exceptions import ROSError
from robot.ros.graph import Endpoint
from robot.ros.transport.directory import runtime_directory
from robot.ros.transport.zeromq import ZeroMQ

BUSY = 1000  # pieces of work in a row before messages get their turn


class _Bus(Bus):
    """A bus that tells of changes of what peers have."""

    def __init__(self, transport: ZeroMQ, on_change: Callable[[], None]) -> None:
        super().__init__(transport)
        self._on_change = on_change

    def on_peer(self, peer: str, endpoints: Iterable[Endpoint]) -> None:
        super().on_peer(peer, endpoints)
        self._on_change()


class Door:
    """A context of the domain that consists of proxies.

    Args:
        purpose: a word; there is one door of a kind in a domain, or they would lead into each other.
        on_change: called when the domain's endpoints have changed.
        domain_id: None = ROS_DOMAIN_ID, else 0.

    Raises:
        ROSError: there is such a door already.
    """

    def __init__(self, purpose: str, on_change: Callable[[], None], *, domain_id: int | None = None) -> None:
        folder = runtime_directory(domain_id)
        self._lock = _lock(folder / f"{purpose}.door")
        self._on_change = on_change
        self._changed = True
        self._work: deque[Callable[[], None]] = deque()
        self._ids = count(1)
        self._ended = False
        self.transport = ZeroMQ(domain_id=domain_id)
        self.bus = _Bus(self.transport, self._note_change)
        self.bus.open()

    def _note_change(self) -> None:
        self._changed = True

    def new_gid(self) -> bytes:
        """Return 16 bytes, unique in the domain."""
        return self.transport.prefix + next(self._ids).to_bytes(8, "big")

    def near(self) -> dict[bytes, tuple[str, Endpoint]]:
        """Return what the domain's other contexts have: (peer, endpoint) by gid."""
        return {endpoint.gid: (peer, endpoint) for peer, endpoint in self.bus.endpoints() if peer != HERE}

    def add(self, proxy: Proxy) -> None:
        self.bus.add(proxy)

    def remove(self, proxy: Proxy) -> None:
        self.bus.remove(proxy.endpoint.gid)

    def post(self, work: Callable[[], None]) -> None:
        """Let the door's thread do something; callable from any thread."""
        self._work.append(work)
        self.transport.wake()

    def step(self, timeout: float | None) -> None:
        """Take in what has arrived, and do what was posted, waiting at most `timeout` [s] for the first."""
        self.transport.poll(0.0 if self._work or self._changed else timeout)
        for _ in range(min(len(self._work), BUSY)):
            self._work.popleft()()
        if self._changed:
            self._changed = False
            self._on_change()

    def run(self) -> None:
        """Go on until `end`."""
        while not self._ended:
            self.step(None)

    def end(self) -> None:
        """Let `run` return; callable from any thread and from signal handlers."""
        self._ended = True
        self.transport.wake()

    def close(self) -> None:
        self.transport.close()
        os.close(self._lock)


def _lock(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise ROSError(f"{path.stem} runs in this domain already ({path} is held)") from error
    return handle
