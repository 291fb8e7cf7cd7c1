"""Actions: goals that take time, report on their way and can be cancelled; made of the services and topics of ROS."""

from robot.ros.action.client import ActionClient, ClientGoalHandle
from robot.ros.action.graph import (
    get_action_client_names_and_types_by_node,
    get_action_names_and_types,
    get_action_server_names_and_types_by_node,
)
from robot.ros.action.server import ActionServer, CancelResponse, GoalResponse, ServerGoalHandle
from robot.ros.action.status import GoalStatus

__all__ = [
    "ActionClient",
    "ActionServer",
    "CancelResponse",
    "ClientGoalHandle",
    "GoalResponse",
    "GoalStatus",
    "ServerGoalHandle",
    "get_action_client_names_and_types_by_node",
    "get_action_names_and_types",
    "get_action_server_names_and_types_by_node",
]
