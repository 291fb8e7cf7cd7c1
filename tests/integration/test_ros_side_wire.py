"""tf2_ros and message_filters over topics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robot.ros.context import Context
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import geometry_msgs, sensor_msgs
from robot.ros.node import Node
from robot.ros.packages import message_filters, tf2_ros
from robot.ros.time import Time

DEADLINE_S = 60.0


class Bench:
    """One node and what runs it."""

    def __init__(self) -> None:
        self.context = Context()
        self.context.init(args=[])
        self.node = Node("bench", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)

    def until(self, condition: Callable[[], bool]) -> None:
        future = self.executor.create_future()
        timer = self.node.create_timer(0.005, lambda: condition() and not future.done() and future.set_result(None))
        self.executor.spin_until_future_complete(future, DEADLINE_S)
        self.node.destroy_timer(timer)
        assert condition()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    made = Bench()
    yield made
    made.executor.shutdown()
    made.context.try_shutdown()


def transform(parent: str, child: str, at: int, x: float) -> Any:
    made = geometry_msgs.msg.TransformStamped(child_frame_id=child)
    made.header.frame_id, made.header.stamp.sec = parent, at
    made.transform.translation.x = x
    return made


def test_transforms_go_from_broadcasters_to_a_buffer_and_to_one_that_comes_late(bench: Bench) -> None:
    moving, still = tf2_ros.TransformBroadcaster(bench.node), tf2_ros.StaticTransformBroadcaster(bench.node)
    buffer = tf2_ros.Buffer(node=bench.node)
    listener = tf2_ros.TransformListener(buffer, bench.node)
    still.sendTransform(transform("tunnel", "rail", 0, 1.0))
    still.sendTransform(transform("tunnel", "tank", 0, 5.0))
    moving.sendTransform([transform("rail", "robot", at, float(at)) for at in (1, 3)])
    bench.until(lambda: buffer.can_transform("tunnel", "robot", Time(seconds=2)))
    assert buffer.lookup_transform("tunnel", "robot", Time(seconds=2)).transform.translation.x == 3.0
    late = tf2_ros.Buffer()
    only_still = tf2_ros.StaticTransformListener(late, bench.node)
    bench.until(lambda: late.can_transform("rail", "tank", Time()))
    assert not late.can_transform("rail", "robot", Time())
    only_still.unregister()
    listener.unregister()


def test_a_coroutine_waits_for_a_transform(bench: Bench) -> None:
    broadcaster = tf2_ros.TransformBroadcaster(bench.node)
    buffer = tf2_ros.Buffer(node=bench.node)
    listener = tf2_ros.TransformListener(buffer, bench.node)
    task = bench.executor.create_task(buffer.lookup_transform_async, "a", "b", Time(seconds=1))
    broadcaster.sendTransform(transform("a", "b", 1, 7.0))
    bench.until(task.done)
    found = task.result()
    assert found is not None and found.transform.translation.x == 7.0
    listener.unregister()


def test_messages_of_two_topics_are_paired(bench: Bench) -> None:
    kind = sensor_msgs.msg.Temperature
    publishers = [bench.node.create_publisher(kind, name, 10) for name in ("air", "soil")]
    filters = [message_filters.Subscriber(bench.node, kind, name, qos_profile=10) for name in ("air", "soil")]
    pairs: list[tuple[float, float]] = []
    sync = message_filters.ApproximateTimeSynchronizer(filters, 5, 0.2)
    sync.registerCallback(lambda air, soil: pairs.append((air.temperature, soil.temperature)))
    for number in range(3):
        for offset, publisher in enumerate(publishers):
            message = kind(temperature=float(10 * offset + number))
            message.header.stamp = Time(nanoseconds=number * 10**9 + offset * 10**8).to_msg()
            publisher.publish(message)
    bench.until(lambda: len(pairs) == 3)
    assert pairs == [(0.0, 10.0), (1.0, 11.0), (2.0, 12.0)]
    assert filters[0].getTopic() == "air" and filters[0].topic_name == "/air"
