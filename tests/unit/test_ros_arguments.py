"""Command lines: what belongs to ROS, remap rules, parameters from assignments and files, log levels."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from robot.ros.arguments import parse
from robot.ros.arguments.parameters import matches, read_assignment, read_file, read_value, values_for
from robot.ros.arguments.rules import NAMESPACE, NODE, SERVICE, TOPIC, parse_rule, remap_name, remap_node
from robot.ros.exceptions import RCLInvalidROSArgsError, UnknownROSArgsError
from robot.ros.utilities import remove_ros_args


def test_only_what_follows_the_marker_is_ros() -> None:
    args = ["prog", "-r", "x", "--ros-args", "-r", "a:=b", "-p", "n:=1", "--", "--more", "--ros-args", "-e", "/cell"]
    parsed = parse(args)
    assert parsed.own == ["prog", "-r", "x", "--more"] == remove_ros_args(args)
    assert (len(parsed.rules), parsed.overrides, parsed.enclave) == (1, [("/**", {"n": 1})], "/cell")
    assert remove_ros_args([]) == []


def test_log_levels_and_outputs_are_read() -> None:
    line = "--ros-args --log-level debug --log-level a.b:=WARN --disable-rosout-logs --enable-stdout-logs"
    parsed = parse(line.split())
    assert parsed.log_levels == {"": 10, "a.b": 30}
    assert parsed.outputs == {"rosout": False, "stdout": True}


@pytest.mark.parametrize(
    "line",
    ["-r", "-r nothing", "-r a:=b:=c", "-r :=b", "-r a?:=b", "-r __node:=a/b", "-r __ns:=rel", "-p x", "-p x:={a: 1}",
     "--params-file /none.yaml", "--log-level loud", "-r no?de:a:=b", "-p x:=[1,a]", "-p x:="],
)  # fmt: skip
def test_arguments_that_cannot_be_read_are_refused_by_name(line: str) -> None:
    with pytest.raises(RCLInvalidROSArgsError, match=r"Failed to parse ROS arguments:.*" + line.split(maxsplit=1)[0]):
        parse(["--ros-args", *line.split(maxsplit=1)])


def test_unknown_arguments_are_all_named() -> None:
    with pytest.raises(UnknownROSArgsError, match=r"\['unknown', '--odd'\]"):
        parse(["--ros-args", "unknown", "-r", "a:=b", "--odd"])


def rename(rule: str, full: str, kind: str = TOPIC, node: str = "n", namespace: str = "/ns") -> str:
    return remap_name([parse_rule(rule)], kind, full, node, namespace)


@pytest.mark.parametrize(
    ("rule", "full", "renamed"),
    [
        ("a:=b", "/ns/a", "/ns/b"),
        ("a:=b", "/a", "/a"),
        ("/a:=/b", "/a", "/b"),
        ("~/a:=/b", "/ns/n/a", "/b"),
        ("a:=~/b", "/ns/a", "/ns/n/b"),
        ("n:a:=b", "/ns/a", "/ns/b"),
        ("other:a:=b", "/ns/a", "/ns/a"),
        ("rostopic://a:=b", "/ns/a", "/ns/b"),
        ("rosservice://a:=b", "/ns/a", "/ns/a"),
        ("n:rostopic://a:=rostopic://b", "/ns/a", "/ns/b"),
    ],
)
def test_rules_rename_topics(rule: str, full: str, renamed: str) -> None:
    assert rename(rule, full) == renamed


def test_a_scheme_limits_a_rule_to_services_and_the_first_match_wins() -> None:
    assert rename("rosservice://a:=b", "/ns/a", SERVICE) == "/ns/b"
    rules = [parse_rule("a:=first"), parse_rule("a:=second")]
    assert remap_name(rules, TOPIC, "/ns/a", "n", "/ns") == "/ns/first"


def test_rules_rename_nodes_and_namespaces() -> None:
    rules = [parse_rule(text) for text in ("other:__node:=x", "__node:=y", "y:__ns:=/deep/er", "__name:=z")]
    assert remap_node(rules, NODE, "n") == "y"
    assert remap_node(rules, NODE, "other") == "x"
    assert remap_node(rules, NAMESPACE, "y") == "/deep/er"
    assert remap_node(rules, NAMESPACE, "n") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-0x10", -16), ("010", 8), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0), ("'1'", "1"),
        ('"true"', "true"), ("True", True), ("off", False), ("hello world", "hello world"), ("!!str 5", "5"), ("", ""),
        ("[1, 2]", [1, 2]), ("[1, 2.5]", [1.0, 2.5]), ("[a, b]", ["a", "b"]), ("[true, false]", [True, False]),
        ("~", None), ("99999999999999999999", 1e20), ("-.inf", -math.inf), ("10.0.0.1", "10.0.0.1"),
    ],
)  # fmt: skip
def test_yaml_values_are_typed_as_ros_does(text: str, value: object) -> None:
    read = read_value(text)
    assert read == value and type(read) is type(value)


def test_assignments_may_name_a_node() -> None:
    assert read_assignment("talker:speed.max:=0.5") == ("/talker", {"speed.max": 0.5})
    assert read_assignment("url:='http://a:1'") == ("/**", {"url": "http://a:1"})
    assert read_assignment("text:=''") == ("/**", {"text": ""})


FILE = """
/**:
  ros__parameters: {rate: 1, frames: {base: map, tool: [a, b]}}
talker:
  ros__parameters:
    rate: 2
ns:
  listener:
    ros__parameters: {rate: 3}
/deep/er/node: {ros__parameters: {rate: 4}}
"""


def test_files_hold_nodes_namespaces_wildcards_and_nested_names(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(FILE)
    overrides = read_file(path)
    assert values_for(overrides, "/talker") == {"rate": 2, "frames.base": "map", "frames.tool": ["a", "b"]}
    assert values_for(overrides, "/ns/listener")["rate"] == 3
    assert values_for(overrides, "/deep/er/node")["rate"] == 4
    assert values_for(overrides, "/ns/talker")["rate"] == 1
    parsed = parse(["--ros-args", "--params-file", str(path), "-p", "rate:=9"])
    assert values_for(parsed.overrides, "/talker")["rate"] == 9


@pytest.mark.parametrize("text", ["a: 1", "[1]", "a: {ros__parameters: 3}", "ros__parameters: {a: 1}", "a: b: c", "\t"])
def test_files_that_are_no_parameter_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"p\.yaml"):
        read_file(path)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("/**", "/a/b", True), ("/**", "/b", True), ("/*", "/b", True), ("/*", "/a/b", False),
        ("/**/b", "/a/c/b", True), ("/**/b", "/b", True), ("/a/*", "/a/b", True),
        ("/a", "/ab", False), ("/a.", "/ab", False),
    ],
)  # fmt: skip
def test_patterns_match_tokens(pattern: str, name: str, fits: bool) -> None:
    assert matches(pattern, name) is fits
