"""A node's parameters: declaring, reading, setting, descriptors and callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from robot.ros.exceptions import (
    InvalidParameterException,
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
    ParameterImmutableException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
)
from robot.ros.interfaces import rcl_interfaces
from robot.ros.node import Node
from robot.ros.parameter import (
    Parameter,
    get_parameter_value,
    parameter_value_to_python,
)
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


# --- declaring


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, Type.BOOL), (3, Type.INTEGER), (0.5, Type.DOUBLE), ("a", Type.STRING), ([b"a"], Type.BYTE_ARRAY),
        ([True], Type.BOOL_ARRAY), ([1, 2], Type.INTEGER_ARRAY), ([0.5], Type.DOUBLE_ARRAY), (["a"], Type.STRING_ARRAY),
    ],
)  # fmt: skip
def test_a_value_of_every_type_survives_its_message(node: Node, value: Any, kind: Any) -> None:
    declared = node.declare_parameter("p", value)
    assert (declared.type_, declared.value, node.get_parameter_type("p")) == (kind, value, kind.value)
    message = declared.to_parameter_msg()
    again = Parameter.from_parameter_msg(message)
    assert (again.name, again.type_, list(again.value) if isinstance(value, list) else again.value) == (
        "p",
        kind,
        value,
    )
    assert parameter_value_to_python(message.value) == value


def test_what_no_parameter_can_hold_is_refused(node: Node) -> None:
    for value in ({}, [1, "a"], object()):
        with pytest.raises(TypeError, match="allowed types"):
            node.declare_parameter("odd", value)
    with pytest.raises(ValueError, match="do not agree"):
        Parameter("p", Type.INTEGER, 1.5)
    with pytest.raises(TypeError, match="must be an instance"):
        Parameter("p", 2, 1)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="unexpected parameter type"):
        parameter_value_to_python(rcl_interfaces.msg.ParameterValue(type=77))
    with pytest.raises(InvalidParameterException):
        node.declare_parameter("", 1)


def test_a_parameter_is_declared_once_and_its_override_wins(world: RosWorld) -> None:
    node = world.make("fast", parameter_overrides=[Parameter("speed", value=0.5), Parameter("count", value=3)])
    assert node.declare_parameter("speed", 1.0).value == 0.5
    with pytest.raises(ParameterAlreadyDeclaredException, match="speed"):
        node.declare_parameter("speed", 1.0)
    assert node.declare_parameter("other", 1.0).value == 1.0
    with pytest.raises(InvalidParameterTypeException, match="expecting type 'STRING'"):
        node.declare_parameter("count", "three")
    assert node.declare_parameter("count", 7, ignore_override=True).value == 7


def test_several_are_declared_under_a_namespace_or_refused_by_their_place(node: Node) -> None:
    declared = node.declare_parameters("arm", [("speed", 1.0), ("name", "ur3e", Descriptor(description="which"))])
    assert [parameter.name for parameter in declared] == ["arm.speed", "arm.name"]
    assert node.describe_parameter("arm.name").description == "which"
    for entries, why in (
        ([("a", 1), ()], "index 1"),
        ([("a", 1, Descriptor(), 4)], "index 0"),
        ([(3, 1)], "not a str"),
        ([("a", 1, "text")], "not a ParameterDescriptor"),
    ):
        with pytest.raises(TypeError, match=why):
            node.declare_parameters("", entries)
    assert not node.has_parameter("a")


def test_a_type_without_a_value_stays_uninitialised_until_it_is_set(node: Node) -> None:
    node.declare_parameter("port", Type.INTEGER)
    with pytest.raises(ParameterUninitializedException, match="port"):
        node.get_parameter("port")
    assert node.get_parameter_or("port", Parameter("port", value=1)).value == 1
    assert not node.set_parameters([Parameter("port", value="x")])[0].successful
    assert node.set_parameters([Parameter("port", value=80)])[0].successful
    assert node.get_parameter("port").value == 80
    with pytest.raises(ValueError, match="NOT_SET"):
        node.declare_parameter("none", Type.NOT_SET)
    with pytest.raises(ValueError, match="PARAMETER_NOT_SET"):
        node.declare_parameter("none", None, Descriptor())
    with pytest.raises(ValueError, match="dynamic_typing=True"):
        node.declare_parameter("none", Type.INTEGER, Descriptor(dynamic_typing=True))


def test_a_name_alone_is_dynamically_typed_with_a_warning(node: Node) -> None:
    with pytest.warns(UserWarning, match="only providing its name is deprecated"):
        node.declare_parameter("free")
    assert node.get_parameter("free").type_ == Type.NOT_SET
    for value in (1, "two", [3.0]):
        assert node.set_parameters([Parameter("free", value=value)])[0].successful
        assert node.describe_parameter("free").type == Parameter("x", value=value).type_.value
    assert node.set_parameters([Parameter("free")])[0].successful
    assert not node.has_parameter("free")


def test_overrides_declare_themselves_when_asked(world: RosWorld) -> None:
    overrides = [Parameter("a.b", value=1), Parameter("use_sim_time", value=True)]
    node = world.make("auto", parameter_overrides=overrides, automatically_declare_parameters_from_overrides=True)
    assert node.get_parameter("a.b").value == 1
    assert node.get_clock().ros_time_is_active


# --- reading


def test_undeclared_parameters_are_refused_unless_allowed(world: RosWorld, node: Node) -> None:
    with pytest.raises(ParameterNotDeclaredException, match="gone"):
        node.get_parameter("gone")
    with pytest.raises(ParameterNotDeclaredException):
        node.set_parameters([Parameter("gone", value=1)])
    with pytest.raises(ParameterNotDeclaredException):
        node.describe_parameter("gone")
    with pytest.raises(TypeError):
        node.get_parameters([1])  # type: ignore[list-item]
    free = world.make("free", allow_undeclared_parameters=True)
    assert free.get_parameter("gone").type_ == free.get_parameter_type("gone") == Type.NOT_SET
    assert free.set_parameters([Parameter("gone", value=1)])[0].successful
    assert free.get_parameter("gone").value == 1
    assert free.describe_parameter("other") == Descriptor()
    assert free.set_parameters([Parameter("gone", value="any type")])[0].successful


def test_parameters_are_found_by_prefix_and_listed_by_depth(node: Node) -> None:
    node.declare_parameters("", [("foo.first", 1), ("foo.second.deep", 2), ("bar", 3), ("foobar", 4)])
    assert {name: each.value for name, each in node.get_parameters_by_prefix("foo").items()} == {
        "first": 1,
        "second.deep": 2,
    }
    assert len(node.get_parameters_by_prefix("")) == 6
    listed = node.list_parameters([], 0)
    assert set(listed.names) >= {"foo.first", "foo.second.deep", "bar", "foobar", "use_sim_time"}
    assert list(listed.prefixes) == ["foo", "foo.second"]
    assert "foo.first" not in node.list_parameters([], 1).names
    assert list(node.list_parameters(["foo"], 1).names) == ["foo.first"]
    assert list(node.list_parameters(["foo"], 0).names) == ["foo.first", "foo.second.deep"]
    assert list(node.list_parameters(["bar", "none"], 0).names) == ["bar"]
    for prefixes, depth, error in (
        ("foo", 0, TypeError),
        ([1], 0, TypeError),
        ([], "1", TypeError),
        ([], -1, ValueError),
    ):
        with pytest.raises(error):
            node.list_parameters(prefixes, depth)  # type: ignore[arg-type]


def test_undeclaring_forgets_and_read_only_ones_stay(node: Node) -> None:
    node.declare_parameter("brief", 1)
    node.undeclare_parameter("brief")
    assert not node.has_parameter("brief")
    with pytest.raises(ParameterNotDeclaredException):
        node.undeclare_parameter("brief")
    node.declare_parameter("fixed", 1, Descriptor(read_only=True))
    with pytest.raises(ParameterImmutableException):
        node.undeclare_parameter("fixed")
    refused = node.set_parameters([Parameter("fixed", value=2)])[0]
    assert not refused.successful and "read-only" in refused.reason
    assert node.get_parameter("fixed").value == 1


# --- descriptors


def set_one(node: Node, name: str, value: Any) -> str:
    result = node.set_parameters([Parameter(name, value=value)])[0]
    assert result.successful == (not result.reason)
    return str(result.reason)


def test_ranges_and_steps_hold_for_integers(node: Node) -> None:
    node.declare_parameter("n", 4, Descriptor(integer_range=[IntRange(from_value=10, to_value=-1, step=5)]))
    assert [set_one(node, "n", value) for value in (-1, 4, 9, 10)] == [""] * 4
    assert "out of range" in set_one(node, "n", 11) and "out of range" in set_one(node, "n", -2)
    assert "not a valid step" in set_one(node, "n", 5)
    with pytest.raises(InvalidParameterValueException, match="out of range"):
        node.declare_parameter("m", 99, Descriptor(integer_range=[IntRange(from_value=0, to_value=9)]))
    assert not node.has_parameter("m")


def test_ranges_and_steps_hold_for_doubles_within_a_tolerance(node: Node) -> None:
    node.declare_parameter(
        "x", 0.0, Descriptor(floating_point_range=[FloatRange(from_value=0.0, to_value=10.0, step=0.1)])
    )
    assert [set_one(node, "x", value) for value in (10.0, 10.000001, 0.3, 9.9)] == [""] * 4
    assert "out of range" in set_one(node, "x", 10.1)
    assert "not close enough to a valid step" in set_one(node, "x", 0.35)


def test_a_static_type_may_not_change_and_not_go(node: Node) -> None:
    node.declare_parameter("n", 1)
    assert set_one(node, "n", "one") == "Wrong parameter type, expected 'Type.INTEGER' got 'Type.STRING'"
    assert set_one(node, "n", None) == "Static parameter cannot be undeclared"
    assert node.get_parameter("n").value == 1


def test_a_new_descriptor_keeps_the_value_or_takes_the_alternative(node: Node) -> None:
    node.declare_parameter("n", 50)
    narrow = Descriptor(type=Type.INTEGER, integer_range=[IntRange(from_value=0, to_value=9)])
    with pytest.raises(InvalidParameterValueException, match="out of range"):
        node.set_descriptor("n", narrow)
    assert node.set_descriptor("n", narrow, get_parameter_value("7")).integer_value == 7
    assert node.get_parameter("n").value == 7
    with pytest.raises(ParameterNotDeclaredException):
        node.set_descriptor("gone", narrow)
    node.declare_parameter("fixed", 1, Descriptor(read_only=True))
    with pytest.raises(ParameterImmutableException):
        node.set_descriptor("fixed", narrow)


# --- callbacks


def test_callbacks_change_refuse_and_hear_of_parameters_latest_first(node: Node) -> None:
    node.declare_parameters("", [("a", 1), ("b", 1)])
    calls: list[str] = []

    def logging(name: str, result: Any) -> Callable[[list[Parameter]], Any]:
        return lambda parameters: calls.append(f"{name}{[p.value for p in parameters]}") or result

    refuse = logging("refuse", Result(successful=False, reason="too fast"))
    allow = logging("allow", Result(successful=True))
    after = logging("after", None)
    node.add_on_set_parameters_callback(refuse)
    node.add_on_set_parameters_callback(allow)
    node.add_post_set_parameters_callback(after)
    node.add_pre_set_parameters_callback(lambda parameters: [*parameters, Parameter("b", value=9)])
    assert set_one(node, "a", 2) == "too fast"
    assert calls == ["allow[2, 9]", "refuse[2, 9]"]
    assert (node.get_parameter("a").value, node.get_parameter("b").value) == (1, 1)
    node.remove_on_set_parameters_callback(refuse)
    assert set_one(node, "a", 2) == "" and calls[-1] == "after[2, 9]"
    assert node.get_parameter("b").value == 9
    with pytest.raises(ValueError, match="not in list"):
        node.remove_on_set_parameters_callback(refuse)


def test_a_pre_callback_that_leaves_nothing_makes_setting_fail(node: Node) -> None:
    node.declare_parameter("a", 1)
    node.add_pre_set_parameters_callback(lambda _: [])
    assert "cannot be empty" in node.set_parameters_atomically([Parameter("a", value=2)]).reason


def test_a_refused_declaration_says_why(node: Node) -> None:
    node.add_on_set_parameters_callback(lambda _: Result(successful=False, reason="not today"))
    with pytest.raises(InvalidParameterValueException, match="not today"):
        node.declare_parameter("a", 1)
    assert not node.has_parameter("a")


def test_setting_atomically_is_all_or_nothing(node: Node) -> None:
    node.declare_parameters("", [("a", 1), ("b", "x")])
    result = node.set_parameters_atomically([Parameter("a", value=2), Parameter("b", value=3)])
    assert not result.successful and node.get_parameter("a").value == 1
    assert node.set_parameters_atomically([Parameter("a", value=2), Parameter("b", value="y")]).successful
    assert [p.value for p in node.get_parameters(["a", "b"])] == [2, "y"]
