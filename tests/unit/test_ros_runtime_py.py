"""rosidl_runtime_py, ament_index_python: messages from and to YAML, interfaces and packages by name."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from robot.ros.interfaces import geometry_msgs, sensor_msgs, std_msgs, std_srvs, test_msgs
from robot.ros.packages import ament_index_python
from robot.ros.packages.rosidl_parser.definition import NamespacedType
from robot.ros.packages.rosidl_runtime_py import (
    get_interface_path,
    get_interfaces,
    message_to_csv,
    message_to_ordereddict,
    message_to_yaml,
    set_message_fields,
)
from robot.ros.packages.rosidl_runtime_py.import_message import import_message_from_namespaced_type
from robot.ros.packages.rosidl_runtime_py.utilities import get_interface, get_message, is_action, is_service
from robot.ros.packages.test_msgs_fixtures import MAKERS, get_test_msg


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_every_message_comes_back_from_its_own_yaml(name: str) -> None:
    for message in get_test_msg(name):
        read = type(message)()
        values = yaml.safe_load(message_to_yaml(message))
        for key in [key for key, kind in message.get_fields_and_field_types().items() if "octet" in kind]:
            values[key] = [ord(c) for c in values[key]] if isinstance(values[key], list) else ord(values[key])
        if name not in ("MultiNested", "Nested") and not values.get("basic_types_values"):
            set_message_fields(read, {k: v for k, v in values.items() if "constants" not in k and "defaults" not in k})
            assert read == message


def test_yaml_reads_as_ros2_topic_echo_prints_it() -> None:
    state = sensor_msgs.msg.JointState(name=["a"], position=[1.5, 2.0])
    state.header.frame_id = "草莓"
    assert message_to_yaml(state) == (
        "header:\n  stamp:\n    sec: 0\n    nanosec: 0\n  frame_id: 草莓\nname:\n- a\nposition:\n- 1.5\n- 2.0\n"
        "velocity: []\neffort: []\n"
    )
    assert message_to_yaml(std_msgs.msg.Int32(data=3), flow_style=True) == "{data: 3}\n"
    assert message_to_csv(state) == "0,0,草莓,a,1.5,2.0"


def test_long_values_can_be_shortened_or_left_out() -> None:
    image = sensor_msgs.msg.Image(data=bytes(range(200)) * 100, encoding="rgb8" * 10)
    assert message_to_ordereddict(image, truncate_length=3)["data"] == [0, 1, 2, "..."]
    assert message_to_ordereddict(image, truncate_length=3)["encoding"] == "rgb..."
    assert message_to_ordereddict(image, no_arr=True)["data"] == "<sequence type: uint8, length: 20000>"
    assert message_to_ordereddict(image, no_str=True)["encoding"] == "<string length: <40>>"
    assert message_to_ordereddict(sensor_msgs.msg.CameraInfo(), no_arr=True)["k"] == "<array type: double[9]>"


def test_fields_are_set_from_nested_dictionaries() -> None:
    pose = geometry_msgs.msg.PoseStamped()
    stamps = set_message_fields(
        pose, {"header": "auto", "pose": {"position": {"x": 1, "y": "2.5"}}}, expand_header_auto=True
    )
    assert (pose.pose.position.x, pose.pose.position.y, pose.pose.orientation.w) == (1.0, 2.5, 1.0)
    assert len(stamps) == 1 and stamps[0] is pose.header.stamp
    nested = test_msgs.msg.UnboundedSequences()
    set_message_fields(nested, {"basic_types_values": [{"int8_value": 3}], "byte_values": [1], "int16_values": [4]})
    assert nested.basic_types_values[0].int8_value == 3
    assert (nested.byte_values, nested.int16_values) == ([b"\x01"], array("h", [4]))
    fixed = test_msgs.msg.Arrays()
    set_message_fields(fixed, {"uint16_values": [1, 2, 3]})
    assert isinstance(fixed.uint16_values, np.ndarray)


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({"positions": {}}, AttributeError, "no field 'positions'; it has header, pose"),
        ({"pose": 3}, TypeError, "expected to be a dictionary"),
        ({"pose": {"position": {"x": "a"}}}, ValueError, "could not convert"),
        (["x"], TypeError, "expected to be a dictionary"),
    ],
)
def test_what_does_not_fit_is_said(values: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        set_message_fields(geometry_msgs.msg.PoseStamped(), values)


def test_interfaces_are_found_by_name() -> None:
    assert get_message("std_msgs/String") is get_message("std_msgs/msg/String") is std_msgs.msg.String
    assert is_service(get_interface("std_srvs/srv/Trigger")) and get_interface("std_srvs/srv/Trigger") is (
        std_srvs.srv.Trigger
    )
    assert is_action(get_interface("test_msgs/action/Fibonacci"))
    assert import_message_from_namespaced_type(NamespacedType(["std_msgs", "msg"], "Int8")) is std_msgs.msg.Int8
    assert "srv/Trigger" in get_interfaces(["std_srvs"])["std_srvs"]
    assert Path(get_interface_path("std_msgs/msg/String")).read_text(encoding="utf-8").startswith("string data")
    for wrong, error in {
        "String": ValueError,
        "no_msgs/msg/A": ModuleNotFoundError,
        "std_msgs/msg/A": AttributeError,
    }.items():
        with pytest.raises(error):
            get_message(wrong)


def test_packages_of_the_index_are_found_by_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
    folder.mkdir(parents=True)
    (folder / "picker").write_text("said")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path}:/nowhere")
    assert ament_index_python.get_package_prefix("picker") == str(tmp_path)
    (tmp_path / "share" / "picker").mkdir()
    assert ament_index_python.get_package_share_directory("picker") == str(tmp_path / "share" / "picker")
    assert ament_index_python.get_resource("packages", "picker") == ("said", str(tmp_path))
    assert (Path(ament_index_python.get_package_share_directory("std_msgs")) / "msg" / "String.msg").is_file()
    with pytest.raises(ament_index_python.PackageNotFoundError, match="weeder"):
        ament_index_python.get_package_prefix("weeder")


def test_the_resource_index_refuses_what_is_no_name_and_lists_its_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / ament_index_python.RESOURCE_INDEX_SUBFOLDER
    for kind in ("packages", "plugins", ".hidden"):
        (index / kind).mkdir(parents=True)
    (index / "packages" / "3d_picker").write_text("")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert ament_index_python.get_resource_types() == {"packages", "plugins"}
    with pytest.raises(ament_index_python.InvalidResourceTypeNameError, match="a/b"):
        ament_index_python.get_resources("a/b")
    with pytest.raises(ament_index_python.InvalidResourceNameError, match="a/b"):
        ament_index_python.has_resource("packages", "a/b")
    with pytest.raises(AssertionError, match="empty"):
        ament_index_python.get_resource("packages", "")
    with pytest.raises(ValueError, match="not a valid package name"):
        ament_index_python.get_package_prefix("pick er")
    with pytest.warns(UserWarning, match="does not exist"):
        shared = ament_index_python.get_package_share_directory("3d_picker")
    assert shared == str(tmp_path / "share" / "3d_picker")
