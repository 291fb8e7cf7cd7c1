"""The generated codecs against rosbags as the oracle, over every shipped message that rosbags knows."""

from __future__ import annotations

import contextlib
import copy
import math
import random
from array import array
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rosbags.typesys import Stores, get_typestore

from robot.ros.cdr import CdrError
from robot.ros.fields import INTEGER_RANGES, FieldError
from robot.ros.idl import Type
from robot.ros.interfaces import get_message, registry, sensor_msgs, std_msgs, test_msgs
from robot.ros.packages.rosidl_parser.definition import BasicType, BoundedSequence
from robot.ros.serialization import serialize_message
from robot.ros.typehash import type_hash

ORACLE = get_typestore(Stores.ROS2_JAZZY)
SHIPPED = sorted(
    f"{package}/msg/{name}"
    for package in registry.packages()
    for name in registry.names(package, "msg")
    if f"{package}/msg/{name}" in ORACLE.fielddefs
)


def random_value(kind: Type, rng: random.Random, depth: int = 0) -> Any:
    if kind.array:
        n = kind.size if kind.array == "array" else rng.randint(0, min(kind.size or 5, 5 if depth < 2 else 1))
        single = Type(base=kind.base, string_bound=kind.string_bound)
        return [random_value(single, rng, depth) for _ in range(n)]
    if kind.base in INTEGER_RANGES:
        return rng.choice([*INTEGER_RANGES[kind.base], rng.randint(*INTEGER_RANGES[kind.base])])
    if kind.base == "float64":
        return rng.choice([0.0, -1e300, float("inf"), rng.gauss(0, 1)])
    if kind.base == "float32":
        return float(np.float32(rng.gauss(0, 100)))
    if kind.base == "bool":
        return rng.random() < 0.5
    if kind.base == "byte":
        return bytes([rng.randrange(256)])
    if kind.base in ("string", "wstring"):
        return "".join(rng.choices("aéß草莓 \n", k=rng.randint(0, min(kind.string_bound // 3 or 9, 9))))
    return random_message(kind.base, rng, depth + 1)


def random_message(name: str, rng: random.Random, depth: int = 0) -> Any:
    values = {field.name: random_value(field.type, rng, depth) for field in registry.spec(name).fields}
    return get_message(name)(**values)


def for_oracle(message: Any) -> Any:
    values = {}
    for field in message._SPEC.fields:
        value, kind = getattr(message, field.name), field.type
        if not kind.is_primitive:
            value = [for_oracle(item) for item in value] if kind.array else for_oracle(value)
        elif kind.array and kind.base == "byte":
            value = np.frombuffer(b"".join(value), np.uint8)
        elif kind.array and kind.base == "bool":
            value = np.array(value, np.bool_)
        elif kind.array and kind.base != "string":
            value = np.array(value, np.asarray(value).dtype if len(value) else np.uint8)
        elif kind.base == "byte":
            value = int.from_bytes(value, "little", signed=True)
        values[field.name] = value
    return ORACLE.types[message._TYPE_NAME](**values)


@pytest.mark.parametrize("name", SHIPPED)
def test_encoded_bytes_equal_those_of_the_oracle(name: str) -> None:
    for seed in range(5):
        message = random_message(name, random.Random(f"{name} {seed}"))
        encoded = bytes(message._encode(message))
        assert encoded == bytes(ORACLE.serialize_cdr(for_oracle(message), name))
        assert message._decode(encoded) == message


@pytest.mark.parametrize("name", sorted(set(SHIPPED) - {"std_msgs/msg/Char", "service_msgs/msg/ServiceEventInfo"}))
def test_type_hash_equals_that_of_the_oracle(name: str) -> None:
    assert type_hash(registry.spec(name), registry.spec) == ORACLE.hash_rihs01(name)


def test_type_hash_of_char_equals_the_one_rosidl_generates() -> None:
    """rosidl maps char to uint8, the oracle does not; the value is that of std_msgs' generated char__functions.c."""
    expected = "RIHS01_3ad2d04dd29ba19d04b16659afa3ccaedd691914b02a64e82e252f2fa6a586a9"
    assert type_hash(registry.spec("std_msgs/msg/Char"), registry.spec) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("srv/AddTwoInts", "e118de6bf5eeb66a2491b5bda11202e7b68f198d6f67922cf30364858239c81a"),
        ("action/Fibonacci_SendGoal", "d1a57fb2a4afe8c21e34fb10db206f16ce6729b28531141472df92277c55b557"),
        ("action/Fibonacci_GetResult", "1b0de0d5d29dc955d92f546706568428632771db13ec84c15ec1c1a59f424a57"),
    ],
)
def test_type_hashes_of_services_equal_those_seen_in_ros(name: str, expected: str) -> None:
    assert registry.hash(f"example_interfaces/{name}") == f"RIHS01_{expected}"


def test_the_oracle_covers_most_of_what_is_shipped() -> None:
    assert len(SHIPPED) > 120


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(
        ["test_msgs/msg/MultiNested", "test_msgs/msg/WStrings", "control_msgs/action/GripperCommand_Goal"]
    ),
    seed=st.integers(),
)
def test_decoding_inverts_encoding_where_there_is_no_oracle(name: str, seed: int) -> None:
    message = random_message(name, random.Random(seed), depth=1)
    assert message._decode(message._encode(message)) == message


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 50), cut=st.integers(0, 400), noise=st.binary(max_size=12))
def test_damaged_bytes_raise_cdr_error_and_nothing_else(seed: int, cut: int, noise: bytes) -> None:
    message = random_message("test_msgs/msg/UnboundedSequences", random.Random(seed))
    data = bytes(message._encode(message))[: max(4, cut)] + noise
    with contextlib.suppress(CdrError):
        message._decode(data)


