"""Nodes: names, rules of command lines, checks of what is created, handles, the graph, log lines on the wire."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from robot.ros import logging
from robot.ros.context import Context
from robot.ros.endpoint_info import EndpointTypeEnum
from robot.ros.exceptions import (
    InvalidHandle,
    InvalidNamespaceException,
    InvalidNodeNameException,
    InvalidParameterTypeException,
    InvalidServiceNameException,
    InvalidTopicNameException,
    NodeNameNonExistentError,
    NotInitializedException,
    RCLError,
    RCLInvalidROSArgsError,
    UnknownROSArgsError,
)
from robot.ros.interfaces import (
    example_interfaces,
    rcl_interfaces,
    std_msgs,
    std_srvs,
    type_description_interfaces,
)
from robot.ros.node import Node
from robot.ros.parameter import Parameter
from robot.ros.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from robot.ros.serialization import deserialize_message, serialize_message
from robot.ros.subscription_content_filter_options import ContentFilterOptions
from robot.ros.task import Future
from robot.ros.transport.inprocess import InProcess
from robot.ros.type_support import check_for_type_support
from sim.lockstep import Lockstep

String, Trigger = std_msgs.msg.String, std_srvs.srv.Trigger


class World:
    def __init__(self) -> None:
        self.time = Lockstep(epoch=1_750_000_000.0)
        self.context = Context(transport=InProcess(self.time))

    def make(self, name: str, **options: Any) -> Node:
        return Node(name, context=self.context, **options)

    def result(self, future: Future[Any]) -> Any:
        self.time.run(until=future.done, seconds=10.0)
        return future.result()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def node(world: World) -> Node:
    return world.make("node", namespace="ns")


# --- names and rules


@pytest.mark.parametrize(("given", "namespace"), [(None, "/"), ("", "/"), ("a", "/a"), ("/a/b", "/a/b")])
def test_namespaces_become_absolute(world: World, given: str | None, namespace: str) -> None:
    node = world.make("n", namespace=given)
    assert node.get_namespace() == namespace
    assert node.get_fully_qualified_name() == f"{namespace.rstrip('/')}/n"
    assert node.get_logger().name == node.get_fully_qualified_name()[1:].replace("/", ".")


def test_names_that_ros_forbids_are_refused(world: World) -> None:
    with pytest.raises(InvalidNodeNameException, match="must not contain characters"):
        world.make("a?")
    with pytest.raises(InvalidNamespaceException, match="must not contain characters"):
        world.make("a", namespace="/?")
    world.context.shutdown()
    with pytest.raises(NotInitializedException, match="cannot create node"):
        world.make("late")


def test_rules_rename_a_node_its_topics_and_its_services(world: World) -> None:
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


def test_wrong_arguments_of_a_node_are_refused(world: World) -> None:
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


def test_a_handle_in_use_outlives_the_destruction(world: World, node: Node) -> None:
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


def test_a_node_outlives_its_context_without_complaint(world: World, node: Node) -> None:
    world.context.shutdown()
    node.destroy_node()
    with pytest.raises(RuntimeError, match="shut down already"):
        world.context.shutdown()
    world.context.try_shutdown()


def test_bytes_can_be_published_and_received(world: World, node: Node) -> None:
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


# --- the graph


def test_a_node_sees_nodes_topics_services_and_their_owners(world: World, node: Node) -> None:
    other = world.make("other")
    other.create_publisher(String, "chat", 1)
    other.create_client(Trigger, "/ns/go")
    node.create_subscription(std_msgs.msg.Int32, "/chat", print, 1)
    node.create_service(Trigger, "go", lambda _, response: response)
    assert node.get_node_names_and_namespaces() == [("node", "/ns"), ("other", "/")]
    assert node.get_fully_qualified_node_names() == ["/ns/node", "/other"]
    assert ("/chat", ["std_msgs/msg/Int32", "std_msgs/msg/String"]) in node.get_topic_names_and_types()
    assert ("/ns/go", ["std_srvs/srv/Trigger"]) in node.get_service_names_and_types()
    assert ("/chat", ["std_msgs/msg/String"]) in node.get_publisher_names_and_types_by_node("other", "/")
    assert node.get_subscriber_names_and_types_by_node("node", "/ns") == [("/chat", ["std_msgs/msg/Int32"])]
    assert ("/ns/go", ["std_srvs/srv/Trigger"]) in node.get_service_names_and_types_by_node("node", "/ns")
    assert node.get_client_names_and_types_by_node("other", "/") == [("/ns/go", ["std_srvs/srv/Trigger"])]
    for query in (node.get_publisher_names_and_types_by_node, node.get_client_names_and_types_by_node):
        with pytest.raises(NodeNameNonExistentError, match="/nobody"):
            query("nobody", "/")
    assert (node.count_publishers("/chat"), node.count_subscribers("/chat")) == (1, 1)
    assert (node.count_services("go"), node.count_clients("go")) == (1, 1)
    with pytest.raises(ValueError, match="topic name"):
        node.count_publishers("a?")
    assert node.wait_for_node("/other", 0.0) and not node.wait_for_node("/nobody", 0.0)


def test_endpoints_are_described_with_type_hash_and_profile(node: Node) -> None:
    profile = QoSProfile(
        depth=3, reliability=ReliabilityPolicy.BEST_EFFORT, durability=DurabilityPolicy.TRANSIENT_LOCAL
    )
    publisher = node.create_publisher(String, "chat", profile)
    [info] = node.get_publishers_info_by_topic("chat")
    assert (info.node_name, info.node_namespace, info.topic_type) == ("node", "/ns", "std_msgs/msg/String")
    assert str(info.topic_type_hash) == "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18"
    assert info.endpoint_type == EndpointTypeEnum.PUBLISHER and len(info.endpoint_gid) == 16
    assert (info.qos_profile.reliability, info.qos_profile.durability) == (profile.reliability, profile.durability)
    assert "Node name: node" in str(info) and "BEST_EFFORT" in str(info)
    assert node.get_publishers_info_by_topic("/ns/chat", no_mangle=True) == [info]
    assert node.get_subscriptions_info_by_topic("chat") == []
    node.create_client(Trigger, "go")
    [client] = node.get_clients_info_by_service("go")
    assert (client.service_type, client.endpoint_type.name) == ("std_srvs/srv/Trigger", "CLIENT")
    assert "Service type: std_srvs/srv/Trigger" in str(client)
    assert node.get_servers_info_by_service("go") == []
    publisher.destroy()
    assert node.get_publishers_info_by_topic("chat") == []


# --- log lines, logger services, type descriptions


def test_log_lines_go_to_rosout_while_the_logger_is_a_nodes(world: World, node: Node) -> None:
    heard: list[Any] = []
    listener = world.make("listener", enable_rosout=False)
    listener.create_subscription(rcl_interfaces.msg.Log, "/rosout", heard.append, 10)
    node.get_logger().warning("hot")
    child = node.get_logger().get_child("child")
    child.info("from below")
    logging.get_logger("elsewhere").info("unheard")
    listener.get_logger().info("unheard")
    world.time.run(seconds=0.1)
    assert [(line.name, line.level, line.msg) for line in heard] == [
        ("ns.node", 30, "hot"),
        ("ns.node.child", 20, "from below"),
    ]
    assert heard[0].function == "test_log_lines_go_to_rosout_while_the_logger_is_a_nodes"
    assert heard[0].file.endswith("test_ros_node.py") and heard[0].line > 0
    del child
    gc.collect()
    logging.get_logger("ns.node.child").info("unheard")
    node.destroy_node()
    logging.get_logger("ns.node").info("unheard")
    world.time.run(seconds=0.1)
    assert len(heard) == 2


def test_levels_of_loggers_are_read_and_set_from_outside(world: World) -> None:
    node = world.make("n", enable_logger_service=True)
    srv, level = rcl_interfaces.srv, rcl_interfaces.msg.LoggerLevel
    setter, getter = (
        node.create_client(srv.SetLoggerLevels, "~/set_logger_levels"),
        node.create_client(srv.GetLoggerLevels, "~/get_logger_levels"),
    )
    request = srv.SetLoggerLevels.Request(levels=[level(name="far.away", level=40), level(name="x", level=7)])
    results = world.result(setter.call_async(request)).results
    assert [result.successful for result in results] == [True, False]
    assert results[1].reason == "Failed reason: Invalid logger level."
    levels = world.result(getter.call_async(srv.GetLoggerLevels.Request(names=["far.away", "x"]))).levels
    assert [(each.name, each.level) for each in levels] == [("far.away", 40), ("x", 0)]
    logging.clear_config()


def test_types_describe_themselves_to_others(world: World, node: Node) -> None:
    kind = type_description_interfaces.srv.GetTypeDescription
    client = node.create_client(kind, "~/get_type_description")
    [info] = node.get_publishers_info_by_topic("/parameter_events")
    asked = kind.Request(type_name=info.topic_type, type_hash=str(info.topic_type_hash))
    answer = world.result(client.call_async(asked))
    assert answer.successful, answer.failure_reason
    assert answer.type_description.type_description.type_name == "rcl_interfaces/msg/ParameterEvent"
    names = {each.type_name for each in answer.type_description.referenced_type_descriptions}
    assert "builtin_interfaces/msg/Time" in names
    sources = {each.type_name: each for each in answer.type_sources}
    assert sources.keys() == {info.topic_type, *names}
    assert "changed_parameters" in sources[info.topic_type].raw_file_contents
    service = world.result(client.call_async(kind.Request(type_name="std_srvs/srv/Trigger")))
    encodings = {each.type_name: each.encoding for each in service.type_sources}
    assert encodings["std_srvs/srv/Trigger"] == "srv" and encodings["std_srvs/srv/Trigger_Request"] == "implicit"
    wrong = world.result(client.call_async(kind.Request(type_name=info.topic_type, type_hash="RIHS01_00")))
    assert not wrong.successful and "RIHS01_00" in wrong.failure_reason


def test_a_filtered_subscription_hears_only_what_passes(world: World, node: Node) -> None:
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


def test_a_node_whose_construction_fails_leaves_nothing(world: World) -> None:
    with pytest.raises(InvalidParameterTypeException):
        world.make("broken", parameter_overrides=[Parameter("use_sim_time", value="yes")])
    assert world.context.bus.endpoints() == [] and world.context.nodes == []
