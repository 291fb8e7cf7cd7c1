"""MQTT packets: bytes as the standard writes them, cut out of a stream in whatever pieces it arrives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from telemetry.ingest import packets
from telemetry.ingest.packets import Login
from telemetry.ingest.stream import PacketStream
from telemetry.mqtt import MqttError, Will

LOGIN = Login(client_id="c", clean=True, keepalive_s=60, session_s=0, max_packet=1000)


def test_connect_of_3_1_1_is_written_as_the_standard_says() -> None:
    # MQTT 3.1.1, figure 3.2 on: name, level 4, flags (clean session), keep alive, client id.
    assert packets.connect(LOGIN, version5=False) == b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c"


def test_connect_carries_will_user_and_password_in_the_order_of_the_standard() -> None:
    will = Will(topic="t", payload=b"gone", qos=1, retain=True)
    login = Login(
        client_id="c", clean=False, keepalive_s=1, session_s=9, max_packet=7, will=will, username="u", password="p"
    )
    packet = packets.connect(login, version5=False)
    assert packet[9] == 0x80 | 0x40 | 0x20 | 0x08 | 0x04
    assert packet.endswith(b"\x00\x01c\x00\x01t\x00\x04gone\x00\x01u\x00\x01p")


def test_publish_of_both_qualities_is_written_as_the_standard_says() -> None:
    assert packets.publish("a/b", b"x", packet_id=0, retain=False, version5=False) == b"\x30\x06\x00\x03a/bx"
    assert packets.publish("a/b", b"x", packet_id=10, retain=True, version5=True) == b"\x33\x09\x00\x03a/b\x00\x0a\x00x"


@pytest.mark.parametrize(
    ("size", "length"),
    [(127 - 3, b"\x7f"), (128 - 3, b"\x80\x01"), (16384 - 3, b"\x80\x80\x01"), (2097152 - 3, b"\x80\x80\x80\x01")],
)
def test_lengths_take_one_to_four_bytes(size: int, length: bytes) -> None:
    packet = packets.publish("a", b"x" * size, packet_id=0, retain=False, version5=False)
    assert packet[1 : 1 + len(length)] == length
    ((first, data, begin, end),) = PacketStream(2**28).feed(packet)
    assert (first, end - begin) == (0x30, size + 3)
    assert data[begin:end] == packet[1 + len(length) :]


def test_welcome_is_read_with_every_property_another_implementation_writes() -> None:
    properties = Properties(PacketTypes.CONNACK)  # type: ignore[no-untyped-call]
    for name, value in {
        "SessionExpiryInterval": 5,
        "ReceiveMaximum": 20,
        "MaximumQoS": 1,
        "MaximumPacketSize": 4096,
        "AssignedClientIdentifier": "me",
        "ReasonString": "fine",
        "ServerKeepAlive": 30,
        "UserProperty": ("a", "b"),
    }.items():
        setattr(properties, name, value)
    welcome = packets.read_connack(b"\x00\x00" + properties.pack(), version5=True)  # type: ignore[no-untyped-call]
    assert (welcome.code, welcome.window, welcome.keepalive_s) == (0, 20, 30)


def test_welcome_in_the_words_of_3_1_1_to_mqtt_5_is_read_as_a_refusal_of_the_version() -> None:
    assert packets.read_connack(b"\x00\x01", version5=True).code == 1


@given(st.binary(max_size=40))
def test_no_properties_can_do_more_than_be_refused(data: bytes) -> None:
    try:
        packets.read_properties(data, 0)
    except MqttError as error:
        assert error.code == "broker_lost"


@given(
    st.lists(st.binary(max_size=300), max_size=8),
    st.lists(st.integers(min_value=1, max_value=200), min_size=1, max_size=60),
)
def test_packets_come_out_whole_in_whatever_pieces_they_arrive(payloads: list[bytes], cuts: list[int]) -> None:
    sent = [packets.publish("t", payload, packet_id=0, retain=False, version5=False) for payload in payloads]
    stream, came, rest, turn = PacketStream(2**20), [], b"".join(sent), 0
    while rest:
        size = cuts[turn % len(cuts)]
        came += [data[begin:end] for _, data, begin, end in stream.feed(rest[:size])]
        rest, turn = rest[size:], turn + 1
    assert came == [b"\x00\x01t" + payload for payload in payloads]


def test_stream_that_is_no_mqtt_or_names_a_huge_packet_is_refused() -> None:
    with pytest.raises(MqttError, match="expected MQTT"):
        list(PacketStream(1000).feed(b"\x30\xff\xff\xff\xff"))
    with pytest.raises(MqttError, match="at most 1000 byte"):
        list(PacketStream(1000).feed(b"\x30\x80\x80\x01"))
