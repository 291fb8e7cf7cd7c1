"""Two robots joined by their links over encrypted TCP on 127.0.0.1, each with keys and a policy of its own."""

from __future__ import annotations

import json
import logging
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robot.ros.bridge.inbox import FRAME, HELLO
from robot.ros.bridge.link import Link
from robot.ros.bridge.seldom import Seldom
from robot.ros.bridge.wire import BEAT, Wire
from robot.ros.context import Context
from robot.ros.exceptions import ROSError
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import example_interfaces, std_msgs
from robot.ros.node import Node
from robot.ros.qos import DurabilityPolicy, QoSProfile
from robot.ros.security.keys import Keys
from robot.ros.transport.frame import DATA, REPLY, Frame, pack

String, AddTwoInts = std_msgs.msg.String, example_interfaces.srv.AddTwoInts
KEEPING = QoSProfile(depth=2, durability=DurabilityPolicy.TRANSIENT_LOCAL)
POLICY = """<policy version="0.2.0"><enclaves><enclave path="/{robot}"><profiles><profile ns="/" node="*">
<topics publish="ALLOW" subscribe="ALLOW"><topic>chat</topic><topic>kept</topic></topics>
<services request="ALLOW" reply="ALLOW"><service>add</service></services>
</profile></profiles></enclave></enclaves></policy>"""
DOMAINS = {"one": 1, "two": 2}


class Robot:
    """A node in a domain of its own, and the link of that domain in a thread."""

    def __init__(self, name: str, folder: Path, **connection: Any) -> None:
        self.name, self.keys = name, Keys(folder / name)
        self.context = Context(domain_id=DOMAINS[name])
        self.context.init(())
        self.node = Node(name, context=self.context, start_parameter_services=False, enable_rosout=False)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.heard: list[str] = []
        self.connect(**connection)

    def connect(self, *, listen: str | None = None, connect: dict[str, str] | None = None) -> None:
        self.link = Link(self.keys, listen=listen, connect=connect or {}, domain_id=DOMAINS[self.name])
        self._thread = threading.Thread(target=self.link.run, daemon=True)
        self._thread.start()

    def hang_up(self) -> None:
        self.link.end()
        self._thread.join()
        self.link.close()

    def listen(self, topic: str, profile: QoSProfile | int = 10) -> None:
        self.node.create_subscription(String, topic, lambda message: self.heard.append(message.data), profile)

    def close(self) -> None:
        self.hang_up()
        self.context.shutdown()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    for name in DOMAINS:
        Keys(tmp_path / name).create(name)
    for name, other in (("one", "two"), ("two", "one")):
        Keys(tmp_path / name).add(tmp_path / other / "own" / f"{other}.key")
        (tmp_path / name / "policy.xml").write_text(POLICY.format(robot=other))
    return tmp_path


@pytest.fixture
def pair(folder: Path) -> Iterator[tuple[Robot, Robot]]:
    one = Robot("one", folder, listen="127.0.0.1:0")
    two = Robot("two", folder, connect={"one": str(one.link.wire.address)})
    yield one, two
    two.close()
    one.close()


def until(condition: Callable[[], object], *robots: Robot) -> None:
    end = time.monotonic() + 30.0
    while not condition():
        assert time.monotonic() < end, "it did not come true in 30 s"
        for robot in robots:
            robot.executor.spin_once(timeout_sec=0.02)


def test_messages_cross_in_order_and_what_was_kept_reaches_who_comes_late(pair: tuple[Robot, Robot]) -> None:
    one, two = pair
    kept = one.node.create_publisher(String, "kept", KEEPING)
    for word in ("lost", "old", "new"):
        kept.publish(String(data=word))
    two.listen("kept", KEEPING)
    until(lambda: two.heard == ["old", "new"], one, two)
    two.heard.clear()
    two.listen("chat", 100)
    chat = one.node.create_publisher(String, "chat", 10)
    until(chat.get_subscription_count, one, two)
    for number in range(50):
        chat.publish(String(data=str(number)))
        two.executor.spin_once(timeout_sec=0.0)
    until(lambda: len(two.heard) >= 50, two)
    assert two.heard == [str(number) for number in range(50)]
    until(lambda: ("/chat", ["std_msgs/msg/String"]) in two.node.get_topic_names_and_types(), two)
    assert [info.node_name for info in two.node.get_publishers_info_by_topic("chat")] == ["one"]


