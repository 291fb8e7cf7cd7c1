"""What rclpy refuses, row by row: the wrong use, the exception it documents, and words of its text."""

from __future__ import annotations

# ruff: noqa: E501 (a row per line)
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import robot.ros as rclpy
from robot.ros import _rclpy_pybind11 as rclpy_implementation
from robot.ros.action import ActionClient, ActionServer
from robot.ros.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup
from robot.ros.clock import Clock, JumpThreshold, ROSClock, TimeJump
from robot.ros.clock_type import ClockType
from robot.ros.context import Context
from robot.ros.duration import Duration
from robot.ros.exceptions import (
    InvalidHandle,
    InvalidNamespaceException,
    InvalidNodeNameException,
    InvalidParameterException,
    InvalidParameterTypeException,
    InvalidParameterValueException,
    InvalidServiceNameException,
    InvalidTopicNameException,
    NodeNameNonExistentError,
    NotInitializedException,
    ParameterAlreadyDeclaredException,
    ParameterImmutableException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
    RCLError,
    RCLInvalidROSArgsError,
    UnknownROSArgsError,
)
from robot.ros.executors import Executor, SingleThreadedExecutor, TimeoutException
from robot.ros.interfaces import example_interfaces, rcl_interfaces, std_msgs, std_srvs
from robot.ros.lifecycle import LifecycleNode
from robot.ros.logging import get_logger, get_logging_severity_from_string, set_logger_level
from robot.ros.node import Node
from robot.ros.parameter import Parameter
from robot.ros.qos import InvalidQoSProfileException, QoSProfile
from robot.ros.qos_overriding_options import InvalidQosOverridesError, QoSOverridingOptions
from robot.ros.time import Time
from robot.ros.time_source import TimeSource
from robot.ros.timer import TimerInfo
from robot.ros.validate_full_topic_name import validate_full_topic_name
from robot.ros.validate_namespace import validate_namespace
from robot.ros.validate_node_name import validate_node_name
from robot.ros.validate_parameter_name import validate_parameter_name
from robot.ros.validate_topic_name import validate_topic_name

String, Empty, Fibonacci = std_msgs.msg.String, std_srvs.srv.Empty, example_interfaces.action.Fibonacci
Descriptor, Result = rcl_interfaces.msg.ParameterDescriptor, rcl_interfaces.msg.SetParametersResult
IntegerRange = rcl_interfaces.msg.IntegerRange
ONE_TO_NINE = [IntegerRange(from_value=1, to_value=9, step=2)]
TEN = {"integer_range": [IntegerRange(from_value=10, to_value=20)], "type": 2}

Row = tuple[str, Callable[[Node], Any], type[BaseException], str]


def _shut(node: LifecycleNode) -> LifecycleNode:
    node.trigger_shutdown()
    return node


def _of_destroyed(make: Callable[[Node], Any], use: Callable[[Any], Any]) -> Callable[[Node], Any]:
    def wrong(node: Node) -> Any:
        made = make(node)
        made.destroy()
        return use(made)

    return wrong


def _destroyed_node(use: Callable[[Node], Any]) -> Callable[[Node], Any]:
    def wrong(node: Node) -> Any:
        other = Node("other", context=node.context)
        other.destroy_node()
        return use(other)

    return wrong


def _with_parameter(value: Any, use: Callable[[Node], Any], **descriptor: Any) -> Callable[[Node], Any]:
    def wrong(node: Node) -> Any:
        node.declare_parameter("known", value, Descriptor(**descriptor))
        return use(node)

    return wrong


def _refusing(node: Node) -> Any:
    node.add_on_set_parameters_callback(lambda _: Result(successful=False, reason="not today"))
    return node.declare_parameter("x", 1)


def _shut_down(use: Callable[[Context], Any]) -> Callable[[Node], Any]:
    def wrong(_: Node) -> Any:
        context = Context()
        context.init(())
        context.shutdown()
        return use(context)

    return wrong


