"""Nodes: names, rules of command lines, checks of what is created, handles, filters."""

from __future__ import annotations

from typing import Any

import pytest

from robot.ros.context import Context
from robot.ros.exceptions import (
    InvalidHandle,
    InvalidParameterTypeException,
    InvalidServiceNameException,
    InvalidTopicNameException,
    RCLError,
    RCLInvalidROSArgsError,
    UnknownROSArgsError,
)
from robot.ros.interfaces import (
    example_interfaces,
    std_msgs,
    std_srvs,
)
from robot.ros.node import Node
from robot.ros.parameter import Parameter
from robot.ros.serialization import deserialize_message, serialize_message
from robot.ros.subscription_content_filter_options import ContentFilterOptions
from robot.ros.transport.inprocess import InProcess
from robot.ros.type_support import check_for_type_support
from ros_world import RosWorld
from sim.lockstep import Lockstep

String, Trigger = std_msgs.msg.String, std_srvs.srv.Trigger


@pytest.fixture
def world() -> RosWorld:
    return RosWorld()


@pytest.fixture
def node(world: RosWorld) -> Node:
    return world.make("node", namespace="ns")


# --- names and rules


@pytest.mark.parametrize(("given", "namespace"), [(None, "/"), ("", "/"), ("a", "/a"), ("/a/b", "/a/b")])
def test_namespaces_become_absolute(world: RosWorld, given: str | None, namespace: str) -> None:
    node = world.make("n", namespace=given)
    assert node.get_namespace() == namespace
    assert node.get_fully_qualified_name() == f"{namespace.rstrip('/')}/n"
    assert node.get_logger().name == node.get_fully_qualified_name()[1:].replace("/", ".")


def test_rules_rename_a_node_its_topics_and_its_services(world: RosWorld) -> None:
    line = ["--ros-args", "-r", "__node:=arm", "-r", "__ns:=/left", "-r", "chat:=talk", "-r", "rosservice://go:=run"]
    node = world.make("node", cli_args=line)
    assert node.get_fully_qualified_name() == "/left/arm"
    assert node.create_publisher(String, "chat", 1).topic_name == "/left/talk"
    assert node.create_subscription(String, "/left/chat", print, 1).topic_name == "/left/talk"
    assert node.create_client(Trigger, "go").service_name == "/left/run"
    assert node.resolve_topic_name("chat") == node.resolve_service_name("chat") == "/left/talk"
    assert (node.resolve_topic_name("go"), node.resolve_service_name("go")) == ("/left/go", "/left/run")
    assert node.resolve_topic_name("chat", only_expand=True) == "/left/chat"
    with pytest.raises(RCLError, match="failed to resolve"):
        node.resolve_topic_name("a?")


def test_the_contexts_rules_hold_for_every_node_that_follows_them() -> None:
    context = Context()
    time = Lockstep(epoch=0.0)
    context._transport = InProcess(time)
    context.init(["prog", "--ros-args", "-r", "n:chat:=talk", "-p", "n:speed:=3", "--enclave", "/cell"])
    node = Node("n", context=context)
    assert node.resolve_topic_name("chat") == "/talk"
    assert node.declare_parameter("speed", 0).value == 3
    assert ("n", "/", "/cell") in node.get_node_names_and_namespaces_with_enclaves()
    assert Node("m", context=context).resolve_topic_name("chat") == "/chat"
    own = Node("n", context=context, use_global_arguments=False)
    assert own.resolve_topic_name("chat") == "/chat" and own.declare_parameter("speed", 0).value == 0


def test_wrong_arguments_of_a_node_are_refused(world: RosWorld) -> None:
    with pytest.raises(RCLInvalidROSArgsError, match=r"Failed to parse ROS arguments:.*not-a-remap.*"):
        world.make("n", cli_args=["--ros-args", "-r", "not-a-remap"])
    with pytest.raises(UnknownROSArgsError, match=r"\['--my-custom-flag'\]"):
        world.make("n", cli_args=["--ros-args", "--my-custom-flag"])


# --- what is created


def test_names_and_types_of_what_is_created_are_checked(node: Node) -> None:
    for topic, error, why in (
        ("chatter?", InvalidTopicNameException, "must not contain characters"),
        ("/chatter/42_is", InvalidTopicNameException, "must not start with a number"),
        ("chatter/{odd}", ValueError, "unknown substitution"),
    ):
        with pytest.raises(error, match=why):
            node.create_publisher(String, topic, 1)
        with pytest.raises(error, match=why):
            node.create_subscription(String, topic, print, 1)
        service_error = InvalidServiceNameException if error is InvalidTopicNameException else error
        with pytest.raises(service_error, match=why):
            node.create_client(Trigger, topic)
        with pytest.raises(service_error, match=why):
            node.create_service(Trigger, topic, lambda _, response: response)
    with pytest.raises(ValueError, match="greater than or equal to zero"):
        node.create_publisher(String, "chat", -1)
    with pytest.raises(TypeError, match="Expected QoSProfile or int"):
        node.create_publisher(String, "chat", "many")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="might be a service or action"):
        node.create_publisher(Trigger, "chat", 1)
    with pytest.raises(RuntimeError, match="might be a message or action"):
        node.create_client(example_interfaces.action.Fibonacci, "go")
    with pytest.raises(AttributeError, match="ROS 1 message type"):
        check_for_type_support(str)
    with pytest.raises(RuntimeError, match="callable with one argument"):
        node.create_subscription(String, "chat", lambda: None, 1)


