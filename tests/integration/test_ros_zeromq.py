"""Contexts that talk over ZeroMQ: some in this process, side by side, and some in processes that are killed."""

from __future__ import annotations

import gc
import json
import logging
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq

from robot.ros import entity
from robot.ros.action import ActionClient, ActionServer, CancelResponse, GoalStatus, ServerGoalHandle
from robot.ros.context import Context
from robot.ros.exceptions import ROSError
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import example_interfaces, rcl_interfaces, sensor_msgs, std_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.qos import DurabilityPolicy, HistoryPolicy, QoSProfile
from robot.ros.transport import outbox, shared
from robot.ros.transport.directory import runtime_directory
from robot.ros.transport.frame import DATA, Frame, FrameError, pack
from robot.ros.transport.zeromq import ZeroMQ

ALL = QoSProfile(history=HistoryPolicy.KEEP_ALL)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
DEADLINE = 60.0


class Side:
    """A context with one node and its executor."""

    def __init__(self, folder: Path, name: str) -> None:
        self.transport = ZeroMQ(folder=folder)
        self.context = Context(transport=self.transport)
        self.node = Node(name, context=self.context, namespace="robot")
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)


class Net:
    """Several contexts in one thread, spun in turn until a condition holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sides: list[Side] = []

    def side(self, name: str) -> Side:
        made = Side(self.folder, name)
        self.sides.append(made)
        return made

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, "the condition did not come true"
            for side in self.sides:
                side.executor.spin_once(timeout_sec=0.001)

    def result(self, future: Any) -> Any:
        self.until(future.done)
        return future.result()

    def close(self, side: Side) -> None:
        self.sides.remove(side)
        side.context.shutdown()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    return runtime_directory(7)


@pytest.fixture
def net(folder: Path) -> Iterator[Net]:
    net = Net(folder)
    yield net
    for side in tuple(net.sides):
        net.close(side)
    assert list(folder.iterdir()) == []


def text(data: str) -> Any:
    return std_msgs.msg.String(data=data)


def test_every_message_after_matching_arrives_in_order(net: Net) -> None:
    talker, listener = net.side("talker"), net.side("listener")
    heard: list[str] = []
    listener.node.create_subscription(
        std_msgs.msg.String, "chat", lambda m: heard.append(m.data), QoSProfile(depth=1000)
    )
    publisher = talker.node.create_publisher(std_msgs.msg.String, "chat", 10)
    net.until(lambda: publisher.get_subscription_count() == 1)
    for n in range(500):
        publisher.publish(text(str(n)))
    net.until(lambda: len(heard) == 500)
    assert heard == [str(n) for n in range(500)]


def test_a_latched_message_reaches_late_contexts_once(net: Net) -> None:
    talker = net.side("talker")
    publisher = talker.node.create_publisher(std_msgs.msg.String, "state", LATCHED)
    for state in ("OFF", "READY"):
        publisher.publish(text(state))
    heard: list[str] = []
    for name in ("early", "late"):
        side = net.side(name)
        side.node.create_subscription(
            std_msgs.msg.String, "state", lambda m, name=name: heard.append(f"{name} {m.data}"), LATCHED
        )
        net.until(lambda name=name: f"{name} READY" in heard)
    publisher.publish(text("RUN"))
    net.until(lambda: len(heard) >= 4)
    assert sorted(heard) == ["early READY", "early RUN", "late READY", "late RUN"]


def test_services_and_actions_cross_contexts(net: Net) -> None:
    server, caller = net.side("server"), net.side("caller")

    def answer(_: Any, response: Any) -> Any:
        response.success, response.message = True, "cut"
        return response

    async def execute(goal: ServerGoalHandle) -> Any:
        goal.publish_feedback(Fibonacci.Feedback(sequence=[0]))
        while not goal.is_cancel_requested:
            await tick()
        goal.canceled()
        return Fibonacci.Result(sequence=[0, 1])

    def tick() -> Any:
        future = server.node.create_future()
        timer = server.node.create_timer(0.005, lambda: (timer.destroy(), future.set_result(None)))
        return future

    Fibonacci = example_interfaces.action.Fibonacci
    server.node.create_service(std_srvs.srv.Trigger, "cut", answer)
    ActionServer(server.node, Fibonacci, "count", execute, cancel_callback=lambda _: CancelResponse.ACCEPT)
    client = caller.node.create_client(std_srvs.srv.Trigger, "cut")
    assert caller.node.create_client(std_srvs.srv.Trigger, "nobody").wait_for_service(timeout_sec=0.0) is False
    net.until(client.service_is_ready)
    assert net.result(client.call_async(std_srvs.srv.Trigger.Request())).message == "cut"

    feedback: list[Any] = []
    action = ActionClient(caller.node, Fibonacci, "count")
    net.until(action.server_is_ready)
    goal = net.result(action.send_goal_async(Fibonacci.Goal(order=3), feedback.append))
    result = goal.get_result_async()
    net.until(lambda: len(feedback) == 1)
    net.result(goal.cancel_goal_async())
    response = net.result(result)
    assert response.status == GoalStatus.STATUS_CANCELED
    assert list(response.result.sequence) == [0, 1]


def image(value: int) -> Any:
    data = np.full(640 * 480 * 3, value, np.uint8)
    return sensor_msgs.msg.Image(height=480, width=640, step=1920, encoding="rgb8", data=data)


def test_images_are_read_in_place_and_never_change_while_held(net: Net) -> None:
    camera, eyes = net.side("camera"), net.side("eyes")
    frames: list[Any] = []
    eyes.node.create_subscription(sensor_msgs.msg.Image, "image", frames.append, 10)
    publisher = camera.node.create_publisher(sensor_msgs.msg.Image, "image", 10)
    net.until(lambda: publisher.get_subscription_count() == 1)
    for n in range(50):
        publisher.publish(image(n))
        net.until(lambda n=n: len(frames) == n + 1)
    for n, frame in enumerate(frames):
        pixels = np.frombuffer(frame.data, np.uint8)
        assert not pixels.flags.writeable
        assert (pixels == n).all()
    assert camera.transport.dropped == 0


def test_a_reader_that_does_not_read_misses_images_and_blocks_nobody(net: Net) -> None:
    camera, eyes, stuck = net.side("camera"), net.side("eyes"), net.side("stuck")
    seen: list[int] = []
    late: list[int] = []
    eyes.node.create_subscription(sensor_msgs.msg.Image, "image", lambda m: seen.append(m.data[0]), 10)
    stuck.node.create_subscription(sensor_msgs.msg.Image, "image", lambda m: late.append(m.data[-1]), 20)
    publisher = camera.node.create_publisher(sensor_msgs.msg.Image, "image", 10)
    net.until(lambda: publisher.get_subscription_count() == 2)
    net.sides.remove(stuck)
    with stuck.transport._polling:  # as in a process that is stopped: its caretaker takes in nothing either
        for n in range(40):
            publisher.publish(image(n))
            net.until(lambda n=n: len(seen) == n + 1)
    assert seen == list(range(40))
    assert camera.transport.dropped == 40 - shared.LAG_MAX
    net.sides.append(stuck)
    net.until(lambda: len(late) == shared.LAG_MAX)
    publisher.publish(image(99))
    net.until(lambda: late[-1:] == [99])
    assert late[:-1] == list(range(shared.LAG_MAX))


MANY = 2 * shared.LAG_MAX


def behind(net: Net, publisher_qos: QoSProfile, subscription_qos: QoSProfile) -> tuple[Side, list[int]]:
    """Send many images to a context that does not read meanwhile, then let it read."""
    camera, stuck = net.side("camera"), net.side("stuck")
    seen: list[int] = []
    stuck.node.create_subscription(sensor_msgs.msg.Image, "image", lambda m: seen.append(m.data[-1]), subscription_qos)
    publisher = camera.node.create_publisher(sensor_msgs.msg.Image, "image", publisher_qos)
    net.until(lambda: publisher.get_subscription_count() == 1)
    with stuck.transport._polling:
        for n in range(MANY):
            publisher.publish(image(n))
    net.until(lambda: len(seen) == MANY - camera.transport.dropped)
    return camera, seen


def test_a_subscription_that_keeps_all_gets_all_images_in_order(net: Net) -> None:
    camera, seen = behind(net, ALL, ALL)
    assert seen == list(range(MANY)) and camera.transport.dropped == 0


def test_a_publisher_that_does_not_wait_does_not_pile_up_images_either(net: Net) -> None:
    camera, _ = behind(net, QoSProfile(depth=100), ALL)
    assert camera.transport.dropped == MANY - shared.LAG_MAX


def test_what_no_socket_takes_is_dropped_with_a_word(
    net: Net, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outbox, "LARGEST", 640 * 480 * 3)
    camera, seen = behind(net, ALL, ALL)
    assert seen == list(range(shared.LAG_MAX)) and camera.transport.dropped == MANY - shared.LAG_MAX
    assert "fit no socket" in caplog.text


def test_a_late_subscription_gets_all_the_images_that_were_kept(net: Net) -> None:
    kept = QoSProfile(depth=MANY, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    camera, late = net.side("camera"), net.side("late")
    publisher = camera.node.create_publisher(sensor_msgs.msg.Image, "image", kept)
    for n in range(MANY):
        publisher.publish(image(n))
    seen: list[int] = []
    late.node.create_subscription(sensor_msgs.msg.Image, "image", lambda m: seen.append(m.data[-1]), kept)
    net.until(lambda: len(seen) == MANY)
    assert seen == list(range(MANY))


def test_no_large_request_or_reply_is_lost(net: Net) -> None:
    server, caller = net.side("server"), net.side("caller")
    GetParameters = rcl_interfaces.srv.GetParameters

    def answer(request: Any, response: Any) -> Any:
        response.values = [rcl_interfaces.msg.ParameterValue(string_value=name) for name in request.names]
        return response

    server.node.create_service(GetParameters, "echo", answer)
    client = caller.node.create_client(GetParameters, "echo")
    net.until(client.service_is_ready)
    with server.transport._polling:
        names = [str(n) * shared.THRESHOLD for n in range(MANY)]
        futures = [client.call_async(GetParameters.Request(names=[name])) for name in names]
    assert [net.result(future).values[0].string_value for future in futures] == names


def test_announcements_that_no_peer_could_mean_are_refused(net: Net) -> None:
    listener, talker = net.side("listener"), net.side("talker")
    publisher = talker.node.create_publisher(std_msgs.msg.String, "chat", 10)
    net.until(lambda: listener.node.count_publishers("chat") == 1)
    good = publisher.endpoint.to_json()
    for bad in ({**good, "kind": "topic"}, {**good, "qos": {**good["qos"], "depth": math.inf}}):
        announcement = json.dumps({"ask": False, "endpoints": [bad]}).encode()
        with pytest.raises(FrameError, match="cannot be read"):
            listener.transport._inbox.on_hello(talker.transport.name, memoryview(announcement))


def test_messages_of_an_impossible_instant_are_refused(net: Net, caplog: pytest.LogCaptureFixture) -> None:
    talker, listener = net.side("talker"), net.side("listener")
    heard: list[tuple[str, int]] = []
    listener.node.create_subscription(
        std_msgs.msg.String, "chat", lambda m, info: heard.append((m.data, info["source_timestamp"])), 10
    )
    publisher = talker.node.create_publisher(std_msgs.msg.String, "chat", 10)
    net.until(lambda: publisher.get_subscription_count() == 1)
    payload = bytes(text("now")._encode(text("now")))
    instants = (0.0, math.nan, math.inf, -math.inf, -1.0, 1e10, 9e9, 5e-324, 1.8e9)
    for sequence, stamp in enumerate(instants, start=1):
        frame = Frame(DATA, publisher.endpoint.gid, sequence, stamp)
        assert talker.transport._outbox.push(listener.transport.name, pack(frame) + payload)
    net.until(lambda: len(heard) == 4)
    assert [stamp for _, stamp in heard] == [0, 9 * 10**18, 0, 18 * 10**17]
    assert caplog.text.count("an impossible instant") == 5


def test_a_context_that_closes_is_forgotten_at_once(net: Net) -> None:
    talker, listener = net.side("talker"), net.side("listener")
    listener.node.create_subscription(std_msgs.msg.String, "chat", lambda _: None, 10)
    publisher = talker.node.create_publisher(std_msgs.msg.String, "chat", 10)
    net.until(lambda: publisher.get_subscription_count() == 1)
    net.close(listener)
    net.until(lambda: publisher.get_subscription_count() == 0)
    publisher.publish(text("nobody hears this"))


def test_a_peer_that_was_given_up_by_mistake_is_found_again(net: Net) -> None:
    talker, listener = net.side("talker"), net.side("listener")
    heard: list[str] = []
    listener.node.create_subscription(std_msgs.msg.String, "chat", lambda m: heard.append(m.data), 10)
    publisher = talker.node.create_publisher(std_msgs.msg.String, "chat", 10)
    net.until(lambda: publisher.get_subscription_count() == 1)
    record = net.folder / f"{listener.transport.name}.lock"
    record.rename(net.folder / "hidden")
    net.until(lambda: publisher.get_subscription_count() == 0)
    (net.folder / "hidden").rename(record)
    net.until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(text("again"))
    net.until(lambda: heard == ["again"])


def test_who_asks_between_a_change_and_its_announcement_hides_it_from_nobody(net: Net) -> None:
    """A thread may add an endpoint while another answers a newcomer: the others are told all the same."""
    server, client, newcomer = net.side("server"), net.side("client"), net.side("newcomer")
    asking = client.node.create_client(std_srvs.srv.Trigger, "late")
    net.until(lambda: len(server.transport.peers()) == 2)
    server.node.create_service(std_srvs.srv.Trigger, "late", lambda _, response: response)
    question = json.dumps({"ask": True, "endpoints": []}).encode()
    server.transport._inbox.on_hello(newcomer.transport.name, memoryview(question))
    net.until(asking.service_is_ready)


def test_garbage_on_the_socket_is_dropped_and_the_node_lives_on(net: Net, caplog: pytest.LogCaptureFixture) -> None:
    talker, listener = net.side("talker"), net.side("listener")
    heard: list[str] = []
    listener.node.create_subscription(std_msgs.msg.String, "chat", lambda m: heard.append(m.data), 10)
    publisher = talker.node.create_publisher(std_msgs.msg.String, "chat", 10)
    net.until(lambda: publisher.get_subscription_count() == 1)

    known = publisher.endpoint.gid
    rng = np.random.default_rng(1)
    hello = bytes(16 + 8 + 8) + (4).to_bytes(8, "little")
    shared_flags = (0x100).to_bytes(8, "little")
    attacks = [b"", b"x" * 39, known + bytes(24), known + bytes(24) + b"\x00\x01\x00\x00\xff\xff\xff\xff"]
    attacks += [hello + b"{", hello + b'{"endpoints": [{}]}', hello + b"[" * 5000, known + bytes(23) + b"\xff" * 8]
    attacks += [known + bytes(16) + shared_flags + rng.bytes(n) for n in (0, 10, 48)]
    attacks += [rng.bytes(int(n)) for n in rng.integers(0, 200, 200)]
    context = zmq.Context()
    attacker = context.socket(zmq.PUSH)
    attacker.connect(f"ipc://{net.folder / (listener.transport.name + '.sock')}")
    with caplog.at_level(logging.WARNING):
        for attack in attacks:
            attacker.send(attack)
        attacker.send_multipart([b"one", b"two"])
        net.until(lambda: caplog.text.count("dropped") >= 100)
    attacker.close(linger=0)
    context.term()
    publisher.publish(text("still here"))
    net.until(lambda: "still here" in heard)


def test_two_versions_of_a_type_are_kept_apart_and_logged(
    net: Net, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, talker, changed = net.side("listener"), net.side("talker"), net.side("changed")
    heard: list[str] = []
    subscription = listener.node.create_subscription(std_msgs.msg.String, "chat", lambda m: heard.append(m.data), 10)
    with monkeypatch.context() as patched:
        patched.setattr(entity.registry, "hash", lambda _: "RIHS01_" + 64 * "0")
        other = changed.node.create_publisher(std_msgs.msg.String, "chat", 10)
    with caplog.at_level(logging.WARNING):
        net.until(lambda: listener.node.count_publishers("chat") == 1)
        other.publish(text("another version"))
        publisher = talker.node.create_publisher(std_msgs.msg.String, "chat", 10)
        net.until(lambda: subscription.get_publisher_count() == 1)
    assert "Incompatible type on topic" in caplog.text and "two versions of std_msgs/msg/String" in caplog.text
    publisher.publish(text("this version"))
    net.until(lambda: bool(heard))
    assert heard == ["this version"] and other.get_subscription_count() == 0


CHILD = """
import sys
import numpy as np
from robot.ros.context import Context
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import sensor_msgs
from robot.ros.node import Node

