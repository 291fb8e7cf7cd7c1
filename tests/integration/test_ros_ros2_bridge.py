"""The bridge to a ROS 2 beside us; our own library, in a domain of its own, stands in for the real rclpy."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from robot.ros.action import ActionClient, ActionServer
from robot.ros.bridge.door import Door
from robot.ros.bridge.ros2 import NAME, Ros2Bridge, run_here
from robot.ros.bridge.ros2_types import Rclpy
from robot.ros.context import Context
from robot.ros.exceptions import ROSError
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import example_interfaces, sensor_msgs, std_msgs
from robot.ros.node import Node
from robot.ros.qos import DurabilityPolicy, QoSProfile

String, Image = std_msgs.msg.String, sensor_msgs.msg.Image
Add, Fibonacci = example_interfaces.srv.AddTwoInts, example_interfaces.action.Fibonacci
KEEPING = QoSProfile(depth=2, durability=DurabilityPolicy.TRANSIENT_LOCAL)
OURS, THEIRS = 3, 4


def stand_in(name: str) -> Any:
    """Import ours in the place of a module of ROS 2."""
    packages = "robot.ros.packages.rosidl_runtime_py"
    return import_module(name.replace("rosidl_runtime_py", packages) if "rosidl" in name else f"robot.ros.{name[6:]}")


class World:
    """A node in our domain, one in theirs, and the bridge."""

    def __init__(self) -> None:
        self.nodes: dict[int, Node] = {}
        self.executors = []
        for domain, names in ((OURS, ["ours"]), (THEIRS, ["theirs", NAME])):
            context = Context(domain_id=domain)
            context.init(())
            executor = SingleThreadedExecutor(context=context)
            self.executors.append(executor)
            for name in names:
                node = Node(name, context=context, start_parameter_services=False, enable_rosout=False)
                self.nodes.setdefault(domain, node)
                executor.add_node(node)
        self.ours, self.theirs = self.nodes[OURS], self.nodes[THEIRS]
        self.bridge = Ros2Bridge(node, Rclpy.load(stand_in), domain_id=OURS)
        self._thread = threading.Thread(target=self.bridge.run, daemon=True)
        self._thread.start()

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 30.0
        while not condition():
            assert time.monotonic() < end, "it did not come true in 30 s"
            for executor in self.executors:
                executor.spin_once(timeout_sec=0.01)

    def close(self) -> None:
        self.bridge.end()
        self._thread.join()
        self.bridge.close()
        for node in (self.ours, self.theirs):
            node.context.shutdown()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path))
    made = World()
    yield made
    made.close()


def test_messages_pass_both_ways_and_do_not_come_back(world: World) -> None:
    here: list[str] = []
    there: list[str] = []
    world.ours.create_subscription(String, "/chat", lambda message: here.append(message.data), 10)
    world.theirs.create_subscription(String, "/chat", lambda message: there.append(message.data), 10)
    from_here = world.ours.create_publisher(String, "/chat", 10)
    from_there = world.theirs.create_publisher(String, "/chat", 10)
    world.until(lambda: from_here.get_subscription_count() == 2 and from_there.get_subscription_count() == 2)
    from_here.publish(String(data="ours"))
    from_there.publish(String(data="theirs"))
    world.until(lambda: set(here) == set(there) == {"ours", "theirs"})
    from_here.publish(String(data="end"))
    world.until(lambda: here[-1] == there[-1] == "end")
    assert sorted(here) == sorted(there) == ["end", "ours", "theirs"]
    names = {info.node_name for info in world.ours.get_publishers_info_by_topic("/chat")}
    assert names == {"ours", "theirs"}


def test_what_was_kept_reaches_who_comes_late(world: World) -> None:
    here: list[str] = []
    kept = world.theirs.create_publisher(String, "/kept", KEEPING)
    for word in ("lost", "old", "new"):
        kept.publish(String(data=word))
    world.until(lambda: world.ours.get_publishers_info_by_topic("/kept"))
    world.ours.create_subscription(String, "/kept", lambda message: here.append(message.data), KEEPING)
    world.until(lambda: here == ["old", "new"])


def test_an_image_passes_byte_by_byte(world: World) -> None:
    there: list[bytes] = []
    world.theirs.create_subscription(Image, "/image", lambda message: there.append(bytes(message.data)), 10)
    publisher = world.ours.create_publisher(Image, "/image", 10)
    world.until(publisher.get_subscription_count)
    pixels = bytes(range(256)) * 1200
    publisher.publish(Image(height=320, width=320, encoding="rgb8", step=960, data=pixels))
    world.until(lambda: there)
    assert there == [pixels]


def test_what_ends_is_gone_on_the_other_side(world: World) -> None:
    publisher = world.theirs.create_publisher(String, "/brief", 10)
    mine = world.ours.create_publisher(String, "/mine", 10)
    world.until(lambda: world.ours.get_publishers_info_by_topic("/brief"))
    world.until(lambda: world.theirs.get_publishers_info_by_topic("/mine"))
    publisher.destroy()
    mine.destroy()
    world.until(lambda: not world.ours.get_publishers_info_by_topic("/brief"))
    world.until(lambda: not world.theirs.get_publishers_info_by_topic("/mine"))


def _add(request: Any, response: Any) -> Any:
    response.sum = request.a + request.b
    return response


def test_services_answer_from_the_other_side(world: World) -> None:
    for served, asking in ((world.ours, world.theirs), (world.theirs, world.ours)):
        name = f"/{served.get_name()}/add"
        service = served.create_service(Add, name, _add)
        client = asking.create_client(Add, name)
        world.until(client.service_is_ready)
        futures = [client.call_async(Add.Request(a=number, b=1)) for number in range(3)]
        world.until(lambda futures=futures: all(future.done() for future in futures))
        assert [future.result().sum for future in futures] == [1, 2, 3]
        assert asking.count_services(name) == 1
        service.destroy()
        world.until(lambda client=client: not client.service_is_ready())


def test_an_action_is_executed_on_the_other_side(world: World) -> None:
    def execute(goal: Any) -> Any:
        goal.publish_feedback(Fibonacci.Feedback(sequence=[1]))
        goal.succeed()
        return Fibonacci.Result(sequence=[0, 1, goal.request.order])

    for serving, asking in ((world.ours, world.theirs), (world.theirs, world.ours)):
        name = f"/{serving.get_name()}/fibonacci"
        heard: list[list[int]] = []
        server = ActionServer(serving, Fibonacci, name, execute)
        client = ActionClient(asking, Fibonacci, name)
        world.until(client.server_is_ready)
        feedback = f"{name}/_action/feedback"
        world.until(lambda: serving.count_subscribers(feedback) and asking.count_publishers(feedback))  # noqa: B023
        goal = client.send_goal_async(
            Fibonacci.Goal(order=7),
            feedback_callback=lambda said: heard.append(list(said.feedback.sequence)),  # noqa: B023
        )
        world.until(goal.done)
        ended = goal.result().get_result_async()
        world.until(ended.done)
        assert list(ended.result().result.sequence) == [0, 1, 7]
        world.until(lambda: heard)  # noqa: B023
        client.destroy()
        server.destroy()


def test_a_fault_in_our_domain_is_told_and_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object, timeout: float | None) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path))
    monkeypatch.setattr(Door, "step", fail)
    monkeypatch.setitem(sys.modules, "rclpy", import_module("robot.ros"))
    for name in ("qos", "executors", "serialization", "task", "callback_groups"):
        monkeypatch.setitem(sys.modules, f"rclpy.{name}", stand_in(f"rclpy.{name}"))
    monkeypatch.setitem(sys.modules, "rosidl_runtime_py.utilities", stand_in("rosidl_runtime_py.utilities"))
    monkeypatch.setattr(sys, "argv", ["bridge"])
    with pytest.raises(ROSError, match="the log says why"):
        run_here(lambda _: None)
    assert "a fault" in caplog.text


def test_where_there_is_no_ros_it_says_what_to_do() -> None:
    with pytest.raises(ROSError, match=r"setup\.bash"):
        run_here(print)
