"""What one node offers and uses, as `ros2 node info` prints it, and calls of services and actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from robot.ros.action import ActionClient
from robot.ros.interfaces import action_msgs
from robot.ros.packages.rosidl_runtime_py import message_to_yaml
from robot.ros.tools.session import Session, ToolError, load, missing
from robot.ros.tools.topics import fill
from robot.ros.topic_or_service_is_hidden import topic_or_service_is_hidden

SEND_GOAL = "/_action/send_goal"
STATUS = {
    getattr(action_msgs.msg.GoalStatus, name): name.removeprefix("STATUS_")
    for name in ("STATUS_SUCCEEDED", "STATUS_CANCELED", "STATUS_ABORTED", "STATUS_UNKNOWN")
}


def node_info(session: Session, name: str, *, hidden: bool = False) -> dict[str, dict[str, list[str]]]:
    """Return what a node subscribes to, publishes, serves and calls, each as name → types."""
    full = session.resolve(name)
    session.look(lambda: full in session.nodes(hidden=True))
    if full not in session.nodes(hidden=True):
        raise ToolError(missing("node", full, session.nodes(hidden=True)))
    namespace, _, short = full.rpartition("/")
    at = (short, namespace or "/")
    node = session.node
    servers, clients = node.get_service_names_and_types_by_node(*at), node.get_client_names_and_types_by_node(*at)

    def visible(pairs: list[tuple[str, list[str]]]) -> dict[str, list[str]]:
        return {key: kinds for key, kinds in pairs if hidden or not topic_or_service_is_hidden(key)}

    def actions(pairs: list[tuple[str, list[str]]]) -> dict[str, list[str]]:
        return {
            key.removesuffix(SEND_GOAL): [kind.removesuffix("_SendGoal") for kind in kinds]
            for key, kinds in pairs
            if key.endswith(SEND_GOAL)
        }

    return {
        "Subscribers": visible(node.get_subscriber_names_and_types_by_node(*at)),
        "Publishers": visible(node.get_publisher_names_and_types_by_node(*at)),
        "Service Servers": visible(servers),
        "Service Clients": visible(clients),
        "Action Servers": actions(servers),
        "Action Clients": actions(clients),
    }


def call(session: Session, name: str, kind: str | None, values: str, timeout_s: float) -> tuple[Any, Any]:
    """Call a service; return request and response."""
    full = session.type_of("service", name, lambda: session.services(hidden=True), kind)
    service = load(full)
    if not hasattr(service, "Request"):
        raise ToolError(f"{full} is no service; expected a type such as std_srvs/srv/Trigger")
    request = fill(service.Request(), values)
    return request, session.call(service, session.resolve(name), request, timeout_s)


def send_goal(
    session: Session,
    name: str,
    kind: str | None,
    values: str,
    *,
    timeout_s: float | None,
    on_feedback: Callable[[Any], None] | None = None,
) -> Iterator[str]:
    """Send a goal and yield what happens, line by line, as `ros2 action send_goal` prints it."""
    full = session.type_of("action", name, session.actions, kind)
    action = load(full)
    if not hasattr(action, "Goal"):
        raise ToolError(f"{full} is no action; expected a type such as example_interfaces/action/Fibonacci")
    goal = fill(action.Goal(), values)
    client = ActionClient(session.node, action, session.resolve(name))
    yield "Waiting for an action server to become available..."
    if not session.spin_until(client.server_is_ready, timeout_s):
        raise ToolError(missing("action", session.resolve(name), session.actions()))
    yield f"Sending goal:\n{_indented(goal)}"
    sent = client.send_goal_async(
        goal, feedback_callback=None if on_feedback is None else lambda message: on_feedback(message.feedback)
    )
    session.spin_until(sent.done)
    handle = sent.result()
    if handle is None or not handle.accepted:
        raise ToolError("the goal was rejected")
    yield f"Goal accepted with ID: {bytes(handle.goal_id.uuid).hex()}\n"
    asked = handle.get_result_async()
    try:
        session.spin_until(asked.done)
    except KeyboardInterrupt:
        cancelled = handle.cancel_goal_async()
        session.spin_until(cancelled.done, 5.0)
        yield "Goal canceled."
        return
    result = asked.result()
    if result is None:
        raise ToolError("the action server gave no result")
    yield f"Result:\n{_indented(result.result)}"
    yield f"Goal finished with status: {STATUS.get(result.status, result.status)}"


def _indented(message: Any) -> str:
    return "".join(f"    {line}\n" for line in message_to_yaml(message).splitlines())
