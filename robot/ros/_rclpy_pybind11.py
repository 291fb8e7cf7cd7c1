"""What scripts and tests use of rclpy's compiled part: its errors and a few functions."""

from __future__ import annotations

from robot.ros import qos, service_introspection
from robot.ros.action.goal import GoalEvent
from robot.ros.by_hand import RawGuardCondition as GuardCondition
from robot.ros.by_hand import RawTimer as Timer
from robot.ros.by_hand import make_client as Client
from robot.ros.by_hand import make_publisher as Publisher
from robot.ros.by_hand import make_service as Service
from robot.ros.by_hand import make_subscription as Subscription
from robot.ros.clock import ClockChange, ClockEvent
from robot.ros.clock_type import ClockType
from robot.ros.duration import INFINITE_NS as RMW_DURATION_INFINITE
from robot.ros.event_infos import QoSPublisherEventType as rcl_publisher_event_type_t  # noqa: N813
from robot.ros.event_infos import QoSSubscriptionEventType as rcl_subscription_event_type_t  # noqa: N813
from robot.ros.exceptions import (
    InvalidHandle,
    NodeNameNonExistentError,
    RCLError,
    RCLInvalidROSArgsError,
    TimerCancelledError,
    UnknownROSArgsError,
    UnsupportedEventTypeError,
)
from robot.ros.expand_topic_name import expand_topic_name as rclpy_expand_topic_name
from robot.ros.lifecycle.states import TransitionCallbackReturn as TransitionCallbackReturnType
from robot.ros.qos import QoSCompatibility, QoSProfile
from robot.ros.signals import (
    SignalHandlerOptions,
    get_current_signal_handlers_options,
    install_signal_handlers,
    uninstall_signal_handlers,
)
from robot.ros.utilities import get_rmw_implementation_identifier as rclpy_get_rmw_implementation_identifier
from robot.ros.utilities import remove_ros_args as rclpy_remove_ros_args
from robot.ros.validate_full_topic_name import find_fault as rclpy_get_validation_error_for_full_topic_name
from robot.ros.validate_namespace import find_fault as rclpy_get_validation_error_for_namespace
from robot.ros.validate_node_name import find_fault as rclpy_get_validation_error_for_node_name
from robot.ros.validate_topic_name import find_fault as rclpy_get_validation_error_for_topic_name
from robot.ros.waitable import WaitSet

RCL_DEFAULT_DOMAIN_ID = 2**64 - 1


class rmw_qos_profile_t:  # noqa: N801 (rmw's name)
    """Where the predefined profiles are found by name."""

    @staticmethod
    def predefined(qos_profile_name: str) -> QoSProfile:
        """Return for example `qos_profile_sensor_data`; raises ValueError for an unknown name."""
        found = getattr(qos, qos_profile_name, None)
        if not isinstance(found, QoSProfile):
            raise ValueError(f"no predefined profile {qos_profile_name!r}")
        return found


__all__ = [
    "RCL_DEFAULT_DOMAIN_ID",
    "RMW_DURATION_INFINITE",
    "Client",
    "ClockChange",
    "ClockEvent",
    "ClockType",
    "GoalEvent",
    "GuardCondition",
    "InvalidHandle",
    "NodeNameNonExistentError",
    "Publisher",
    "QoSCompatibility",
    "RCLError",
    "RCLInvalidROSArgsError",
    "Service",
    "SignalHandlerOptions",
    "Subscription",
    "Timer",
    "TimerCancelledError",
    "TransitionCallbackReturnType",
    "UnknownROSArgsError",
    "UnsupportedEventTypeError",
    "WaitSet",
    "get_current_signal_handlers_options",
    "install_signal_handlers",
    "rcl_publisher_event_type_t",
    "rcl_subscription_event_type_t",
    "rclpy_expand_topic_name",
    "rclpy_get_rmw_implementation_identifier",
    "rclpy_get_validation_error_for_full_topic_name",
    "rclpy_get_validation_error_for_namespace",
    "rclpy_get_validation_error_for_node_name",
    "rclpy_get_validation_error_for_topic_name",
    "rclpy_remove_ros_args",
    "rmw_qos_profile_t",
    "service_introspection",
    "uninstall_signal_handlers",
]
