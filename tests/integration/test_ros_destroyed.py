"""What is left of nodes and endpoints when they are gone, and what they answer to rclpy's lower names."""

from __future__ import annotations

import gc
import inspect
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from robot import ros
from robot.ros import subscription, topic_endpoint_info
from robot.ros.action import ActionClient, ActionServer
from robot.ros.clock import Clock, ClockEvent
from robot.ros.clock_type import ClockType
from robot.ros.context import Context
from robot.ros.exceptions import InvalidHandle, RCLError
from robot.ros.impl.rcutils_logger import CallerId
from robot.ros.interfaces import example_interfaces, std_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.parameter import Parameter
from robot.ros.transport.inprocess import InProcess
from sim.lockstep import Lockstep

String, Trigger = std_msgs.msg.String, std_srvs.srv.Trigger


@pytest.fixture
def context() -> Iterator[Context]:
    context = Context(transport=InProcess(Lockstep(epoch=1_750_000_000.0)))
    yield context
    context.try_shutdown()


@pytest.fixture
def node(context: Context) -> Node:
    return Node("node", namespace="/ns", context=context)


def test_a_destroyed_node_answers_nothing(node: Node) -> None:
    node.destroy_node()
    queries: list[Callable[[], object]] = [
        node.get_name,
        node.get_namespace,
        node.get_fully_qualified_name,
        node.get_node_names,
        node.get_topic_names_and_types,
        node.get_service_names_and_types,
        lambda: node.count_publishers("/chat"),
        lambda: node.get_publishers_info_by_topic("/chat"),
        lambda: node.create_client(Trigger, "go"),
    ]
    for query in queries:
        with pytest.raises(InvalidHandle, match="/ns/node"):
            query()


def test_a_destroyed_endpoint_has_no_name(node: Node) -> None:
    publisher = node.create_publisher(String, "chat", 1)
    subscription = node.create_subscription(String, "chat", print, 1)
    client, service = node.create_client(Trigger, "go"), node.create_service(Trigger, "go", print)
    assert (publisher.topic_name, subscription.topic_name) == ("/ns/chat", "/ns/chat")
    assert (client.service_name, service.service_name) == ("/ns/go", "/ns/go")
    for entity in (publisher, subscription, client, service):
        entity.destroy()
    with pytest.raises(InvalidHandle):
        _ = publisher.topic_name
    with pytest.raises(InvalidHandle):
        _ = subscription.topic_name
    with pytest.raises(InvalidHandle):
        _ = client.service_name
    with pytest.raises(InvalidHandle):
        _ = service.service_name


def test_two_nodes_of_one_name_are_both_seen(context: Context, node: Node) -> None:
    Node("twin", context=context)
    Node("twin", context=context)
    assert node.get_node_names() == ["node", "twin", "twin"]


def test_waitables_are_what_was_added_and_actions_and_event_handlers(node: Node) -> None:
    before = list(node.waitables)
    publisher = node.create_publisher(String, "chat", 1)
    assert publisher.event_handlers and list(node.waitables) == [*before, *publisher.event_handlers]
    kind = example_interfaces.action.Fibonacci
    client, server = ActionClient(node, kind, "count"), ActionServer(node, kind, "count", print)
    assert client in node.waitables and server in node.waitables
    client.destroy()
    server.destroy()
    publisher.destroy()
    assert list(node.waitables) == before


def test_services_refuse_what_is_no_profile(node: Node) -> None:
    with pytest.raises(AttributeError):
        node.create_client(Trigger, "go", qos_profile="reliable")  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        node.create_service(Trigger, "go", print, qos_profile=5)  # type: ignore[arg-type]


def test_a_client_finds_a_pending_request_by_its_number(node: Node) -> None:
    node.create_service(Trigger, "go", lambda _, response: response)
    client = node.create_client(Trigger, "go")
    future = client.call_async(Trigger.Request())
    assert client.get_pending_request(1) is future
    client.remove_pending_request(future)
    with pytest.raises(KeyError):
        client.get_pending_request(1)


def test_a_clock_event_waits_for_ros_time_on_ros_clocks_only() -> None:
    clock = Clock(clock_type=ClockType.STEADY_TIME)
    with pytest.raises(RCLError, match="STEADY_TIME"):
        ClockEvent().wait_until_ros(clock, clock.now())


def test_a_caller_is_the_place_outside_the_loggers() -> None:
    here = CallerId()
    assert here.function_name == "test_a_caller_is_the_place_outside_the_loggers" and here.file_path == __file__
    frame = inspect.currentframe()
    assert CallerId(frame).line_number == here.line_number + 3


def test_names_are_found_where_rclpy_has_them_too() -> None:
    assert getattr(ros, "Parameter") is Parameter  # noqa: B009 (it is not there for type checkers)
    assert subscription.RCLError is RCLError and topic_endpoint_info.EndpointTypeEnum["CLIENT"].value == 3
    with pytest.raises(AttributeError):
        getattr(ros, "Nothing")  # noqa: B009


def test_a_destroyed_timer_and_its_node_are_not_kept_until_it_would_have_been_due(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path))
    context = Context()
    context.init(())
    try:
        node = Node("node", context=context)
        timer = node.create_timer(3600.0, print)
        timer_left, node_left = weakref.ref(timer), weakref.ref(node)
        node.destroy_node()
        del timer, node
        deadline = time.monotonic() + 60.0
        while (timer_left() or node_left()) and time.monotonic() < deadline:  # a thread of the context may hold one
            gc.collect()
        assert (timer_left(), node_left()) == (None, None)
    finally:
        context.try_shutdown()
