"""What nodes see and tell of each other: the graph, log lines, levels of loggers, types."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from robot.ros import logging
from robot.ros.endpoint_info import EndpointTypeEnum
from robot.ros.exceptions import (
    NodeNameNonExistentError,
)
from robot.ros.interfaces import (
    rcl_interfaces,
    std_msgs,
    std_srvs,
    type_description_interfaces,
)
from robot.ros.node import Node
from robot.ros.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ros_world import RosWorld

String, Trigger = std_msgs.msg.String, std_srvs.srv.Trigger


@pytest.fixture
def world() -> RosWorld:
    return RosWorld()


@pytest.fixture
def node(world: RosWorld) -> Node:
    return world.make("node", namespace="ns")


# --- the graph


def test_a_node_sees_nodes_topics_services_and_their_owners(world: RosWorld, node: Node) -> None:
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


def test_log_lines_go_to_rosout_while_the_logger_is_a_nodes(world: RosWorld, node: Node) -> None:
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
    assert heard[0].file.endswith("test_ros_graph.py") and heard[0].line > 0
    del child
    gc.collect()
    logging.get_logger("ns.node.child").info("unheard")
    node.destroy_node()
    logging.get_logger("ns.node").info("unheard")
    world.time.run(seconds=0.1)
    assert len(heard) == 2


def test_levels_of_loggers_are_read_and_set_from_outside(world: RosWorld) -> None:
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


def test_types_describe_themselves_to_others(world: RosWorld, node: Node) -> None:
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
