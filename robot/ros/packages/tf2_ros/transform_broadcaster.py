"""Publish transforms on `/tf`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from robot.ros.borrowed import finder
from robot.ros.interfaces import tf2_msgs
from robot.ros.qos import QoSProfile


class TransformBroadcaster:
    """Publishes `TransformStamped` of frames that move."""

    def __init__(self, node: Any, qos: QoSProfile | int | None = None) -> None:
        self.pub_tf = node.create_publisher(
            tf2_msgs.msg.TFMessage, "/tf", QoSProfile(depth=100) if qos is None else qos
        )

    def sendTransform(self, transform: Any) -> None:
        """Send one transform, or a list of them in one message."""
        several = list(transform) if isinstance(transform, Iterable) else [transform]
        self.pub_tf.publish(tf2_msgs.msg.TFMessage(transforms=several))

    send_transform = sendTransform


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
