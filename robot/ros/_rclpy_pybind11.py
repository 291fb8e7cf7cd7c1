"""What scripts and tests use of rclpy's compiled part: its errors and a few functions."""

from __future__ import annotations

import builtins

from robot.ros import rcl_functions, rmw_values, service_introspection
from robot.ros.action.goal import GoalEvent
from robot.ros.action.handles import ActionClientHandle as ActionClient
from robot.ros.action.server_handles import ActionGoalHandle
from robot.ros.action.server_handles import ActionServerHandle as ActionServer
from robot.ros.by_hand import DEFAULT_DOMAIN_ID
from robot.ros.by_hand import RawGuardCondition as GuardCondition
from robot.ros.by_hand import RawTypeDescriptionService as TypeDescriptionService
from robot.ros.by_hand import make_client as Client
from robot.ros.by_hand import make_clock as Clock
from robot.ros.by_hand import make_context as Context
from robot.ros.by_hand import make_events_executor as EventsExecutor
from robot.ros.by_hand import make_node as Node
from robot.ros.by_hand import make_publisher as Publisher
from robot.ros.by_hand import make_service as Service
from robot.ros.by_hand import make_subscription as Subscription
from robot.ros.by_hand import make_timer as Timer
from robot.ros.clock import ClockChange, ClockEvent
from robot.ros.clock_type import ClockType
from robot.ros.duration import INFINITE_NS as RMW_DURATION_INFINITE
from robot.ros.entity_handles import RequestId as rmw_request_id_t  # noqa: N813
from robot.ros.entity_handles import ServiceHeader as rmw_service_info_t  # noqa: N813
from robot.ros.event_handle import EventHandle
from robot.ros.event_infos import IncompatibleTypeInfo as rmw_incompatible_type_status_t  # noqa: N813
from robot.ros.event_infos import MatchedInfo as rmw_matched_status_t  # noqa: N813
from robot.ros.event_infos import QoSLivelinessChangedInfo as rmw_liveliness_changed_status_t  # noqa: N813
from robot.ros.event_infos import QoSLivelinessLostInfo as rmw_liveliness_lost_status_t  # noqa: N813
from robot.ros.event_infos import QoSMessageLostInfo as rmw_message_lost_status_t  # noqa: N813
from robot.ros.event_infos import QoSOfferedDeadlineMissedInfo as rmw_offered_deadline_missed_status_t  # noqa: N813
from robot.ros.event_infos import QoSPublisherEventType as rcl_publisher_event_type_t  # noqa: N813
from robot.ros.event_infos import QoSRequestedDeadlineMissedInfo as rmw_requested_deadline_missed_status_t  # noqa: N813
from robot.ros.event_infos import QoSRequestedIncompatibleQoSInfo as rmw_requested_qos_incompatible_event_status_t  # noqa: N813
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
from robot.ros.handle import Handle as Destroyable
from robot.ros.lifecycle.by_hand import RawStateMachine as LifecycleStateMachine
from robot.ros.lifecycle.states import TransitionCallbackReturn as TransitionCallbackReturnType
from robot.ros.qos import BEST_AVAILABLE_NS, QoSCompatibility
from robot.ros.rcl_functions import *  # noqa: F403
from robot.ros.rmw_values import *  # noqa: F403
from robot.ros.signals import (
    SignalHandlerOptions,
    get_current_signal_handlers_options,
    install_signal_handlers,
    register_sigint_guard_condition,
    uninstall_signal_handlers,
    unregister_sigint_guard_condition,
)
from robot.ros.utilities import get_rmw_implementation_identifier as rclpy_get_rmw_implementation_identifier
from robot.ros.utilities import remove_ros_args as rclpy_remove_ros_args
from robot.ros.validate_full_topic_name import find_fault as rclpy_get_validation_error_for_full_topic_name
from robot.ros.validate_namespace import find_fault as rclpy_get_validation_error_for_namespace
from robot.ros.validate_node_name import find_fault as rclpy_get_validation_error_for_node_name
from robot.ros.validate_topic_name import find_fault as rclpy_get_validation_error_for_topic_name
from robot.ros.waitable import WaitSet

NotImplementedError = builtins.NotImplementedError  # the name is rclpy's
RCL_DEFAULT_DOMAIN_ID = DEFAULT_DOMAIN_ID
RMW_QOS_DEADLINE_BEST_AVAILABLE = RMW_QOS_LIVELINESS_LEASE_DURATION_BEST_AVAILABLE = BEST_AVAILABLE_NS

__all__ = [
    "RCL_DEFAULT_DOMAIN_ID",
    "RMW_DURATION_INFINITE",
    "RMW_QOS_DEADLINE_BEST_AVAILABLE",
    "RMW_QOS_LIVELINESS_LEASE_DURATION_BEST_AVAILABLE",
    "ActionClient",
    "ActionGoalHandle",
    "ActionServer",
    "Client",
    "Clock",
    "ClockChange",
    "ClockEvent",
    "ClockType",
    "Context",
    "Destroyable",
    "EventHandle",
    "EventsExecutor",
    "GoalEvent",
    "GuardCondition",
    "InvalidHandle",
    "LifecycleStateMachine",
    "Node",
    "NodeNameNonExistentError",
    "NotImplementedError",
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
    "TypeDescriptionService",
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
    "register_sigint_guard_condition",
    "rmw_incompatible_type_status_t",
    "rmw_liveliness_changed_status_t",
    "rmw_liveliness_lost_status_t",
    "rmw_matched_status_t",
    "rmw_message_lost_status_t",
    "rmw_offered_deadline_missed_status_t",
    "rmw_request_id_t",
    "rmw_requested_deadline_missed_status_t",
    "rmw_requested_qos_incompatible_event_status_t",
    "rmw_service_info_t",
    "service_introspection",
    "uninstall_signal_handlers",
    "unregister_sigint_guard_condition",
]
__all__ += rcl_functions.__all__
__all__ += rmw_values.__all__
