"""Tell messages, services and actions apart from each other and from anything else."""

from __future__ import annotations

from typing import Any, TypeVar

from robot.ros.exceptions import NoTypeSupportImportedException
from robot.ros.type_names import Action, Msg, Srv

MsgT = TypeVar("MsgT")
SrvT = TypeVar("SrvT")
SrvRequestT = TypeVar("SrvRequestT")
SrvResponseT = TypeVar("SrvResponseT")
SrvEventT = TypeVar("SrvEventT")
ActionT = TypeVar("ActionT")
GoalT = TypeVar("GoalT")
ResultT = TypeVar("ResultT")
FeedbackT = TypeVar("FeedbackT")

# parts of interfaces, for annotations
BaseMessage = EventMessage = FeedbackMessage = Msg
BaseService = SendGoalService = GetResultService = Srv
BaseAction = BaseImpl = Action
SendGoalServiceRequest = SendGoalServiceResponse = GetResultServiceRequest = GetResultServiceResponse = Msg
CommonMsgSrvMetaClass = MsgMetaClass = SrvMetaClass = type

HINT = (
    " This might be a ROS 1 message type but it should be a ROS 2 message type."
    " Make sure to source your ROS 2 workspace after your ROS 1 workspace."
)


def check_for_type_support(msg_or_srv_type: Any) -> None:
    """Raise AttributeError for what is no interface, NoTypeSupportImportedException for one that cannot be used."""
    if hasattr(msg_or_srv_type, "_TYPE_NAME"):
        return
    kind = type(msg_or_srv_type)
    if not hasattr(kind, "_TYPE_SUPPORT"):
        raise AttributeError(f"{msg_or_srv_type!r} has no type support.{HINT}")
    if kind._TYPE_SUPPORT is None:
        kind.__import_type_support__()
    if kind._TYPE_SUPPORT is None:
        raise NoTypeSupportImportedException()


def check_is_valid_msg_type(msg_type: Any) -> None:
    """Raise RuntimeError for a service or an action."""
    check_for_type_support(msg_type)
    if not hasattr(msg_type, "_encode"):
        raise RuntimeError(f"The message type provided is not valid ({msg_type}), this might be a service or action")


def check_is_valid_srv_type(srv_type: Any) -> None:
    """Raise RuntimeError for a message or an action."""
    check_for_type_support(srv_type)
    parts = getattr(type(srv_type), "_PARTS", None) or vars(srv_type)
    if not ("Request" in parts and "Response" in parts):
        raise RuntimeError(f"The service type provided is not valid ({srv_type}), this might be a message or action")
