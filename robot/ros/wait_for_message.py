"""Wait for the next message of a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros.qos import QoSProfile

if TYPE_CHECKING:
    from robot.ros.node import Node


def wait_for_message(
    msg_type: Any, node: Node, topic: str, *, qos_profile: QoSProfile | int = 1, time_to_wait: float = -1
) -> tuple[bool, Any]:
    """Wait for a message, without running callbacks.

    Args:
        time_to_wait: [s], negative = without limit.

    Returns:
        (True, message), or (False, None) when the time is over or the context is shut down.
    """
    got: list[Any] = []
    subscription = node.create_subscription(msg_type, topic, got.append, qos_profile)

    def arrived() -> bool:
        """Look; where the node spins on another thread the callback gets the message."""
        if not got and (message := subscription.take()) is not None:
            got.append(message)
        return bool(got) or not node.context.ok()

    try:
        node._ros_wait_until(arrived, time_to_wait)
        return (True, got[0]) if got and node.context.ok() else (False, None)
    finally:
        node.destroy_subscription(subscription)