def test_every_truncation_of_a_joint_state_is_refused() -> None:
    message = sensor_msgs.msg.JointState(name=["a", "b"], position=[1.0, 2.0], effort=[3.0])
    data = bytes(message._encode(message))
    for end in range(len(data)):
        with pytest.raises(CdrError):
            message._decode(data[:end])


def test_image_data_is_a_read_only_view_of_the_received_buffer() -> None:
    pixels = np.arange(64 * 64 * 3, dtype=np.uint32).astype(np.uint8)
    message = sensor_msgs.msg.Image(height=64, width=64, step=192, encoding="rgb8", data=pixels)
    received = message._encode(message)
    data = message._decode(received).data
    assert isinstance(data, memoryview) and data.readonly and data.obj is received
    assert np.array_equal(np.frombuffer(data, np.uint8), pixels)


def test_defaults_constants_and_types_follow_rosidl() -> None:
    defaults = test_msgs.msg.Defaults()
    assert (defaults.uint8_value, defaults.bool_value, defaults.byte_value) == (200, True, b"2")
    assert test_msgs.msg.Constants.FLOAT32_CONST == 1.125
    assert test_msgs.msg.Strings().string_value_default4 == "Hello'world!"
    assert isinstance(test_msgs.msg.Arrays().float64_values_default, np.ndarray)
    assert test_msgs.msg.UnboundedSequences().int32_values_default == array("i", [0, 2**31 - 1, -(2**31)])
    assert sensor_msgs.msg.JointState.get_fields_and_field_types() == {
        "header": "std_msgs/Header",
        "name": "sequence<string>",
        "position": "sequence<double>",
        "velocity": "sequence<double>",
        "effort": "sequence<double>",
    }
    first, second = test_msgs.msg.UnboundedSequences(), test_msgs.msg.UnboundedSequences()
    first.int32_values_default.append(5)
    assert len(second.int32_values_default) == 3


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: std_msgs.msg.UInt8(data=256), r"The 'data' field must be an unsigned integer in \[0, 255\]"),
        (lambda: std_msgs.msg.Int8(data=-129), r"an integer in \[-128, 127\]"),
        (lambda: std_msgs.msg.Int8(data=0.5), "of type 'int'"),
        (lambda: std_msgs.msg.String(data=3), "The 'data' field must be of type 'str'"),
        (lambda: std_msgs.msg.Float32(data=1e39), "a float in"),
        (lambda: std_msgs.msg.Bool(data=1), "of type 'bool'"),
        (lambda: std_msgs.msg.Byte(data=b"ab"), "of type 'bytes' or 'ByteString' with length 1"),
        (lambda: std_msgs.msg.Header(stamp="now"), "a sub message of type 'Time'"),
        (lambda: sensor_msgs.msg.CameraInfo(k=[0.0] * 8), "a set or sequence with length 9"),
        (lambda: test_msgs.msg.BoundedSequences(int8_values=[0] * 4), "a set or sequence with length <= 3"),
        (lambda: test_msgs.msg.Strings(bounded_string_value="x" * 23), "string value not longer than 22"),
        (lambda: test_msgs.msg.UnboundedSequences(int32_values=[1.5]), "each value of type 'int'"),
        (lambda: test_msgs.msg.UnboundedSequences(uint8_values=[256]), r"unsigned integer in \[0, 255\]"),
        (lambda: test_msgs.msg.UnboundedSequences(string_values=[1]), "each value of type 'str'"),
        (lambda: sensor_msgs.msg.JointState(position="abc"), "a set or sequence"),
        (lambda: std_msgs.msg.Float64(data=None), "of type 'float'"),
        (lambda: test_msgs.msg.UnboundedSequences(float32_values=[1.0, 1e39]), "each float in"),
        (lambda: test_msgs.msg.Arrays(float32_values=[1.0, 2.0, -1e39]), "each float in"),
        (lambda: std_msgs.msg.Header(stamp=None), "a sub message of type 'Time'"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_at_assignment(make: Any, said: str) -> None:
    with pytest.raises(FieldError, match=said):
        make()


def test_infinite_numbers_are_taken_for_floats_of_32_bits() -> None:
    given = [math.inf, 1.5, -math.inf]
    assert list(test_msgs.msg.UnboundedSequences(float32_values=given).float32_values) == given
    assert list(test_msgs.msg.UnboundedSequences(float32_values=iter(given)).float32_values) == given


@pytest.mark.parametrize(
    ("message", "field", "item"),
    [
        (test_msgs.msg.Arrays(), "bool_values", True),
        (test_msgs.msg.Arrays(), "basic_types_values", test_msgs.msg.BasicTypes()),
        (test_msgs.msg.BoundedSequences(string_values=["a", "b", "c"]), "string_values", "d"),
        (test_msgs.msg.BoundedSequences(int32_values=[1, 2, 3]), "int32_values", 4),
    ],
)
def test_a_field_that_grew_in_place_beyond_its_type_is_refused_when_it_is_sent(
    message: Any, field: str, item: Any
) -> None:
    serialize_message(message)
    getattr(message, field).append(item)
    with pytest.raises(FieldError, match=f"'{field}' field was changed in place to 4 items"):
        serialize_message(message)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(AttributeError):
        std_msgs.msg.String().text = "x"
    with pytest.raises(AssertionError, match="Invalid arguments passed to constructor: text"):
        std_msgs.msg.String(text="x")
    assert std_msgs.msg.String(data="x", check_fields=True).data == "x"


@pytest.mark.parametrize(
    "given",
    [[1.5, 2.0], (1.5, 2.0), np.array([1.5, 2.0], "<f4"), array("f", [1.5, 2.0]), memoryview(array("d", [1.5, 2.0]))],
    ids=lambda given: type(given).__name__,
)
def test_numbers_are_taken_from_any_sequence_or_buffer(given: Any) -> None:
    assert sensor_msgs.msg.JointState(position=given).position == array("d", [1.5, 2.0])
    assert test_msgs.msg.Arrays(float64_values=np.append(given, 0)).float64_values.tolist() == [1.5, 2.0, 0.0]


@pytest.mark.parametrize("given", [b"ab", bytearray(b"ab"), memoryview(b"ab"), np.array([97, 98], np.uint8), [97, 98]])
def test_few_octets_are_an_array_as_in_rosidl(given: Any) -> None:
    image = sensor_msgs.msg.Image(data=given)
    assert (
        image.data == array("B", b"ab") and type(image.data) is type(image._decode(image._encode(image)).data) is array
    )


def test_a_list_and_an_array_of_the_right_type_are_kept_themselves_as_in_rosidl() -> None:
    points, flags, numbers = [test_msgs.msg.BasicTypes()], [True, False, True], np.arange(3.0)
    message = test_msgs.msg.UnboundedSequences(basic_types_values=points)
    points.append(test_msgs.msg.BasicTypes(int8_value=7))
    assert message._decode(message._encode(message)).basic_types_values[1].int8_value == 7
    arrays = test_msgs.msg.Arrays(bool_values=flags, float64_values=numbers)
    flags[1], numbers[0] = True, 8.0
    assert arrays.bool_values == [True] * 3 and arrays.float64_values[0] == 8.0
    arrays.bool_values = [np.bool_(True)] * 3
    assert [type(value) for value in arrays.bool_values] == [bool] * 3


def test_constants_and_defaults_of_a_class_cannot_be_set() -> None:
    for name in ("INT8_CONST", "INT8_VALUE__DEFAULT"):
        kind = test_msgs.msg.Constants if name.endswith("CONST") else test_msgs.msg.Defaults
        with pytest.raises(AttributeError, match="is a constant"):
            setattr(kind, name, 1)
        with pytest.raises(AttributeError):
            setattr(kind(), name, 1)
        assert getattr(kind, name) == -50


def test_classes_carry_what_tools_of_rosidl_look_for() -> None:
    kind = test_msgs.msg.BoundedSequences
    assert (kind.__module__, kind.__name__) == ("test_msgs.msg._bounded_sequences", "BoundedSequences")
    assert type(kind)._TYPE_SUPPORT is not None and type(kind).__import_type_support__() is None
    assert isinstance(kind.__slots__, list)
    slots = dict(zip(kind.__slots__, kind.SLOT_TYPES, strict=True))
    assert slots["_float64_values"] == BoundedSequence(BasicType("double"), 3)
    assert slots["_basic_types_values"].value_type.namespaced_name() == ("test_msgs", "msg", "BasicTypes")
    assert test_msgs.msg.Strings().SLOT_TYPES[6].maximum_size == 22
    assert array("b", [0, 127, -128]) == kind.INT8_VALUES_DEFAULT__DEFAULT
    with pytest.raises(NotImplementedError, match="can not be instantiated"):
        test_msgs.srv.Empty()


def test_repr_reads_as_in_rosidl() -> None:
    state = sensor_msgs.msg.JointState(name=["a"], position=[1.0])
    assert repr(state).endswith("name=['a'], position=[1.0], velocity=[], effort=[])")
    assert repr(sensor_msgs.msg.Image(data=bytes(10_000))).endswith("0, ... 10000 items])")
    assert repr(std_msgs.msg.String(data="x")) == "std_msgs.msg.String(data='x')"


def test_a_copy_shares_its_parts_and_a_deep_copy_does_not() -> None:
    first = std_msgs.msg.Header()
    assert copy.copy(first).stamp is first.stamp and copy.copy(first) == first
    assert copy.deepcopy(first).stamp is not first.stamp
    image = sensor_msgs.msg.Image(data=bytes(10_000))
    image = image._decode(image._encode(image))
    own = copy.deepcopy(image)
    own.data[0] = 7
    assert image.data[0] == 0 and own.data[1:] == image.data[1:]
