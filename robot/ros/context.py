"""A context: one transport, one bus and the nodes on it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from robot.ros.bus import Bus
from robot.ros.exceptions import NotInitializedException
from robot.ros.scheduler import Scheduler
from robot.ros.transport import Transport

if TYPE_CHECKING:
    from robot.ros.node import Node


class Context:
    """Everything nodes of one process share. Use one context from one thread.

    Args:
        transport: an `InProcess` or `ZeroMQ` transport; None makes a `ZeroMQ` one when the context is initialised.
        domain_id: of the ZeroMQ transport made here; None = ROS_DOMAIN_ID or 0.
    """

    def __init__(self, transport: Transport | None = None, *, domain_id: int | None = None) -> None:
        self._transport = transport
        self._domain_id = domain_id
        self._bus: Bus | None = None
        self._count = count(1)
        self._shutdown_callbacks: list[Callable[[], None]] = []
        self.nodes: list[Node] = []
        if transport is not None:
            self.init()

    def init(self, args: list[str] | None = None, *, domain_id: int | None = None) -> None:
        """Open the transport. A context given one at construction is open already."""
        if self._bus is not None:
            raise NotInitializedException("the context is already initialised")
        if self._transport is None:
            from robot.ros.transport.zeromq import ZeroMQ

            self._transport = ZeroMQ(domain_id=self._domain_id if domain_id is None else domain_id)
        self._bus = Bus(self._transport)
        self._bus.open()

    def ok(self) -> bool:
        return self._bus is not None

    @property
    def bus(self) -> Bus:
        if self._bus is None:
            raise NotInitializedException("the context is not initialised, or was shut down: call init() first")
        return self._bus

    @property
    def transport(self) -> Transport:
        return self.bus.transport

    @property
    def scheduler(self) -> Scheduler:
        return self.bus.transport.scheduler

    def new_id(self) -> bytes:
        """Return 16 bytes, unique in the domain."""
        return self.transport.prefix + next(self._count).to_bytes(8, "big")

    def on_shutdown(self, callback: Callable[[], None]) -> None:
        self._shutdown_callbacks.append(callback)

    def shutdown(self) -> None:
        """Destroy the nodes, tell the peers and close the transport."""
        bus = self.bus
        for node in tuple(self.nodes):
            node.destroy_node()
        for callback in self._shutdown_callbacks:
            callback()
        self._shutdown_callbacks.clear()
        self._bus, self._transport = None, None
        bus.transport.close()

    def try_shutdown(self) -> None:
        if self.ok():
            self.shutdown()

    def __enter__(self) -> Context:
        if not self.ok():
            self.init()
        return self

    def __exit__(self, *_: object) -> None:
        self.try_shutdown()
