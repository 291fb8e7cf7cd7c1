"""Many messages of one subscription in a row: run together, they behave as if they came one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from robot.ros.context import Context
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import std_msgs
from robot.ros.node import Node
from robot.ros.task import Future
from robot.ros.transport.zeromq import ZeroMQ

DEADLINE = 30.0  # [s]
COUNT = 50
Int64 = std_msgs.msg.Int64


class Both:
    """A node that hears itself, and its executor."""

    def __init__(self, folder: Path) -> None:
        self.node = Node("both", context=Context(transport=ZeroMQ(folder=folder)))
        self.executor = SingleThreadedExecutor(context=self.node.context)
        self.executor.add_node(self.node)
        self.done: Future[None] = Future()
        self.publishers = {name: self.node.create_publisher(Int64, name, 2 * COUNT) for name in ("one", "two")}

    def spin(self) -> None:
        self.executor.spin_until_future_complete(self.done, DEADLINE)
        assert self.done.done(), "the time was over"


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    folder = tmp_path / "ros"
    folder.mkdir(mode=0o700)
    both = Both(folder)
    yield both
    both.node.context.try_shutdown()


def test_two_subscriptions_take_turns_and_each_keeps_its_order(both: Both) -> None:
    heard: list[tuple[str, int]] = []

    def hear(name: str, number: int) -> None:
        heard.append((name, number))
        if len(heard) == 2 * COUNT:
            both.done.set_result(None)

    for name in both.publishers:
        both.node.create_subscription(Int64, name, lambda m, name=name: hear(name, m.data), 2 * COUNT)
    for name in ("one", "two"):
        for number in range(COUNT):
            both.publishers[name].publish(Int64(data=number))
    both.spin()
    assert heard == [(name, number) for number in range(COUNT) for name in ("one", "two")]


def test_a_spin_ends_with_the_callback_that_completes_its_future(both: Both) -> None:
    heard: list[int] = []

    def hear(message: Int64) -> None:
        heard.append(message.data)
        if message.data == 7:
            both.done.set_result(None)

    both.node.create_subscription(Int64, "one", hear, 2 * COUNT)
    for number in range(COUNT):
        both.publishers["one"].publish(Int64(data=number))
    both.spin()
    assert heard == list(range(8))
    while len(heard) < COUNT:
        both.executor.spin_once(timeout_sec=DEADLINE)
    assert heard == list(range(COUNT))


def test_an_exception_in_the_middle_comes_out_and_the_rest_follows(both: Both) -> None:
    heard: list[int] = []

    def hear(message: Int64) -> None:
        heard.append(message.data)
        if message.data == 5:
            raise ValueError("five")
        if message.data == COUNT - 1:
            both.done.set_result(None)

    both.node.create_subscription(Int64, "one", hear, 2 * COUNT)
    for number in range(COUNT):
        both.publishers["one"].publish(Int64(data=number))
    with pytest.raises(ValueError, match="five"):
        both.spin()
    both.spin()
    assert heard == list(range(COUNT))


def test_a_coroutine_keeps_the_next_message_out_until_it_has_ended(both: Both) -> None:
    events: list[str] = []
    gate: Future[None] = Future()

    async def hear(message: Int64) -> None:
        events.append(f"begin {message.data}")
        if message.data == 0:
            await gate
        events.append(f"end {message.data}")
        if message.data == 3:
            both.done.set_result(None)

    both.node.create_subscription(Int64, "one", hear, 2 * COUNT)
    for number in range(4):
        both.publishers["one"].publish(Int64(data=number))
    for _ in range(5):
        both.executor.spin_once(timeout_sec=0.0)
    assert events == ["begin 0"]
    gate.set_result(None)
    both.spin()
    assert events == [f"{what} {number}" for number in range(4) for what in ("begin", "end")]


@pytest.mark.parametrize("end", ["destroy", "shutdown"])
def test_nothing_more_runs_once_a_callback_has_ended_it(both: Both, end: str) -> None:
    heard: list[int] = []

    def hear(message: Int64) -> None:
        heard.append(message.data)
        if message.data == 4:
            if end == "destroy":
                subscription.destroy()
                both.done.set_result(None)
            else:
                both.node.context.shutdown()

    subscription = both.node.create_subscription(Int64, "one", hear, 2 * COUNT)
    for number in range(COUNT):
        both.publishers["one"].publish(Int64(data=number))
    both.executor.spin_until_future_complete(both.done, DEADLINE)
    if end == "destroy":
        for _ in range(COUNT):
            both.executor.spin_once(timeout_sec=0.0)
    assert heard == list(range(5))


def test_a_callback_that_waits_for_the_group_it_is_in_lets_other_groups_run(both: Both) -> None:
    from robot.ros.callback_groups import MutuallyExclusiveCallbackGroup

    heard: list[str] = []
    group = MutuallyExclusiveCallbackGroup()

    def hear(message: Int64) -> None:
        heard.append(f"one {message.data}")
        if message.data == 0:
            both.node._ros_wait_working(lambda: "two 0" in heard, DEADLINE)
            heard.append("waited")
        if message.data == 3:
            both.done.set_result(None)

    both.node.create_subscription(Int64, "one", hear, 2 * COUNT)
    both.node.create_subscription(Int64, "two", lambda m: heard.append(f"two {m.data}"), 10, callback_group=group)
    for number in range(4):
        both.publishers["one"].publish(Int64(data=number))
    both.publishers["two"].publish(Int64(data=0))
    both.spin()
    assert heard == ["one 0", "two 0", "waited", "one 1", "one 2", "one 3"]
