"""A node: a name in the graph that owns publishers, subscriptions, services, clients, timers and parameters."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from robot.ros import task
from robot.ros.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from robot.ros.client import Client
from robot.ros.clock import Clock, ROSClock
from robot.ros.duration import NANOSECONDS
from robot.ros.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from robot.ros.graph import PUBLISHER, SERVICE, SUBSCRIPTION
from robot.ros.interfaces import rcl_interfaces, rosgraph_msgs
from robot.ros.logging import RcutilsLogger
from robot.ros.names import expand_namespace, expand_topic_name, full_node_name, validate_node_name
from robot.ros.parameter import Parameter, Parameters, SetCallback, Type
from robot.ros.publisher import Publisher
from robot.ros.qos import QoSProfile, ReliabilityPolicy, as_profile, qos_profile_services_default
from robot.ros.service import Service
from robot.ros.subscription import Subscription
from robot.ros.timer import Timer

if TYPE_CHECKING:
    from robot.ros.context import Context
    from robot.ros.executors import Executor


class Owned(Protocol):
    def destroy(self) -> None: ...


class Node:
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
        self.context = context
        self.scheduler = context.scheduler
        self._name = validate_node_name(node_name)
        self._namespace = expand_namespace(namespace or "/")
        self._external = context.transport.external
        self._waiting: deque[Callable[[], None]] = deque()
        self._executor: Executor | None = None
        self._owned: dict[int, Owned] = {}
        self._destroyed = False
        self._logger = RcutilsLogger(self.get_fully_qualified_name()[1:].replace("/", "."), self.scheduler.monotonic)
        self._clock = ROSClock(scheduler=self.scheduler)
        self._clock_subscription: Subscription | None = None
        self._parameters = Parameters(parameter_overrides or ())
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

    # --- running callbacks

    @property
    def executor(self) -> Executor | None:
        return self._executor

    @executor.setter
    def executor(self, executor: Executor | None) -> None:
        if self._executor is not None and self._executor is not executor:
            self._executor.remove_node(self)
        self._executor = executor
        while executor is not None and self._waiting:
            executor.enqueue(self, self._waiting.popleft())

    def post(self, callback: Callable[[], None]) -> None:
        """Run `callback` later, behind what is already due."""
        if self._external:
            self.scheduler.post(lambda: self._call(callback))
        elif self._executor is not None:
            self._executor.enqueue(self, callback)
        else:
            self._waiting.append(callback)

    def _call(self, callback: Callable[[], None]) -> None:
        if not self._destroyed:
            callback()

    def run(self, callback: Callable[..., Any], *arguments: Any) -> task.Task[Any] | None:
        """Call a plain or `async def` callback now; return the task of a coroutine that awaits something."""
        return task.run(callback, *arguments, runner=self)

    def create_task(self, callback: Callable[..., Any], *arguments: Any) -> task.Future[Any]:
        """Run a plain or `async def` callback soon; the future gets its result."""
        return task.start(callback, *arguments, runner=self)

    def create_future(self) -> task.Future[Any]:
        return task.Future(executor=self)

    def wait_until(self, condition: Callable[[], bool], timeout_sec: float | None) -> bool:
        """Take in what arrives, running no callback, until `condition()` holds or the time is over."""
        end = None if timeout_sec is None or timeout_sec < 0 else time.monotonic() + timeout_sec
        while not condition():
            left = None if end is None else end - time.monotonic()
            if self._external or not self.context.ok() or (left is not None and left <= 0.0):
                return condition()
            self.context.transport.poll(0.05 if left is None else min(left, 0.05))
        return True

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

    # --- parameters

    def declare_parameter(self, name: str, value: Any = None, descriptor: Any = None) -> Parameter:
        dynamic = value is None if descriptor is None else descriptor.dynamic_typing
        return self._parameters.declare(name, value, dynamic=dynamic)

    def declare_parameters(self, namespace: str, parameters: Iterable[tuple[Any, ...]]) -> list[Parameter]:
        prefix = f"{namespace}." if namespace else ""
        return [self.declare_parameter(prefix + name, *rest) for name, *rest in parameters]

    def undeclare_parameter(self, name: str) -> None:
        self._parameters.undeclare(name)

    def has_parameter(self, name: str) -> bool:
        return self._parameters.has(name)

    def get_parameter(self, name: str) -> Parameter:
        return self._parameters.get(name)

    def get_parameters(self, names: Iterable[str]) -> list[Parameter]:
        return [self._parameters.get(name) for name in names]

    def get_parameter_or(self, name: str, alternative_value: Parameter | None = None) -> Parameter:
        if self.has_parameter(name) and (parameter := self.get_parameter(name)).type_ != Type.NOT_SET:
            return parameter
        return alternative_value or Parameter(name)

    def add_on_set_parameters_callback(self, callback: SetCallback) -> None:
        self._parameters.callbacks.insert(0, callback)

    def set_parameters(self, parameters: Iterable[Parameter]) -> list[Any]:
        """Set parameters one by one; each result says whether it was taken, and why not."""
        results = []
        for parameter in parameters:
            result = rcl_interfaces.msg.SetParametersResult(successful=True)
            try:
                self._parameters.set(parameter)
            except (InvalidParameterTypeException, InvalidParameterValueException) as error:
                result = rcl_interfaces.msg.SetParametersResult(successful=False, reason=str(error))
            results.append(result)
            if result.successful and parameter.name == "use_sim_time":
                self._follow_clock(parameter.value)
        return results

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

    # --- the graph

    def count_publishers(self, topic: str) -> int:
        return len(self.context.bus.endpoints(PUBLISHER, self.resolve_topic_name(topic)))

    def count_subscribers(self, topic: str) -> int:
        return len(self.context.bus.endpoints(SUBSCRIPTION, self.resolve_topic_name(topic)))

    def get_topic_names_and_types(self) -> list[tuple[str, list[str]]]:
        return self._names_and_types(PUBLISHER, SUBSCRIPTION)

    def get_service_names_and_types(self) -> list[tuple[str, list[str]]]:
        return self._names_and_types(SERVICE)

    def get_node_names(self) -> list[str]:
        return [name.rpartition("/")[2] for name in self.context.bus.node_names()]

    def _names_and_types(self, *kinds: str) -> list[tuple[str, list[str]]]:
        types: dict[str, set[str]] = {}
        for kind in kinds:
            for _, endpoint in self.context.bus.endpoints(kind):
                types.setdefault(endpoint.name, set()).add(endpoint.type_name)
        return [(name, sorted(types[name])) for name in sorted(types)]
