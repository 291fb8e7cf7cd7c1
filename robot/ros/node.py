"""A node: a name in the graph that owns publishers, subscriptions, services, clients, timers and parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from robot.ros.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from robot.ros.client import Client
from robot.ros.clock import Clock, ROSClock
from robot.ros.duration import NANOSECONDS
from robot.ros.interfaces import rosgraph_msgs
from robot.ros.logging import RcutilsLogger
from robot.ros.names import expand_namespace, expand_topic_name, full_node_name, validate_node_name
from robot.ros.node_parts.graph import Graph
from robot.ros.node_parts.parameters import NodeParameters
from robot.ros.node_parts.running import Running
from robot.ros.parameter import Parameter
from robot.ros.publisher import Publisher
from robot.ros.qos import QoSProfile, ReliabilityPolicy, as_profile, qos_profile_services_default
from robot.ros.service import Service
from robot.ros.subscription import Subscription
from robot.ros.timer import Timer

if TYPE_CHECKING:
    from robot.ros.context import Context


class Owned(Protocol):
    def destroy(self) -> None: ...


class Node(Running, NodeParameters, Graph):
    """A node, as `rclpy.node.Node`.

    Its callbacks run from the executor it was added to; in a context driven from outside (lockstep) the scheduler runs
    them and no executor is needed.

    Args:
        context: the context it lives in; None = the default one made by `robot.ros.init`.
        namespace: relative or absolute.
        parameter_overrides: values that replace the defaults of parameters declared later.
    """

    def __init__(
        self,
        node_name: str,
        *,
        context: Context | None = None,
        namespace: str | None = None,
        parameter_overrides: Iterable[Parameter] | None = None,
    ) -> None:
        if context is None:
            from robot.ros import get_default_context

            context = get_default_context()
        self._init_running(context)
        self._name = validate_node_name(node_name)
        self._namespace = expand_namespace(namespace or "/")
        self._owned: dict[int, Owned] = {}
        self._destroyed = False
        self._logger = RcutilsLogger(self.get_fully_qualified_name()[1:].replace("/", "."), self.scheduler.monotonic)
        self._clock = ROSClock(scheduler=self.scheduler)
        self._clock_subscription: Subscription | None = None
        self._init_parameters(parameter_overrides or ())
        self.default_callback_group: CallbackGroup = MutuallyExclusiveCallbackGroup()
        context.nodes.append(self)
        self.declare_parameter("use_sim_time", False)
        self._follow_clock(self.get_parameter("use_sim_time").value)

    # --- names

    def get_name(self) -> str:
        return self._name

    def get_namespace(self) -> str:
        return self._namespace

    def get_fully_qualified_name(self) -> str:
        return full_node_name(self._name, self._namespace)

    def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str:
        return expand_topic_name(topic, self._name, self._namespace)

    resolve_service_name = resolve_topic_name

    def get_logger(self) -> RcutilsLogger:
        return self._logger

    def get_clock(self) -> ROSClock:
        return self._clock

    # --- entities

    def _own(self, entity: Any) -> Any:
        self._owned[id(entity)] = entity
        if hasattr(entity, "endpoint"):
            self.context.bus.add(entity)
        return entity

    def forget(self, entity: Owned) -> None:
        self._owned.pop(id(entity), None)

    def create_publisher(
        self, msg_type: Any, topic: str, qos_profile: QoSProfile | int, *, callback_group: CallbackGroup | None = None
    ) -> Publisher:
        made: Publisher = self._own(Publisher(self, msg_type, topic, as_profile(qos_profile), callback_group))
        return made

    def create_subscription(
        self,
        msg_type: Any,
        topic: str,
        callback: Callable[..., Any],
        qos_profile: QoSProfile | int,
        *,
        callback_group: CallbackGroup | None = None,
        raw: bool = False,
    ) -> Subscription:
        made: Subscription = self._own(
            Subscription(self, msg_type, topic, callback, as_profile(qos_profile), callback_group, raw=raw)
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
        made: Service = self._own(Service(self, srv_type, srv_name, callback, qos_profile, callback_group))
        return made

    def create_client(
        self,
        srv_type: Any,
        srv_name: str,
        *,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
    ) -> Client:
        made: Client = self._own(Client(self, srv_type, srv_name, qos_profile, callback_group))
        return made

    def create_timer(
        self,
        timer_period_sec: float,
        callback: Callable[[], Any],
        callback_group: CallbackGroup | None = None,
        clock: Clock | None = None,
        autostart: bool = True,
    ) -> Timer:
        made: Timer = self._own(
            Timer(self, timer_period_sec, callback, clock or self._clock, callback_group, autostart=autostart)
        )
        return made

    def destroy_entity(self, entity: Owned) -> bool:
        known = id(entity) in self._owned
        entity.destroy()
        return known

    destroy_publisher = destroy_subscription = destroy_service = destroy_client = destroy_timer = destroy_entity

    def own(self, entity: Owned) -> None:
        """Destroy `entity`, which is made of others, with this node."""
        self._owned[id(entity)] = entity

    def destroy_node(self) -> None:
        """Destroy everything the node owns; what is still queued for it does not run."""
        if self._destroyed:
            return
        for entity in tuple(self._owned.values()):
            entity.destroy()
        self._destroyed = True
        self.executor = None
        self._waiting.clear()
        self.context.nodes.remove(self)

    # --- simulated time

    def _follow_clock(self, use_sim_time: bool) -> None:
        if use_sim_time and self._clock_subscription is None:
            profile = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
            self._clock.override(0)
            self._clock_subscription = self.create_subscription(
                rosgraph_msgs.msg.Clock, "/clock", self._on_clock, profile
            )
        elif not use_sim_time and self._clock_subscription is not None:
            self._clock_subscription.destroy()
            self._clock_subscription = None
            self._clock.override(None)

    def _on_clock(self, message: Any) -> None:
        self._clock.override(message.clock.sec * NANOSECONDS + message.clock.nanosec)
