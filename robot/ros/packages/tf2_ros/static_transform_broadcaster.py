"""Publish transforms that never change on `/tf_static`, for those too who come later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from robot.ros.borrowed import finder
from robot.ros.interfaces import tf2_msgs
from robot.ros.qos import DurabilityPolicy, QoSProfile


class StaticTransformBroadcaster:
    """Publishes all static transforms it has been given, each time one is added or replaced."""

    def __init__(self, node: Any, qos: QoSProfile | int | None = None) -> None:
        if qos is None:
            qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.net_message = tf2_msgs.msg.TFMessage()
        self.pub_tf = node.create_publisher(tf2_msgs.msg.TFMessage, "/tf_static", qos)

    def sendTransform(self, transform: Any) -> None:
        """Send one transform, or a list of them; one with the same child replaces the earlier."""
        kept = {known.child_frame_id: known for known in self.net_message.transforms}
        for one in transform if isinstance(transform, Iterable) else [transform]:
            kept[one.child_frame_id] = one
        self.net_message.transforms = list(kept.values())
        self.pub_tf.publish(self.net_message)

    send_transform = sendTransform


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
