"""Bags from Python by rosbag2_py's names: what is written is read byte for byte, and faults say what they are."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from dashboard.cli import berrybrain
from robot.ros import hook, interfaces
from robot.ros.interfaces import sensor_msgs, std_msgs
from robot.ros.packages import rosbag2_py
from robot.ros.packages.rosbag2_py import (
    ConverterOptions,
    QoS,
    ReadOrder,
    ReadOrderSortBy,
    SequentialReader,
    SequentialWriter,
    StorageFilter,
    StorageOptions,
    TopicMetadata,
    _writer,
)
from robot.ros.packages.rosidl_runtime_py.utilities import get_message
from robot.ros.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from robot.ros.registry import Registry
from robot.ros.serialization import deserialize_message, serialize_message
from robot.ros.tools.bag import Player, Recorder
from robot.ros.tools.bag_repair import last_whole_record
from robot.ros.tools.session import Session

HOUSE = Path(__file__).parents[2]
CHAT, JOINTS, STRING = "/chat", "/joints", "std_msgs/msg/String"
QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
Read = tuple[str, bytes, int]


def string(number: int) -> bytes:
    return serialize_message(std_msgs.msg.String(data=f"berry {number}"))


def joints(number: int) -> bytes:
    return serialize_message(sensor_msgs.msg.JointState(name=["lift"], position=[0.1 * number]))


WRITTEN: list[Read] = [
    (CHAT, string(0), 100),
    (JOINTS, joints(1), 200),
    (CHAT, string(2), 300),
    (JOINTS, joints(3), 300),
    (CHAT, string(4), 300),
    (CHAT, string(5), 400),
]


def write(folder: Path, storage: str = "", messages: list[Read] = WRITTEN, writer: Any = None) -> Path:
    with writer or SequentialWriter() as opened:
        opened.open(StorageOptions(str(folder), storage, custom_data={"bed": "3"}), ConverterOptions("cdr", "cdr"))
        opened.create_topic(TopicMetadata(0, CHAT, STRING, "cdr", [QoS(7).best_effort().transient_local()]))
        opened.create_topic(TopicMetadata(name=JOINTS, type="sensor_msgs/msg/JointState", serialization_format="cdr"))
        for topic, data, stamp in messages:
            opened.write(topic, data, stamp)
    return folder


def opened(uri: Path, storage: str = "") -> SequentialReader:
    reader = SequentialReader()
    reader.open(StorageOptions(uri=str(uri), storage_id=storage), ConverterOptions("", ""))
    return reader


def rest(reader: SequentialReader) -> list[Read]:
    found = []
    while reader.has_next():
        found.append(reader.read_next())
    return found


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("bags") / "bag")


@pytest.fixture
def reader(bag: Path) -> Iterator[SequentialReader]:
    with opened(bag) as found:
        yield found


# --- bytes there and back


@pytest.mark.parametrize("storage", ["", "mcap", "sqlite3"])
def test_what_is_written_is_read_byte_for_byte_here_and_by_others(tmp_path: Path, storage: str) -> None:
    folder = write(tmp_path / "bag", storage)
    with opened(folder, storage) as reader:
        found = rest(reader)
        types = {topic.name: topic.type for topic in reader.get_all_topics_and_types()}
    assert sorted(found) == sorted(WRITTEN) and [stamp for *_, stamp in found] == [s for *_, s in WRITTEN]
    for topic, data, _ in found:
        assert serialize_message(deserialize_message(data, get_message(types[topic]))) == data
    with Reader(folder) as other:
        assert sorted((c.topic, bytes(data), stamp) for c, stamp, data in other.messages()) == sorted(WRITTEN)
        text = get_typestore(Stores.ROS2_JAZZY).deserialize_cdr(WRITTEN[0][1], STRING)
        assert text.data == "berry 0" and other.connections[0].msgdef.data == "string data\n"


def test_what_our_recorder_wrote_is_read_as_it_was_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    sent: list[bytes] = []
    with Session() as session:
        publisher = session.node.create_publisher(sensor_msgs.msg.JointState, JOINTS, 10)

        def publish() -> None:
            message = sensor_msgs.msg.JointState(name=["lift"], position=[float(len(sent))])
            sent.append(serialize_message(message))
            publisher.publish(message)

        session.node.create_timer(0.005, publish)
        recorder = Recorder(session, tmp_path / "bag", [JOINTS])
        recorder.run(lambda: recorder.counts.get(JOINTS, 0) >= 5)
        recorder.close()
    with opened(tmp_path / "bag", "mcap") as reader:
        found = [data for _, data, _ in rest(reader)]
        (topic,) = reader.get_all_topics_and_types()
    first = sent.index(found[0])
    assert len(found) >= 5 and found == sent[first : first + len(found)]
    assert topic.type_description_hash.startswith("RIHS01_")
    assert deserialize_message(found[0], get_message(topic.type)).position[0] == first


def test_a_written_bag_is_described_and_played_by_our_tools(
    bag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path))
    said = CliRunner().invoke(berrybrain, ["ros", "bag", "info", "--json", str(bag)], standalone_mode=False)
    found = json.loads(said.output)
    assert (found["storage"], found["messages"], found["topics"][0]["count"]) == ("mcap", 6, 4)
    heard: list[str] = []
    with Session(look_s=0.2) as session:
        session.node.create_subscription(std_msgs.msg.String, CHAT, lambda message: heard.append(message.data), QOS)
        player = Player(session, bag, topics=[CHAT])
        player.play()
        player.close()
        assert session.spin_until(lambda: len(heard) >= 4, 60.0)
    assert player.skipped == {} and heard == ["berry 0", "berry 2", "berry 4", "berry 5"]


@pytest.mark.parametrize("mode", ["FILE", "MESSAGE", "NONE"])
def test_a_compressed_bag_is_read_as_it_was_written(tmp_path: Path, mode: str) -> None:
    options = rosbag2_py.CompressionOptions("zstd", rosbag2_py.compression_mode_from_string(mode))
    folder = write(tmp_path / "bag", writer=rosbag2_py.SequentialCompressionWriter(options))
    with opened(folder) as reader:
        assert sorted(rest(reader)) == sorted(WRITTEN)
        assert reader.get_metadata().compression_mode == mode.replace("NONE", "")


SCRIPT = """
import rclpy, rosbag2_py
from rclpy.node import Node
from rclpy.serialization import serialize_message
from std_msgs.msg import String

