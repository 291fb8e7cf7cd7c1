"""Reliable publishers and subscriptions that keep all messages: the fast one waits for the slow one, not for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robot.ros import flow
from robot.ros.context import Context
from robot.ros.exceptions import RCLError
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import std_msgs
from robot.ros.node import Node
from robot.ros.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from robot.ros.transport.zeromq import ZeroMQ

ALL = QoSProfile(history=HistoryPolicy.KEEP_ALL)
CARELESS = QoSProfile(history=HistoryPolicy.KEEP_ALL, reliability=ReliabilityPolicy.BEST_EFFORT)
DEADLINE = 60.0  # [s]
COUNT = 2 * flow.WINDOW + 50
String = std_msgs.msg.String


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Callable[[str], Node]]:
    made: list[Node] = []
    folder = tmp_path / "ros"
    folder.mkdir(mode=0o700)

    def make(name: str) -> Node:
        made.append(Node(name, context=Context(transport=ZeroMQ(folder=folder))))
        return made[-1]

    yield make
    for node in made:
        node.context.try_shutdown()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    tick = threading.Event()
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        tick.wait(0.005)


def publish_all(publisher: Any, failed: list[BaseException]) -> threading.Thread:
    def work() -> None:
        try:
            for n in range(COUNT):
                publisher.publish(String(data=str(n)))
        except RCLError as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_a_publisher_waits_for_a_slow_subscription_and_nothing_is_lost(nodes: Callable[[str], Node]) -> None:
    talker, listener = nodes("talker"), nodes("listener")
    heard: list[str] = []
    subscription = listener.create_subscription(String, "chat", lambda m: heard.append(m.data), ALL)
    publisher = talker.create_publisher(String, "chat", ALL)
    assert talker.wait_until(lambda: publisher.get_subscription_count() == 1, DEADLINE)
    failed: list[BaseException] = []
    thread = publish_all(publisher, failed)
    until(lambda: len(subscription._queue) == flow.WINDOW)
    assert publisher._sequence == flow.WINDOW and thread.is_alive()
    executor = SingleThreadedExecutor(context=listener.context)
    executor.add_node(listener)
    end = time.monotonic() + DEADLINE
    while len(heard) < COUNT and time.monotonic() < end:
        executor.spin_once(timeout_sec=0.1)
    thread.join(DEADLINE)
    assert failed == [] and heard == [str(n) for n in range(COUNT)] and subscription.lost == 0


def test_a_publisher_that_waits_goes_on_when_the_slow_one_goes(nodes: Callable[[str], Node]) -> None:
    talker, listener = nodes("talker"), nodes("listener")
    subscription = listener.create_subscription(String, "chat", lambda _: None, ALL)
    publisher = talker.create_publisher(String, "chat", ALL)
    assert talker.wait_until(lambda: publisher.get_subscription_count() == 1, DEADLINE)
    failed: list[BaseException] = []
    thread = publish_all(publisher, failed)
    until(lambda: len(subscription._queue) == flow.WINDOW)
    listener.context.shutdown()
    thread.join(DEADLINE)
    assert not thread.is_alive() and failed == []


def test_a_publisher_gives_up_in_the_end_and_says_so(
    nodes: Callable[[str], Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "PATIENCE", 0.1)
    node = nodes("both")
    subscription = node.create_subscription(String, "chat", lambda _: None, ALL)
    publisher = node.create_publisher(String, "chat", ALL)
    for _ in range(flow.WINDOW):
        publisher.publish(String())
    with pytest.raises(RCLError, match="took none"):
        publisher.publish(String())
    assert len(subscription._queue) == flow.WINDOW


def test_nobody_waits_for_a_subscription_that_may_lose_messages(nodes: Callable[[str], Node]) -> None:
    node = nodes("both")
    node.create_subscription(String, "chat", lambda _: None, 10)
    node.create_subscription(String, "chat", lambda _: None, CARELESS)
    publisher = node.create_publisher(String, "chat", ALL)
    for _ in range(flow.WINDOW + 1):
        publisher.publish(String())
    assert publisher._sequence == flow.WINDOW + 1


def test_a_publisher_in_a_callback_lets_the_subscription_of_another_group_take(nodes: Callable[[str], Node]) -> None:
    from robot.ros.callback_groups import MutuallyExclusiveCallbackGroup

    node, heard = nodes("both"), []
    group = MutuallyExclusiveCallbackGroup()
    node.create_subscription(String, "chat", lambda m: heard.append(m.data), ALL, callback_group=group)
    publisher = node.create_publisher(String, "chat", ALL)

    def flood() -> None:
        for n in range(COUNT):
            publisher.publish(String(data=str(n)))

    node.create_guard_condition(flood).trigger()
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    end = time.monotonic() + DEADLINE
    while len(heard) < COUNT and time.monotonic() < end:
        executor.spin_once(timeout_sec=0.1)
    assert heard == [str(n) for n in range(COUNT)]


def test_a_publisher_goes_on_though_the_last_word_of_the_slow_one_was_dropped(nodes: Callable[[str], Node]) -> None:
    talker, listener = nodes("talker"), nodes("listener")
    heard: list[str] = []
    listener.create_subscription(String, "chat", lambda m: heard.append(m.data), ALL)
    publisher = talker.create_publisher(String, "chat", ALL)
    assert talker.wait_until(lambda: publisher.get_subscription_count() == 1, DEADLINE)
    on_taken, dropped = publisher.on_taken, list[int]()

    def drop_first(subscription: bytes, sequence: int) -> None:
        if (sequence == flow.WINDOW and flow.WINDOW not in dropped) or sequence < flow.WINDOW:
            dropped.append(sequence)
        else:
            on_taken(subscription, sequence)

    publisher.on_taken = drop_first  # type: ignore[method-assign]
    failed: list[BaseException] = []
    thread = publish_all(publisher, failed)
    executor = SingleThreadedExecutor(context=listener.context)
    executor.add_node(listener)
    end = time.monotonic() + DEADLINE
    while len(heard) < COUNT and time.monotonic() < end:
        executor.spin_once(timeout_sec=0.1)
    thread.join(DEADLINE)
    assert failed == [] and heard == [str(n) for n in range(COUNT)] and flow.WINDOW in dropped


def test_a_subscription_has_room_for_what_many_publishers_may_be_ahead(nodes: Callable[[str], Node]) -> None:
    from robot.ros.subscription import KEPT_MAX

    node = nodes("both")
    subscription = node.create_subscription(String, "chat", lambda _: None, ALL)
    count = KEPT_MAX // flow.WINDOW + 2
    publishers = [node.create_publisher(String, "chat", ALL) for _ in range(count)]
    for publisher in publishers:
        for _ in range(flow.WINDOW):
            publisher.publish(String())
    assert subscription.lost == 0 and len(subscription._queue) == count * flow.WINDOW
