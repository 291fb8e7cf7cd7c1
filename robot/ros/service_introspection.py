"""Publish what a service or a client does, on `<service>/_service_event`, when that is switched on."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from robot.ros.interfaces import registry

if TYPE_CHECKING:
    from robot.ros.clock import Clock
    from robot.ros.entity import Entity
    from robot.ros.publisher import Publisher
    from robot.ros.qos import QoSProfile

SERVICE_EVENT_TOPIC_POSTFIX = "/_service_event"

REQUEST_SENT, REQUEST_RECEIVED, RESPONSE_SENT, RESPONSE_RECEIVED = range(4)


class ServiceIntrospectionState(IntEnum):
    """What is published."""

    OFF = 0
    METADATA = 1
    CONTENTS = 2


class Introspection:
    """The events of one service or client.

    Args:
        entity: with a `srv_type`; its node owns the publisher.
    """

    def __init__(self, entity: Entity, srv_type: Any) -> None:
        self._entity = entity
        self._type = srv_type
        self._state = ServiceIntrospectionState.OFF
        self._clock: Clock | None = None
        self._publisher: Publisher | None = None

    def configure(self, clock: Clock, profile: QoSProfile, state: ServiceIntrospectionState) -> None:
        """Switch events on or off.

        Args:
            clock: stamps the events.
            profile: of the publisher, which is made when events are first switched on.
        """
        self._state, self._clock = ServiceIntrospectionState(state), clock
        if self._state == ServiceIntrospectionState.OFF:
            self.close()
        elif self._publisher is None:
            topic = self._entity.endpoint.name + SERVICE_EVENT_TOPIC_POSTFIX
            self._publisher = self._entity.node.create_publisher(self._type.Event, topic, profile)

    def tell(self, event: int, *, client_gid: bytes, sequence: int, **contents: Any) -> None:
        """Publish an event; `contents` is `request` or `response`."""
        if self._publisher is None or self._clock is None:
            return
        info = registry.message("service_msgs/msg/ServiceEventInfo")(
            event_type=event,
            stamp=self._clock.now().to_msg(),
            client_gid=list(struct.unpack("16B", client_gid)),
            sequence_number=sequence,
        )
        message = self._type.Event(info=info)
        if self._state == ServiceIntrospectionState.CONTENTS:
            for name, value in contents.items():
                setattr(message, name, [value])
        self._publisher.publish(message)

    def close(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.destroy()
