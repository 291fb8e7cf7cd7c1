"""Names for annotations that rclpy's modules share; none of them does anything."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol, TypeVar

__all__ = [
    "AsyncGenericSubscriptionCallback",
    "AsyncTimerCallbackType",
    "GenericSubscriptionCallback",
    "GenericSubscriptionCallbackUnion",
    "GuardConditionCallbackType",
    "MsgType",
    "ServiceCallbackUnion",
    "SrvType",
    "SrvTypeRequest",
    "SrvTypeResponse",
    "SubscriptionCallbackUnion",
    "TimerCallbackType",
    "TimerCallbackUnion",
    "YieldedCallback",
]

MsgType = TypeVar("MsgType")
SrvType = TypeVar("SrvType")
SrvTypeRequest = TypeVar("SrvTypeRequest")
SrvTypeResponse = TypeVar("SrvTypeResponse")
_T = TypeVar("_T")

GenericSubscriptionCallback = Callable[[_T], None] | Callable[[_T, Any], None]
AsyncGenericSubscriptionCallback = (
    Callable[[_T], Coroutine[Any, Any, None]] | Callable[[_T, Any], Coroutine[Any, Any, None]]
)
GenericSubscriptionCallbackUnion = GenericSubscriptionCallback[_T] | AsyncGenericSubscriptionCallback[_T]
SubscriptionCallbackUnion = GenericSubscriptionCallback[_T] | GenericSubscriptionCallback[bytes]
ServiceCallbackUnion = (
    Callable[[SrvTypeRequest, SrvTypeResponse], SrvTypeResponse]
    | Callable[[SrvTypeRequest, SrvTypeResponse], Coroutine[Any, Any, SrvTypeResponse]]
)
TimerCallbackType = Callable[[], None] | Callable[[Any], None]
AsyncTimerCallbackType = Callable[[], Coroutine[Any, Any, None]] | Callable[[Any], Coroutine[Any, Any, None]]
TimerCallbackUnion = TimerCallbackType | AsyncTimerCallbackType
GuardConditionCallbackType = Callable[[], Any]
YieldedCallback = Generator[tuple[Any, Any, Any], None, None]


class Msg(Protocol):
    """A message of any type."""


class Srv(Protocol):
    """A service of any type."""


class Action(Protocol):
    """An action of any type."""
