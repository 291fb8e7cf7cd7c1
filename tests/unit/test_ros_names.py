"""Names of nodes, namespaces, topics, services and parameters: what is refused, where, and how they expand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from robot.ros.exceptions import (
    InvalidNamespaceException,
    InvalidNodeNameException,
    InvalidParameterException,
    InvalidServiceNameException,
    InvalidTopicNameException,
    NameValidationException,
)
from robot.ros.expand_topic_name import expand_topic_name
from robot.ros.topic_or_service_is_hidden import topic_or_service_is_hidden
from robot.ros.validate_full_topic_name import validate_full_topic_name
from robot.ros.validate_namespace import validate_namespace
from robot.ros.validate_node_name import validate_node_name
from robot.ros.validate_parameter_name import validate_parameter_name
from robot.ros.validate_topic_name import validate_topic_name


@pytest.mark.parametrize(
    ("topic", "full"),
    [
        ("joint_states", "/robot/joint_states"),
        ("camera/color/image_raw", "/robot/camera/color/image_raw"),
        ("/clock", "/clock"),
        ("~/state", "/robot/control/state"),
        ("~", "/robot/control"),
        ("{node}/x", "/robot/control/x"),
        ("{ns}/x", "/robot/x"),
        ("/a/{namespace}", "/a//robot"),
    ],
)
def test_topic_names_expand_under_namespace_and_node(topic: str, full: str) -> None:
    assert expand_topic_name(topic, "control", "/robot") == full


def test_names_in_the_root_namespace_have_one_slash() -> None:
    assert expand_topic_name("a", "n", "/") == "/a"
    assert expand_topic_name("~/a", "n", "/") == "/n/a"


@pytest.mark.parametrize(
    ("topic", "node", "namespace", "which"),
    [
        ("a?", "n", "/", "topic name 'a\\?' is invalid"),
        ("a", "n?", "/", "node name 'n\\?' is invalid"),
        ("a", "n", "", "node namespace '' is invalid"),
        ("a", "n", "ns", "node namespace 'ns' is invalid"),
        ("a/{odd}", "n", "/", "unknown substitution: {odd}"),
    ],
)
def test_an_expansion_says_which_name_is_invalid(topic: str, node: str, namespace: str, which: str) -> None:
    with pytest.raises(ValueError, match=which):
        expand_topic_name(topic, node, namespace)


Validate = Callable[[str], bool]


@pytest.mark.parametrize(
    ("validate", "name", "error", "reason", "index"),
    [
        (validate_topic_name, "", InvalidTopicNameException, "empty", 0),
        (validate_topic_name, "a/b/", InvalidTopicNameException, "end with a forward slash", 3),
        (validate_topic_name, "chatter?", InvalidTopicNameException, "characters other than", 7),
        (validate_topic_name, "chätter", InvalidTopicNameException, "characters other than", 2),
        (validate_topic_name, "a/2b", InvalidTopicNameException, "must not start with a number", 2),
        (validate_topic_name, "2b", InvalidTopicNameException, "must not start with a number", 0),
        (validate_topic_name, "a~", InvalidTopicNameException, "unless it is the first character", 1),
        (validate_topic_name, "~a", InvalidTopicNameException, "not followed by a forward slash", 1),
        (validate_topic_name, "a/{b", InvalidTopicNameException, "unmatched", 2),
        (validate_topic_name, "a/b}", InvalidTopicNameException, "unmatched", 3),
        (validate_topic_name, "a/{b{c}}", InvalidTopicNameException, "unmatched", 4),
        (validate_topic_name, "a/{b/c}", InvalidTopicNameException, "substitution name must not contain", 4),
        (validate_topic_name, "a/{2}", InvalidTopicNameException, "substitution name must not start", 3),
        (validate_full_topic_name, "a", InvalidTopicNameException, "must be absolute", 0),
        (validate_full_topic_name, "/a//b", InvalidTopicNameException, "repeated", 3),
        (validate_full_topic_name, "/a/", InvalidTopicNameException, "end with", 2),
        (validate_full_topic_name, "/", InvalidTopicNameException, "end with", 0),
        (validate_full_topic_name, "/a~", InvalidTopicNameException, "characters other than", 2),
        (validate_full_topic_name, "/a/1", InvalidTopicNameException, "starts with a number", 3),
        (validate_full_topic_name, "/" + "a" * 300, InvalidTopicNameException, "should not exceed", 246),
        (validate_namespace, "", InvalidNamespaceException, "empty", 0),
        (validate_namespace, "ns", InvalidNamespaceException, "must be absolute", 0),
        (validate_namespace, "/ns/", InvalidNamespaceException, "end with", 3),
        (validate_namespace, "/n?s", InvalidNamespaceException, "characters other than", 2),
        (validate_namespace, "/" + "a" * 300, InvalidNamespaceException, "should not exceed", 244),
        (validate_node_name, "", InvalidNodeNameException, "empty", 0),
        (validate_node_name, "a/b", InvalidNodeNameException, "characters other than", 1),
        (validate_node_name, "1a", InvalidNodeNameException, "start with a number", 0),
        (validate_node_name, "a" * 256, InvalidNodeNameException, "should not exceed", 254),
    ],
)
def test_an_invalid_name_is_refused_with_the_place_of_the_fault(
    validate: Validate, name: str, error: type[NameValidationException], reason: str, index: int
) -> None:
    with pytest.raises(error, match=reason) as caught:
        validate(name)
    assert caught.value.invalid_index == index
    assert str(caught.value).endswith(" " * (3 + index) + "^")


@pytest.mark.parametrize("name", ["a", "/a/b2", "~", "~/a", "{node}/a", "a_/{ns}_b", "/_hidden"])
def test_valid_topic_names_pass(name: str) -> None:
    assert validate_topic_name(name) and validate_topic_name(name, is_service=True)


def test_services_have_their_own_error() -> None:
    with pytest.raises(InvalidServiceNameException, match="service name"):
        validate_topic_name("a?", is_service=True)
    with pytest.raises(InvalidServiceNameException):
        validate_full_topic_name("a", is_service=True)


def test_valid_full_names_namespaces_and_nodes_pass() -> None:
    assert validate_full_topic_name("/a/b_1")
    assert validate_namespace("/") and validate_namespace("/a/b")
    assert validate_node_name("_n1")
    assert validate_parameter_name("a.b")
    with pytest.raises(InvalidParameterException):
        validate_parameter_name("")


@pytest.mark.parametrize(("name", "hidden"), [("/a", False), ("/_a", True), ("/a/_b/c", True), ("/a_/b", False)])
def test_names_with_a_leading_underscore_are_hidden(name: str, hidden: bool) -> None:
    assert topic_or_service_is_hidden(name) is hidden


@pytest.mark.parametrize(
    "validate", [validate_topic_name, validate_full_topic_name, validate_namespace, validate_node_name]
)
def test_what_is_no_text_is_no_name(validate: Callable[[object], bool]) -> None:
    with pytest.raises(TypeError, match="incompatible function arguments"):
        validate(1)
    with pytest.raises(TypeError, match="incompatible function arguments"):
        expand_topic_name(1, "n", "/")  # type: ignore[arg-type]