def test_a_node_lists_what_it_owns_and_forgets_what_it_destroys(node: Node) -> None:
    before = {kind: len(list(getattr(node, kind))) for kind in ("publishers", "subscriptions", "services", "clients")}
    assert before == {"publishers": 1, "subscriptions": 0, "services": 7, "clients": 0}
    made = [
        node.create_publisher(String, "a", 1),
        node.create_subscription(String, "a", print, 1),
        node.create_service(Trigger, "b", lambda _, response: response),
        node.create_client(Trigger, "b"),
    ]
    for kind, entity in zip(before, made, strict=True):
        assert entity in list(getattr(node, kind))
        destroy = getattr(node, f"destroy_{kind[:-1]}")
        assert destroy(entity) is True and destroy(entity) is False
        assert len(list(getattr(node, kind))) == before[kind]
    timer = node.create_timer(1.0, print)
    guard = node.create_guard_condition(print)
    assert (list(node.timers), list(node.guards)) == ([timer], [guard])
    with pytest.raises(ValueError, match="frequency"):
        node.create_rate(0)
    rate = node.create_rate(1.0)
    assert node.destroy_rate(rate) and node.destroy_timer(timer) and node.destroy_guard_condition(guard)


def test_a_handle_in_use_outlives_the_destruction(world: RosWorld, node: Node) -> None:
    subscription = node.create_subscription(String, "a", print, 1)
    with subscription.handle:
        assert node.destroy_subscription(subscription)
        with subscription.handle:
            assert node.count_subscribers("a") == 1
    assert node.count_subscribers("a") == 0
    with pytest.raises(InvalidHandle), subscription.handle:
        pass
    with pytest.raises(AttributeError):
        node.handle = "mine"  # type: ignore[misc, assignment]
    with node.handle:
        node.destroy_node()
        assert node.handle.get_node_name() == "node"
    with pytest.raises(InvalidHandle), node.handle:
        pass
    with pytest.raises(InvalidHandle):
        node.create_publisher(String, "a", 1)
    with pytest.raises(InvalidHandle):
        node.destroy_node()
    with world.make("brief") as brief:
        assert "brief" in brief.get_node_names()
    with pytest.raises(InvalidHandle):
        brief.destroy_node()


def test_a_node_outlives_its_context_without_complaint(world: RosWorld, node: Node) -> None:
    world.context.shutdown()
    node.destroy_node()
    with pytest.raises(RuntimeError, match="shut down already"):
        world.context.shutdown()
    world.context.try_shutdown()


def test_bytes_can_be_published_and_received(world: RosWorld, node: Node) -> None:
    raw: list[Any] = []
    messages: list[Any] = []
    node.create_subscription(String, "chat", raw.append, 1, raw=True)
    node.create_subscription(String, "chat", lambda message, info: messages.append((message, info)), 1)
    encoded = serialize_message(String(data="x"))
    publisher = node.create_publisher(String, "chat", 1)
    publisher.publish(encoded)
    world.time.run(seconds=0.1)
    assert raw == [encoded] and type(raw[0]) is bytes
    [(message, info)] = messages
    assert message == deserialize_message(raw[0], String) == String(data="x")
    assert info["source_timestamp"] > 0 and info["publication_sequence_number"] == 1
    assert info["publisher_gid"]["data"] == publisher.endpoint.gid
    assert publisher.get_subscription_count() == 2
    with pytest.raises(TypeError, match="std_msgs/msg/String"):
        publisher.publish(std_msgs.msg.Int32())
    with pytest.raises(RCLError, match="failed to deserialize"):
        deserialize_message(b"\x00", String)


def test_a_filtered_subscription_hears_only_what_passes(world: RosWorld, node: Node) -> None:
    heard: list[str] = []
    options = ContentFilterOptions("data LIKE %0", ["'a%'"])
    subscription = node.create_subscription(
        String, "chat", lambda message: heard.append(message.data), 10, content_filter_options=options
    )
    assert subscription.is_cft_enabled and subscription.get_content_filter() == options
    publisher = node.create_publisher(String, "chat", 10)
    for data in ("ant", "bee"):
        publisher.publish(String(data=data))
    world.time.run(seconds=0.1)
    subscription.set_content_filter("", [])
    publisher.publish(String(data="bee"))
    world.time.run(seconds=0.1)
    assert heard == ["ant", "bee"] and not subscription.is_cft_enabled
    with pytest.raises(RCLError, match="content filter"):
        subscription.set_content_filter("data >", [])


def test_a_node_whose_construction_fails_leaves_nothing(world: RosWorld) -> None:
    with pytest.raises(InvalidParameterTypeException):
        world.make("broken", parameter_overrides=[Parameter("use_sim_time", value="yes")])
    assert world.context.bus.endpoints() == [] and world.context.nodes == []
