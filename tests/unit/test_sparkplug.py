"""Sparkplug B: payloads that Google's protobuf library wrote are read, and nodes, devices and aliases become points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ingest.sparkplug import ASK_AGAIN_S, Sparkplug, Told, filters
from telemetry.messages import Birth, Data, Kind, State
from telemetry.messages.fields import MessageError
from telemetry.messages.sparkplug import SparkplugMetric, read_payload, rebirth

MS = 1_780_000_000_000
T0 = MS / 1000.0
NBIRTH = bytes.fromhex(
    "0880909282e73312120a0562645365711880909282e73320085803121a0a144e6f646520436f6e74726f6c2f52656269727468200b70001800"
)
DBIRTH = bytes.fromhex(
    "0880909282e73312210a0f4169722f54656d706572617475726510011880909282e7332009650000ac41"
    "12190a03636f3210021880909282e733200a690000000000c47940"
    "12190a066f666673657410031880909282e733200150fbffffff0f"
    "121d0a05746f74616c10041880909282e733200458f9ffffffffffffffff01"
    "12130a04646f6f7210051880909282e733200b7001"
    "12160a056d6f64656c10061880909282e733200c7a025831"
    "12150a0673696c656e7410071880909282e733200a3801"
    "12180a05636f756e7410081880909282e73320075080d0acf30e"
    "1801"
)
DDATA = bytes.fromhex(
    "0888b79282e733120e10011888b79282e733650000b041"
    "1211100318a0af9282e733280150faffffff0f"
    "121410021888b79282e733300169000000000000f03f1802"
)
NDEATH = bytes.fromhex("120b0a05626453657120085803")
NCMD = bytes.fromhex("0880909282e73312210a144e6f646520436f6e74726f6c2f526562697274681880909282e733200b7001")
NODE, DEVICE = "spBv1.0/house 1/N{}/edge", "spBv1.0/house 1/D{}/edge/box-1"


def measured(told: Told) -> list[tuple[str, float, bool, dict[str, float]]]:
    return [
        (f"{topic.site}/{topic.zone}/{topic.device}", item.at, item.historical, item.metrics)
        for topic, item in told.messages
        if isinstance(item, Data)
    ]


def born() -> Sparkplug:
    sparkplug = Sparkplug("farm")
    sparkplug.read(NODE.format("BIRTH"), NBIRTH, T0)
    sparkplug.read(DEVICE.format("BIRTH"), DBIRTH, T0)
    return sparkplug


def with_seq(payload: bytes, seq: int) -> bytes:
    """Return a payload with another number: the last of a field that occurs twice holds."""
    return payload + b"\x18" + (bytes([seq]) if seq < 128 else bytes([seq & 0x7F | 0x80, 1]))


def test_birth_of_a_device_tells_its_values_in_every_data_type() -> None:
    sparkplug = Sparkplug("farm")
    node = sparkplug.read(NODE.format("BIRTH"), NBIRTH, T0)
    assert [type(item) for _, item in node.messages] == [Birth, State]
    told = sparkplug.read(DEVICE.format("BIRTH"), DBIRTH, T0)
    values = {"Air.Temperature": 21.5, "co2": 412.25, "offset": -5.0, "total": -7.0, "door": 1.0, "count": 4e9}
    assert measured(told) == [("farm/house_1/edge.box-1", T0, False, values)]
    (birth_topic, birth), (state_topic, state) = told.messages[:2]
    assert isinstance(birth, Birth)
    assert isinstance(state, State)
    assert (birth_topic.kind, state_topic.kind, state.status) == (Kind.BIRTH, Kind.STATE, "online")
    assert birth.description == {"sparkplug": {"Air.Temperature": "Air/Temperature"}}


def test_aliases_mean_what_the_birth_said_and_history_and_transient_values_are_told_apart() -> None:
    told = born().read(DEVICE.format("DATA"), DDATA, T0 + 5.0)
    device = "farm/house_1/edge.box-1"
    assert measured(told) == [
        (device, T0 + 5.0, False, {"Air.Temperature": 22.0}),
        (device, T0 + 4.0, True, {"offset": -6.0}),
    ]


def test_numbers_of_a_node_and_its_devices_count_on_beyond_255() -> None:
    sparkplug = Sparkplug("farm")
    stamps = sparkplug.read(NODE.format("BIRTH"), NBIRTH, T0).stamps
    stamps += sparkplug.read(DEVICE.format("BIRTH"), DBIRTH, T0).stamps
    for seq in [*range(2, 256), 0, 3]:
        stamps += sparkplug.read(DEVICE.format("DATA"), with_seq(DDATA, seq), T0).stamps
    assert [stamp.seq for stamp in stamps] == [*range(257), 259]
    assert {(stamp.topic.device, stamp.boot) for stamp in stamps} == {("edge", f"3-{MS}")}


def test_death_of_a_node_is_the_death_of_its_devices_and_an_older_will_is_none() -> None:
    sparkplug = born()
    older = NDEATH[:-1] + b"\x02"
    assert sparkplug.read(NODE.format("DEATH"), older, T0).messages == []
    assert measured(sparkplug.read(DEVICE.format("DATA"), DDATA, T0))
    told = sparkplug.read(NODE.format("DEATH"), NDEATH, T0 + 9.0).messages
    assert [(topic.device, topic.kind) for topic, _ in told] == [("edge", Kind.STATE), ("edge.box-1", Kind.STATE)]
    states = [item for _, item in told if isinstance(item, State)]
    assert [(state.status, state.fault, state.at) for state in states] == 2 * [("offline", "device_offline", T0 + 9.0)]
    with pytest.raises(MessageError, match="no birth of this node"):
        sparkplug.read(DEVICE.format("DATA"), DDATA, T0)
    ((topic, state),) = born().read(DEVICE.format("DEATH"), b"\x08" + DDATA[1:7] + b"\x18\x02", T0).messages
    assert isinstance(state, State)
    assert (topic.device, state.status, state.at) == ("edge.box-1", "offline", T0 + 5.0)


def test_node_that_was_not_heard_from_its_birth_on_is_asked_for_it_but_not_all_the_time() -> None:
    sparkplug = Sparkplug("farm")
    for at in (T0, T0 + 1.0):
        with pytest.raises(MessageError, match="missing_key"):
            sparkplug.read(DEVICE.format("DATA"), DDATA, at)
    assert sparkplug.wanted(T0) == [("spBv1.0/house 1/NCMD/edge", NCMD)]
    assert sparkplug.wanted(T0) == []
    with pytest.raises(MessageError, match="no birth of this node"):
        sparkplug.read(DEVICE.format("DATA"), DDATA, T0 + ASK_AGAIN_S)
    assert len(sparkplug.wanted(T0)) == 1
    sparkplug.read(NODE.format("BIRTH"), NBIRTH, T0)
    with pytest.raises(MessageError, match="no birth of this device"):
        sparkplug.read(DEVICE.format("DATA"), DDATA, T0)
    unknown = b"\x08" + DDATA[1:7] + b"\x12\x02\x10\x63\x18\x02"
    with pytest.raises(MessageError, match="no birth of alias 99"):
        born().read(DEVICE.format("DATA"), unknown, T0)


def _named(*names: str) -> bytes:
    metrics = [b"\x0a" + bytes([len(n)]) + n.encode() + b"\x20\x0a\x69" + bytes(8) for n in names]
    return NBIRTH[:7] + b"".join(b"\x12" + bytes([len(m)]) + m for m in metrics) + b"\x18\x00"


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("spBv1.0/g/NBIRTH/e/d", NBIRTH, "bad_topic"),
        ("spBv1.0/g/DBIRTH/e", NBIRTH, "bad_topic"),
        ("spBv1.0/g/NCMD/e", NCMD, "bad_topic"),
        ("spBv1.0/../NBIRTH/e", NBIRTH, "bad_topic"),
        ("spBv1.0/g/NBIRTH/e", NBIRTH[:-5], "bad_type"),
        ("spBv1.0/g/NBIRTH/e", b"\x0b", "bad_type"),
        ("spBv1.0/g/NBIRTH/e", b"{}" * 200_000, "too_large"),
        ("spBv1.0/g/NBIRTH/e", b"\x18\x00", "bad_timestamp"),
        ("spBv1.0/g/NBIRTH/e", b"\x08\x01\x18\x00", "bad_timestamp"),
        ("spBv1.0/g/NBIRTH/e", _named("a b", "a_b"), "bad_key"),
        ("spBv1.0/g/NBIRTH/e", _named("1"), "bad_key"),
    ],
)
def test_broken_messages_are_refused_with_their_reason(topic: str, payload: bytes, reason: str) -> None:
    with pytest.raises(MessageError) as refused:
        Sparkplug("farm").read(topic, payload, T0)
    assert refused.value.code == reason


def test_two_names_that_would_become_one_device_are_not_mixed() -> None:
    sparkplug = born()
    with pytest.raises(MessageError, match="both become house_1"):
        sparkplug.read("spBv1.0/house_1/NBIRTH/edge", NBIRTH, T0)


def test_ask_for_birth_is_what_protobuf_writes_and_is_not_listened_to() -> None:
    assert rebirth(MS) == NCMD
    assert not any("CMD" in topic_filter for topic_filter in filters("+"))
    assert filters("house 1")[0] == "spBv1.0/house 1/NBIRTH/+"


@pytest.mark.parametrize(("datatype", "value"), [(1, -128.0), (2, 0x80 - 0.0), (5, 128.0), (12, None), (13, None)])
def test_whole_numbers_are_read_in_the_width_of_their_type(datatype: int, value: float | None) -> None:
    assert SparkplugMetric(value=0x80).number(datatype) == value


@given(st.binary(max_size=200))
def test_no_payload_can_do_more_than_be_refused(data: bytes) -> None:
    try:
        read_payload(data)
    except MessageError as error:
        assert error.code == "bad_type"
