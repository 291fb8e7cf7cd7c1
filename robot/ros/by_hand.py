"""Entities without callbacks, as rclpy's compiled part makes them: a wait set says when to take from them.

Handles name what they belong to: `node.handle`, `context.handle`, `clock.handle`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros.client import Client
from robot.ros.clock import Clock, ClockHandle
from robot.ros.clock_type import ClockType
from robot.ros.context import Context
from robot.ros.duration import NANOSECONDS
from robot.ros.exceptions import TimerCancelledError
from robot.ros.guard_condition import GuardCondition
from robot.ros.handle import Handle
from robot.ros.interfaces import type_description_interfaces
from robot.ros.publisher import Publisher
from robot.ros.qos import QoSProfile, qos_profile_rosout_default, qos_profile_services_default
from robot.ros.service import Service
from robot.ros.subscription import Subscription
from robot.ros.subscription_content_filter_options import ContentFilterOptions
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


DEFAULT_DOMAIN_ID = 2**64 - 1


def _nothing(*_: object) -> None:
    """Stand for the callback that there is not."""


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
    made: PublisherHandle = _added(node, Publisher(node.node, msg_type, topic, profile))
    return made


def make_subscription(
    node: NodeHandle,
    msg_type: Any,
    topic: str,
    profile: QoSProfile,
    content_filter: ContentFilterOptions | None = None,
) -> SubscriptionHandle:
    """Return the handle of a new subscription, from which `take_message` takes."""
    made = Subscription(node.node, msg_type, topic, lambda _: None, profile, content_filter=content_filter)
    handle: SubscriptionHandle = _added(node, made)
    return handle


def make_service(node: NodeHandle, srv_type: Any, name: str, profile: QoSProfile) -> ServiceHandle:
    """Return the handle of a new service, from which `service_take_request` takes."""
    made: ServiceHandle = _added(node, Service(node.node, srv_type, name, _nothing, profile))
    return made


def make_client(node: NodeHandle, srv_type: Any, name: str, profile: QoSProfile) -> ClientHandle:
    """Return the handle of a new client, from which `take_response` takes."""
    made: ClientHandle = _added(node, Client(node.node, srv_type, name, profile))
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


class RawGuardCondition(Handle):
    """A guard condition of a context."""

    def __init__(self, context: ContextHandle) -> None:
        super().__init__("a guard condition")
        self._guard = GuardCondition(None, None, context=context.context)
        self.trigger_guard_condition = self._guard.trigger
        self.take = self._guard.take


class RawTimer(Handle):
    """A timer that says when it is due.

    Args:
        clock: the handle of a clock.
        period_ns: [ns].
    """

    def __init__(self, clock: ClockHandle, context: ContextHandle, period_ns: int, autostart: bool = True) -> None:
        super().__init__("a timer")
        self._clock: Clock = clock.clock
        self._context = context.context
        self._period = period_ns
        self._running = autostart
        self._last = self._now()
        self._next = self._last + period_ns
        self._announce()

    def _now(self) -> int:
        return self._clock.nanoseconds()

    def _announce(self) -> None:
        """Let whoever waits look again when it is due."""
        left = max(0, self._next - self._now())
        self._context.scheduler.post(_nothing, delay=left / NANOSECONDS)
        self._context.bus.pump.news()

    def is_timer_ready(self) -> bool:
        with self:
            return self._running and self._now() >= self._next

    is_ready = is_timer_ready

    def call_timer_with_info(self) -> dict[str, int]:
        """Begin the next period; return when the call was due and when it came [ns]."""
        due = self._next
        self.call_timer()
        return {"expected_call_time": due, "actual_call_time": self._last}

    def call_timer(self) -> None:
        """Begin the next period; raises TimerCancelledError when it was cancelled."""
        with self:
            if not self._running:
                raise TimerCancelledError("the timer was cancelled")
            self._last = self._now()
            self._next += max(1, -((self._next - self._last - 1) // max(1, self._period))) * self._period
            self._announce()

    def cancel_timer(self) -> None:
        with self:
            self._running = False

    def reset_timer(self) -> None:
        with self:
            self._running, self._next = True, self._now() + self._period
            self._announce()

    def is_timer_canceled(self) -> bool:
        with self:
            return not self._running

    def get_timer_period(self) -> int:
        with self:
            return self._period

    def change_timer_period(self, period_ns: int) -> None:
        with self:
            self._period = period_ns

    def time_since_last_call(self) -> int:
        with self:
            return self._now() - self._last

    def time_until_next_call(self) -> int | None:
        with self:
            return self._next - self._now() if self._running else None
