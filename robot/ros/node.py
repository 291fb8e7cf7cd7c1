"""A node: a name in the graph that owns publishers, subscriptions, services, clients, timers and parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from robot.ros.arguments import START, Arguments, parse
from robot.ros.arguments.parameters import values_for
from robot.ros.arguments.rules import NAMESPACE, NODE, SERVICE, TOPIC, Rule, remap_name, remap_node
from robot.ros.borrowed import finder
from robot.ros.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from robot.ros.clock import ROSClock
from robot.ros.exceptions import InvalidHandle, NodeNameNonExistentError, NotInitializedException, RCLError
from robot.ros.expand_topic_name import expand_topic_name
from robot.ros.interfaces import rcl_interfaces
from robot.ros.logging import RcutilsLogger
from robot.ros.logging_service import LoggingService
from robot.ros.node_parts.entities import Entities
from robot.ros.node_parts.graph import Graph
from robot.ros.node_parts.handle import NodeHandle
from robot.ros.node_parts.parameters import NodeParameters
from robot.ros.node_parts.rosout import Rosout
from robot.ros.node_parts.running import Running
from robot.ros.parameter import Parameter
from robot.ros.parameter_service import ParameterService
from robot.ros.qos import QoSProfile, as_profile, qos_profile_parameter_events, qos_profile_rosout_default
from robot.ros.time_source import TimeSource
from robot.ros.type_description_service import TypeDescriptionService
from robot.ros.type_names import MsgType, SrvType, SrvTypeRequest, SrvTypeResponse  # noqa: F401
from robot.ros.type_support import check_for_type_support, check_is_valid_msg_type, check_is_valid_srv_type
from robot.ros.validate_full_topic_name import validate_full_topic_name
from robot.ros.validate_namespace import validate_namespace
from robot.ros.validate_node_name import validate_node_name
from robot.ros.validate_topic_name import validate_topic_name

if TYPE_CHECKING:
    from robot.ros.context import Context
    from robot.ros.scheduler import Scheduler
    from robot.ros.task import Future, Task

__all__ = [
    "HIDDEN_NODE_PREFIX",
    "Node",
    "NodeNameNonExistentError",
    "check_for_type_support",
    "check_is_valid_msg_type",
    "check_is_valid_srv_type",
]

HIDDEN_NODE_PREFIX = "_"


class Node(Running, Entities, NodeParameters, Graph):
    """A node, as `rclpy.node.Node`.

    Its callbacks run from the executor it was added to; in a context driven from outside (lockstep) the scheduler runs
    them and no executor is needed.

    Args:
        context: the context it lives in; None = the default one made by `robot.ros.init`.
        cli_args: a command line for this node alone; `--ros-args` is understood to precede it.
        namespace: relative or absolute.
        use_global_arguments: follow the context's command line too.
        enable_rosout: publish what its logger logs on `/rosout`.
        rosout_qos_profile: of that publisher; None = the one ROS has for it.
        start_parameter_services: let others read and set its parameters.
        parameter_overrides: values that replace the defaults of parameters declared later.
        allow_undeclared_parameters: parameters may be set without being declared.
        automatically_declare_parameters_from_overrides: declare every parameter that has an override.
        enable_logger_service: let others read and set levels of loggers.
    """

    PARAM_REL_TOL = 1e-6
    _ros_clock_class: ClassVar[type[ROSClock]] = ROSClock
    scheduler: Scheduler

    def __init__(
        self,
        node_name: str,
        *,
        context: Context | None = None,
        cli_args: Sequence[str] | None = None,
        namespace: str | None = None,
        use_global_arguments: bool = True,
        enable_rosout: bool = True,
        rosout_qos_profile: QoSProfile | int | None = None,
        start_parameter_services: bool = True,
        parameter_overrides: Iterable[Parameter] | None = None,
        allow_undeclared_parameters: bool = False,
        automatically_declare_parameters_from_overrides: bool = False,
        enable_logger_service: bool = False,
    ) -> None:
        if context is None:
            from robot.ros.utilities import get_default_context

            context = get_default_context()
        if not context.ok():
            raise NotInitializedException("cannot create node")
        self._ros_destroyed = False
        own = parse([START, *cli_args]) if cli_args is not None else Arguments()
        everyones = context.arguments if use_global_arguments else Arguments()
        self._ros_rules: list[Rule] = [*own.rules, *everyones.rules]
        self._ros_set_name(node_name, namespace or "")
        self._ros_handle = NodeHandle(self, self._ros_name, self._ros_namespace)
        self._ros_init_running(context)
        self.scheduler = self._ros_scheduler
        self._ros_init_entities()
        self._logger = RcutilsLogger(self._ros_handle.logger_name(), self._ros_scheduler.monotonic)
        self._clock = self._ros_clock_class(scheduler=self._ros_scheduler)
        self._clock.waits = self._ros_wait_working
        self._default_callback_group: CallbackGroup = MutuallyExclusiveCallbackGroup()
        self._ros_given = values_for([*everyones.overrides, *own.overrides], self.get_fully_qualified_name())
        overrides = self._ros_handle.get_parameters(Parameter).values()
        self._ros_init_parameters(
            [*overrides, *(parameter_overrides or ())], allow_undeclared=allow_undeclared_parameters
        )
        context.track_node(self)
        self._ros_rosout: Rosout | None = None
        try:
            if enable_rosout and everyones.outputs.get("rosout", True):
                profile = qos_profile_rosout_default if rosout_qos_profile is None else rosout_qos_profile
                self._ros_rosout = Rosout(self, as_profile(profile))
            self._ros_start_parameters(declare_overrides=automatically_declare_parameters_from_overrides)
            if start_parameter_services:
                self._parameter_service = ParameterService(self)
            if enable_logger_service:
                self._logger_service = LoggingService(self)
            self._type_description_service = TypeDescriptionService(self)
        except BaseException:
            self.destroy_node()
            raise

    def _ros_start_parameters(self, *, declare_overrides: bool) -> None:
        self._parameter_event_publisher = self.create_publisher(
            rcl_interfaces.msg.ParameterEvent, "/parameter_events", qos_profile_parameter_events
        )
        if declare_overrides:
            entries = [(name, parameter.value) for name, parameter in self._parameter_overrides.items()]
            self.declare_parameters("", entries, ignore_override=True)
        self._time_source = TimeSource()
        self._time_source.attach_node(self)
        self._time_source.attach_clock(self._clock)

    def _ros_set_name(self, name: str, namespace: str) -> None:
        name = remap_node(self._ros_rules, NODE, name) or name
        validate_node_name(name)
        namespace = remap_node(self._ros_rules, NAMESPACE, name) or namespace
        namespace = namespace if namespace.startswith("/") else f"/{namespace}"
        validate_namespace(namespace)
        self._ros_name, self._ros_namespace = name, namespace

    @property
    def default_callback_group(self) -> CallbackGroup:
        """The callback group of what is created without one."""
        return self._default_callback_group

    # --- names

    @property
    def handle(self) -> NodeHandle:
        return self._ros_handle

    def get_name(self) -> str:
        with self._ros_handle:
            return self._ros_name

    def get_namespace(self) -> str:
        with self._ros_handle:
            return self._ros_namespace

    def get_fully_qualified_name(self) -> str:
        with self._ros_handle:
            return self._ros_handle.get_fully_qualified_name()

    def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str:
        """Return the full name of a topic, renamed by the node's rules; raises RCLError for an invalid one."""
        return self._ros_resolve(TOPIC, topic, only_expand=only_expand)

    def resolve_service_name(self, service: str, *, only_expand: bool = False) -> str:
        return self._ros_resolve(SERVICE, service, only_expand=only_expand)

    def _ros_resolve(self, kind: str, name: str, *, only_expand: bool) -> str:
        try:
            full = expand_topic_name(name, self._ros_name, self._ros_namespace)
        except ValueError as error:
            raise RCLError(f"failed to resolve name: {error}") from error
        return full if only_expand else remap_name(self._ros_rules, kind, full, self._ros_name, self._ros_namespace)

    def _ros_check_name(self, name: str, *, is_service: bool) -> None:
        """Refuse the invalid name of a topic or service with the exception that says where it is wrong."""
        validate_topic_name(name, is_service=is_service)
        validate_full_topic_name(expand_topic_name(name, self._ros_name, self._ros_namespace), is_service=is_service)

    def _validate_topic_or_service_name(self, topic_or_service_name: str, *, is_service: bool = False) -> None:
        self._ros_check_name(topic_or_service_name, is_service=is_service)

    def get_logger(self) -> RcutilsLogger:
        return self._logger

    def get_clock(self) -> ROSClock:
        return self._clock

    # --- beyond rclpy; nothing here relies on them, so that subclasses may use these names too

    def wait_until(self, condition: Callable[[], bool], timeout_sec: float | None) -> bool:
        """Take in what arrives, running no callback, until `condition()` holds or the time is over."""
        return self._ros_wait_until(condition, timeout_sec)

    def create_future(self) -> Future[Any]:
        """Return a future whose done callbacks run on this node's executor."""
        return self._ros_tasks.create_future()

    def create_task(self, callback: Callable[..., Any], *arguments: Any, **keywords: Any) -> Task[Any]:
        """Run a plain or `async def` callback soon on this node's executor."""
        return self._ros_tasks.create_task(callback, *arguments, **keywords)

    # --- its end

    def destroy_node(self) -> None:
        """Destroy everything the node owns; what is still queued for it does not run.

        Raises:
            InvalidHandle: it was destroyed before, unless by the shutdown of its context.
        """
        if self._ros_destroyed:
            if self.context.ok():
                raise InvalidHandle(f"{self._ros_handle.name} was destroyed already")
            return
        if self._ros_rosout is not None:
            self._ros_rosout.close()
        for entity in tuple(self._ros_owned.values()):
            entity.destroy()
        self._ros_destroyed = True
        self.executor = None
        self._ros_waiting.clear()
        self.context.untrack_node(self)
        if not self._ros_handle.destroyed:
            self._ros_handle.destroy_when_not_in_use()

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._ros_destroyed:
            self.destroy_node()


BaseNode = Node
ParameterInput = Any  # for annotations

if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