def _logged_twice(*options: dict[str, Any]) -> Callable[[Node], Any]:
    def wrong(_: Node) -> None:
        logger = get_logger("twice")
        for each in options:
            logger.log("words", each.pop("severity", 20), **each)

    return wrong


def _overridden(node: Node) -> Any:
    options = QoSOverridingOptions.with_default_policies(callback=lambda _: Result(reason="no"))
    return node.create_publisher(String, "a", 1, qos_overriding_options=options)


def _init(*arguments: str) -> Callable[[Node], Any]:
    return lambda _: rclpy.init(context=Context(), args=["program", "--ros-args", *arguments])


def _wrong_end() -> None:
    group = MutuallyExclusiveCallbackGroup()
    group.beginning_execution("one")
    group.ending_execution("other")


def _registered_twice(node: Node) -> None:
    guard = rclpy_implementation.GuardCondition(node.context.handle)
    for _ in range(2):
        rclpy_implementation.register_sigint_guard_condition(guard)


def _not_a_dictionary(_: Node) -> Any:
    return Parameter.Type.from_parameter_value({})


# fmt: off
NAMES: list[Row] = [
    ("a topic with a wrong character", lambda n: n.create_publisher(String, "a?", 1), InvalidTopicNameException, "characters other than"),
    ("a subscribed topic likewise", lambda n: n.create_subscription(String, "a?", print, 1), InvalidTopicNameException, "\\^"),
    ("a topic that ends with a slash", lambda n: n.create_publisher(String, "a/", 1), InvalidTopicNameException, "forward slash"),
    ("a token that begins with a digit", lambda n: n.create_publisher(String, "/a/4b", 1), InvalidTopicNameException, "start with a number"),
    ("an unknown substitution", lambda n: n.create_publisher(String, "a/{bad}", 1), ValueError, "unknown substitution"),
    ("a service with a wrong character", lambda n: n.create_service(Empty, "a?", print), InvalidServiceNameException, "characters other than"),
    ("a client's service likewise", lambda n: n.create_client(Empty, "a/4b"), InvalidServiceNameException, "start with a number"),
    ("an action with a wrong character", lambda n: ActionClient(n, Fibonacci, "a?"), Exception, "a\\?"),
    ("a topic to be resolved", lambda n: n.resolve_topic_name("a?"), RCLError, "a\\?"),
    ("a topic to be counted", lambda n: n.count_publishers("4"), ValueError, "number"),
    ("a service to be counted", lambda n: n.count_clients("4"), ValueError, "number"),
    ("a node with a slash", lambda n: Node("/a", context=n.context), InvalidNodeNameException, "characters other than"),
    ("a node without a name", lambda n: Node("", context=n.context), InvalidNodeNameException, "empty"),
    ("a namespace that ends with a slash", lambda n: Node("a", namespace="/b/", context=n.context), InvalidNamespaceException, "'/b/'"),
    ("a namespace with a wrong character", lambda n: Node("a", namespace="/?", context=n.context), InvalidNamespaceException, "characters other than"),
    ("validate_topic_name", lambda _: validate_topic_name("a?"), InvalidTopicNameException, "'a\\?'"),
    ("validate_topic_name of a service", lambda _: validate_topic_name("a?", is_service=True), InvalidServiceNameException, "'a\\?'"),
    ("validate_full_topic_name", lambda _: validate_full_topic_name("a"), InvalidTopicNameException, "absolute"),
    ("validate_namespace", lambda _: validate_namespace("a"), InvalidNamespaceException, "absolute"),
    ("validate_node_name", lambda _: validate_node_name("1a"), InvalidNodeNameException, "start with a number"),
    ("validate_parameter_name", lambda _: validate_parameter_name(""), InvalidParameterException, ""),
    ("the topics of nobody", lambda n: n.get_publisher_names_and_types_by_node("nobody", "/"), NodeNameNonExistentError, "nobody"),
    ("the actions of nobody", lambda n: n.get_action_server_names_and_types_by_node("nobody", "/"), NodeNameNonExistentError, "nobody"),
]

