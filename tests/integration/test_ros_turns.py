"""A deep queue of slow messages keeps no timer and no service waiting, under any executor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from robot.ros.callback_groups import ReentrantCallbackGroup
from robot.ros.context import Context
from robot.ros.executors import Executor, MultiThreadedExecutor, SingleThreadedExecutor
from robot.ros.experimental import AsyncioExecutor, EventsExecutor
from robot.ros.interfaces import std_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.transport.zeromq import ZeroMQ

Int64, Trigger = std_msgs.msg.Int64, std_srvs.srv.Trigger
DEEP = 300
SLOW = 1e-3  # [s] that a message takes at least
PERIOD = 10e-3  # [s]
THREADS = 2
FEW = 6  # callbacks

EXECUTORS: dict[str, tuple[Callable[[Context], Executor], int]] = {
    "single": (lambda context: SingleThreadedExecutor(context=context), 1),
    "events": (lambda context: EventsExecutor(context=context), 1),
    "multi": (lambda context: MultiThreadedExecutor(THREADS, context=context), THREADS),
    "asyncio": (lambda context: AsyncioExecutor(context=context), 1),
}


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    folder = tmp_path / "ros"
    folder.mkdir(mode=0o700)
    nodes = [Node(name, context=Context(transport=ZeroMQ(folder=folder))) for name in ("busy", "other")]
    yield nodes
    for node in nodes:
        node.context.try_shutdown()


def work() -> None:
    end = time.monotonic() + SLOW
    while time.monotonic() < end:
        pass


@pytest.mark.parametrize("kind", EXECUTORS)
def test_a_timer_and_a_service_have_their_turns_while_a_deep_queue_is_worked_off(nodes: list[Node], kind: str) -> None:
    busy, other = nodes
    make, threads = EXECUTORS[kind]
    executor = make(busy.context)
    ran, ticks, answered = list[int](), list[int](), list[int]()
    group = ReentrantCallbackGroup()

    def hear(message: Int64) -> None:
        ran.append(message.data)
        work()
        if message.data == 20:  # comes through the socket, behind nothing
            client.call_async(Trigger.Request())
        if len(ran) == DEEP:
            busy.context.try_shutdown()

    def answer(_: object, response: Trigger.Response) -> Trigger.Response:
        answered.append(len(ran))
        return response

    busy.create_subscription(Int64, "numbers", hear, 2 * DEEP, callback_group=group)
    busy.create_service(Trigger, "look", answer, callback_group=group)
    client = other.create_client(Trigger, "look")
    assert other.wait_until(client.service_is_ready, 60.0)
    publisher = busy.create_publisher(Int64, "numbers", 2 * DEEP)
    for number in range(DEEP):
        publisher.publish(Int64(data=number))
    busy.create_timer(PERIOD, lambda: ticks.append(len(ran)), callback_group=group)
    executor.add_node(busy)
    executor.spin()
    assert sorted(ran) == list(range(DEEP))
    between = [after - before for before, after in zip([0, *ticks], [*ticks, DEEP], strict=True)]
    assert max(between) <= threads * (PERIOD / SLOW + FEW), "each message takes so long that no more fit"
    assert len(answered) == 1 and answered[0] < DEEP / 2, "it waited for the whole queue"
