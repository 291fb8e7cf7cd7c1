"""The transport of a context that is alone: all its nodes live in one process and an outside scheduler runs them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from robot.ros.scheduler import Scheduler
from robot.ros.transport import Receiver
from robot.ros.transport.frame import Buffer, Frame, Split


class InProcess:
    """Carry nothing further; the context itself hands encoded messages to its own subscriptions.

    Identifiers start with zeros, so that two runs with the same seed put the same bytes on the bus.

    Args:
        scheduler: runs every callback, in order of (time, sequence).
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.prefix = bytes(8)
        self.external = True
        self.handing_over = 0
        self.closed = False

    def open(self, receiver: Receiver) -> None:
        pass

    def changed(self) -> None:
        pass

    def send(self, peers: Sequence[str], frame: Frame, payload: Buffer | Split, keep: Collection[str] = ()) -> None:
        pass

    def send_whole(self, peers: Sequence[str], data: bytes | bytearray) -> None:
        pass

    def hold(self, peers: Sequence[str], data: bytes | bytearray) -> bool:
        return False

    def lend(self, size: int) -> None:
        pass

    def poll(self, timeout: float | None, waiting: int = 0) -> None:
        pass

    def until_due(self) -> None:
        pass

    def take_in(self) -> bool:
        return False

    def is_stale(self) -> bool:
        return False

    def wake(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True