ENTITIES: list[Row] = [
    ("no profile", lambda n: n.create_publisher(String, "a", "deep"), TypeError, "QoSProfile or int"),
    ("a negative depth", lambda n: n.create_subscription(String, "a", print, -1), ValueError, "greater than or equal to zero"),
    ("a service as a message", lambda n: n.create_publisher(Empty, "a", 1), RuntimeError, "might be a service"),
    ("a message as a service", lambda n: n.create_client(String, "a"), RuntimeError, "might be a message"),
    ("no interface at all", lambda n: n.create_publisher(int, "a", 1), AttributeError, "ROS 1"),
    ("a subscription without a callback", lambda n: n.create_subscription(String, "a", None, 1), RuntimeError, "one argument"),  # type: ignore[arg-type]
    ("a callback without an argument", lambda n: n.create_subscription(String, "a", lambda: None, 1), RuntimeError, "one argument"),
    ("a message of another type", lambda n: n.create_publisher(String, "a", 1).publish(Empty.Request()), TypeError, "String"),
    ("a request of another type", lambda n: n.create_client(Empty, "a").call_async(String()), TypeError, "Empty"),
    ("a response of another type", lambda n: n.create_service(Empty, "a", print).send_response(String(), None), TypeError, "Empty"),
    ("a call nobody answers", lambda n: n.create_client(Empty, "a").call(Empty.Request(), timeout_sec=0.01), TimeoutError, "0.01 s"),
    ("a period below zero", lambda n: n.create_timer(-1.0, print), RCLError, "period"),
    ("a rate of zero", lambda n: n.create_rate(0), ValueError, "frequency"),
    ("a callback group of no kind", lambda n: CallbackGroup().can_execute(n), NotImplementedError, ""),
    ("an action's callback that is none", lambda n: ActionServer(n, Fibonacci, "a", "x"), TypeError, "goal execution"),  # type: ignore[arg-type]
    ("an action's judge that is none", lambda n: ActionServer(n, Fibonacci, "a", print, goal_callback="x"), TypeError, "goal acceptance"),  # type: ignore[arg-type]
    ("a goal of another type", lambda n: ActionClient(n, Fibonacci, "a").send_goal_async(String()), TypeError, ""),
    ("the end of a callback that does not run", lambda _: _wrong_end(), AssertionError, "expected the end"),
    ("a second shutdown of a managed node", lambda n: _shut(LifecycleNode("l", context=n.context)).trigger_shutdown(), RCLError, "finalized"),
    ("a managed entity that is none", lambda n: LifecycleNode("l", context=n.context).add_managed_entity(5), TypeError, "ManagedEntity"),  # type: ignore[arg-type]
    ("an override of quality that is refused", _overridden, InvalidQosOverridesError, "no"),
    ("a profile without a depth", lambda _: QoSProfile(), InvalidQoSProfileException, "depth"),
    ("a profile with a policy there is not", lambda _: QoSProfile(depth=1, colour=3), AssertionError, "colour"),
]


