"""Functions of rclpy's compiled part, by their names there; they take handles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros import logging
from robot.ros.event_infos import QoSPublisherEventType, QoSSubscriptionEventType
from robot.ros.impl.logging_output import SEPARATOR, Line, output
from robot.ros.impl.logging_severity import LoggingSeverity
from robot.ros.serialization import deserialize_message, serialize_message

if TYPE_CHECKING:
    from enum import IntEnum

    from robot.ros.context import ContextHandle
    from robot.ros.endpoint_info import ActionEndpointInfo, ServiceEndpointInfo, TopicEndpointInfo
    from robot.ros.entity_handles import PublisherHandle
    from robot.ros.node_parts.graph import NamesAndTypes
    from robot.ros.node_parts.handle import NodeHandle

__all__ = [
    "publisher_event_type_is_supported",
    "rclpy_assert_liveliness",
    "rclpy_deserialize",
    "rclpy_get_action_client_names_and_types_by_node",
    "rclpy_get_action_clients_info_by_action",
    "rclpy_get_action_names_and_types",
    "rclpy_get_action_server_names_and_types_by_node",
    "rclpy_get_action_servers_info_by_action",
    "rclpy_get_client_names_and_types_by_node",
    "rclpy_get_clients_info_by_service",
    "rclpy_get_publisher_names_and_types_by_node",
    "rclpy_get_publishers_info_by_topic",
    "rclpy_get_servers_info_by_service",
    "rclpy_get_service_names_and_types",
    "rclpy_get_service_names_and_types_by_node",
    "rclpy_get_subscriber_names_and_types_by_node",
    "rclpy_get_subscriptions_info_by_topic",
    "rclpy_get_topic_names_and_types",
    "rclpy_logging_configure",
    "rclpy_logging_fini",
    "rclpy_logging_get_logger_effective_level",
    "rclpy_logging_get_logger_level",
    "rclpy_logging_get_logging_directory",
    "rclpy_logging_get_separator_string",
    "rclpy_logging_initialize",
    "rclpy_logging_logger_is_enabled_for",
    "rclpy_logging_rcutils_log",
    "rclpy_logging_rosout_add_sublogger",
    "rclpy_logging_rosout_remove_sublogger",
    "rclpy_logging_set_logger_level",
    "rclpy_logging_severity_level_from_string",
    "rclpy_logging_shutdown",
    "rclpy_remap_topic_name",
    "rclpy_resolve_name",
    "rclpy_serialize",
    "subscription_event_type_is_supported",
]

# --- names


def rclpy_resolve_name(node: NodeHandle, topic_name: str, only_expand: bool, is_service: bool) -> str:
    resolve = node.node.resolve_service_name if is_service else node.node.resolve_topic_name
    return resolve(topic_name, only_expand=only_expand)


def rclpy_remap_topic_name(node: NodeHandle, topic_name: str) -> str:
    return node.node.resolve_topic_name(topic_name)


# --- the graph


def rclpy_get_topic_names_and_types(node: NodeHandle, no_demangle: bool) -> NamesAndTypes:
    return node.node.get_topic_names_and_types(no_demangle)


def rclpy_get_service_names_and_types(node: NodeHandle) -> NamesAndTypes:
    return node.node.get_service_names_and_types()


def rclpy_get_publisher_names_and_types_by_node(
    node: NodeHandle, no_demangle: bool, node_name: str, node_namespace: str
) -> NamesAndTypes:
    return node.node.get_publisher_names_and_types_by_node(node_name, node_namespace, no_demangle)


def rclpy_get_subscriber_names_and_types_by_node(
    node: NodeHandle, no_demangle: bool, node_name: str, node_namespace: str
) -> NamesAndTypes:
    return node.node.get_subscriber_names_and_types_by_node(node_name, node_namespace, no_demangle)


def rclpy_get_service_names_and_types_by_node(node: NodeHandle, node_name: str, node_namespace: str) -> NamesAndTypes:
    return node.node.get_service_names_and_types_by_node(node_name, node_namespace)


def rclpy_get_client_names_and_types_by_node(node: NodeHandle, node_name: str, node_namespace: str) -> NamesAndTypes:
    return node.node.get_client_names_and_types_by_node(node_name, node_namespace)


def rclpy_get_publishers_info_by_topic(node: NodeHandle, topic_name: str, no_mangle: bool) -> list[dict[str, Any]]:
    return [_fields(info) for info in node.node.get_publishers_info_by_topic(topic_name, no_mangle)]


def rclpy_get_subscriptions_info_by_topic(node: NodeHandle, topic_name: str, no_mangle: bool) -> list[dict[str, Any]]:
    return [_fields(info) for info in node.node.get_subscriptions_info_by_topic(topic_name, no_mangle)]


def rclpy_get_clients_info_by_service(node: NodeHandle, service_name: str, no_mangle: bool) -> list[dict[str, Any]]:
    return [_service_fields(info) for info in node.node.get_clients_info_by_service(service_name, no_mangle)]


def rclpy_get_servers_info_by_service(node: NodeHandle, service_name: str, no_mangle: bool) -> list[dict[str, Any]]:
    return [_service_fields(info) for info in node.node.get_servers_info_by_service(service_name, no_mangle)]


def rclpy_get_action_names_and_types(node: NodeHandle) -> NamesAndTypes:
    return node.get_action_names_and_types()


def rclpy_get_action_client_names_and_types_by_node(
    node: NodeHandle, remote_node_name: str, remote_node_namespace: str
) -> NamesAndTypes:
    return node.get_action_client_names_and_types_by_node(remote_node_name, remote_node_namespace)


def rclpy_get_action_server_names_and_types_by_node(
    node: NodeHandle, remote_node_name: str, remote_node_namespace: str
) -> NamesAndTypes:
    return node.get_action_server_names_and_types_by_node(remote_node_name, remote_node_namespace)


def rclpy_get_action_clients_info_by_action(node: NodeHandle, action_name: str) -> list[dict[str, Any]]:
    return [_action_fields(info) for info in node.node.get_action_clients_info_by_action(action_name)]


def rclpy_get_action_servers_info_by_action(node: NodeHandle, action_name: str) -> list[dict[str, Any]]:
    return [_action_fields(info) for info in node.node.get_action_servers_info_by_action(action_name)]


def _action_fields(info: ActionEndpointInfo) -> dict[str, Any]:
    return {
        "goal_service_info": _service_fields(info.goal_service_info),
        "cancel_service_info": _service_fields(info.cancel_service_info),
        "result_service_info": _service_fields(info.result_service_info),
        "feedback_topic_info": _fields(info.feedback_topic_info),
        "status_topic_info": _fields(info.status_topic_info),
    }


def _service_fields(info: ServiceEndpointInfo) -> dict[str, Any]:
    return {
        "node_name": info.node_name,
        "node_namespace": info.node_namespace,
        "service_type": info.service_type,
        "service_type_hash": {"version": info.service_type_hash.version, "value": info.service_type_hash.value},
        "qos_profiles": [profile.to_dict() for profile in info.qos_profiles],
        "endpoint_gids": info.endpoint_gids,
        "endpoint_type": int(info.endpoint_type),
        "endpoint_count": info.endpoint_count,
    }


def _fields(info: TopicEndpointInfo) -> dict[str, Any]:
    return {
        "node_name": info.node_name,
        "node_namespace": info.node_namespace,
        "topic_type": info.topic_type,
        "topic_type_hash": {"version": info.topic_type_hash.version, "value": info.topic_type_hash.value},
        "endpoint_type": int(info.endpoint_type),
        "endpoint_gid": info.endpoint_gid,
        "qos_profile": info.qos_profile.to_dict(),
    }


# --- events


def publisher_event_type_is_supported(event_type: IntEnum) -> bool:
    return isinstance(event_type, QoSPublisherEventType)


def subscription_event_type_is_supported(event_type: IntEnum) -> bool:
    return isinstance(event_type, QoSSubscriptionEventType)


def rclpy_assert_liveliness(publisher: PublisherHandle) -> None:
    publisher.entity.assert_liveliness()


# --- messages


def rclpy_serialize(pymsg: Any, py_msg_type: Any) -> bytes:
    """Encode a message; raises TypeError when it is of another type."""
    if not isinstance(pymsg, py_msg_type):
        raise TypeError(f"expected {py_msg_type.__name__}, got {type(pymsg).__name__}")
    return serialize_message(pymsg)


def rclpy_deserialize(pybuffer: bytes, pymsg_type: Any) -> Any:
    return deserialize_message(pybuffer, pymsg_type)


# --- logging


def rclpy_logging_configure(context: ContextHandle) -> None:
    logging.configure(context.context.arguments)


def rclpy_logging_fini() -> None:
    """Do nothing: there is nothing to give back."""


rclpy_logging_initialize = logging.initialize
rclpy_logging_shutdown = logging.shutdown
rclpy_logging_set_logger_level = logging.set_logger_level
rclpy_logging_get_logger_level = logging.get_logger_level
rclpy_logging_get_logger_effective_level = logging.get_logger_effective_level
rclpy_logging_severity_level_from_string = logging.get_logging_severity_from_string
rclpy_logging_rosout_add_sublogger = output.add_child


def rclpy_logging_rosout_remove_sublogger(logger_name: str, sublogger_name: str) -> None:
    output.remove_child(sublogger_name)


def rclpy_logging_get_separator_string() -> str:
    return SEPARATOR


def rclpy_logging_get_logging_directory() -> str:
    return str(logging.get_logging_directory())


def rclpy_logging_logger_is_enabled_for(name: str, severity: int) -> bool:
    return LoggingSeverity(severity) >= output.levels.effective(name)


def rclpy_logging_rcutils_log(  # noqa: PLR0917
    severity: int, name: str, message: str, function_name: str, file_name: str, line_number: int
) -> None:
    """Log a line whose place in the source is given."""
    level = LoggingSeverity(severity)
    if level >= output.levels.effective(name):
        output.emit(
            Line(name=name, severity=level, message=message, function=function_name, file=file_name, line=line_number)
        )