def test_a_large_message_crosses_and_nothing_comes_back(pair: tuple[Robot, Robot]) -> None:
    one, two = pair
    for robot in pair:
        robot.listen("chat")
    chat = one.node.create_publisher(String, "chat", 10)
    until(lambda: chat.get_subscription_count() == 2, one, two)
    chat.publish(String(data="x" * 300_000))
    until(lambda: two.heard and one.heard, one, two)
    two.node.create_publisher(String, "chat", 10).publish(String(data="end"))
    until(lambda: "end" in one.heard and "end" in two.heard, one, two)
    assert [len(word) for word in one.heard] == [len(word) for word in two.heard] == [300_000, 3]


def test_a_service_answers_another_robot(pair: tuple[Robot, Robot]) -> None:
    one, two = pair

    def add(request: Any, response: Any) -> Any:
        response.sum = request.a + request.b
        return response

    one.node.create_service(AddTwoInts, "add", add)
    client = two.node.create_client(AddTwoInts, "add")
    until(client.service_is_ready, one, two)
    for number in range(5):
        future = client.call_async(AddTwoInts.Request(a=number, b=10))
        until(future.done, one, two)
        assert future.result().sum == number + 10


def test_what_the_policy_does_not_list_is_refused_and_logged(
    pair: tuple[Robot, Robot], caplog: pytest.LogCaptureFixture
) -> None:
    one, two = pair
    with caplog.at_level(logging.WARNING):
        two.listen("chat")
        one.listen("cmd_vel")
        forbidden = two.node.create_publisher(String, "cmd_vel", 10)
        chat = one.node.create_publisher(String, "chat", 10)
        until(lambda: "publish /cmd_vel" in caplog.text and chat.get_subscription_count(), one, two)
    assert "refused /two of two" in caplog.text
    forbidden.publish(String(data="go"))
    chat.publish(String(data="stay"))
    until(lambda: two.heard, one, two)
    assert one.heard == []
    assert not one.node.get_publishers_info_by_topic("cmd_vel")


def test_a_policy_that_changes_is_in_force_at_once_and_one_that_cannot_be_read_never(
    pair: tuple[Robot, Robot], caplog: pytest.LogCaptureFixture
) -> None:
    one, two = pair
    one.listen("chat")
    one.listen("news")
    chat, news = (two.node.create_publisher(String, topic, 10) for topic in ("chat", "news"))
    until(chat.get_subscription_count, one, two)
    assert news.get_subscription_count() == 0
    for robot, other in ((one, "two"), (two, "one")):
        text = POLICY.format(robot=other).replace("<topic>chat", "<topic>news")
        robot.keys.policy.write_text(text)
    until(lambda: news.get_subscription_count() and not chat.get_subscription_count(), one, two)
    with caplog.at_level(logging.ERROR):
        one.keys.policy.write_text("<policy><all/></policy>")
        until(lambda: "stays in force" in caplog.text, one, two)
    news.publish(String(data="still"))
    until(lambda: one.heard, one, two)
    assert one.heard == ["still"]
    assert caplog.text.count("stays in force") == 1


