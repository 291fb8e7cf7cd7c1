"""Set the ROS clocks of a node to simulated time while its parameter `use_sim_time` is true."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from robot.ros.borrowed import finder
from robot.ros.callback_groups import MutuallyExclusiveCallbackGroup
from robot.ros.clock import ROSClock
from robot.ros.clock_type import ClockType
from robot.ros.interfaces import rcl_interfaces, rosgraph_msgs
from robot.ros.parameter import Parameter
from robot.ros.qos import QoSProfile, ReliabilityPolicy
from robot.ros.time import Time

if TYPE_CHECKING:
    from robot.ros.node import Node
    from robot.ros.subscription import Subscription

CLOCK_TOPIC = "/clock"
USE_SIM_TIME_NAME = "use_sim_time"


class TimeSource:
    """Follow `/clock`, as `rclpy.time_source.TimeSource`.

    The subscription has a callback group of its own, so that time goes on while the node's other callbacks wait.
    """

    def __init__(self, *, node: Node | None = None) -> None:
        self._clock_sub: Subscription | None = None
        self._node_weak_ref: weakref.ReferenceType[Node] | None = None
        self._associated_clocks: set[ROSClock] = set()
        self._last_time_set = Time(clock_type=ClockType.ROS_TIME)
        self._ros_time_is_active = False
        self._group = MutuallyExclusiveCallbackGroup()
        if node is not None:
            self.attach_node(node)

    @property
    def ros_time_is_active(self) -> bool:
        return self._ros_time_is_active

    @ros_time_is_active.setter
    def ros_time_is_active(self, enabled: bool) -> None:
        """Switch all attached clocks to simulated time, or back."""
        if self._ros_time_is_active == enabled:
            return
        self._ros_time_is_active = enabled
        for clock in self._associated_clocks:
            clock._set_ros_time_is_active(enabled)
        if enabled:
            self._subscribe_to_clock_topic()
        else:
            self._unsubscribe()

    def _get_node(self) -> Node | None:
        return None if self._node_weak_ref is None else self._node_weak_ref()

    def _subscribe_to_clock_topic(self) -> None:
        node = self._get_node()
        if self._clock_sub is None and node is not None:
            self._clock_sub = node.create_subscription(
                rosgraph_msgs.msg.Clock,
                CLOCK_TOPIC,
                self.clock_callback,
                QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT),
                callback_group=self._group,
            )

    def _unsubscribe(self) -> None:
        node, subscription = self._get_node(), self._clock_sub
        self._clock_sub = None
        if subscription is not None and node is not None:
            node.destroy_subscription(subscription)

    def attach_node(self, node: Node) -> None:
        """Follow the parameter `use_sim_time` of a node, and `/clock` through it."""
        from robot.ros.node import Node as NodeClass

        if not isinstance(node, NodeClass):
            raise TypeError("Node must be of type rclpy.node.Node")
        if self._get_node() is not None:
            self.detach_node()
        self._node_weak_ref = weakref.ref(node)
        if not node.has_parameter(USE_SIM_TIME_NAME):
            node.declare_parameter(USE_SIM_TIME_NAME, value=False)
        wanted = node.get_parameter(USE_SIM_TIME_NAME)
        if wanted.type_ == Parameter.Type.BOOL:
            self.ros_time_is_active = wanted.value
            if wanted.value:
                self._subscribe_to_clock_topic()
        else:
            node.get_logger().error(f"Invalid type for parameter '{USE_SIM_TIME_NAME}' {wanted.type_!r} should be bool")
        node.add_on_set_parameters_callback(self._on_parameter_event)

    def detach_node(self) -> None:
        if self._clock_sub is not None:
            if self._get_node() is None:
                raise RuntimeError("Unable to destroy previously created clock subscription")
            self._unsubscribe()
        self._node_weak_ref = None

    def attach_clock(self, clock: ROSClock) -> None:
        """Set a clock from here on."""
        if not isinstance(clock, ROSClock):
            raise ValueError("Only clocks with type ROS_TIME can be attached.")
        clock.set_ros_time_override(self._last_time_set)
        clock._set_ros_time_is_active(self._ros_time_is_active)
        self._associated_clocks.add(clock)

    def detach_clock(self, clock: ROSClock) -> None:
        self._associated_clocks.discard(clock)

    def clock_callback(self, msg: Any) -> None:
        self._last_time_set = Time.from_msg(msg.clock)
        for clock in tuple(self._associated_clocks):
            clock.set_ros_time_override(self._last_time_set)

    def _on_parameter_event(self, parameter_list: list[Parameter]) -> Any:
        for parameter in parameter_list:
            if parameter.name == USE_SIM_TIME_NAME:
                if parameter.type_ != Parameter.Type.BOOL:
                    reason = f"{USE_SIM_TIME_NAME} parameter set to something besides a bool"
                    return rcl_interfaces.msg.SetParametersResult(successful=False, reason=reason)
                self.ros_time_is_active = parameter.value
        return rcl_interfaces.msg.SetParametersResult(successful=True)


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