context = Context(domain_id=7)
context.init()
node = Node("child", context=context)
frames = []
node.create_subscription(sensor_msgs.msg.Image, "/to_child", frames.append, 10)
publisher = node.create_publisher(sensor_msgs.msg.Image, "/from_child", 10)
data = np.full(300_000, 7, np.uint8)
node.create_timer(0.01, lambda: publisher.publish(sensor_msgs.msg.Image(data=data)))
executor = SingleThreadedExecutor(context=context)
executor.add_node(node)
executor.spin()
"""


def leftovers() -> set[str]:
    return {path.name for path in Path("/dev/shm").iterdir()}


def test_a_killed_process_is_forgotten_and_leaves_nothing(net: Net) -> None:
    before = leftovers()
    side = net.side("parent")
    frames: list[Any] = []
    side.node.create_subscription(sensor_msgs.msg.Image, "/from_child", frames.append, 10)
    publisher = side.node.create_publisher(sensor_msgs.msg.Image, "/to_child", 10)
    root = Path(__file__).parents[2]
    for _ in range(2):
        child = subprocess.Popen([sys.executable, "-c", CHILD], cwd=root)
        try:
            net.until(lambda: len(frames) >= 10 and publisher.get_subscription_count() == 1)
            for _ in range(20):
                publisher.publish(image(1))
            child.send_signal(signal.SIGKILL)
            child.wait(timeout=DEADLINE)
            net.until(lambda: publisher.get_subscription_count() == 0)
        finally:
            child.kill()
        assert len(list(net.folder.iterdir())) == 2
        assert (np.frombuffer(frames[-1].data, np.uint8) == 7).all()
        frames.clear()
        gc.collect()
    assert leftovers() <= before


def test_a_later_start_removes_what_a_killed_process_left(folder: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD], cwd=Path(__file__).parents[2])
    end = time.monotonic() + DEADLINE
    while not list(folder.glob("*.lock")):
        assert time.monotonic() < end
        os.sched_yield()
    child.kill()
    child.wait(timeout=DEADLINE)
    assert list(folder.iterdir()) != []
    Context(transport=ZeroMQ(folder=folder)).shutdown()
    assert list(folder.iterdir()) == []


def test_a_forked_child_is_refused_and_harms_nothing(net: Net) -> None:
    side = net.side("parent")
    publisher = side.node.create_publisher(std_msgs.msg.String, "chat", 10)
    listener = net.side("listener")
    heard: list[str] = []
    listener.node.create_subscription(std_msgs.msg.String, "chat", lambda m: heard.append(m.data), 10)
    net.until(lambda: publisher.get_subscription_count() == 1)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            publisher.publish(text("from the child"))
        except ROSError:
            code = 0
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    publisher.publish(text("from the parent"))
    net.until(lambda: heard == ["from the parent"])


def test_domains_do_not_hear_each_other(folder: Path) -> None:
    assert runtime_directory(8) != folder
    assert runtime_directory(7) == folder
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_others_can_enter_is_refused(folder: Path) -> None:
    folder.chmod(0o755)
    with pytest.raises(ROSError, match="0700"):
        runtime_directory(7)


@pytest.mark.parametrize("value", ["-1", "233", "seven"])
def test_a_domain_id_that_is_none_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", value)
    with pytest.raises(ROSError, match="0 to 232"):
        runtime_directory()


FORKS_AND_DIES = """
import os, signal
from robot.ros.context import Context
context = Context(domain_id=7)
context.init()
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, b"!")
    signal.pause()
os.read(reading, 1)  # the child has let go of the locks
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_forked_child_does_not_keep_its_dead_parent_alive(folder: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", FORKS_AND_DIES],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    parent.wait(timeout=DEADLINE)
    assert list(folder.glob("*.lock")) != []
    try:
        Context(transport=ZeroMQ(folder=folder)).shutdown()
        assert list(folder.iterdir()) == []
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
