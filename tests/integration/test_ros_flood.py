"""A publisher that sends faster than frames can go one by one: nothing is lost, late or out of order for it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robot.ros.context import Context
from robot.ros.exceptions import ROSError
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import sensor_msgs, std_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.qos import QoSProfile
from robot.ros.transport import bundle, caretaker, inbox, neighbours, outbox
from robot.ros.transport.frame import BUNDLE, DATA, Frame, pack
from robot.ros.transport.shared import THRESHOLD
from robot.ros.transport.zeromq import ZeroMQ

DEADLINE = 60.0  # [s]
COUNT = 2000
DEEP = QoSProfile(depth=4 * COUNT)
Int64, Image = std_msgs.msg.Int64, sensor_msgs.msg.Image


class Net:
    """A node that talks and one that listens, each in its own context."""

    def __init__(self, folder: Path) -> None:
        self.talker, self.listener = (Node(name, context=Context(transport=ZeroMQ(folder=folder))) for name in "tl")
        self.outbox = self.talker.context.transport._outbox  # type: ignore[attr-defined]
        self.heard: list[int] = []
        self.publisher = self.talker.create_publisher(Int64, "numbers", DEEP)
        self.listen(self.heard)
        self.executor = SingleThreadedExecutor(context=self.listener.context)
        self.executor.add_node(self.listener)

    def arrived(self) -> int:
        """Count the numbers that were heard or wait for the callback."""
        return len(self.heard) + len(self.subscription._queue)

    def listen(self, heard: list[int]) -> None:
        before = self.publisher.get_subscription_count()
        self.subscription = self.listener.create_subscription(Int64, "numbers", lambda m: heard.append(m.data), DEEP)
        assert self.talker.wait_until(lambda: self.publisher.get_subscription_count() == before + 1, DEADLINE)

    def flood(self, numbers: range) -> None:
        for number in numbers:
            self.publisher.publish(Int64(data=number))

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + DEADLINE
        while not condition():
            self.executor.spin_once(timeout_sec=0.05)
            assert time.monotonic() < end, f"the condition did not come true; heard {len(self.heard)}"


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Net]:
    monkeypatch.setattr(bundle, "GAP", 1.0)  # a loaded machine floods too
    folder = tmp_path / "ros"
    folder.mkdir(mode=0o700)
    net = Net(folder)
    yield net
    for node in (net.talker, net.listener):
        node.context.try_shutdown()


def test_a_flood_arrives_whole_and_in_order_though_its_publisher_does_nothing_after_it(net: Net) -> None:
    joined: list[int] = []
    push = net.outbox.push
    net.outbox.push = lambda peer, data, count=1: joined.append(count) or push(peer, data, count)
    net.flood(range(COUNT + 7))  # nobody polls for the talker
    net.until(lambda: len(net.heard) == COUNT + 7)
    assert net.heard == list(range(COUNT + 7)) and max(joined) == bundle.MOST


def test_messages_of_a_few_are_never_held_back(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "GAP", 0.0)
    for number in range(10 * bundle.BURST):
        net.publisher.publish(Int64(data=number))
        assert net.outbox.flood.frames == []
    monkeypatch.setattr(bundle, "GAP", 1.0)
    net.flood(range(10 * bundle.BURST, 12 * bundle.BURST))
    net.until(lambda: len(net.heard) == 12 * bundle.BURST)
    net.until(lambda: net.outbox.flood.peers is None)
    net.publisher.publish(Int64(data=-1))
    assert net.outbox.flood.frames == [], "the flood is over, and a lone message goes at once"
    net.until(lambda: net.heard[-1] == -1)


def test_what_is_sent_after_a_flood_arrives_after_it(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    before: list[int] = []
    service = net.listener.create_service(std_srvs.srv.Trigger, "look", lambda _, response: response)
    image = net.listener.create_subscription(Image, "image", lambda _: None, 10)
    for entity in (service, image):  # callbacks take turns, so it is looked at what comes in
        monkeypatch.setattr(entity, "deliver", lambda *_: before.append(net.arrived()))
    client = net.talker.create_client(std_srvs.srv.Trigger, "look")
    images = net.talker.create_publisher(Image, "image", 10)
    assert net.talker.wait_until(lambda: client.service_is_ready() and images.get_subscription_count() == 1, DEADLINE)
    net.flood(range(100))
    client.call_async(std_srvs.srv.Trigger.Request())
    net.flood(range(100, 200))
    images.publish(Image(data=bytes(THRESHOLD)))
    net.until(lambda: len(before) == 2)
    assert before == [100, 200]


def test_bundles_fill_no_queue_that_as_many_messages_one_by_one_would_not(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "DRAIN", 50)
    heard: list[int] = []
    shallow = net.listener.create_subscription(
        Int64, "numbers", lambda m: heard.append(m.data), 2 * (50 + 2 * bundle.MOST)
    )
    assert net.talker.wait_until(lambda: net.publisher.get_subscription_count() == 2, DEADLINE)
    monkeypatch.setattr(caretaker, "CARE", 1e6)  # only who spins takes in, and the caretaker at most once more
    net.flood(range(COUNT))
    net.until(lambda: len(net.heard) == COUNT)
    net.until(lambda: not shallow.has_message())
    assert shallow.lost == 0 and heard == list(range(COUNT))


def test_a_subscription_that_comes_in_a_flood_hears_the_rest_in_order(net: Net) -> None:
    late: list[int] = []
    go, seen = threading.Event(), threading.Event()

    def work() -> None:
        for number in range(COUNT):
            net.publisher.publish(Int64(data=number))
            if number == COUNT // 2:
                seen.set()
                go.wait(DEADLINE)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert seen.wait(DEADLINE)
    net.listen(late)
    go.set()
    net.until(lambda: len(net.heard) == COUNT and len(late) > 0 and late[-1] == COUNT - 1)
    thread.join(DEADLINE)
    assert net.heard == list(range(COUNT)) and late == list(range(late[0], COUNT))


def test_a_context_that_closes_in_a_flood_has_sent_it_all(net: Net) -> None:
    net.flood(range(COUNT + 5))
    net.talker.context.shutdown()
    net.until(lambda: len(net.heard) == COUNT + 5)
    assert net.heard == list(range(COUNT + 5))


def test_what_a_context_sent_before_it_closed_is_heard_by_one_that_is_behind(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "DRAIN", 50)
    monkeypatch.setattr(neighbours, "HOUSEKEEPING", 0.0)  # looks for peers whenever it looks for messages
    monkeypatch.setattr(neighbours, "REST", 5.0)  # what has left is there by then on a loaded machine too
    net.flood(range(COUNT))
    net.talker.context.shutdown()
    net.listener.context.transport._look_at = 0.0  # type: ignore[attr-defined]
    net.until(lambda: len(net.heard) == COUNT)
    assert net.heard == list(range(COUNT))


def test_a_context_that_a_signal_closes_where_a_flood_begins_refuses_what_follows(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport, begins = net.talker.context.transport, bundle.Flood.begins

    def begin_and_close(flood: bundle.Flood, peers: list[str], now: float) -> bool:
        if flood.row == bundle.BURST - 1:
            transport.close()
        return begins(flood, peers, now)

    monkeypatch.setattr(bundle, "GAP", 1e6)
    monkeypatch.setattr(outbox, "GAP", 1e6)
    monkeypatch.setattr(bundle.Flood, "begins", begin_and_close)
    with pytest.raises(ROSError, match="closed"):
        net.flood(range(COUNT))


@pytest.mark.parametrize("longest", [0.0, DEADLINE])
def test_a_dead_peer_is_lost_when_nothing_waits_that_it_may_have_sent_or_after_a_time(
    net: Net, monkeypatch: pytest.MonkeyPatch, longest: float
) -> None:
    transport, name = net.listener.context.transport, net.talker.context.transport.name  # type: ignore[attr-defined]
    monkeypatch.setattr(caretaker, "CARE", 1e6)  # only who spins takes in
    for setting, value in (("HOUSEKEEPING", 1e6), ("REST", 0.0), ("REST_MAX", longest)):
        monkeypatch.setattr(neighbours, setting, value)
    net.until(lambda: transport._look_at - time.monotonic() > 10 * DEADLINE)  # type: ignore[attr-defined]
    net.publisher.publish(Int64(data=1))
    talker = net.talker.context.transport
    monkeypatch.setattr(talker._neighbours, "_own_frame", lambda _: b"no word of it")  # type: ignore[attr-defined]
    net.talker.context.shutdown()
    assert transport._inbox._socket.poll(DEADLINE * 1000)  # type: ignore[attr-defined]
    transport._neighbours.look()  # type: ignore[attr-defined]
    assert (name in transport.peers()) == (longest > 0.0)  # type: ignore[attr-defined]
    net.until(lambda: not transport._inbox.has_frame())  # type: ignore[attr-defined]
    transport._neighbours.look()  # type: ignore[attr-defined]
    assert transport.peers() == [] and net.heard == [1] * (longest > 0.0)  # type: ignore[attr-defined]


def test_a_context_that_is_closed_while_another_thread_floods_ends_that_with_a_word(net: Net) -> None:
    errors: list[BaseException] = []
    flows = threading.Event()

    def work() -> None:
        try:
            while True:
                net.flood(range(100))
                flows.set()
        except (ROSError, RuntimeError) as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert flows.wait(DEADLINE)
    net.talker.context.shutdown()
    thread.join(DEADLINE)
    assert not thread.is_alive() and len(errors) == 1


def test_a_subscription_that_goes_in_a_flood_harms_nobody(net: Net) -> None:
    other: list[int] = []
    third = Node("third", context=Context(transport=ZeroMQ(folder=net.talker.context.transport._folder)))  # type: ignore[attr-defined]
    third.create_subscription(Int64, "numbers", lambda m: other.append(m.data), DEEP)
    assert net.talker.wait_until(lambda: net.publisher.get_subscription_count() == 2, DEADLINE)
    net.flood(range(COUNT // 2))
    third.context.shutdown()
    net.flood(range(COUNT // 2, COUNT))
    net.until(lambda: len(net.heard) == COUNT)
    assert net.heard == list(range(COUNT))


def test_a_forked_child_cannot_add_to_its_parents_flood(net: Net) -> None:
    net.flood(range(bundle.BURST + 5))
    net.outbox.flood.peers = net.publisher.bus._routes[net.publisher._gid][1]  # in flood, whatever the clock says
    child = os.fork()
    if child == 0:
        try:
            net.publisher.publish(Int64(data=-1))
        except ROSError:
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 3
    net.until(lambda: len(net.heard) == bundle.BURST + 5)


@pytest.mark.parametrize("damage", ["count", "cut", "inner"])
def test_bundles_that_are_none_are_dropped_with_a_word(net: Net, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    gid = net.publisher._gid
    sound = bundle.join([pack(Frame(DATA, gid, 10**6 + n, 1.0)) + b"\0\1\0\0" + bytes(8) for n in range(3)])
    bad: dict[str, Any] = {
        "count": pack(Frame(BUNDLE, gid, 2**40)) + sound[40:],
        "cut": sound[:-5],
        "inner": sound.replace(gid, bytes(16)).replace(bytes(16), gid, 1),
    }
    with caplog.at_level(logging.WARNING):
        assert net.outbox.push(net.listener.context.transport.name, bad[damage])  # type: ignore[attr-defined]
        net.publisher.publish(Int64(data=4))
        net.until(lambda: net.heard == [4])
    assert "dropped" in caplog.text and "bundle" in caplog.text
