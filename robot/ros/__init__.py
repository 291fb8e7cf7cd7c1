"""The ROS 2 client library: the API of rclpy over ZeroMQ or an in-process bus, with no ROS installed.

`init`, `spin` and the others below use one default context, as in rclpy. Code that is handed a context uses that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros.context import Context
from robot.ros.exceptions import NotInitializedException

if TYPE_CHECKING:
    from robot.ros.executors import Executor
    from robot.ros.node import Node
    from robot.ros.task import Future

__all__ = [
    "Context",
    "create_node",
    "get_default_context",
    "init",
    "ok",
    "shutdown",
    "spin",
    "spin_once",
    "spin_until_future_complete",
    "try_shutdown",
]

_default: list[Context] = []


def get_default_context() -> Context:
    """Return the context made by `init`."""
    if not _default:
        raise NotInitializedException("there is no default context: call robot.ros.init() first, or pass a context")
    return _default[0]


def init(*, args: list[str] | None = None, context: Context | None = None, domain_id: int | None = None) -> None:
    """Open the default context, or the one given."""
    if context is not None:
        context.init(args, domain_id=domain_id)
        return
    if _default and _default[0].ok():
        raise NotInitializedException("robot.ros.init() was already called")
    made = Context()
    made.init(args, domain_id=domain_id)
    _default[:] = [made]


def ok(*, context: Context | None = None) -> bool:
    if context is None:
        return bool(_default) and _default[0].ok()
    return context.ok()


def shutdown(*, context: Context | None = None) -> None:
    (context or get_default_context()).shutdown()


def try_shutdown(*, context: Context | None = None) -> None:
    if context is not None or _default:
        (context or get_default_context()).try_shutdown()


def create_node(node_name: str, *, context: Context | None = None, namespace: str | None = None, **more: Any) -> Node:
    from robot.ros.node import Node

    return Node(node_name, context=context, namespace=namespace, **more)


def _executor_for(node: Node, executor: Executor | None) -> Executor:
    from robot.ros.executors import SingleThreadedExecutor

    chosen = executor or node.executor or SingleThreadedExecutor(context=node.context)
    chosen.add_node(node)
    return chosen


def spin(node: Node, executor: Executor | None = None) -> None:
    """Run a node's callbacks until its context is shut down."""
    chosen = _executor_for(node, executor)
    try:
        chosen.spin()
    finally:
        chosen.remove_node(node)


def spin_once(node: Node, *, executor: Executor | None = None, timeout_sec: float | None = None) -> None:
    _executor_for(node, executor).spin_once(timeout_sec)


def spin_until_future_complete(
    node: Node, future: Future[Any], executor: Executor | None = None, timeout_sec: float | None = None
) -> None:
    _executor_for(node, executor).spin_until_future_complete(future, timeout_sec)
