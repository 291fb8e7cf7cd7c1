"""A context: one transport, one bus and the nodes on it."""

from __future__ import annotations

import atexit
import sys
import threading
from collections.abc import Callable, Sequence
from inspect import ismethod
from itertools import count
from typing import TYPE_CHECKING
from weakref import WeakMethod, WeakSet

from robot.ros.arguments import Arguments, parse
from robot.ros.borrowed import finder
from robot.ros.bus import Bus
from robot.ros.exceptions import NotInitializedException, RCLError
from robot.ros.handle import Handle
from robot.ros.scheduler import Scheduler
from robot.ros.transport import Transport

if TYPE_CHECKING:
    from robot.ros.node import Node

ShutdownCallback = Callable[[], object]

open_contexts: WeakSet[Context] = WeakSet()  # those that signals interrupt and the end of the process closes


class ContextHandle(Handle):
    """What `Context.handle` gives."""

    def __init__(self, context: Context) -> None:
        super().__init__("the context")
        self.context = context

    def ok(self) -> bool:
        return self.context.ok()

    def get_domain_id(self) -> int:
        return self.context.get_domain_id()

    def shutdown(self) -> None:
        self.context.shutdown()


class Context:
    """Everything nodes of one process share, from `init` to `shutdown`; it is not used again after that.

    Args:
        transport: an `InProcess` or `ZeroMQ` transport; None makes a `ZeroMQ` one when the context is initialised.
            A context given one is initialised at once, without the program's arguments.
        domain_id: of the ZeroMQ transport made here; None = ROS_DOMAIN_ID or 0.
    """

    def __init__(self, transport: Transport | None = None, *, domain_id: int | None = None) -> None:
        self._transport = transport
        self._domain_id = domain_id
        self._bus: Bus | None = None
        self._handle: ContextHandle | None = None
        self._interrupted = False
        self._count = count(1)
        self._lock = threading.RLock()
        self._shutdown_callbacks: list[WeakMethod[ShutdownCallback] | ShutdownCallback] = []
        self.arguments = Arguments()
        self.nodes: list[Node] = []
        if transport is not None:
            self.init(())

    def init(
        self, args: Sequence[str] | None = None, *, initialize_logging: bool = True, domain_id: int | None = None
    ) -> None:
        """Read the arguments and open the transport.

        Args:
            args: a command line; None = the program's.
            initialize_logging: whether `--log-level` takes effect.

        Raises:
            RuntimeError: it was called before, or the domain id is wrong.
            TypeError: an argument is not text.
            RCLInvalidROSArgsError, UnknownROSArgsError: from the arguments.
        """
        if domain_id is not None and domain_id < 0:
            raise RuntimeError(f"Domain id ({domain_id}) should not be lower than zero.")
        with self._lock:
            if self._handle is not None:
                raise RuntimeError("Context.init() must only be called once")
            self.arguments = parse(sys.argv if args is None else args)
            if self._transport is None:
                from robot.ros.transport.directory import domain
                from robot.ros.transport.zeromq import ZeroMQ

                self._domain_id = domain(self._domain_id if domain_id is None else domain_id)
                self._transport = ZeroMQ(domain_id=self._domain_id)
            bus = Bus(self._transport)
            bus.open()
            self._bus, self._handle = bus, ContextHandle(self)
        if initialize_logging:
            from robot.ros.logging import configure

            configure(self.arguments)
        if not bus.transport.external:
            atexit.unregister(_close_open_contexts)
            atexit.register(_close_open_contexts)
            open_contexts.add(self)

    @property
    def handle(self) -> ContextHandle | None:
        return self._handle

    def track_node(self, node: Node) -> None:
        """Destroy a node when this context is shut down; nodes ask for that themselves."""
        if node not in self.nodes:
            self.nodes.append(node)

    def untrack_node(self, node: Node) -> None:
        """Leave a node alone; without effect for one that is not tracked."""
        if node in self.nodes:
            self.nodes.remove(node)

    def ok(self) -> bool:
        """Tell whether it is initialised, not shut down and not interrupted by a signal."""
        return self._bus is not None and not self._interrupted

    @property
    def bus(self) -> Bus:
        if self._bus is None:
            raise NotInitializedException("the context is not initialised, or was shut down")
        return self._bus

    @property
    def transport(self) -> Transport:
        return self.bus.transport

    @property
    def scheduler(self) -> Scheduler:
        return self.bus.transport.scheduler

    def get_domain_id(self) -> int:
        if self._handle is None:
            raise RuntimeError("Context must be initialized before it can have a domain id")
        return self._domain_id or 0

    def new_id(self) -> bytes:
        """Return 16 bytes, unique in the domain."""
        return self.transport.prefix + next(self._count).to_bytes(8, "big")

    def on_shutdown(self, callback: ShutdownCallback) -> None:
        """Call `callback` at shutdown, or now when that has been; a bound method does not keep its object alive."""
        if not callable(callback):
            raise TypeError(f"callback should be a callable, got {type(callback)}")
        if self._handle is not None and not self.ok():
            callback()
        else:
            kept = [known for known in self._shutdown_callbacks if not isinstance(known, WeakMethod) or known()]
            self._shutdown_callbacks = [*kept, WeakMethod(callback) if ismethod(callback) else callback]

    def interrupt(self) -> None:
        """End all that spins, without closing anything: callable from signal handlers."""
        bus = self._bus
        if bus is not None:
            self._interrupted = True
            bus.pump.wake_all()

    def shutdown(self) -> None:
        """Destroy the nodes, tell the peers and close the transport.

        Raises:
            RuntimeError: it was not initialised, or was shut down before.
        """
        with self._lock:
            if self._handle is None:
                raise RuntimeError("Context must be initialized before it can be shutdown")
            if self._bus is None:
                raise RCLError("failed to shutdown: the context was shut down already")
            bus, self._interrupted = self._bus, True
            open_contexts.discard(self)
            self._call_back()
            for node in tuple(self.nodes):
                node.destroy_node()
            self._bus, self._transport = None, None
            bus.transport.close()

    def _call_back(self) -> None:
        callbacks, self._shutdown_callbacks = self._shutdown_callbacks, []
        for callback in callbacks:
            called = callback() if isinstance(callback, WeakMethod) else callback
            if called is not None:
                called()

    def try_shutdown(self) -> None:
        """Shut down unless that was done, or never needed."""
        with self._lock:  # another thread may be at it
            if self._bus is not None:
                self.shutdown()

    def destroy(self) -> None:
        self.try_shutdown()

    def __enter__(self) -> Context:
        if self._handle is None:
            self.init()
        return self

    def __exit__(self, *_: object) -> None:
        self.try_shutdown()


def _close_open_contexts() -> None:
    for context in tuple(open_contexts):
        context.try_shutdown()


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