DESTROYED: list[Row] = [
    ("a publisher", _of_destroyed(lambda n: n.create_publisher(String, "a", 1), lambda p: p.publish(String())), InvalidHandle, "destroyed"),
    ("its count", _of_destroyed(lambda n: n.create_publisher(String, "a", 1), lambda p: p.get_subscription_count()), InvalidHandle, "/a"),
    ("its logger's name", _of_destroyed(lambda n: n.create_publisher(String, "a", 1), lambda p: p.logger_name), InvalidHandle, "/a"),
    ("a subscription", _of_destroyed(lambda n: n.create_subscription(String, "a", print, 1), lambda s: s.topic_name), InvalidHandle, "/a"),
    ("a client", _of_destroyed(lambda n: n.create_client(Empty, "a"), lambda c: c.service_is_ready()), InvalidHandle, "/a"),
    ("a service", _of_destroyed(lambda n: n.create_service(Empty, "a", print), lambda s: s.service_name), InvalidHandle, "/a"),
    ("a timer", _of_destroyed(lambda n: n.create_timer(1.0, print), lambda t: t.is_ready()), InvalidHandle, "timer"),
    ("a guard condition", _of_destroyed(lambda n: n.create_guard_condition(print), lambda g: g.trigger()), InvalidHandle, "guard"),
    ("a rate", _of_destroyed(lambda n: n.create_rate(1.0), lambda r: r.sleep()), RuntimeError, "destroyed"),
    ("a node's name", _destroyed_node(lambda n: n.get_name()), InvalidHandle, "other"),
    ("a node's new publisher", _destroyed_node(lambda n: n.create_publisher(String, "a", 1)), InvalidHandle, "other"),
    ("a node's graph", _destroyed_node(lambda n: n.get_topic_names_and_types()), InvalidHandle, "other"),
    ("a node once more", _destroyed_node(lambda n: n.destroy_node()), InvalidHandle, "already"),
    ("a clock", lambda _: (clock := Clock(), clock.handle.destroy_when_not_in_use(), clock.now()), InvalidHandle, "clock"),
]

CONTEXTS: list[Row] = [
    ("a node of a context that is not initialised", lambda _: Node("a", context=Context()), NotInitializedException, "rclpy.init"),
    ("a node of one shut down", _shut_down(lambda c: Node("a", context=c)), NotInitializedException, "cannot create node"),
    ("a second shutdown", _shut_down(lambda c: c.shutdown()), RuntimeError, "already"),
    ("a second init", _shut_down(lambda c: c.init(())), RuntimeError, "once"),
    ("a sleep in one shut down", _shut_down(lambda c: Clock().sleep_for(Duration(seconds=1), c)), NotInitializedException, ""),
    ("a shutdown before init", lambda _: Context().shutdown(), RuntimeError, "initialized"),
    ("a domain below zero", lambda _: Context().init((), domain_id=-1), RuntimeError, "-1"),
    ("a shutdown callback that is none", lambda n: n.context.on_shutdown(5), TypeError, "callable"),  # type: ignore[arg-type]
    ("arguments that are not known", _init("unknown"), UnknownROSArgsError, "unknown"),
    ("a rule without an end", _init("-r", "a:="), RCLInvalidROSArgsError, "a:="),
    ("a level there is not", _init("--log-level", "loud"), RuntimeError, "loud"),
    ("nothing ready in time", lambda n: SingleThreadedExecutor(context=n.context).wait_for_ready_callbacks(timeout_sec=0.01), TimeoutException, ""),
    ("an executor without a way to spin", lambda n: Executor(context=n.context).spin_once(), NotImplementedError, ""),
    ("a time source without a node", lambda _: TimeSource().attach_node("n"), TypeError, "Node"),  # type: ignore[arg-type]
    ("a system clock to be set", lambda _: TimeSource().attach_clock(Clock()), ValueError, "ROS_TIME"),  # type: ignore[arg-type]
    ("a guard condition registered twice", _registered_twice, ValueError, "already registered"),
    ("a logger without a name", lambda _: get_logger(""), ValueError, "empty"),
    ("a child logger without a name", lambda _: get_logger("a").get_child(""), ValueError, "empty"),
    ("a level by a wrong number", lambda _: set_logger_level("a", 5), ValueError, "5"),
    ("a level by a wrong word", lambda _: get_logging_severity_from_string("loud"), RuntimeError, "loud"),
    ("a line with another level", _logged_twice({}, {"severity": 30}), ValueError, "severity cannot be changed"),
    ("a line with another name", _logged_twice({"name": "a"}, {"name": "b"}), ValueError, "name cannot be changed"),
    ("a line with another filter", _logged_twice({}, {"once": True}), ValueError, "filters cannot be changed"),
    ("a line with another interval", _logged_twice({"throttle_duration_sec": 1}, {"throttle_duration_sec": 2}), ValueError, "parameters cannot be changed"),
    ("a filter there is not", _logged_twice({"twice": True}), TypeError, "recognized"),
]


