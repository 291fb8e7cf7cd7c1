"""What scripts and tests use of rclpy's compiled part: its errors and a few functions."""

from __future__ import annotations

from robot.ros import qos
from robot.ros.clock_type import ClockType
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
from robot.ros.qos import QoSProfile
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
    "ClockType",
    "InvalidHandle",
    "NodeNameNonExistentError",
    "RCLError",
    "RCLInvalidROSArgsError",
    "SignalHandlerOptions",
    "TimerCancelledError",
    "UnknownROSArgsError",
    "UnsupportedEventTypeError",
    "get_current_signal_handlers_options",
    "install_signal_handlers",
    "rclpy_expand_topic_name",
    "rclpy_get_rmw_implementation_identifier",
    "rclpy_get_validation_error_for_full_topic_name",
    "rclpy_get_validation_error_for_namespace",
    "rclpy_get_validation_error_for_node_name",
    "rclpy_get_validation_error_for_topic_name",
    "rclpy_remove_ros_args",
    "rmw_qos_profile_t",
    "uninstall_signal_handlers",
]
