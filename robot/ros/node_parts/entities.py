"""Create and destroy what a node owns: publishers, subscriptions, services, clients, timers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from robot.ros.callback_groups import CallbackGroup, ReentrantCallbackGroup
from robot.ros.client import Client
from robot.ros.clock import Clock, ROSClock
from robot.ros.duration import NANOSECONDS
from robot.ros.event_handler import PublisherEventCallbacks
from robot.ros.guard_condition import GuardCondition
from robot.ros.publisher import Publisher
from robot.ros.qos import QoSProfile, as_profile, qos_profile_services_default
from robot.ros.service import Service
from robot.ros.subscription import Subscription
from robot.ros.subscription_content_filter_options import ContentFilterOptions
from robot.ros.timer import Rate, Timer
from robot.ros.type_support import check_is_valid_msg_type, check_is_valid_srv_type

if TYPE_CHECKING:
    from robot.ros.context import Context
    from robot.ros.event_handler import SubscriptionEventCallbacks
    from robot.ros.handle import Handle
    from robot.ros.qos_overriding_options import QoSOverridingOptions


class Owned(Protocol):
    def destroy(self) -> None: ...


class _Listed:
    """A list of what a node has, under rclpy's private name for it; a subclass may use that name for its own."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, node: Any, owner: type) -> list[Any]:
        return list(getattr(node, self._name))