TIMES: list[Row] = [
    ("an instant before the epoch", lambda _: Time(seconds=-1), ValueError, "negative"),
    ("an instant too late", lambda _: Time(nanoseconds=2**63), OverflowError, "too large"),
    ("a span too long", lambda _: Duration(nanoseconds=2**63), OverflowError, "too large"),
    ("a clock type by its name", lambda _: Time(clock_type="ROS_TIME"), TypeError, "ClockType"),  # type: ignore[arg-type]
    ("a clock by the name of its type", lambda _: Clock(clock_type="ROS_TIME"), TypeError, "ClockType"),  # type: ignore[arg-type]
    ("instants of different clocks", lambda _: Time() < Time(clock_type=ClockType.STEADY_TIME), TypeError, "different clock types"),
    ("their difference", lambda _: Time() - Time(clock_type=ClockType.STEADY_TIME), TypeError, "different clock types"),
    ("a difference before the epoch", lambda _: Time() - Duration(nanoseconds=1), ValueError, "negative"),
    ("a sum too late", lambda _: Time(nanoseconds=2**63 - 1) + Duration(nanoseconds=1), OverflowError, ""),
    ("an instant from a span's message", lambda _: Time.from_msg(Duration().to_msg()), TypeError, "builtin_interfaces.msg.Time"),
    ("a span from an instant's message", lambda _: Duration.from_msg(Time().to_msg()), TypeError, "builtin_interfaces.msg.Duration"),
    ("a sleep until another clock's instant", lambda n: Clock().sleep_until(Time(clock_type=ClockType.STEADY_TIME), n.context), ValueError, "clock type"),
    ("a jump forward of nothing", lambda _: JumpThreshold(min_forward=Duration(), min_backward=None), ValueError, "min_forward"),
    ("a jump back that goes on", lambda _: JumpThreshold(min_forward=None, min_backward=Duration(seconds=1)), ValueError, "min_backward"),
    ("no jump at all", lambda _: JumpThreshold(min_forward=None, min_backward=None, on_clock_change=False), ValueError, "At least one"),
    ("a jump of no kind", lambda _: TimeJump("back", Duration()), TypeError, "ClockChange"),  # type: ignore[arg-type]
    ("a jump that tells nobody", lambda _: ROSClock().create_jump_callback(JumpThreshold(min_forward=None, min_backward=None)), ValueError, "must be callable"),
    ("an override that is no instant", lambda _: ROSClock().set_ros_time_override(Duration()), TypeError, "rclpy.time.Time"),  # type: ignore[arg-type]
    ("an override of another clock", lambda _: Clock().set_ros_time_override(Time()), RCLError, "ROS_TIME"),
    ("a timer's instant before the epoch", lambda _: TimerInfo(actual_call_time=-1), ValueError, "negative"),
]

