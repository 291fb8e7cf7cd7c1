"""The default context, executors and simulated time over ZeroMQ, as a ROS program uses them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from robot import ros
from robot.ros import bench
from robot.ros.exceptions import InvalidHandle
from robot.ros.executors import SOME_MAX, ExternalShutdownException, SingleThreadedExecutor
from robot.ros.interfaces import rosgraph_msgs, std_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.parameter import Parameter
from robot.ros.time import Time
from robot.ros.transport.directory import runtime_directory
from robot.ros.transport.frame import DATA, Frame
from robot.ros.transport.loop import Loop
from robot.ros.transport.zeromq import ZeroMQ


@pytest.fixture(autouse=True)
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    ros.init(domain_id=3)
    yield
    ros.try_shutdown()


def test_a_node_spun_by_the_module_functions_calls_its_own_service() -> None:
    node = ros.create_node("both", namespace="robot")
    node.create_service(std_srvs.srv.Trigger, "~/go", lambda _, response: response)
    client = node.create_client(std_srvs.srv.Trigger, "/robot/both/go")
    assert client.wait_for_service(timeout_sec=1.0)
    future = client.call_async(std_srvs.srv.Trigger.Request())
    ros.spin_until_future_complete(node, future, timeout_sec=30.0)
    assert future.done()
    assert ("/robot/both/go", ["std_srvs/srv/Trigger"]) in node.get_service_names_and_types()


def test_spin_until_gives_up_at_its_timeout() -> None:
    node = ros.create_node("patient")
    start = time.monotonic()
    ros.spin_until_future_complete(node, node.create_future(), timeout_sec=0.05)
    assert 0.04 < time.monotonic() - start < 5.0
    assert ros.create_node("other").create_client(std_srvs.srv.Trigger, "none").wait_for_service(0.02) is False


def test_a_node_stays_with_the_executor_that_it_is_spun_by_if_that_had_it_before() -> None:
    node, guest = ros.create_node("resident"), ros.create_node("guest")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    for each in (node, guest):
        ros.spin_once(each, executor=executor, timeout_sec=0.0)
        ros.spin_until_future_complete(each, each.create_future(), executor, timeout_sec=0.0)
        assert executor.get_nodes() == [node]
    node.create_guard_condition(lambda: {}["end"]).trigger()
    with pytest.raises(KeyError):
        ros.spin(node, executor)
    assert executor.get_nodes() == [node]


def test_spin_once_runs_one_callback_and_spin_some_all_that_are_ready() -> None:
    node = ros.create_node("one")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    heard: list[str] = []
    node.create_subscription(std_msgs.msg.String, "chat", lambda m: heard.append(m.data), 100)
    publisher = node.create_publisher(std_msgs.msg.String, "chat", 100)
    for n in range(10):
        publisher.publish(std_msgs.msg.String(data=str(n)))
    executor.spin_once(timeout_sec=0.0)
    assert heard == ["0"]
    assert executor.spin_some() == 9
    assert heard == [str(n) for n in range(10)]
    executor.spin_once(timeout_sec=0.0)


def test_spin_some_follows_what_callbacks_post_but_not_for_ever() -> None:
    node = ros.create_node("one")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    node.create_service(std_srvs.srv.Trigger, "go", lambda _, response: response)
    client = node.create_client(std_srvs.srv.Trigger, "go")
    replies: list[Any] = []

    async def call() -> None:
        replies.append(await client.call_async(std_srvs.srv.Trigger.Request()))

    executor.create_task(call)
    executor.spin_some()
    assert len(replies) == 1

    async def forever() -> None:
        while len(replies) == 1:
            await Yield()

    executor.create_task(forever)
    assert executor.spin_some() == SOME_MAX


def test_timers_and_stamps_follow_the_clock_the_transport_is_given(tmp_path: Path) -> None:
    now = [1000.0]
    loop = Loop(now=lambda: 1.7e9 + now[0], monotonic=lambda: now[0])
    context = ros.Context(transport=ZeroMQ(folder=runtime_directory(4), loop=loop))
    node = Node("simulated", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    at: list[float] = []
    node.create_timer(0.5, lambda: at.append(now[0]))
    for _ in range(30):
        executor.spin_some()
        now[0] += 0.1
    assert at == pytest.approx([1000.5, 1001.0, 1001.5, 1002.0, 1002.5], abs=0.11)
    assert node.get_clock().now().nanoseconds == pytest.approx(1_700_001_003 * 10**9)
    context.shutdown()


def test_callbacks_wait_for_the_executor_their_node_is_added_to() -> None:
    node, idle = ros.create_node("one"), ros.create_node("idle")
    heard: list[str] = []
    idle.create_subscription(std_msgs.msg.String, "chat", lambda m: heard.append(m.data), 10)
    node.create_publisher(std_msgs.msg.String, "chat", 10).publish(std_msgs.msg.String(data="x"))
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    executor.spin_some()
    assert heard == []
    executor.add_node(idle)
    executor.spin_some()
    assert heard == ["x"]


def test_a_callback_that_posts_for_ever_does_not_keep_messages_out() -> None:
    node = ros.create_node("busy")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    fired: list[bool] = []

    async def forever() -> None:
        while not fired:
            await Yield()

    node.create_timer(0.01, lambda: fired.append(True))
    future = executor.create_task(forever)
    executor.spin_until_future_complete(future, timeout_sec=10.0)
    assert future.done()


class Yield:
    """Awaiting it gives way once."""

    def __await__(self) -> Any:
        yield


def test_shutdown_from_a_callback_ends_spin_and_from_outside_raises() -> None:
    node = ros.create_node("one")
    node.create_timer(0.01, ros.shutdown)
    ros.spin(node)
    assert not ros.ok()
    ros.init(domain_id=3)
    executor = SingleThreadedExecutor()
    ros.shutdown()
    with pytest.raises(ExternalShutdownException):
        executor.spin_once()


def test_another_thread_can_end_a_spin_that_waits() -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(ros.create_node("waiting"))
    stopper = threading.Timer(0.05, executor.shutdown)
    stopper.start()
    start = time.monotonic()
    executor.spin()
    stopper.join()
    assert time.monotonic() - start < 5.0


def test_an_exception_of_a_callback_comes_out_of_spin() -> None:
    node = ros.create_node("one")

    async def fail() -> None:
        raise RuntimeError("broken")

    node.create_timer(0.01, fail)
    with pytest.raises(RuntimeError, match="broken"):
        ros.spin(node)


def test_use_sim_time_can_be_switched_while_running() -> None:
    node = ros.create_node("one")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    assert node.get_clock().now().nanoseconds > 1e18
    node.set_parameters([Parameter("use_sim_time", value=True)])
    assert node.get_clock().now().nanoseconds == 0
    clock = node.create_publisher(rosgraph_msgs.msg.Clock, "/clock", 1)
    clock.publish(rosgraph_msgs.msg.Clock(clock=Time(seconds=42).to_msg()))
    executor.spin_some()
    assert node.get_clock().now().nanoseconds == 42 * 10**9
    node.set_parameters([Parameter("use_sim_time", value=False)])
    assert node.get_clock().now().nanoseconds > 1e18


def test_a_destroyed_node_leaves_the_graph_and_its_executor() -> None:
    executor = SingleThreadedExecutor()
    node = Node("one")
    executor.add_node(node)
    node.create_publisher(std_msgs.msg.String, "chat", 1)
    other = Node("two")
    assert other.count_publishers("/chat") == 1
    node.destroy_node()
    with pytest.raises(InvalidHandle):
        node.destroy_node()
    assert other.count_publishers("/chat") == 0
    assert executor.get_nodes() == []


def test_the_bench_measures_both_sides() -> None:
    figures = bench.run(rounds=1)
    assert all(figures[key] > 0.0 for key in ("rtt_64B_us", "rtt_64B_ratio", "rtt_image_us", "rtt_image_ratio"))


def test_a_message_reaches_who_hears_it_though_the_routes_are_forgotten_just_when_they_were_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Hearer:
        def deliver(self, frame: Frame, payload: bytes, peer: str) -> None:
            delivered.append((payload, peer))

    delivered: list[tuple[bytes, str]] = []
    bus = ros.create_node("here").context.bus
    monkeypatch.setattr(bus, "_find_incoming", lambda peer, gid: [Hearer()])  # another thread emptied `hearers` since
    bus.on_frame("peer", Frame(DATA, bytes(16), 1, 0.0), b"payload")
    assert delivered == [(b"payload", "peer")]
