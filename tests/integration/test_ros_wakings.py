"""Nobody sleeps through what is there: signal handlers, groups that let go, shutdowns and broken waitables."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robot.ros.callback_groups import MutuallyExclusiveCallbackGroup
from robot.ros.context import Context
from robot.ros.executors import MultiThreadedExecutor, SingleThreadedExecutor
from robot.ros.experimental import AsyncioExecutor, asyncio_executor
from robot.ros.interfaces import std_msgs
from robot.ros.node import Node
from robot.ros.task import Future
from robot.ros.transport import neighbours
from robot.ros.transport.zeromq import ZeroMQ
from robot.ros.waitable import NumberOfEntities, Waitable

NEVER = 1000.0  # [s] between the looks that threads have at things by themselves, which would end a wait late
LIMIT = 20.0  # [s]
HOUSE = Path(__file__).resolve().parents[2]


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    monkeypatch.setattr(neighbours, "HOUSEKEEPING", NEVER)
    monkeypatch.setattr(asyncio_executor, "LOOK", NEVER)
    with Context(transport=ZeroMQ(folder=tmp_path)) as context:
        yield context


SIGNALLED = """
import os, signal, sys, threading, time
from pathlib import Path

from robot.ros.context import Context
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.node import Node
from robot.ros.task import Future
from robot.ros.transport import neighbours, zeromq

LIMIT = 20.0
neighbours.HOUSEKEEPING = 1000.0

def soon(action):
    # Let a signal handler of this thread do something a little later, when the thread waits.
    signal.signal(signal.SIGUSR1, lambda *_: action())
    threading.Timer(0.03, os.kill, (os.getpid(), signal.SIGUSR1)).start()

with Context(transport=zeromq.ZeroMQ(folder=Path(sys.argv[1]))) as context:
    executor = SingleThreadedExecutor(context=context)
    for _ in range(3):
        future = Future()
        soon(lambda: future.set_result(1))
        began = time.monotonic()
        executor.spin_until_future_complete(future, LIMIT)
        assert future.done()
        assert time.monotonic() - began < LIMIT / 2, "a future"
    node = Node("guarded", context=context)
    executor.add_node(node)
    called = []
    guard = node.create_guard_condition(lambda: called.append(None))
    for number in range(3):
        soon(guard.trigger)
        end = time.monotonic() + LIMIT / 2
        while len(called) <= number and time.monotonic() < end:
            executor.spin_once(timeout_sec=LIMIT)
        assert len(called) == number + 1, "a guard condition"
        assert time.monotonic() < end, "a guard condition"
"""


def test_what_a_signal_handler_sets_or_triggers_is_seen_at_once(tmp_path: Path) -> None:
    """In a process of its own: whatever other tests have loaded into this one does not meet the signals."""
    words = [sys.executable, "-c", SIGNALLED, str(tmp_path)]
    ended = subprocess.run(words, cwd=HOUSE, capture_output=True, text=True, timeout=6 * LIMIT, check=False)
    assert ended.returncode == 0, ended.stderr


def test_under_asyncio_a_callback_that_was_held_back_begins_when_the_one_before_has_ended(context: Context) -> None:
    node = Node("patient", context=context)
    ends: list[None] = []

    async def callback(_: Any) -> None:
        await asyncio.sleep(0.001)
        ends.append(None)

    node.create_subscription(std_msgs.msg.String, "words", callback, 100)
    publisher = node.create_publisher(std_msgs.msg.String, "words", 100)

    async def main() -> None:
        executor = AsyncioExecutor(context=context)
        executor.add_node(node)
        spinning = asyncio.create_task(executor.spin_async())
        for _ in range(5):
            publisher.publish(std_msgs.msg.String())
        async with asyncio.timeout(LIMIT):
            while len(ends) < 5:
                await asyncio.sleep(0.002)
        executor.shutdown(0)
        await spinning

    asyncio.run(main())


def test_what_waits_for_a_thread_at_a_shutdown_is_left_to_the_nodes_next_executor_in_order(context: Context) -> None:
    node = Node("moved", context=context)
    gate, got = threading.Event(), list[tuple[int, str]]()

    def reader(topic: int) -> Callable[[Any], None]:
        def callback(message: Any) -> None:
            got.append((topic, message.data))
            gate.wait(LIMIT)

        return callback

    publishers = []
    for topic in range(4):
        group = MutuallyExclusiveCallbackGroup()
        node.create_subscription(std_msgs.msg.String, f"t{topic}", reader(topic), 10, callback_group=group)
        publishers.append(node.create_publisher(std_msgs.msg.String, f"t{topic}", 10))
    first = MultiThreadedExecutor(2, context=context)
    first.add_node(node)
    spinning = threading.Thread(target=first.spin)
    spinning.start()
    for publisher in publishers:
        for word in ("1", "2"):
            publisher.publish(std_msgs.msg.String(data=word))
    end = time.monotonic() + LIMIT
    while (len(got) < 2 or len(first._given) < 4) and time.monotonic() < end:
        os.sched_yield()
    assert not first.shutdown(0.01)  # two callbacks run, two more wait for a thread
    assert len(got) == 2
    gate.set()
    assert first.shutdown(LIMIT)
    spinning.join(LIMIT)
    second = SingleThreadedExecutor(context=context)
    second.add_node(node)
    while len(got) < 8 and time.monotonic() < end:
        second.spin_once(timeout_sec=0.1)
    assert sorted(got) == [(topic, word) for topic in range(4) for word in ("1", "2")]
    assert all([w for t, w in got if t == topic] == ["1", "2"] for topic in range(4))


def test_nothing_of_a_wait_that_timed_out_stays_with_its_future(context: Context) -> None:
    future = Future[int]()
    for executor in (SingleThreadedExecutor(context=context), MultiThreadedExecutor(2, context=context)):
        executor.spin_until_future_complete(future, 0.0)
        executor.spin_once_until_future_complete(future, 0.0)
        executor.shutdown()
    assert not future._waiters


class Broken(Waitable[int]):
    """Ready until it ran; its data cannot be taken the first time."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.default_callback_group)
        self.takes, self.ran = 0, 0

    def is_ready(self, wait_set: Any) -> bool:
        return not self.ran

    def take_data(self) -> int:
        self.takes += 1
        if self.takes == 1:
            raise ValueError("no data yet")
        return self.takes

    async def execute(self, taken_data: int) -> None:
        self.ran = taken_data

    def get_num_entities(self) -> NumberOfEntities:
        return NumberOfEntities()

    def add_to_wait_set(self, wait_set: Any) -> None:
        pass


def test_a_waitable_whose_data_could_not_be_taken_gets_another_turn(context: Context) -> None:
    executor, node = SingleThreadedExecutor(context=context), Node("broken", context=context)
    waitable = Broken(node)
    node.add_waitable(waitable)
    executor.add_node(node)
    with pytest.raises(ValueError, match="no data yet"):
        executor.spin_once(timeout_sec=LIMIT)
    executor.spin_once(timeout_sec=1.0)
    assert waitable.ran == 2
