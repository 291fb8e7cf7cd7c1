"""rmw_zenoh's names: keys, tokens, profiles and attachments."""

from __future__ import annotations

import struct

import pytest

from robot.ros.bridge.zenoh_names import (
    Attachment,
    ForeignError,
    key,
    node_token,
    profile_text,
    read_attachment,
    read_profile,
    read_token,
    token,
)
from robot.ros.duration import Duration
from robot.ros.graph import CLIENT, PUBLISHER, Endpoint
from robot.ros.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)

HASH = "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18"


def endpoint(name: str = "/robot/chat", node: str = "/robot/talker", kind: str = PUBLISHER) -> Endpoint:
    return Endpoint(
        kind=kind,
        gid=b"g" * 16,
        name=name,
        type_name="std_msgs/msg/String",
        type_hash=HASH,
        node=node,
        qos=QoSProfile(depth=7),
    )


def test_a_topic_has_a_key_of_domain_name_type_and_hash() -> None:
    assert key(3, endpoint()) == f"3/robot/chat/std_msgs::msg::dds_::String_/{HASH}"


def test_tokens_say_who_is_there_as_the_design_has_it() -> None:
    assert node_token(0, "abc", 2, "/talker") == "@ros2_lv/0/abc/2/2/NN/%/%/talker"
    text = token(0, "abc", 2, 5, endpoint())
    head = "@ros2_lv/0/abc/2/5/MP/%/%robot/talker/%robot%chat/std_msgs::msg::dds_::String_"
    assert text == f"{head}/{HASH}/1:2:1,7:,:,:,,"


@pytest.mark.parametrize("kind", [PUBLISHER, CLIENT])
@pytest.mark.parametrize("node", ["/talker", "/a/b/talker"])
def test_a_token_is_read_as_it_was_written(kind: str, node: str) -> None:
    written = endpoint(node=node, kind=kind)
    met = read_token(token(0, "abc", 1, 2, written))
    assert met.session == "abc"
    assert met.node == node
    assert met.endpoint is not None
    assert (met.endpoint.name, met.endpoint.type_name, met.endpoint.type_hash) == (
        written.name,
        written.type_name,
        HASH,
    )
    assert met.endpoint.qos.depth == 7
    assert read_token(node_token(0, "abc", 1, node)).node == node


@pytest.mark.parametrize(
    "profile",
    [
        QoSProfile(depth=10),
        qos_profile_sensor_data,
        QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, deadline=Duration(seconds=2, nanoseconds=5)),
        QoSProfile(history=HistoryPolicy.KEEP_ALL, lifespan=Duration(seconds=1)),
        QoSProfile(depth=3, liveliness=LivelinessPolicy.MANUAL_BY_TOPIC, liveliness_lease_duration=Duration(seconds=4)),
    ],
)
def test_a_profile_survives_the_way(profile: QoSProfile) -> None:
    read = read_profile(profile_text(profile))
    for policy in ("history", "reliability", "durability", "deadline", "lifespan", "liveliness_lease_duration"):
        assert getattr(read, policy) == getattr(profile, policy)
    assert read.limit == profile.limit


def test_empty_fields_stand_for_rmw_zenohs_defaults() -> None:
    read = read_profile("::,:,:,:,,")
    assert (read.reliability, read.durability) == (ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)
    assert (read.history, read.depth) == (HistoryPolicy.KEEP_LAST, 42)
    assert read_profile("2::,10:,:,:,,").best_effort


def test_attachments_are_of_33_bytes_and_older_ones_with_names_are_read_too() -> None:
    attachment = Attachment(sequence=5, stamp_ns=1_700_000_000_123_456_789, gid=bytes(range(16)))
    data = attachment.encode()
    assert len(data) == 33
    assert read_attachment(data) == attachment
    named = b"".join(
        (
            b"\x0fsequence_number",
            struct.pack("<q", 5),
            b"\x10source_timestamp",
            struct.pack("<q", attachment.stamp_ns),
            b"\x0asource_gid\x10",
            attachment.gid,
        )
    )
    assert read_attachment(named) == attachment


@pytest.mark.parametrize("data", [b"", b"x" * 32, struct.pack("<qqB", 1, 2, 8) + bytes(16)])
def test_anything_else_is_no_attachment(data: bytes) -> None:
    with pytest.raises(ForeignError):
        read_attachment(data)


@pytest.mark.parametrize(
    "text",
    [
        "@ros2_lv/0/abc",
        "other/0/abc/1/1/NN/%/%/talker",
        "@ros2_lv/0/abc/1/1/XX/%/%/talker",
        "@ros2_lv/0/abc/1/1/MP/%/%/talker",
        f"@ros2_lv/0/abc/1/2/MP/%/%/talker/%chat/std_msgs::String/{HASH}/::,10:,:,:,,",
        f"@ros2_lv/0/abc/1/2/MP/%/%/talker/%chat/std_msgs::msg::dds_::String_/{HASH}/9::,10:,:,:,,",
        f"@ros2_lv/0/abc/1/2/MP/%/%/talker/%chat/std_msgs::msg::dds_::String_/{HASH}/::,10",
        f"@ros2_lv/0/abc/1/2/MP/%/%/talker/%chat/std_msgs::msg::dds_::String_/{HASH}/::,x:,:,:,,",
    ],
)
def test_anything_else_is_no_token(text: str) -> None:
    with pytest.raises(ForeignError):
        read_token(text)
