"""A node's parameters as others see them: events, services, files and command lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from robot.ros.interfaces import rcl_interfaces
from robot.ros.node import Node
from robot.ros.parameter import (
    Parameter,
    get_parameter_value,
    parameter_dict_from_yaml_file,
    parameter_value_to_python,
)
from robot.ros.parameter_client import AsyncParameterClient
from robot.ros.parameter_event_handler import ParameterEventHandler
from ros_world import RosWorld

Descriptor = rcl_interfaces.msg.ParameterDescriptor
Result = rcl_interfaces.msg.SetParametersResult
FloatRange, IntRange = rcl_interfaces.msg.FloatingPointRange, rcl_interfaces.msg.IntegerRange
Type = Parameter.Type


@pytest.fixture
def world() -> RosWorld:
    return RosWorld("ns")


@pytest.fixture
def node(world: RosWorld) -> Node:
    return world.make("node")


# --- events and services


def test_events_tell_what_is_new_changed_and_gone(world: RosWorld, node: Node) -> None:
    other = world.make("watcher")
    events: list[Any] = []
    handler = ParameterEventHandler(other)
    every = handler.add_parameter_event_callback(events.append)
    changes: list[int] = []
    one = handler.add_parameter_callback("a", "node", lambda p: changes.append(p.value.integer_value))
    node.declare_parameter("a", 1, Descriptor(dynamic_typing=True))
    node.set_parameters([Parameter("a", value=2)])
    node.set_parameters([Parameter("a")])
    world.time.run(seconds=0.1)
    assert [event.node for event in events] == ["/ns/node"] * 3
    found = [(len(e.new_parameters), len(e.changed_parameters), len(e.deleted_parameters)) for e in events]
    assert found == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert changes == [1, 2]
    handler.remove_parameter_callback(one)
    handler.remove_parameter_event_callback(every)
    for remove in (
        lambda: handler.remove_parameter_callback(one),
        lambda: handler.remove_parameter_event_callback(every),
    ):
        with pytest.raises(RuntimeError, match="doesn't exist"):
            remove()
    node.declare_parameter("later", 1)
    world.time.run(seconds=0.1)
    assert len(events) == 3
    handler.destroy()


def test_another_node_reads_and_sets_parameters(world: RosWorld, node: Node) -> None:
    node.declare_parameters("", [("speed", 1.0), ("names", ["a"])])
    client = AsyncParameterClient(world.make("boss"), "node")
    assert client.services_are_ready() and client.wait_for_services(0.0)
    ask = world.result
    assert "speed" in ask(client.list_parameters()).result.names
    assert ask(client.list_parameters(["names"], 1)).result.names == ["names"]
    assert ask(client.get_parameters(["speed"])).values[0].double_value == 1.0
    assert list(ask(client.get_parameters(["speed", "gone"])).values) == []
    assert list(ask(client.get_parameter_types(["speed", "names"])).types) == [3, 9]
    assert ask(client.describe_parameters(["speed"])).descriptors[0].name == "speed"
    message = Parameter("names", value=["b", "c"]).to_parameter_msg()
    set_results = ask(
        client.set_parameters([Parameter("speed", value=2.0), message, Parameter("gone", value=1)])
    ).results
    assert [result.successful for result in set_results] == [True, True, False]
    assert node.get_parameter("names").value == ["b", "c"]
    atomic = ask(client.set_parameters_atomically([Parameter("speed", value=3.0), Parameter("names", value=1)]))
    assert not atomic.result.successful and node.get_parameter("speed").value == 2.0
    called: list[Any] = []
    ask(client.delete_parameters(["speed"], callback=called.append))
    world.time.run(seconds=0.1)
    assert "Static" in called[0].result().results[0].reason


def test_services_are_left_out_when_asked(world: RosWorld) -> None:
    quiet = world.make("quiet", start_parameter_services=False, enable_rosout=False)
    names = [name for name, _ in quiet.get_service_names_and_types_by_node("quiet", "/ns")]
    assert names == ["/ns/quiet/get_type_description"]
    other = [Parameter("start_type_description_service", value=False)]
    silent = world.make("silent", start_parameter_services=False, parameter_overrides=other)
    assert silent.get_service_names_and_types_by_node("silent", "/ns") == []


# --- YAML


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("true", 1), ("5", 2), ("5.5", 3), ("hello", 4), ("[true, false]", 6), ("[1, 2]", 7), ("[1.0]", 8), ("[a]", 9),
        ("[]", 6), ("[1, a]", 4), ("", 4), ("a: b", 4),
    ],
)  # fmt: skip
def test_text_becomes_a_value_of_the_type_it_looks_like(text: str, kind: int) -> None:
    value = get_parameter_value(text)
    assert value.type == kind
    if kind == 4:
        assert value.string_value == text


def python(messages: dict[str, Any]) -> dict[str, Any]:
    return {name: parameter_value_to_python(message.value) for name, message in messages.items()}


def test_a_parameter_file_is_loaded_with_its_wildcard_below_the_nodes_own(
    world: RosWorld, node: Node, tmp_path: Path
) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("/ns/node: {ros__parameters: {a: 5, b: {c: x}}}\n/**: {ros__parameters: {a: 1, d: [1, 2]}}\n")
    plain = parameter_dict_from_yaml_file(str(path))
    assert python(plain) == {"a": 5, "b.c": "x"}
    wild = parameter_dict_from_yaml_file(str(path), True, target_nodes=["/ns/node"], namespace="n.")
    assert {name: parameter_value_to_python(p.value) for name, p in wild.items()} == {
        "n.a": 5,
        "n.b.c": "x",
        "n.d": [1, 2],
    }
    with pytest.raises(RuntimeError, match="does not contain parameters for /other"):
        parameter_dict_from_yaml_file(str(path), target_nodes=["/other"])
    (tmp_path / "bad.yaml").write_text("/n: {parameters: 1}")
    with pytest.raises(RuntimeError, match="not a valid ROS parameter file"):
        parameter_dict_from_yaml_file(str(tmp_path / "bad.yaml"))
    node.declare_parameters("", [("a", 0), ("b.c", ""), ("d", [0])])
    client = AsyncParameterClient(world.make("boss"), "/ns/node")
    loaded = world.result(client.load_parameter_file(str(path), use_wildcard=True))
    assert all(result.successful for result in loaded.results)
    assert node.get_parameter("a").value == 5
    assert world.result(client.load_parameter_file_atomically(str(path))).result.successful


def test_command_lines_and_files_give_a_node_its_parameters(world: RosWorld, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("ns: {arm: {ros__parameters: {speed: 0.5, tools: {first: cutter}}}}")
    node = world.make(
        "arm", cli_args=["--ros-args", "--params-file", str(path), "-p", "count:=3", "-p", "other:count:=4"]
    )
    assert node.declare_parameter("speed", 0.0).value == 0.5
    assert node.declare_parameter("tools.first", "").value == "cutter"
    assert node.declare_parameter("count", 0).value == 3
