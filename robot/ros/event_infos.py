"""What events of the middleware tell, and their kinds, numbered as rcl's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from robot.ros.exceptions import UnsupportedEventTypeError
from robot.ros.qos_policies import QoSPolicyKind


class QoSPublisherEventType(IntEnum):
    RCL_PUBLISHER_OFFERED_DEADLINE_MISSED = 0
    RCL_PUBLISHER_LIVELINESS_LOST = 1
    RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS = 2
    RCL_PUBLISHER_INCOMPATIBLE_TYPE = 3
    RCL_PUBLISHER_MATCHED = 4


class QoSSubscriptionEventType(IntEnum):
    RCL_SUBSCRIPTION_REQUESTED_DEADLINE_MISSED = 0
    RCL_SUBSCRIPTION_LIVELINESS_CHANGED = 1
    RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS = 2
    RCL_SUBSCRIPTION_MESSAGE_LOST = 3
    RCL_SUBSCRIPTION_INCOMPATIBLE_TYPE = 4
    RCL_SUBSCRIPTION_MATCHED = 5


@dataclass(slots=True)
class Count:
    """A count, and how it changed since the last event."""

    total_count: int = 0
    total_count_change: int = 0


class QoSRequestedDeadlineMissedInfo(Count):
    __slots__ = ()


class QoSOfferedDeadlineMissedInfo(Count):
    __slots__ = ()


class QoSLivelinessLostInfo(Count):
    __slots__ = ()


class QoSMessageLostInfo(Count):
    __slots__ = ()


class IncompatibleTypeInfo(Count):
    __slots__ = ()


@dataclass(slots=True)
class QoSRequestedIncompatibleQoSInfo(Count):
    """Endpoints whose profile does not fit, and the policy that did not the last time."""

    last_policy_kind: int = QoSPolicyKind.INVALID


QoSOfferedIncompatibleQoSInfo = QoSRequestedIncompatibleQoSInfo


@dataclass(slots=True)
class QoSLivelinessChangedInfo:
    """Publishers that are alive, and those that are known but are not."""

    alive_count: int = 0
    alive_count_change: int = 0
    not_alive_count: int = 0
    not_alive_count_change: int = 0


@dataclass(slots=True)
class MatchedInfo(Count):
    """Endpoints that matched so far, and those that do now."""

    current_count: int = 0
    current_count_change: int = 0


class QoSPublisherMatchedInfo(MatchedInfo):
    __slots__ = ()


class QoSSubscriptionMatchedInfo(MatchedInfo):
    __slots__ = ()


INFOS: dict[IntEnum, type] = {
    QoSPublisherEventType.RCL_PUBLISHER_OFFERED_DEADLINE_MISSED: QoSOfferedDeadlineMissedInfo,
    QoSPublisherEventType.RCL_PUBLISHER_LIVELINESS_LOST: QoSLivelinessLostInfo,
    QoSPublisherEventType.RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS: QoSOfferedIncompatibleQoSInfo,
    QoSPublisherEventType.RCL_PUBLISHER_INCOMPATIBLE_TYPE: IncompatibleTypeInfo,
    QoSPublisherEventType.RCL_PUBLISHER_MATCHED: QoSPublisherMatchedInfo,
}
SUBSCRIPTION_INFOS: dict[IntEnum, type] = {
    QoSSubscriptionEventType.RCL_SUBSCRIPTION_REQUESTED_DEADLINE_MISSED: QoSRequestedDeadlineMissedInfo,
    QoSSubscriptionEventType.RCL_SUBSCRIPTION_LIVELINESS_CHANGED: QoSLivelinessChangedInfo,
    QoSSubscriptionEventType.RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS: QoSRequestedIncompatibleQoSInfo,
    QoSSubscriptionEventType.RCL_SUBSCRIPTION_MESSAGE_LOST: QoSMessageLostInfo,
    QoSSubscriptionEventType.RCL_SUBSCRIPTION_INCOMPATIBLE_TYPE: IncompatibleTypeInfo,
    QoSSubscriptionEventType.RCL_SUBSCRIPTION_MATCHED: QoSSubscriptionMatchedInfo,
}


def info_class(event_type: IntEnum) -> type:
    """Return what the callback of an event gets; raises UnsupportedEventTypeError for what is no event."""
    known = INFOS if isinstance(event_type, QoSPublisherEventType) else SUBSCRIPTION_INFOS
    if type(event_type) not in (QoSPublisherEventType, QoSSubscriptionEventType):
        raise UnsupportedEventTypeError(f"expected an event of a publisher or a subscription, got {event_type!r}")
    return known[event_type]
