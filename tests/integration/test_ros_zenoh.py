"""The bridge to Zenoh and, in a process of its own, a peer that speaks as rmw_zenoh does, written by hand."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robot.ros.bridge.zenoh import ZenohBridge
from robot.ros.context import Context
from robot.ros.exceptions import ROSError
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import example_interfaces, std_msgs
from robot.ros.node import Node
from robot.ros.qos import DurabilityPolicy, QoSProfile

pytest.importorskip("zenoh", reason="Zenoh is not installed: pip install 'berrybrain[zenoh]'")

String, AddTwoInts = std_msgs.msg.String, example_interfaces.srv.AddTwoInts
KEEPING = QoSProfile(depth=2, durability=DurabilityPolicy.TRANSIENT_LOCAL)

PEER = """
import json, struct, sys, time
import zenoh, zenoh.ext

config = zenoh.Config()
config.insert_json5("connect/endpoints", json.dumps([sys.argv[1]]))
config.insert_json5("listen/endpoints", '["tcp/127.0.0.1:0"]')
config.insert_json5("scouting/multicast/enabled", "false")
session = zenoh.open(config)
me = session.zid()
STRING = "std_msgs::msg::dds_::String_/RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18"
ADD = ("example_interfaces::srv::dds_::AddTwoInts_/"
       "RIHS01_e118de6bf5eeb66a2491b5bda11202e7b68f198d6f67922cf30364858239c81a")

def say(**what):
    print(json.dumps(what), flush=True)

def attached(number):
    return struct.pack("<qqB", number, time.time_ns(), 16) + b"g" * 16

def string(text):
    return b"\\0\\1\\0\\0" + struct.pack("<I", len(text) + 1) + text.encode() + b"\\0"

def hear(sample):
    number, stamp, size = struct.unpack_from("<qqB", sample.attachment.to_bytes())
    text = sample.payload.to_bytes()[8:-1].decode()
    say(heard=text, number=number, size=size, key=str(sample.key_expr), age=time.time() - stamp / 1e9)

def add(query):
    a, b = struct.unpack("<qq", query.payload.to_bytes()[4:])
    query.reply(f"0/far_add/{ADD}", b"\\0\\1\\0\\0" + struct.pack("<q", a + b), attachment=query.attachment)

history = zenoh.ext.HistoryConfig(detect_late_publishers=True)
held = [
    session.declare_subscriber(f"0/robot/said/{STRING}", hear),
    zenoh.ext.declare_advanced_subscriber(session, f"0/kept/{STRING}", hear, history=history),
    session.declare_queryable(f"0/far_add/{ADD}", add, complete=True),
]
chat = session.declare_publisher(f"0/robot/chat/{STRING}")
tokens = [session.liveliness().declare_token(f"@ros2_lv/0/{me}/0/{entity}") for entity in (
    "0/NN/%/%/peer",
    f"1/MP/%/%/peer/%robot%chat/{STRING}/::,10:,:,:,,",
    f"2/MS/%/%/peer/%robot%said/{STRING}/::,10:,:,:,,",
    f"3/MS/%/%/peer/%kept/{STRING}/:1:,10:,:,:,,",
    f"4/SS/%/%/peer/%far_add/{ADD}/::,10:,:,:,,",
)]
number = 0
for line in sys.stdin:
    number += 1
    word, _, text = line.strip().partition(" ")
    if word == "chat":
        chat.put(string(text), attachment=attached(number))
    elif word == "garbage":
        chat.put(b"?", attachment=b"short")
    elif word == "add":
        a, b = map(int, text.split())
        payload = b"\\0\\1\\0\\0" + struct.pack("<qq", a, b)
        for reply in session.get(f"0/near_add/{ADD}", target=zenoh.QueryTarget.ALL_COMPLETE, payload=payload,
                                 attachment=attached(number), timeout=20.0):
            if reply.ok is not None:
                same = reply.ok.attachment.to_bytes()[:8] == struct.pack("<q", number)
                say(sum=struct.unpack("<q", reply.ok.payload.to_bytes()[4:12])[0], same=same)
    elif word == "tokens":
        say(tokens=[str(reply.ok.key_expr) for reply in session.liveliness().get("@ros2_lv/0/**")])
