"""Entities without callbacks, as rclpy's compiled part makes them: a wait set says when to take from them.

Handles name what they belong to: `node.handle`, `context.handle`, `clock.handle`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros.client import Client
from robot.ros.clock import Clock, ClockHandle
from robot.ros.clock_type import ClockType
from robot.ros.context import Context
from robot.ros.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from robot.ros.guard_condition import GuardCondition
from robot.ros.handle import Handle
from robot.ros.interfaces import type_description_interfaces
from robot.ros.publisher import Publisher
from robot.ros.qos import QoSProfile, qos_profile_rosout_default, qos_profile_services_default
from robot.ros.service import Service
from robot.ros.signals import RawGuard
from robot.ros.subscription import Subscription
from robot.ros.subscription_content_filter_options import ContentFilterOptions
from robot.ros.timer import Timer
from robot.ros.type_description_service import answer

if TYPE_CHECKING:
    from robot.ros.context import ContextHandle
    from robot.ros.entity_handles import (
        ClientHandle,
        PublisherHandle,
        ServiceHandle,
        SubscriptionHandle,
    )
    from robot.ros.executors import Executor
    from robot.ros.node_parts.handle import NodeHandle
    from robot.ros.timer_handle import TimerHandle


DEFAULT_DOMAIN_ID = 2**64 - 1


def _nothing(*_: object) -> None:
    """Stand for the callback that there is not."""


def _ignore(_: object) -> None:
    """Stand for the callback of a subscription."""


def _added(node: NodeHandle, entity: Any) -> Any:
    entity.by_hand = True
    with node:
        node.node._ros_add(entity)
    return entity.handle


def make_context(args: list[str], domain_id: int) -> ContextHandle:
    """Return the handle of a new context; `RCL_DEFAULT_DOMAIN_ID` stands for the environment's domain."""
    made = Context()
    made.init(args, initialize_logging=False, domain_id=None if domain_id == DEFAULT_DOMAIN_ID else domain_id)
    handle: ContextHandle = made.handle  # type: ignore[assignment]
    return handle


def make_clock(clock_type: int) -> ClockHandle:
    """Return the handle of a new clock."""
    return Clock(clock_type=ClockType(clock_type)).handle


def make_node(  # noqa: PLR0917
    name: str,
    namespace: str,
    context: ContextHandle,
    cli_args: list[str] | None,
    use_global_arguments: bool,
    enable_rosout: bool,
    rosout_qos_profile: QoSProfile = qos_profile_rosout_default,
) -> NodeHandle:
    """Return the handle of a new node without parameter services."""
    from robot.ros.node import Node

    return Node(
        name,
        namespace=namespace,
        context=context.context,
        cli_args=cli_args,
        use_global_arguments=use_global_arguments,
        enable_rosout=enable_rosout,
        rosout_qos_profile=rosout_qos_profile,
        start_parameter_services=False,
    ).handle


def make_publisher(node: NodeHandle, msg_type: Any, topic: str, profile: QoSProfile) -> PublisherHandle:
    """Return the handle of a new publisher."""
    silent = PublisherEventCallbacks(use_default_callbacks=False)
    made: PublisherHandle = _added(node, Publisher(node.node, msg_type, topic, profile, silent))
    return made


def make_subscription(
    node: NodeHandle,
    msg_type: Any,
    topic: str,
    profile: QoSProfile,
    content_filter: ContentFilterOptions | None = None,
) -> SubscriptionHandle:
    """Return the handle of a new subscription, from which `take_message` takes."""
    silent = SubscriptionEventCallbacks(use_default_callbacks=False)
    made = Subscription(
        node.node, msg_type, topic, _ignore, None, profile, event_callbacks=silent, content_filter=content_filter
    )
    handle: SubscriptionHandle = _added(node, made)
    return handle


def make_service(node: NodeHandle, srv_type: Any, name: str, profile: QoSProfile) -> ServiceHandle:
    """Return the handle of a new service, from which `service_take_request` takes."""
    made: ServiceHandle = _added(node, Service(node.node, srv_type, name, _nothing, None, profile))
    return made


def make_client(node: NodeHandle, srv_type: Any, name: str, profile: QoSProfile) -> ClientHandle:
    """Return the handle of a new client, from which `take_response` takes."""
    made: ClientHandle = _added(node, Client(node.node.context, node.node, srv_type, name, profile))
    return made


def make_events_executor(context: Context) -> Executor:
    """Return an executor that events drive."""
    from robot.ros.experimental.events_executor import EventsExecutor

    return EventsExecutor(context=context)


class RawTypeDescriptionService(Handle):
    """The service that describes types, with its requests still to be taken and handed to `handle_request`."""

    def __init__(self, node: NodeHandle) -> None:
        super().__init__("the service that describes types")
        kind = type_description_interfaces.srv.GetTypeDescription
        name = f"{node.get_node_name()}/get_type_description"
        self.impl = make_service(node, kind, name, qos_profile_services_default)

    def handle_request(self, request: Any, response_type: Any, node: NodeHandle) -> Any:
        """Return the response to a request."""
        return answer(request, response_type())


class RawGuardCondition(RawGuard):
    """A guard condition of a context."""

    def __init__(self, context: ContextHandle) -> None:
        super().__init__("a guard condition")
        self._guard = GuardCondition(None, None, context=context.context)
        self.trigger_guard_condition = self._guard.trigger
        self.take = self._guard.take


def make_timer(clock: ClockHandle, context: ContextHandle, period_nsec: int, autostart: bool = True) -> TimerHandle:
    """Return the handle of a timer [ns] that only says when it is due."""
    return Timer(None, None, period_nsec, clock.clock, context=context.context, autostart=autostart).handle
