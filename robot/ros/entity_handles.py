"""The handles of endpoints: take and send by hand what otherwise goes through callbacks and futures.

rclpy's lower layer works so, and waitables are made of it. Whoever takes by hand gets what no callback has taken yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from robot.ros.handle import Handle

if TYPE_CHECKING:
    from robot.ros.client import Client
    from robot.ros.clock import ClockHandle
    from robot.ros.duration import Duration
    from robot.ros.publisher import Publisher
    from robot.ros.qos import QoSProfile
    from robot.ros.service import Service
    from robot.ros.service_introspection import ServiceIntrospectionState
    from robot.ros.subscription import MessageInfo, Subscription
    from robot.ros.subscription_content_filter_options import ContentFilterOptions
    from robot.ros.transport.frame import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestId:
    """Which client asked, and its how-manieth request it is."""

    writer_guid: list[int]
    sequence_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceHeader:
    """What is known of a request or a response; instants in nanoseconds since the epoch.

    Attributes:
        peer: the context that awaits the response.
    """

    request_id: RequestId
    source_timestamp: int
    received_timestamp: int
    peer: str = ""

    @classmethod
    def of(cls, frame: Frame, received_at: float, peer: str = "") -> ServiceHeader:
        return cls(
            request_id=RequestId(writer_guid=list(frame.gid), sequence_number=frame.sequence),
            source_timestamp=round(frame.stamp * 1e9),
            received_timestamp=round(received_at * 1e9),
            peer=peer,
        )


class EntityHandle(Handle):
    """What the handles of all endpoints share.

    A callback for what is new gets how many came; when it is set, how many wait. It is called on the thread that takes
    them in, and should only wake somebody.
    """

    def __init__(self, entity: Any, name: str, on_destroy: Callable[[], None]) -> None:
        super().__init__(name, on_destroy)
        self.entity = entity

    def get_logger_name(self) -> str:
        name: str = self.entity.logger_name
        return name

    def is_ready(self) -> bool:
        """Tell whether there is something to take."""
        return False

    def _tell_new(self, callback: Callable[[int], object]) -> None:
        with self:
            self.entity.on_new = callback
            if count := self.entity.waiting():
                callback(count)

    def _tell_no_more(self) -> None:
        with self:
            self.entity.on_new = None


class _Introspected(EntityHandle):
    """A handle of a service or a client."""

    def configure_introspection(
        self, clock: ClockHandle, pyqos_service_event_pub: QoSProfile, introspection_state: ServiceIntrospectionState
    ) -> None:
        """Publish what it does; see `Service.configure_introspection`."""
        self.entity.configure_introspection(clock.clock, pyqos_service_event_pub, introspection_state)


class PublisherHandle(EntityHandle):
    """The handle of a publisher."""

    entity: Publisher

    def get_topic_name(self) -> str:
        return self.entity.topic_name

    def get_subscription_count(self) -> int:
        return self.entity.get_subscription_count()

    def publish(self, msg: Any) -> None:
        self.entity.publish(msg)

    def publish_raw(self, msg: bytes) -> None:
        self.entity.publish(msg)

    def wait_for_all_acked(self, timeout: Duration) -> bool:
        return self.entity.wait_for_all_acked(timeout)


class SubscriptionHandle(EntityHandle):
    """The handle of a subscription."""

    entity: Subscription

    def get_topic_name(self) -> str:
        return self.entity.topic_name

    def get_publisher_count(self) -> int:
        return self.entity.get_publisher_count()

    def is_ready(self) -> bool:
        return self.entity.has_message()

    def take_message(self, msg_type: Any, raw: bool) -> tuple[Any, MessageInfo] | None:
        """Take the next message, or its bytes, with its information; None when there is none."""
        return self.entity.take_with_info(raw=raw)

    def is_cft_supported(self) -> bool:
        return True

    def is_cft_enabled(self) -> bool:
        return self.entity.is_cft_enabled

    def set_content_filter(self, filter_expression: str, expression_parameters: list[str]) -> None:
        self.entity.set_content_filter(filter_expression, expression_parameters)

    def get_content_filter(self) -> ContentFilterOptions:
        return self.entity.get_content_filter()

    set_on_new_message_callback = EntityHandle._tell_new
    clear_on_new_message_callback = EntityHandle._tell_no_more


class ServiceHandle(_Introspected):
    """The handle of a service."""

    entity: Service

    @property
    def name(self) -> str:
        return self.entity.endpoint.name

    @name.setter
    def name(self, _: str) -> None:
        """It is the service's."""

    @property
    def qos(self) -> dict[str, Any]:
        """The fields of its profile."""
        return self.entity.qos_profile.to_dict()

    set_on_new_request_callback = EntityHandle._tell_new
    clear_on_new_request_callback = EntityHandle._tell_no_more

    def is_ready(self) -> bool:
        return self.entity.has_request()

    def service_take_request(self, request_type: Any) -> tuple[Any, ServiceHeader] | tuple[None, None]:
        """Take the next request; (None, None) when there is none."""
        return self.entity.take_request() or (None, None)

    def service_send_response(self, response: Any, header: ServiceHeader) -> None:
        self.entity.send_response(response, header)


class ClientHandle(_Introspected):
    """The handle of a client."""

    entity: Client

    @property
    def service_name(self) -> str:
        return self.entity.endpoint.name

    def is_ready(self) -> bool:
        return self.entity.has_response()

    def service_server_is_available(self) -> bool:
        return self.entity.service_is_ready()

    def send_request(self, request: Any) -> int:
        """Send a request and return its number."""
        return self.entity.send_request(request)[0]

    def take_response(self, response_type: Any) -> tuple[ServiceHeader, Any] | tuple[None, None]:
        """Take the next response; (None, None) when there is none."""
        return self.entity.take_response() or (None, None)

    set_on_new_response_callback = EntityHandle._tell_new
    clear_on_new_response_callback = EntityHandle._tell_no_more
