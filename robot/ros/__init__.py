"""The ROS 2 client library: the API of rclpy over ZeroMQ or an in-process bus, with no ROS installed.

`init`, `spin` and the others below use one default context, as in rclpy. Code that is handed a context uses that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from robot.ros import native

if native.wanted():
    native.take_over()
else:
    from robot.ros.context import Context
    from robot.ros.signals import SignalHandlerOptions, install_signal_handlers, uninstall_signal_handlers
    from robot.ros.utilities import get_default_context, get_rmw_implementation_identifier, ok, try_shutdown
    from robot.ros.utilities import shutdown as _shutdown

if TYPE_CHECKING:
    from robot.ros.executors import Executor
    from robot.ros.node import Node
    from robot.ros.task import Future

__all__ = [
    "Context",
    "InitContextManager",
    "create_node",
    "get_default_context",
    "get_global_executor",
    "get_rmw_implementation_identifier",
    "init",
    "ok",
    "shutdown",
    "spin",
    "spin_once",
    "spin_until_future_complete",
    "try_shutdown",
]


class InitContextManager:
    """What `init` returns: used in a `with` statement it shuts the context down at the end."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def __enter__(self) -> InitContextManager:
        return self

    def __exit__(self, *_: object) -> None:
        if self.context is get_default_context():
            try_shutdown()
            uninstall_signal_handlers()
        else:
            self.context.try_shutdown()


def init(
    *,
    args: Sequence[str] | None = None,
    context: Context | None = None,
    domain_id: int | None = None,
    signal_handler_options: SignalHandlerOptions | None = None,
) -> InitContextManager:
    """Initialise a context.

    Args:
        args: a command line; None = the program's.
        context: None = the default one.
        domain_id: None = ROS_DOMAIN_ID, else 0.
        signal_handler_options: None = both signals for the default context, none for others.

    Raises:
        RuntimeError: it was initialised before, or arguments or domain are wrong.
    """
    chosen = context or get_default_context()
    if signal_handler_options is None:
        default = chosen is get_default_context()
        signal_handler_options = SignalHandlerOptions.ALL if default else SignalHandlerOptions.NO
    chosen.init(args, domain_id=domain_id)
    install_signal_handlers(signal_handler_options)
    return InitContextManager(chosen)


def shutdown(*, context: Context | None = None, uninstall_handlers: bool | None = None) -> None:
    """Shut a context down (None = the default one); its signal handlers go with the default context."""
    if uninstall_handlers is None:
        uninstall_handlers = context is None or context is get_default_context()
    _shutdown(context=context)
    if uninstall_handlers:
        uninstall_signal_handlers()


def create_node(node_name: str, *, context: Context | None = None, **options: Any) -> Node:
    """Create a node; the options are those of `Node`."""
    from robot.ros.node import Node

    return Node(node_name, context=context, **options)


_executors: WeakKeyDictionary[Context, Executor] = WeakKeyDictionary()


def get_global_executor(context: Context | None = None) -> Executor:
    """Return the executor that the functions below use when they are given none: one for each context."""
    from robot.ros.executors import SingleThreadedExecutor

    chosen = context or get_default_context()
    executor = _executors.get(chosen)
    if executor is None:
        executor = _executors[chosen] = SingleThreadedExecutor(context=chosen)
        chosen.on_shutdown(_Forget(chosen))
    return executor


class _Forget:
    """Stop a context's executor when the context is shut down, without keeping the context alive."""

    def __init__(self, context: Context) -> None:
        self._context = ref(context)

    def __call__(self) -> None:
        context = self._context()
        executor = None if context is None else _executors.pop(context, None)
        if executor is not None:
            executor.shutdown(0)


def spin_once(node: Node, *, executor: Executor | None = None, timeout_sec: float | None = None) -> None:
    """Run one callback, waiting up to `timeout_sec` (None or negative: for ever) for it.

    A node that the executor had before stays there.
    """
    chosen = executor or get_global_executor(node.context)
    added = chosen.add_node(node)
    try:
        chosen.spin_once(timeout_sec=timeout_sec)
    finally:
        if added:
            chosen.remove_node(node)


def spin(node: Node, executor: Executor | None = None) -> None:
    """Run a node's callbacks until its context is shut down; one that the executor had before stays there."""
    chosen = executor or get_global_executor(node.context)
    added = chosen.add_node(node)
    try:
        chosen.spin()
    finally:
        if added:
            chosen.remove_node(node)


def spin_until_future_complete(
    node: Node, future: Future[Any], executor: Executor | None = None, timeout_sec: float | None = None
) -> None:
    """Run callbacks until the future is done, the time is over or the context is shut down."""
    chosen = executor or get_global_executor(node.context)
    added = chosen.add_node(node)
    try:
        chosen.spin_until_future_complete(future, timeout_sec)
    finally:
        if added:
            chosen.remove_node(node)


_NAMED = {"Future": "task", "Node": "node", "Parameter": "parameter"}  # also found here

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Import a module of this package when it is first named: `rclpy.executors` needs no import of its own."""
        from importlib import import_module
        from importlib.util import find_spec

        if name in _NAMED:
            return getattr(import_module(f"{__name__}.{_NAMED[name]}"), name)
        if name.startswith("_") or find_spec(f"{__name__}.{name}") is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(f"{__name__}.{name}")


if native.wanted():
    native.adopt(globals())