class SimpleBagRecorder(Node):
    def __init__(self):
        super().__init__("simple_bag_recorder")
        self.writer = rosbag2_py.SequentialWriter()
        options = rosbag2_py._storage.StorageOptions(uri="my_bag", storage_id="mcap")
        self.writer.open(options, rosbag2_py._storage.ConverterOptions("", ""))
        self.writer.create_topic(rosbag2_py._storage.TopicMetadata(
            id=0, name="chatter", type="std_msgs/msg/String", serialization_format="cdr"))
        self.timer = self.create_timer(0.01, self.timer_callback)

    def timer_callback(self):
        self.writer.write("chatter", serialize_message(String(data="ripe")), self.get_clock().now().nanoseconds)
        raise SystemExit(0)

rclpy.init()
rclpy.spin(SimpleBagRecorder())
"""


def test_a_script_that_never_closes_its_writer_leaves_a_whole_bag(tmp_path: Path) -> None:
    (tmp_path / "recorder.py").write_text(SCRIPT)
    env = {**os.environ, "BERRYBRAIN_ROS_DIR": str(tmp_path / "ros"), "PYTHONPATH": str(HOUSE)}
    command = [sys.executable, "-m", "robot.ros.tools.run", "recorder.py"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    with opened(tmp_path / "my_bag") as reader:
        ((topic, data, _),) = rest(reader)
        assert (topic, data) == ("chatter", serialize_message(std_msgs.msg.String(data="ripe")))


def test_scripts_find_the_package_and_its_parts_by_their_names() -> None:
    assert hook.install()
    try:
        for name in ("", "._storage", "._reader", "._writer", "._info", "._compression_options"):
            ours = importlib.import_module(f"robot.ros.packages.rosbag2_py{name}")
            assert importlib.import_module(f"rosbag2_py{name}") is ours
    finally:
        hook.uninstall()


# --- choose what is read


def test_filters_hold_from_the_last_message_on(reader: SequentialReader) -> None:
    assert reader.read_next() == WRITTEN[0] and reader.has_next()
    reader.set_filter(StorageFilter(topics=[CHAT]))
    assert [data for _, data, _ in rest(reader)] == [string(2), string(4), string(5)]
    reader.seek(0)
    for chosen in (
        StorageFilter([JOINTS]),
        StorageFilter(regex="/j.*"),
        StorageFilter(exclude_topics=[CHAT]),
        StorageFilter(regex_to_exclude="/c.*"),
        StorageFilter(topics=[JOINTS, CHAT], regex_to_exclude="/ch.t"),
    ):
        reader.seek(0)
        reader.set_filter(chosen)
        assert [data for _, data, _ in rest(reader)] == [joints(1), joints(3)], chosen
    reader.set_filter(StorageFilter(regex="chat"))  # a part of a name is no match
    assert not reader.has_next()
    reader.reset_filter()
    assert [stamp for *_, stamp in rest(reader)] == [300, 300, 400]  # behind the last, joints 3
    with pytest.raises(ValueError, match="regular expression"):
        reader.set_filter(StorageFilter(regex="("))


@pytest.mark.parametrize(("at", "stamps"), [(0, 6), (100, 6), (101, 5), (300, 4), (301, 1), (401, 0)])
def test_seeking_goes_to_the_first_message_of_that_time_or_later(
    reader: SequentialReader, at: int, stamps: int
) -> None:
    rest(reader)
    reader.seek(at)
    assert [stamp for *_, stamp in rest(reader)] == [stamp for *_, stamp in WRITTEN][6 - stamps :]


def test_bags_are_read_backwards_too(tmp_path: Path) -> None:
    messages = [(CHAT, string(number), 10 * (number // 2)) for number in range(1001)]  # two of each time
    with opened(write(tmp_path / "bag", messages=messages)) as reader:
        assert not reader.set_read_order(ReadOrder(ReadOrderSortBy.PublishedTimestamp))
        assert reader.set_read_order(ReadOrder(reverse=True))
        assert rest(reader) == messages[::-1]
        reader.seek(1234)
        assert reader.read_next() == messages[247]
        assert reader.set_read_order(ReadOrder())
        assert [reader.read_next() for _ in range(3)] == messages[246:249]


def test_metadata_says_what_is_in_a_bag(bag: Path, reader: SequentialReader) -> None:
    for found in (reader.get_metadata(), rosbag2_py.Info().read_metadata(str(bag), "mcap")):
        assert (found.starting_time.nanoseconds, found.duration.nanoseconds, found.message_count) == (100, 300, 6)
        assert (found.storage_identifier, found.version, found.custom_data) == ("mcap", 9, {"bed": "3"})
        assert [file.message_count for file in found.files] == [6] and found.relative_file_paths == ["bag.mcap"]
        assert found.bag_size == (bag / "bag.mcap").stat().st_size
        counts = {topic.topic_metadata.name: topic.message_count for topic in found.topics_with_message_count}
        assert counts == {CHAT: 4, JOINTS: 2}
    (offered,) = reader.get_all_topics_and_types()[0].offered_qos_profiles
    profile = rosbag2_py.convert_rclcpp_qos_to_rclpy_qos(offered)
    assert (profile.depth, profile.reliability, profile.durability) == (
        7,
        ReliabilityPolicy.BEST_EFFORT,
        DurabilityPolicy.TRANSIENT_LOCAL,
    )
    texts = {found.topic_type: found for found in reader.get_all_message_definitions()}
    source = rosbag2_py.LocalMessageDefinitionSource().get_full_text(STRING)
    assert texts[STRING].encoded_message_definition == source.encoded_message_definition == "string data\n"


def test_topics_are_copied_with_all_that_is_known_of_them(bag: Path, tmp_path: Path) -> None:
    with opened(bag) as reader, SequentialWriter() as writer:
        writer.open(StorageOptions(str(tmp_path / "copy"), start_time_ns=200, end_time_ns=300), ConverterOptions())
        for topic in reader.get_all_topics_and_types():
            writer.create_topic(topic)
        for message in rest(reader):
            writer.write(*message)
        before = reader.get_all_topics_and_types()
    with opened(tmp_path / "copy") as reader:
        assert [stamp for *_, stamp in rest(reader)] == [200, 300, 300, 300]
        assert all(a.equals(b) for a, b in zip(reader.get_all_topics_and_types(), before, strict=True))


# --- topics and faults


def test_removed_topics_are_gone_unless_something_was_written_of_them(tmp_path: Path) -> None:
    kept, gone = (TopicMetadata(name, STRING, "cdr", "") for name in ("/kept", "/gone"))
    with SequentialWriter() as writer:
        writer.open(StorageOptions(str(tmp_path / "bag")), ConverterOptions())
        for topic in (kept, gone, kept):
            writer.create_topic(topic)
        writer.write("/kept", string(1), 1)
        for topic in (kept, gone):
            writer.remove_topic(topic)
            with pytest.raises(RuntimeError, match="create_topic"):
                writer.write(topic.name, string(2), 2)
        with pytest.raises(RuntimeError, match="non-existing topic"):
            writer.remove_topic(gone)
        writer.create_topic(kept)
        writer.write("/kept", string(3), 3, 2)
    with opened(tmp_path / "bag") as reader:
        assert [topic.name for topic in reader.get_all_topics_and_types()] == ["/kept"]
        assert [data for _, data, _ in rest(reader)] == [string(1), string(3)]


def test_a_type_that_is_not_known_here_is_written_without_its_definition(tmp_path: Path) -> None:
    with SequentialWriter() as writer:
        writer.open(StorageOptions(str(tmp_path / "bag")), ConverterOptions())
        writer.create_topic(TopicMetadata(0, "/far", "far_msgs/msg/Leaf", "cdr"))
        writer.write("/far", b"\0\1\0\0leaf", 1)
    with opened(tmp_path / "bag") as reader:
        assert rest(reader) == [("/far", b"\0\1\0\0leaf", 1)]
        assert reader.get_all_message_definitions()[0].encoded_message_definition == ""


def test_types_that_came_with_a_bag_are_known_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"orchard_msgs/Leaf[] leaves\n{'=' * 80}\nMSG: orchard_msgs/Leaf\nuint8 age\n"
    kind, data = "orchard_msgs/msg/Tree", b"\0\1\0\0\2\0\0\0\7\x08"
    for name, value in vars(Registry([Path(interfaces.__file__).parent])).items():
        monkeypatch.setattr(interfaces.registry, name, value)  # what is learnt here is forgotten
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP) as foreign:
        foreign.write(foreign.add_connection("/tree", kind, msgdef=text, rihs01="RIHS01_0"), 1, data)
    with pytest.raises(ModuleNotFoundError):
        get_message(kind)
    with opened(tmp_path / "bag") as reader, SequentialWriter() as writer:
        writer.open(StorageOptions(str(tmp_path / "copy")), ConverterOptions())
        writer.create_topic(reader.get_all_topics_and_types()[0])
        writer.write(*reader.read_next())
        (definition,) = reader.get_all_message_definitions()
    with opened(tmp_path / "copy") as reader:
        assert [leaf.age for leaf in deserialize_message(reader.read_next()[1], get_message(kind)).leaves] == [7, 8]
        assert reader.get_all_message_definitions() == [definition] and definition.encoded_message_definition == text


def test_what_was_written_is_handed_over_while_messages_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer, "WRITE_EVERY_S", -1.0)
    folder, copy = tmp_path / "bag", tmp_path / "copy"
    with SequentialWriter() as writer:
        writer.open(StorageOptions(str(folder)), ConverterOptions())
        writer.create_topic(TopicMetadata(0, CHAT, STRING, "cdr"))
        writer.write(CHAT, string(1), 1)
        with pytest.raises(RuntimeError, match="is being recorded"):
            opened(folder)
        copy.mkdir()
        (copy / "copy.mcap").write_bytes((folder / "bag.mcap").read_bytes())  # as a killed program leaves it
    os.utime(copy / "copy.mcap", (0, 0))
    with opened(copy) as reader:
        assert rest(reader) == [(CHAT, string(1), 1)]


def test_without_rosbags_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("robot.ros.tools.bag.find_spec", lambda _: None)
    for user in (SequentialReader(), SequentialWriter()):
        with pytest.raises(RuntimeError, match=r"pip install 'berrybrain\[bag\]'"):
            user.open(StorageOptions(str(tmp_path / "bag")), ConverterOptions())


def test_a_bag_without_messages_and_one_without_topics_are_bags(tmp_path: Path) -> None:
    with SequentialWriter() as writer:
        writer.open(StorageOptions(str(tmp_path / "none")), ConverterOptions())
    for folder in (write(tmp_path / "empty", messages=[]), tmp_path / "none"):
        with opened(folder) as reader:
            assert rest(reader) == [] and reader.get_metadata().message_count == 0
            reader.seek(5)
            with pytest.raises(RuntimeError, match="at end"):
                reader.read_next()


def test_what_is_not_open_says_so(bag: Path, tmp_path: Path) -> None:
    closed, reader, writer = opened(bag), SequentialReader(), SequentialWriter()
    closed.close()
    closed.close()
    for each in (closed, reader):
        uses: list[Callable[[], Any]] = [
            each.has_next,
            each.read_next,
            each.get_metadata,
            each.get_all_topics_and_types,
            each.reset_filter,
            partial(each.seek, 0),
            partial(each.set_read_order, ReadOrder()),
        ]
        for use in uses:
            with pytest.raises(RuntimeError, match="not open"):
                use()
    topic = TopicMetadata(0, CHAT, STRING, "cdr")
    with pytest.raises(RuntimeError, match="not open"):
        writer.create_topic(topic)
    with pytest.raises(RuntimeError, match="not open"):
        writer.write(CHAT, b"", 0)
    closed.open_uri(str(bag))
    assert closed.has_next()
    closed.close()
    writer.open(StorageOptions(str(tmp_path / "one")), ConverterOptions())
    with pytest.raises(RuntimeError, match=r"call close\(\)"):
        writer.open(StorageOptions(str(tmp_path / "two")), ConverterOptions())
    writer.create_topic(topic)
    with pytest.raises(TypeError, match="serialize_message"):
        writer.write(CHAT, std_msgs.msg.String(), 0)
    writer.close()


def test_a_bag_that_cannot_be_opened_says_why(bag: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mcap").write_text("no bag")
    (tmp_path / "hollow").mkdir()
    for options, words in [
        (StorageOptions(str(tmp_path / "nowhere")), r"nowhere is no bag"),
        (StorageOptions(str(tmp_path / "hollow"), "mcap"), r"no metadata\.yaml"),
        (StorageOptions(str(tmp_path / "text.mcap")), r"text\.mcap cannot be read"),
        (StorageOptions("", "mcap"), "URI of the bag is empty"),
        (StorageOptions(str(bag), "rosbag_v2"), "there are mcap, sqlite3"),
        (StorageOptions(str(bag), "sqlite3"), "is kept in mcap, not in sqlite3"),
    ]:
        with pytest.raises(RuntimeError, match=words):
            SequentialReader().open(options, ConverterOptions())
        with pytest.raises(RuntimeError, match=words):
            rosbag2_py.Info().read_metadata(options.uri, options.storage_id)
    with pytest.raises(RuntimeError, match="serialization format 'protobuf'"):
        SequentialReader().open(StorageOptions(str(bag)), ConverterOptions("", "protobuf"))
    with pytest.raises(RuntimeError, match="already exists"):
        SequentialWriter().open(StorageOptions(str(bag)), ConverterOptions())
    with pytest.raises(TypeError, match="TopicMetadata takes"):
        TopicMetadata(0, CHAT)


def test_a_damaged_bag_is_refused_where_it_is_damaged(tmp_path: Path) -> None:
    with SequentialWriter() as writer:
        writer.open(StorageOptions(str(tmp_path / "bag"), "mcap", storage_preset_profile="zstd_fast"))
        writer.create_topic(TopicMetadata(0, CHAT, STRING, "cdr"))
        writer.write(CHAT, string(1), 1)
    path = tmp_path / "bag" / "bag.mcap"
    whole = path.read_bytes()
    middle = whole.index(b"\x28\xb5\x2f\xfd")  # where zstd's frame begins
    path.write_bytes(whole[:middle] + bytes(20) + whole[middle + 20 :])
    with opened(path.parent) as reader:
        for use in (reader.has_next, reader.has_next, reader.read_next):  # each time, not as if it were the end
            with pytest.raises(RuntimeError, match="the bag "):
                use()


def test_a_torn_bag_is_ended_when_its_folder_is_opened(tmp_path: Path) -> None:
    path = write(tmp_path / "bag") / "bag.mcap"
    with opened(path) as reader:  # a file alone
        assert sorted(rest(reader)) == sorted(WRITTEN)
    with path.open("r+b") as file:
        file.truncate(last_whole_record(file))
    (path.parent / "metadata.yaml").unlink()
    with pytest.raises(RuntimeError, match="open its folder instead"):
        opened(path)
    with pytest.raises(RuntimeError, match="may still be being recorded"):
        opened(path.parent)
    os.utime(path, (0, 0))
    rosbag2_py.Reindexer().reindex(StorageOptions(str(path.parent), "mcap"))
    with opened(path.parent) as reader:
        assert sorted(rest(reader)) == sorted(WRITTEN)
