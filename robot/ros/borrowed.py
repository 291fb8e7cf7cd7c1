"""Names that modules of rclpy have because they import them: scripts take them from there, so they are found here too.

`from rclpy.node import Node, Publisher, ParameterDescriptor` is as common as the modules these come from.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

OURS, THEIRS = "robot.ros.", "rclpy."
TYPING = "Any, Callable, Dict, Generic, Iterable, Iterator, List, Optional, Sequence, Tuple, Type, TypeVar, Union"
GROUP, GROUPS = "CallbackGroup", "CallbackGroup, MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup"
STAMPED = (
    "PointStamped, PolygonStamped, Pose, PoseStamped, PoseWithCovarianceStamped, TransformStamped, Vector3Stamped, "
    "WrenchStamped"
)
INTERFACES = ("action_msgs", "builtin_interfaces", "geometry_msgs", "rcl_interfaces", "sensor_msgs", "std_msgs",
              "tf2_msgs", "unique_identifier_msgs")  # fmt: skip

# module → where it has names from → names, as an import statement says it
BORROWED: dict[str, dict[str, str]] = {
    "action.client": {
        "action_msgs.srv": "CancelGoal",
        "builtin_interfaces.msg": "Time",
        "rclpy.executors": "await_or_execute",
        "rclpy.service_introspection": "ServiceIntrospectionState",
        "rclpy.waitable": "NumberOfEntities, Waitable",
        "typing": TYPING,
        "unique_identifier_msgs.msg": "UUID",
    },
    "action.server": {
        "action_msgs.msg": "GoalInfo",
        "action_msgs.srv": "CancelGoal",
        "rclpy.service_introspection": "ServiceIntrospectionState",
        "rclpy.task": "Future",
        "rclpy.waitable": "NumberOfEntities, Waitable",
        "typing": TYPING,
    },
    "client": {
        "rclpy.callback_groups": GROUP,
        "rclpy.clock": "Clock",
        "rclpy.context": "Context",
        "typing": TYPING,
    },
    "clock": {"rclpy.context": "Context", "rclpy.exceptions": "NotInitializedException",
              "rclpy.utilities": "get_default_context", "typing": TYPING},
    "context": {"typing": TYPING},
    "executors": {
        "concurrent.futures": "ThreadPoolExecutor",
        "rclpy.client": "Client",
        "rclpy.clock": "Clock, ClockType",
        "rclpy.context": "Context",
        "rclpy.exceptions": "InvalidHandle, TimerCancelledError",
        "rclpy.guard_condition": "GuardCondition",
        "rclpy.service": "Service",
        "rclpy.signals": "SignalHandlerGuardCondition",
        "rclpy.subscription": "MessageInfo, Subscription",
        "rclpy.task": "Future",
        "rclpy.timer": "Timer",
        "rclpy.utilities": "get_default_context, timeout_sec_to_nsec",
        "rclpy.waitable": "NumberOfEntities, Waitable",
        "typing": TYPING,
    },
    "lifecycle.node": {"rclpy.publisher": "Publisher", "rclpy.type_names": "MsgType", "typing": TYPING},
    "lifecycle.publisher": {"rclpy.type_names": "MsgType"},
    "node": {
        "rcl_interfaces.msg": "FloatingPointRange, IntegerRange, ListParametersResult, Parameter as ParameterMsg, "
        "ParameterDescriptor, ParameterEvent, ParameterType, ParameterValue, SetParametersResult",
        "rclpy.callback_groups": GROUPS,
        "rclpy.client": "Client",
        "rclpy.clock": "Clock",
        "rclpy.constants": "S_TO_NS",
        "rclpy.context": "Context",
        "rclpy.event_handler": "PublisherEventCallbacks, SubscriptionEventCallbacks",
        "rclpy.exceptions": "InvalidParameterTypeException, InvalidParameterValueException, InvalidTopicNameException, "
        "ParameterAlreadyDeclaredException, ParameterImmutableException, ParameterNotDeclaredException, "
        "ParameterUninitializedException",
        "rclpy.executors": "Executor",
        "rclpy.guard_condition": "GuardCondition",
        "rclpy.logging": "get_logger",
        "rclpy.parameter": "PARAMETER_SEPARATOR_STRING, AllowableParameterValue, AllowableParameterValueT, "
        "parameter_value_to_python",
        "rclpy.publisher": "Publisher",
        "rclpy.qos": "qos_profile_services_default",
        "rclpy.qos_overriding_options": "QoSOverridingOptions",
        "rclpy.service": "Service",
        "rclpy.subscription": "Subscription",
        "rclpy.timer": "Rate, Timer",
        "rclpy.topic_endpoint_info": "TopicEndpointInfo",
        "rclpy.utilities": "get_default_context",
        "rclpy.validate_parameter_name": "validate_parameter_name",
        "rclpy.waitable": "Waitable",
        "typing": TYPING,
    },
    "packages.message_filters": {"rclpy.clock": "ROSClock", "rclpy.duration": "Duration", "rclpy.time": "Time"},
    "packages.sensor_msgs_py.point_cloud2": {
        "sensor_msgs.msg": "PointCloud2, PointField",
        "std_msgs.msg": "Header",
        "typing": TYPING,
    },
    "packages.tf2_geometry_msgs": {"geometry_msgs.msg": STAMPED},
    "packages.tf2_geometry_msgs.tf2_geometry_msgs": {"geometry_msgs.msg": STAMPED},
    "packages.tf2_ros": {
        "geometry_msgs.msg": "TransformStamped",
        "rclpy.callback_groups": "ReentrantCallbackGroup",
        "rclpy.clock": "JumpThreshold, TimeJump",
        "rclpy.duration": "Duration",
        "rclpy.executors": "SingleThreadedExecutor",
        "rclpy.node": "Node",
        "rclpy.qos": "DurabilityPolicy, HistoryPolicy, QoSProfile",
        "rclpy.task": "Future",
        "rclpy.time": "Time",
        "std_msgs.msg": "Header",
        "tf2_msgs.msg": "TFMessage",
        "tf2_msgs.srv": "FrameGraph",
        "typing": TYPING,
    },
    "packages.tf2_ros.buffer": {"geometry_msgs.msg": "TransformStamped", "rclpy.node": "Node", "rclpy.time": "Time"},
    "packages.tf2_ros.buffer_interface": {"rclpy.time": "Time", "std_msgs.msg": "Header", "typing": TYPING},
    "packages.tf2_ros.static_transform_broadcaster": {
        "geometry_msgs.msg": "TransformStamped",
        "rclpy.node": "Node",
        "tf2_msgs.msg": "TFMessage",
    },
    "packages.tf2_ros.transform_broadcaster": {
        "geometry_msgs.msg": "TransformStamped",
        "rclpy.node": "Node",
        "tf2_msgs.msg": "TFMessage",
    },
    "packages.tf2_ros.transform_listener": {
        "rclpy.executors": "SingleThreadedExecutor",
        "tf2_msgs.msg": "TFMessage",
    },
    "parameter": {
        "rcl_interfaces.msg": "Parameter as ParameterMsg, ParameterType, ParameterValue",
        "typing": TYPING,
    },
    "parameter_client": {
        "rcl_interfaces.msg": "Parameter as ParameterMsg, ParameterEvent",
        "rcl_interfaces.srv": "DescribeParameters, GetParameters, GetParameterTypes, ListParameters, SetParameters, "
        "SetParametersAtomically",
        "rclpy.callback_groups": GROUP,
        "rclpy.client": "Client",
        "rclpy.event_handler": "SubscriptionEventCallbacks",
        "rclpy.node": "Node",
        "rclpy.qos_overriding_options": "QoSOverridingOptions",
        "rclpy.task": "Future",
    },
    "publisher": {"rclpy.callback_groups": GROUP, "typing": TYPING},
    "qos": {"typing": TYPING},
    "service": {"rclpy.callback_groups": GROUP, "typing": TYPING},
    "subscription": {"rclpy.callback_groups": GROUP, "typing": TYPING},
    "task": {"typing": TYPING},
    "time": {"rclpy.constants": "S_TO_NS"},
    "time_source": {
        "rcl_interfaces.msg": "SetParametersResult",
        "rclpy.clock": "TimeJump",
        "rclpy.node": "Node",
        "rclpy.subscription": "Subscription",
    },
    "timer": {
        "rclpy.callback_groups": GROUP,
        "rclpy.clock": "Clock",
        "rclpy.context": "Context",
        "rclpy.exceptions": "InvalidHandle, ROSInterruptException",
        "rclpy.utilities": "get_default_context",
        "typing": TYPING,
    },
}  # fmt: skip


def finder(module: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of one of our modules, which imports a borrowed name when it is asked for."""
    known: dict[str, tuple[str, str]] = {}
    for where, names in BORROWED[module.removeprefix(OURS)].items():
        for entry in names.split(", "):
            name, _, also = entry.partition(" as ")
            known[also or name] = where, name

    def find(name: str) -> Any:
        if name not in known:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        found = _get(*known[name])
        setattr(sys.modules[module], name, found)
        return found

    return find


def _get(where: str, name: str) -> Any:
    package, _, kind = where.partition(".")
    if package in INTERFACES:
        from robot.ros import interfaces

        return getattr(getattr(getattr(interfaces, package), kind), name)
    if where.startswith(THEIRS):
        where = OURS + where.removeprefix(THEIRS)
    return getattr(import_module(where), name)
