"""Take only transforms that never change into a buffer."""

from __future__ import annotations

from typing import Any

from robot.ros.packages.tf2_ros.buffer import Buffer
from robot.ros.packages.tf2_ros.transform_listener import DEFAULT_STATIC_TF_TOPIC, TransformListener
from robot.ros.qos import QoSProfile


class StaticTransformListener(TransformListener):
    """A `TransformListener` that leaves `/tf` alone."""

    def __init__(
        self,
        buffer: Buffer,
        node: Any,
        *,
        spin_thread: bool = False,
        qos: QoSProfile | int | None = None,
        tf_static_topic: str = DEFAULT_STATIC_TF_TOPIC,
    ) -> None:
        super().__init__(
            buffer, node, spin_thread=spin_thread, static_qos=qos, tf_static_topic=tf_static_topic, static_only=True
        )
