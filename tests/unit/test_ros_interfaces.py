"""Interface files and the names by which they are reached."""

from __future__ import annotations

import copy
import pickle

import pytest

from robot.ros import interfaces
from robot.ros.idl import InterfaceError, parse_interface
from robot.ros.interfaces import berry_msgs, control_msgs, get_action, get_message, get_service, registry, std_srvs


def test_every_shipped_interface_makes_a_class_whose_default_survives_the_wire() -> None:
    made = 0
    for package in registry.packages():
        for name in registry.names(package, "msg"):
            message = get_message(f"{package}/msg/{name}")()
            assert message._decode(message._encode(message)) == message
            made += 1
        for name in registry.names(package, "srv"):
            service = get_service(f"{package}/srv/{name}")
            assert service.Request() == service.Request._decode(service.Request._encode(service.Request()))
            made += 1
        for name in registry.names(package, "action"):
            action = get_action(f"{package}/action/{name}")
            assert action.Impl.SendGoalService.Request(goal=action.Goal()).goal == action.Goal()
            made += 1
    assert made > 300


def test_attributes_and_names_give_the_same_class() -> None:
    assert berry_msgs.msg.Berry is get_message("berry_msgs/msg/Berry")
    assert std_srvs.srv.Trigger is get_service("std_srvs/srv/Trigger")
    assert control_msgs.action.GripperCommand.Goal is get_message("control_msgs/action/GripperCommand_Goal")


@pytest.mark.parametrize("name", ["Berry", "berry_msgs/Berry", "berry_msgs/msg/../Berry", "berry_msgs/msg/Bery"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(InterfaceError):
        get_message(name)


def test_an_unknown_package_names_those_there_are() -> None:
    with pytest.raises(AttributeError, match="std_msgs"):
        _ = interfaces.sensor_mgs


@pytest.mark.parametrize(
    "text", ["float65 x[", "int32", "int32 x = 5", "bool x maybe", "float64<=3 x", "int8 LIMIT=ten", "---"]
)
def test_a_malformed_file_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(InterfaceError):
        parse_interface(text, "pkg/msg/Broken")


def test_a_hash_inside_quotes_is_no_comment() -> None:
    message = parse_interface('string a "x # y"  # note\nstring B="#"', "pkg/msg/Hash")["pkg/msg/Hash"]
    assert message.fields[0].default == "x # y"
    assert message.constants[0].value == "#"


def test_messages_can_be_copied_and_pickled() -> None:
    berry = berry_msgs.msg.Berry(id=7, box=[1, 2, 3, 4])
    assert copy.deepcopy(berry) == berry == pickle.loads(pickle.dumps(berry))
    assert copy.deepcopy(berry) is not berry
    assert "id=7" in repr(berry)