session.close()
"""


class Peer:
    """The other process: told what to do by lines, it says what it hears in lines."""

    def __init__(self, address: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PEER, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.said: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def heard(self, key: str) -> list[Any]:
        return [entry[key] for entry in self.said if key in entry]

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()


class World:
    """A node, the bridge of its domain in a thread, and the peer."""

    def __init__(self, address: str) -> None:
        self.bridge = ZenohBridge(connect=[], listen=[address], domain_id=0)
        self._thread = threading.Thread(target=self.bridge.run, daemon=True)
        self._thread.start()
        self.context = Context(domain_id=0)
        self.context.init(())
        self.node = Node("near", context=self.context, start_parameter_services=False, enable_rosout=False)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.peer = Peer(address)

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 30.0
        while not condition():
            assert time.monotonic() < end, f"it did not come true in 30 s; the peer said {self.peer.said}"
            assert self.peer.process.poll() is None, "the peer has ended"
            self.executor.spin_once(timeout_sec=0.02)

    def close(self) -> None:
        self.peer.close()
        self.context.shutdown()
        self.bridge.end()
        self._thread.join()
        self.bridge.close()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = World(f"tcp/127.0.0.1:{port}")
    yield made
    made.close()


def test_topics_pass_both_ways_with_their_keys_and_attachments(world: World, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []
    world.node.create_subscription(String, "/robot/chat", lambda message: heard.append(message.data), 10)
    kept = world.node.create_publisher(String, "/kept", KEEPING)
    for word in ("lost", "old", "new"):
        kept.publish(String(data=word))
    said = world.node.create_publisher(String, "/robot/said", 10)
    world.until(said.get_subscription_count)
    assert [info.node_name for info in world.node.get_subscriptions_info_by_topic("/robot/said")] == ["_zenoh"]

    def answers() -> bool:
        world.peer.tell("chat hello")
        return bool(heard)

    world.until(answers)
    assert [info.node_name for info in world.node.get_publishers_info_by_topic("/robot/chat")] == ["peer"]
    world.until(lambda: world.peer.heard("heard") == ["old", "new"])
    for number in range(5):
        said.publish(String(data=f"word {number}"))
    world.until(lambda: "word 4" in world.peer.heard("heard"))
    entries = [entry for entry in world.peer.said if str(entry.get("heard")).startswith("word")]
    assert [entry["heard"] for entry in entries] == [f"word {number}" for number in range(5)]
    assert [entry["number"] for entry in entries] == [1, 2, 3, 4, 5]
    for entry in entries:
        assert entry["key"].startswith("0/robot/said/std_msgs::msg::dds_::String_/RIHS01_df668c74")
        assert entry["size"] == 16
        assert abs(entry["age"]) < 60.0
    with caplog.at_level(logging.WARNING):
        world.peer.tell("garbage")
        world.until(lambda: "expected an attachment" in caplog.text)
    assert set(heard) == {"hello"}


def test_services_answer_on_both_sides(world: World) -> None:
    def add(request: Any, response: Any) -> Any:
        response.sum = request.a + request.b
        return response

    world.node.create_service(AddTwoInts, "/near_add", add)
    client = world.node.create_client(AddTwoInts, "/far_add")
    world.until(client.service_is_ready)
    for number in range(3):
        future = client.call_async(AddTwoInts.Request(a=number, b=10))
        world.until(future.done)
        assert future.result().sum == number + 10

    def is_told() -> bool:
        world.peer.tell("tokens")
        return any("near_add" in token for tokens in world.peer.heard("tokens") for token in tokens)

    world.until(is_told)
    world.peer.tell("add 20 22")
    world.until(lambda: world.peer.heard("sum"))
    assert world.peer.heard("sum") == [42]
    assert world.peer.heard("same") == [True]


def test_what_ends_is_gone_on_the_other_side(world: World) -> None:
    publisher = world.node.create_publisher(String, "/brief", 10)

    def told(wanted: bool) -> Callable[[], bool]:
        def look() -> bool:
            world.peer.tell("tokens")
            last = world.peer.heard("tokens")[-1:]
            return bool(last) and any("%brief" in token for token in last[0]) is wanted

        return look

    world.until(told(True))
    publisher.destroy()
    world.until(told(False))
    world.until(lambda: world.node.get_publishers_info_by_topic("/robot/chat"))
    world.peer.close()
    end = time.monotonic() + 30.0
    while world.node.get_publishers_info_by_topic("/robot/chat"):
        assert time.monotonic() < end, "the peer is still seen"
        world.executor.spin_once(timeout_sec=0.02)


def test_there_is_one_bridge_in_a_domain(world: World) -> None:
    with pytest.raises(ROSError, match="zenoh runs in this domain already"):
        ZenohBridge(connect=[], domain_id=0)
