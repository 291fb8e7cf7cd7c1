"""Take transforms from `/tf` and `/tf_static` into a buffer."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any

from robot.ros.borrowed import finder
from robot.ros.callback_groups import ReentrantCallbackGroup
from robot.ros.executors import ExternalShutdownException, SingleThreadedExecutor
from robot.ros.interfaces import tf2_msgs
from robot.ros.node import Node
from robot.ros.packages.tf2_ros.buffer import Buffer
from robot.ros.parameter import Parameter
from robot.ros.qos import DurabilityPolicy, QoSProfile

DEFAULT_TF_TOPIC = "/tf"
DEFAULT_STATIC_TF_TOPIC = "/tf_static"
AUTHORITY = "default_authority"


class TransformListener:
    """Fills `buffer` for as long as it lives.

    Args:
        node: what it subscribes with; None = a node of its own.
        spin_thread: run the node in a thread of its own, so that others may block on the buffer.
        static_only: leave out what moves.
    """

    def __init__(
        self,
        buffer: Buffer,
        node: Any,
        *,
        spin_thread: bool = False,
        qos: QoSProfile | int | None = None,
        static_qos: QoSProfile | int | None = None,
        tf_topic: str = DEFAULT_TF_TOPIC,
        tf_static_topic: str = DEFAULT_STATIC_TF_TOPIC,
        static_only: bool = False,
    ) -> None:
        self.buffer = buffer
        if node is None:
            node = Node(
                f"transform_listener_impl_{id(self):010x}",
                enable_rosout=False,
                start_parameter_services=False,
                parameter_overrides=[Parameter("use_sim_time", value=False)],
            )
        self.node = node
        self.group = ReentrantCallbackGroup()
        if static_qos is None:
            static_qos = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        if not static_only:
            moving = QoSProfile(depth=100) if qos is None else qos
            self.tf_sub = node.create_subscription(
                tf2_msgs.msg.TFMessage, tf_topic, self.callback, moving, callback_group=self.group
            )
        self.tf_static_sub = node.create_subscription(
            tf2_msgs.msg.TFMessage, tf_static_topic, self.static_callback, static_qos, callback_group=self.group
        )
        if spin_thread:
            self.executor = SingleThreadedExecutor(context=node.context)
            self.dedicated_listener_thread = Thread(target=_spin, args=(self.executor, self.node), daemon=True)
            self.dedicated_listener_thread.start()

    def __del__(self) -> None:
        if hasattr(self, "dedicated_listener_thread"):
            self.executor.shutdown()
            self.dedicated_listener_thread.join()
        if hasattr(self, "tf_static_sub"):
            self.unregister()

    def unregister(self) -> None:
        """Listen no longer."""
        if hasattr(self, "tf_sub"):
            self.node.destroy_subscription(self.tf_sub)
        self.node.destroy_subscription(self.tf_static_sub)

    def callback(self, data: Any) -> None:
        for transform in data.transforms:
            self.buffer.set_transform(transform, AUTHORITY)

    def static_callback(self, data: Any) -> None:
        for transform in data.transforms:
            self.buffer.set_transform_static(transform, AUTHORITY)


def _spin(executor: SingleThreadedExecutor, node: Any) -> None:
    executor.add_node(node)
    try:
        executor.spin()
    except ExternalShutdownException:
        pass
    finally:
        executor.remove_node(node)


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