def test_a_robot_whose_key_is_removed_is_dropped_and_let_in_again_with_its_key(
    pair: tuple[Robot, Robot], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = pair
    one.listen("chat")
    chat = two.node.create_publisher(String, "chat", 10)
    until(lambda: chat.get_subscription_count() and one.node.get_publishers_info_by_topic("chat"), one, two)
    with caplog.at_level(logging.WARNING):
        one.keys.remove("two")
        until(lambda: not one.node.get_publishers_info_by_topic("chat"), one, two)
        assert "its key was removed" in caplog.text
        for _ in range(10):
            chat.publish(String(data="ignored"))
            two.executor.spin_once(timeout_sec=0.02)
        assert one.link.robots() == []
    one.keys.add(folder / "two" / "own" / "two.key")
    until(lambda: one.node.get_publishers_info_by_topic("chat"), one, two)

    def hears() -> bool:
        chat.publish(String(data="back"))
        return "back" in one.heard

    until(hears, one, two)
    assert set(one.heard) == {"back"}


def test_a_robot_that_is_not_known_is_refused_and_logged(
    pair: tuple[Robot, Robot], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = pair
    until(lambda: one.link.robots() and two.link.robots())
    two.hang_up()
    one.keys.remove("two")
    until(lambda: one.link.robots() == [], one)
    with caplog.at_level(logging.WARNING):
        two.connect(connect={"one": str(one.link.wire.address)})
        until(lambda: "unknown key" in caplog.text, one, two)
    assert one.link.robots() == []
    assert two.keys.own().public.decode() in caplog.text


def test_a_link_that_is_started_again_finds_what_is_there(pair: tuple[Robot, Robot]) -> None:
    one, two = pair
    two.listen("chat")
    chat = one.node.create_publisher(String, "chat", 10)
    until(chat.get_subscription_count, one, two)
    two.hang_up()
    two.connect(connect={"one": str(one.link.wire.address)})

    def hears() -> bool:
        chat.publish(String(data="again"))  # what goes to the link that has ended is lost
        return bool(two.heard)

    until(hears, one, two)
    assert set(two.heard) == {"again"}


def test_damaged_and_forged_messages_are_dropped(
    pair: tuple[Robot, Robot], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    monkeypatch.setattr(Seldom, "again", lambda _: True)
    one.listen("chat")
    client = one.node.create_client(AddTwoInts, "add")
    chat = two.node.create_publisher(String, "chat", 10)
    until(lambda: chat.get_subscription_count() and two.node.count_clients("add"), one, two)
    stranger = pack(Frame(DATA, bytes(16), 1, 0.0))
    forged = pack(Frame(REPLY, client.endpoint.gid, 1, 0.0))
    strange = {**chat.endpoint.to_json(), "kind": "oracle"}
    lines = {**chat.endpoint.to_json(), "node": "/two\nERROR all is lost"}
    with caplog.at_level(logging.WARNING):
        for parts in (  # no announcement follows another, of two only the second is looked at
            [b"?"],
            [HELLO, b"[1"],
            [FRAME, b"", b"short", b""],
            [HELLO, b'{"version": 9}'],
            [FRAME, b"", stranger, b"payload"],
            [HELLO, b'{"version": 1, "endpoints": [{"kind": "publisher"}]}'],
            [FRAME, b"", forged, b"payload"],
            [HELLO, json.dumps({"version": 1, "endpoints": [strange]}).encode()],
            [FRAME, b"", pack(Frame(DATA, chat.endpoint.gid, 1, math.nan)), b"payload"],
            [FRAME, b"", pack(Frame(DATA, chat.endpoint.gid, 2**64 - 1, 0.0)), b"payload"],
            [HELLO, json.dumps({"version": 1, "endpoints": [lines]}).encode()],
        ):
            two.link.wire.send("one", parts)
        chat.publish(String(data="sound"))
        until(lambda: one.heard, one, two)
    assert one.heard == ["sound"]
    assert caplog.text.count("dropped a message of two") == 11
    assert "\nERROR" not in caplog.text
    for words in ("not asked", "oracle", "impossible instant", "impossible number", "control characters"):
        assert words in caplog.text


def test_a_fault_that_nobody_thought_of_costs_one_message_and_not_the_link(
    pair: tuple[Robot, Robot], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    one.listen("chat")
    chat = two.node.create_publisher(String, "chat", 10)
    until(chat.get_subscription_count, one, two)
    sound = one.link._on_frame

    def on_frame(far: Any, frame: Frame, payload: bytes, service: bytes) -> None:
        if b"odd" in payload:
            raise OverflowError("a fault")
        sound(far, frame, payload, service)

    monkeypatch.setattr(one.link, "_on_frame", on_frame)
    with caplog.at_level(logging.WARNING):
        for word in ("odd", "sound"):
            chat.publish(String(data=word))
        until(lambda: one.heard, one, two)
    assert one.heard == ["sound"]
    assert "OverflowError('a fault')" in caplog.text


def test_a_robot_whose_key_is_replaced_is_sent_nothing_more(
    pair: tuple[Robot, Robot], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = pair
    until(lambda: one.link.robots() and two.link.robots())
    Keys(folder / "new").create("new")
    with caplog.at_level(logging.WARNING):
        one.keys.add(folder / "new" / "own" / "new.key", "two")
        until(lambda: one.link.robots() == [])
    assert "its key was replaced" in caplog.text
    assert not one.link.wire._routes


def test_a_robot_that_seems_to_start_all_the_time_is_left_out_for_a_while(
    pair: tuple[Robot, Robot], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    two.listen("chat")
    chat = one.node.create_publisher(String, "chat", 10)
    until(chat.get_subscription_count, one, two)
    monkeypatch.setattr("robot.ros.bridge.wire.START_EVERY", 0.1)
    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr("robot.ros.bridge.wire.STARTS", 0)
        for number in range(50):
            two.link.wire.send("one", [BEAT, bytes([number]) * 16])
        until(lambda: "started too often" in caplog.text and one.link.robots() == [])
    assert caplog.text.count("started too often") < 10
    until(lambda: one.link.robots() and chat.get_subscription_count(), one, two)
    chat.publish(String(data="again"))
    until(lambda: two.heard, one, two)


def test_a_link_whose_connections_fail_ends_and_says_so(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(Wire, "_look", fail)
    link = Link(Keys(folder / "one"), listen=None, connect={}, domain_id=1)
    with pytest.raises(ROSError, match="the log says why"):
        link.run()
    assert "a fault" in caplog.text
    link.close()


def test_an_address_that_cannot_be_gone_to_is_refused_and_the_link_goes_on(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ROSError, match="expected HOST:PORT"):
        Link(Keys(folder / "one"), listen=None, connect={"two": "here:port"}, domain_id=1)
    with caplog.at_level(logging.WARNING):
        link = Link(Keys(folder / "one"), listen=None, connect={"two": "no host:7450"}, domain_id=1)
        until(lambda: "refused two at no host:7450" in caplog.text)
    assert not link.wire.failed
    link.close()


def test_there_is_one_link_in_a_domain(pair: tuple[Robot, Robot]) -> None:
    one, _ = pair
    with pytest.raises(ROSError, match="link runs in this domain already"):
        Link(one.keys, listen=None, connect={}, domain_id=1)


NODE = """
import rclpy
from std_msgs.msg import String
rclpy.init()
node = rclpy.create_node("far")
said = node.create_publisher(String, "chat", 10)
node.create_timer(0.05, lambda: said.publish(String(data="from afar")))
rclpy.spin(node)
"""


def test_the_command_joins_two_processes_and_ends_when_told(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "far.py"
    script.write_text(NODE)
    command = [sys.executable, "-c", "import sys; from dashboard.cli import main; main(sys.argv[1:])", "ros"]
    far = {**os.environ, "BERRYBRAIN_ROS_DIR": str(tmp_path / "far")}
    two = Robot("two", folder, listen="127.0.0.1:0")
    started: list[subprocess.Popen[str]] = []
    try:
        address = f"two@{two.link.wire.address}"
        for words in (["link", "--keys", str(folder / "one"), "--connect", address], ["run", str(script)]):
            started.append(subprocess.Popen([*command, *words], env=far, cwd=Path(__file__).parents[2], text=True))
        two.listen("chat")
        until(lambda: two.heard, two)
        assert set(two.heard) == {"from afar"}
    finally:
        for process in started:
            process.terminate()
        codes = [process.wait(30) for process in started]
        two.close()
    assert codes[0] == 0