class Entities:
    """What a node owns, in the order of its creation. Entities tell the node when they are destroyed."""

    context: Context
    _clock: ROSClock
    _publishers = _Listed("publishers")
    _subscriptions = _Listed("subscriptions")
    _clients = _Listed("clients")
    _services = _Listed("services")
    _timers = _Listed("timers")
    _guards = _Listed("guards")

    def _ros_init_entities(self) -> None:
        self._ros_owned: dict[int, Owned] = {}
        self._rate_group = ReentrantCallbackGroup()

    @property
    def handle(self) -> Handle:
        raise NotImplementedError

    @property
    def default_callback_group(self) -> CallbackGroup:
        raise NotImplementedError

    def _ros_check_name(self, name: str, *, is_service: bool) -> None:
        raise NotImplementedError

    def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str:
        raise NotImplementedError

    def _ros_of(self, kind: type) -> Iterator[Any]:
        return (entity for entity in tuple(self._ros_owned.values()) if isinstance(entity, kind))

    @property
    def publishers(self) -> Iterator[Publisher]:
        return self._ros_of(Publisher)

    @property
    def subscriptions(self) -> Iterator[Subscription]:
        return self._ros_of(Subscription)

    @property
    def clients(self) -> Iterator[Client]:
        return self._ros_of(Client)

    @property
    def services(self) -> Iterator[Service]:
        return self._ros_of(Service)

    @property
    def guards(self) -> Iterator[GuardCondition]:
        return self._ros_of(GuardCondition)

    @property
    def timers(self) -> Iterator[Timer]:
        return self._ros_of(Timer)

    def _ros_own(self, entity: Owned) -> None:
        """Destroy `entity` with this node."""
        self._ros_owned[id(entity)] = entity

    def _ros_forget(self, entity: Owned) -> None:
        self._ros_owned.pop(id(entity), None)

    def _ros_add(self, entity: Any) -> Any:
        self._ros_own(entity)
        if hasattr(entity, "endpoint"):
            self.context.bus.add(entity)
        return entity

    def _ros_overridden(
        self, kind: type, topic: str, profile: QoSProfile, options: QoSOverridingOptions | None
    ) -> QoSProfile:
        """Return a copy of the profile with what parameters say of it."""
        profile = profile.copy()
        if options is None:
            return profile
        from robot.ros.qos_overriding_options import _declare_qos_parameters

        full = self.resolve_topic_name(topic)
        return _declare_qos_parameters(kind, self, full, profile, options)  # type: ignore[arg-type]

    def create_publisher(
        self,
        msg_type: Any,
        topic: str,
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: PublisherEventCallbacks | None = None,
        qos_overriding_options: QoSOverridingOptions | None = None,
        publisher_class: type[Publisher] = Publisher,
    ) -> Publisher:
        """Create a publisher.

        Args:
            qos_profile: a profile, or a depth for the default one.
            event_callbacks: for missed deadlines, matches and the like.
            qos_overriding_options: which policies parameters may override.

        Raises:
            InvalidTopicNameException: from the name.
            ValueError, TypeError: from the profile.
        """
        profile = as_profile(qos_profile)
        with self.handle:
            self._ros_check_name(topic, is_service=False)
            check_is_valid_msg_type(msg_type)
            profile = self._ros_overridden(Publisher, topic, profile, qos_overriding_options)
            made: Publisher = self._ros_add(
                publisher_class(
                    self,  # type: ignore[arg-type]
                    msg_type,
                    topic,
                    profile,
                    event_callbacks=event_callbacks or PublisherEventCallbacks(),
                    callback_group=callback_group or self.default_callback_group,
                )
            )
            return made

    def create_subscription(
        self,
        msg_type: Any,
        topic: str,
        callback: Callable[..., Any],
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        event_callbacks: SubscriptionEventCallbacks | None = None,
        qos_overriding_options: QoSOverridingOptions | None = None,
        raw: bool = False,
        content_filter_options: ContentFilterOptions | None = None,
    ) -> Subscription:
        """Create a subscription.

        Args:
            callback: takes the message, or the message and its information.
            raw: hand the callback the encoded bytes.
            content_filter_options: take only messages that pass.
        """
        profile = as_profile(qos_profile)
        with self.handle:
            self._ros_check_name(topic, is_service=False)
            check_is_valid_msg_type(msg_type)
            profile = self._ros_overridden(Subscription, topic, profile, qos_overriding_options)
            made: Subscription = self._ros_add(
                Subscription(
                    self,  # type: ignore[arg-type]
                    msg_type,
                    topic,
                    callback,
                    callback_group,
                    profile,
                    raw,
                    event_callbacks,
                    content_filter=content_filter_options,
                )
            )
            return made

    def create_service(
        self,
        srv_type: Any,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
    ) -> Service:
        """Create a service; its callback takes (request, response) and returns the response."""
        with self.handle:
            check_is_valid_srv_type(srv_type)
            qos_profile = qos_profile.get_c_qos_profile()
            self._ros_check_name(srv_name, is_service=True)
            made: Service = self._ros_add(Service(self, srv_type, srv_name, callback, callback_group, qos_profile))  # type: ignore[arg-type]
            return made

    def create_client(
        self,
        srv_type: Any,
        srv_name: str,
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
    ) -> Client:
        with self.handle:
            check_is_valid_srv_type(srv_type)
            qos_profile = qos_profile.get_c_qos_profile()
            self._ros_check_name(srv_name, is_service=True)
            made: Client = self._ros_add(Client(self.context, self, srv_type, srv_name, qos_profile, callback_group))  # type: ignore[arg-type]
            return made

    def create_timer(
        self,
        timer_period_sec: float,
        callback: Callable[[], Any] | None,
        callback_group: CallbackGroup | None = None,
        clock: Clock | None = None,
        autostart: bool = True,
    ) -> Timer:
        period_ns = int(float(timer_period_sec) * NANOSECONDS)
        with self.handle:
            made: Timer = self._ros_add(
                Timer(callback, callback_group, period_ns, clock or self._clock, autostart=autostart, node=self)  # type: ignore[arg-type]
            )
            return made

    def create_rate(self, frequency: float, clock: Clock | None = None) -> Rate:
        """Create a rate of `frequency` [Hz]; raises ValueError unless that is > 0."""
        if frequency <= 0:
            raise ValueError("frequency must be > 0")
        timer = self.create_timer(1.0 / frequency, None, self._rate_group, clock)
        return Rate(timer, context=self.context)

    def create_guard_condition(
        self, callback: Callable[[], Any] | None, callback_group: CallbackGroup | None = None
    ) -> GuardCondition:
        group = callback_group or self.default_callback_group
        with self.handle:
            made: GuardCondition = self._ros_add(GuardCondition(callback, group, self.context, node=self))  # type: ignore[arg-type]
            return made

    def _ros_destroy_entity(self, entity: Owned) -> bool:
        """Destroy what this node owns; False for anything else."""
        if id(entity) not in self._ros_owned:
            return False
        entity.destroy()
        self._ros_forget(entity)
        return True

    def destroy_publisher(self, publisher: Publisher) -> bool:
        return self._ros_destroy_entity(publisher)

    def destroy_subscription(self, subscription: Subscription) -> bool:
        return self._ros_destroy_entity(subscription)

    def destroy_client(self, client: Client) -> bool:
        return self._ros_destroy_entity(client)

    def destroy_service(self, service: Service) -> bool:
        return self._ros_destroy_entity(service)

    def destroy_timer(self, timer: Timer) -> bool:
        return self._ros_destroy_entity(timer)

    def destroy_guard_condition(self, guard: GuardCondition) -> bool:
        return self._ros_destroy_entity(guard)

    def destroy_rate(self, rate: Rate) -> bool:
        known = self._ros_destroy_entity(rate._timer)
        rate.destroy()
        return known
