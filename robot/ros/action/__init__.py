"""Actions: goals that take time, report on their way and can be cancelled; made of the services and topics of ROS."""

from robot.ros.action.client import ActionClient, ClientGoalHandle
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
]
