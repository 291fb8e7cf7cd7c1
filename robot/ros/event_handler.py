"""Call back when a deadline is missed, liveliness changes, a message is lost, or a match is made or fails."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from robot.ros.entity_handles import EntityHandle
from robot.ros.event_handle import EventHandle
from robot.ros.event_infos import (
    IncompatibleTypeInfo,
    QoSLivelinessChangedInfo,
    QoSLivelinessLostInfo,
    QoSMessageLostInfo,
    QoSOfferedDeadlineMissedInfo,
    QoSOfferedIncompatibleQoSInfo,
    QoSPublisherEventType,
    QoSPublisherMatchedInfo,
    QoSRequestedDeadlineMissedInfo,
    QoSRequestedIncompatibleQoSInfo,
    QoSSubscriptionEventType,
    QoSSubscriptionMatchedInfo,
)
from robot.ros.exceptions import UnsupportedEventTypeError
from robot.ros.logging import get_logger
from robot.ros.qos_policies import qos_policy_name_from_kind
from robot.ros.task import await_or_execute
from robot.ros.waitable import NumberOfEntities, T, Waitable

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.entity import Entity
    from robot.ros.task import Task

__all__ = [
    "EventHandler",
    "IncompatibleTypeInfo",
    "PublisherEventCallbacks",
    "QoSEventHandler",
    "QoSLivelinessChangedInfo",
    "QoSLivelinessLostInfo",
    "QoSMessageLostInfo",
    "QoSOfferedDeadlineMissedInfo",
    "QoSOfferedIncompatibleQoSInfo",
    "QoSPublisherEventType",
    "QoSPublisherMatchedInfo",
    "QoSRequestedDeadlineMissedInfo",
    "QoSRequestedIncompatibleQoSInfo",
    "QoSSubscriptionEventType",
    "QoSSubscriptionMatchedInfo",
    "SubscriptionEventCallbacks",
    "UnsupportedEventTypeError",
]

EventCallback = Callable[[Any], Any]


class EventHandler(Waitable[T]):
    """Calls back for one kind of event of one publisher or subscription. Events before its callback runs are summed up.

    It needs no asking: an event queues its callback. Used as a waitable it is asked, and runs, as any other.
    """

    def __init__(
        self,
        *,
        callback_group: CallbackGroup,
        callback: EventCallback,
        event_type: IntEnum,
        parent_impl: Entity | EntityHandle,
    ) -> None:
        super().__init__(callback_group)
        self.callback = callback
        self.event_type = event_type
        self._index: int | None = None
        self._handle = EventHandle(parent_impl, event_type)
        self._handle.on_event = self._dispatch

    @property
    def handle(self) -> EventHandle:
        return self._handle

    def _dispatch(self) -> None:
        self._handle.entity.node._ros_dispatch(self, self._take)

    def _take(self) -> Task[Any] | None:
        if self._handle.entity.destroyed or self._handle.destroyed or not self._handle.is_ready():
            return None
        return self._handle.entity.node._ros_run(self.callback, self._handle.take_event())

    def is_ready(self, wait_set: Any) -> bool:
        return self._index is not None and bool(wait_set.is_ready("event", self._index))

    def take_data(self) -> Any:
        """Return the counts, and count changes from here on anew."""
        return self._handle.take_event()

    async def execute(self, taken_data: Any) -> None:
        if taken_data:
            await await_or_execute(self.callback, taken_data)

    def get_num_entities(self) -> NumberOfEntities:
        return NumberOfEntities(num_events=1)

    def add_to_wait_set(self, wait_set: Any) -> None:
        with self._handle:
            self._index = wait_set.add_event(self._handle)

    def __enter__(self) -> None:
        self._handle.__enter__()

    def __exit__(self, *error: object) -> None:
        self._handle.__exit__(*error)

    def destroy(self) -> None:
        if not self._handle.destroyed:
            self._handle.destroy_when_not_in_use()
        self.callback = _ignore


def _ignore(_: Any) -> None:
    pass


class QoSEventHandler(EventHandler[Any]):
    """The old name of `EventHandler`."""

    def __init_subclass__(cls, **options: Any) -> None:
        warnings.warn("QoSEventHandler is deprecated, use EventHandler instead.", DeprecationWarning, stacklevel=2)
        super().__init_subclass__(**options)

    def __init__(self, **options: Any) -> None:
        warnings.warn("QoSEventHandler is deprecated, use EventHandler instead.", DeprecationWarning, stacklevel=2)
        super().__init__(**options)


class _EventCallbacks:
    """Makes the handlers of one entity from its callbacks."""

    use_default_callbacks: bool

    def _events(self, topic_name: str, logger_name: str) -> list[tuple[IntEnum, EventCallback | None]]:
        raise NotImplementedError

    def _handlers(self, callback_group: CallbackGroup, entity: Any, topic_name: str) -> list[EventHandler[Any]]:
        entity = entity.entity if isinstance(entity, EntityHandle) else entity
        return [
            EventHandler(callback_group=callback_group, callback=callback, event_type=kind, parent_impl=entity)
            for kind, callback in self._events(topic_name, entity.node.handle.logger_name())
            if callback is not None
        ]

    def _or_default(self, callback: EventCallback | None, logger_name: str, text: str) -> EventCallback | None:
        if callback is not None or not self.use_default_callbacks:
            return callback
        logger = get_logger(logger_name)

        def warn(event: Any) -> None:
            kind = getattr(event, "last_policy_kind", None)
            logger.warn(text if kind is None else text.format(qos_policy_name_from_kind(kind)))

        return warn


class SubscriptionEventCallbacks(_EventCallbacks):
    """The callbacks for a subscription's events.

    Args:
        deadline: no message came in time.
        incompatible_qos: a publisher's profile does not fit; by default that is logged.
        liveliness: a publisher came alive, or is not any more.
        message_lost: a message was lost, in the subscription's full queue or on its way.
        incompatible_type: a publisher's type is another; by default that is logged.
        matched: a publisher has come or gone.
    """

    def __init__(
        self,
        *,
        deadline: EventCallback | None = None,
        incompatible_qos: EventCallback | None = None,
        liveliness: EventCallback | None = None,
        message_lost: EventCallback | None = None,
        incompatible_type: EventCallback | None = None,
        matched: EventCallback | None = None,
        use_default_callbacks: bool = True,
    ) -> None:
        self.deadline = deadline
        self.incompatible_qos = incompatible_qos
        self.liveliness = liveliness
        self.message_lost = message_lost
        self.incompatible_type = incompatible_type
        self.matched = matched
        self.use_default_callbacks = use_default_callbacks

    def create_event_handlers(
        self, callback_group: CallbackGroup, subscription: Any, topic_name: str
    ) -> list[EventHandler[Any]]:
        """Make a handler for each callback, given or default, of a subscription or its handle."""
        return self._handlers(callback_group, subscription, topic_name)

    def _events(self, topic_name: str, logger_name: str) -> list[tuple[IntEnum, EventCallback | None]]:
        kinds = QoSSubscriptionEventType
        wrong_profile = (
            f"New publisher discovered on topic '{topic_name}', offering incompatible QoS. "
            "No messages will be received from it. Last incompatible policy: {}"
        )
        wrong_type = f"Incompatible type on topic '{topic_name}', no messages will be sent to it."
        return [
            (kinds.RCL_SUBSCRIPTION_REQUESTED_DEADLINE_MISSED, self.deadline),
            (
                kinds.RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS,
                self._or_default(self.incompatible_qos, logger_name, wrong_profile),
            ),
            (kinds.RCL_SUBSCRIPTION_LIVELINESS_CHANGED, self.liveliness),
            (kinds.RCL_SUBSCRIPTION_MESSAGE_LOST, self.message_lost),
            (
                kinds.RCL_SUBSCRIPTION_INCOMPATIBLE_TYPE,
                self._or_default(self.incompatible_type, logger_name, wrong_type),
            ),
            (kinds.RCL_SUBSCRIPTION_MATCHED, self.matched),
        ]


class PublisherEventCallbacks(_EventCallbacks):
    """The callbacks for a publisher's events.

    Args:
        deadline: nothing was published in time.
        liveliness: it did not say in time that it is alive.
        incompatible_qos: a subscription wants a profile that does not fit; by default that is logged.
        incompatible_type: a subscription's type is another; by default that is logged.
        matched: a subscription has come or gone.
    """

    def __init__(
        self,
        *,
        deadline: EventCallback | None = None,
        liveliness: EventCallback | None = None,
        incompatible_qos: EventCallback | None = None,
        incompatible_type: EventCallback | None = None,
        matched: EventCallback | None = None,
        use_default_callbacks: bool = True,
    ) -> None:
        self.deadline = deadline
        self.liveliness = liveliness
        self.incompatible_qos = incompatible_qos
        self.incompatible_type = incompatible_type
        self.matched = matched
        self.use_default_callbacks = use_default_callbacks

    def create_event_handlers(
        self, callback_group: CallbackGroup, publisher: Any, topic_name: str
    ) -> list[EventHandler[Any]]:
        """Make a handler for each callback, given or default, of a publisher or its handle."""
        return self._handlers(callback_group, publisher, topic_name)

    def _events(self, topic_name: str, logger_name: str) -> list[tuple[IntEnum, EventCallback | None]]:
        kinds = QoSPublisherEventType
        wrong_profile = (
            f"New subscription discovered on topic '{topic_name}', requesting incompatible QoS. "
            "No messages will be sent to it. Last incompatible policy: {}"
        )
        wrong_type = f"Incompatible type on topic '{topic_name}', no messages will be sent to it."
        return [
            (kinds.RCL_PUBLISHER_OFFERED_DEADLINE_MISSED, self.deadline),
            (kinds.RCL_PUBLISHER_LIVELINESS_LOST, self.liveliness),
            (
                kinds.RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS,
                self._or_default(self.incompatible_qos, logger_name, wrong_profile),
            ),
            (kinds.RCL_PUBLISHER_INCOMPATIBLE_TYPE, self._or_default(self.incompatible_type, logger_name, wrong_type)),
            (kinds.RCL_PUBLISHER_MATCHED, self.matched),
        ]