PARAMETERS: list[Row] = [
    ("an undeclared one read", lambda n: n.get_parameter("x"), ParameterNotDeclaredException, "x"),
    ("an undeclared one set", lambda n: n.set_parameters([Parameter("x", value=1)]), ParameterNotDeclaredException, "x"),
    ("an undeclared one described", lambda n: n.describe_parameter("x"), ParameterNotDeclaredException, "x"),
    ("an undeclared one undeclared", lambda n: n.undeclare_parameter("x"), ParameterNotDeclaredException, "x"),
    ("an undeclared one's type", lambda n: n.get_parameter_types(["x"]), ParameterNotDeclaredException, "x"),
    ("one declared twice", _with_parameter(1, lambda n: n.declare_parameter("known", 2)), ParameterAlreadyDeclaredException, "'known'"),
    ("one without a name", lambda n: n.declare_parameter("", 1), InvalidParameterException, ""),
    ("one whose name is a number", lambda n: n.declare_parameter(1, 1), TypeError, ""),  # type: ignore[arg-type]
    ("one with more than a descriptor", lambda n: n.declare_parameters("", [("a", 1, Descriptor(), 2)]), TypeError, ""),  # type: ignore[list-item]
    ("one that is no tuple", lambda n: n.declare_parameters("", [5]), TypeError, ""),  # type: ignore[list-item]
    ("one of no type", lambda n: n.declare_parameter("x", Parameter.Type.NOT_SET), ValueError, "NOT_SET"),
    ("one of a type that may change", lambda n: n.declare_parameter("x", Parameter.Type.BOOL, Descriptor(dynamic_typing=True)), ValueError, "dynamic_typing"),
    ("one without a value", lambda n: (n.declare_parameter("x", Parameter.Type.BOOL), n.get_parameter("x")), ParameterUninitializedException, "x"),
    ("one that a callback refuses", _refusing, InvalidParameterValueException, "not today"),
    ("one beyond its range", lambda n: n.declare_parameter("x", 11, Descriptor(integer_range=ONE_TO_NINE)), InvalidParameterValueException, "out of range"),
    ("one between its steps", lambda n: n.declare_parameter("x", 4, Descriptor(integer_range=ONE_TO_NINE)), InvalidParameterValueException, "step"),
    ("a read-only one undeclared", _with_parameter(1, lambda n: n.undeclare_parameter("known"), read_only=True), ParameterImmutableException, "known"),
    ("a read-only one described anew", _with_parameter(1, lambda n: n.set_descriptor("known", Descriptor()), read_only=True), ParameterImmutableException, "known"),
    ("a descriptor that refuses the value", _with_parameter(1, lambda n: n.set_descriptor("known", Descriptor(**TEN))), InvalidParameterValueException, "known"),
    ("an override of another type", lambda n: Node("o", context=n.context, parameter_overrides=[Parameter("x", value="a")]).declare_parameter("x", 1), InvalidParameterTypeException, "x"),
    ("what is no parameter", lambda n: n.set_parameters([42]), TypeError, "Parameter"),  # type: ignore[list-item]
    ("a value of another type", lambda _: Parameter("x", Parameter.Type.BOOL, 5), ValueError, "BOOL"),
    ("a type by its name", lambda _: Parameter("x", "BOOL", True), TypeError, ""),  # type: ignore[arg-type]
    ("a value no parameter has", _not_a_dictionary, TypeError, ""),
    ("prefixes that are no list", lambda n: n.list_parameters("x", 1), TypeError, "must be a list"),  # type: ignore[arg-type]
    ("a depth below zero", lambda n: n.list_parameters([], -1), ValueError, "greater than or equal to zero"),
    ("a callback of parameters that is none", lambda n: n.add_on_set_parameters_callback(3), TypeError, "must be callable"),  # type: ignore[arg-type]
    ("a callback that takes no parameters", lambda n: n.add_pre_set_parameters_callback(lambda: []), TypeError, "list of parameters"),  # type: ignore[arg-type, misc]
    ("a callback that returns no result", lambda n: (n.add_on_set_parameters_callback(lambda _: None), n.declare_parameter("x", 1)), InvalidParameterValueException, "should return SetParametersResult"),
    ("a callback that was not added", lambda n: n.remove_on_set_parameters_callback(print), ValueError, ""),
]

# fmt: on

ROWS = {
    f"{topic}: {row[0]}": row
    for topic, rows in {
        "name": NAMES,
        "entity": ENTITIES,
        "destroyed": DESTROYED,
        "context": CONTEXTS,
        "time": TIMES,
        "parameter": PARAMETERS,
    }.items()
    for row in rows
}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path_factory.mktemp("ros")))
        context = Context()
        context.init(())
        yield context
        context.try_shutdown()


@pytest.fixture
def node(context: Context) -> Iterator[Node]:
    with Node("node", context=context) as node:
        yield node


@pytest.mark.parametrize("row", ROWS)
def test_it_is_refused_as_documented(node: Node, row: str) -> None:
    _, wrong, error, words = ROWS[row]
    with pytest.raises(error, match=words or None):
        wrong(node)
