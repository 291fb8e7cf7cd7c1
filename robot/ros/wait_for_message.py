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
    subscription = node.create_subscription(msg_type, topic, lambda _: None, qos_profile)
    try:
        node.wait_until(lambda: subscription.has_message or not node.context.ok(), time_to_wait)
        message = subscription.take() if node.context.ok() else None
        return message is not None, message
    finally:
        node.destroy_subscription(subscription)
