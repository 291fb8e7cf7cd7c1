"""Where one thing ends and the next begins: which goals a cancellation means, whose override wins, what zero waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from robot.ros.action import ActionClient, ActionServer, CancelResponse, ServerGoalHandle
from robot.ros.context import Context
from robot.ros.interfaces import action_msgs, example_interfaces, std_srvs
from robot.ros.node import Node
from robot.ros.qos_watch import Watch
from robot.ros.task import Future
from robot.ros.transport.inprocess import InProcess
from sim.lockstep import Lockstep

Fibonacci = example_interfaces.action.Fibonacci
CancelGoal = action_msgs.srv.CancelGoal


class World:
    def __init__(self) -> None:
        self.time = Lockstep(epoch=1_750_000_000.0)
        self.node = Node("node", context=Context(transport=InProcess(self.time)))
        self.goals: list[ServerGoalHandle] = []
        self.asked: list[ServerGoalHandle] = []

    def result(self, future: Future[Any]) -> Any:
        self.time.run(until=future.done, seconds=10.0)
        return future.result()

    def judge(self, goal: ServerGoalHandle) -> CancelResponse:
        self.asked.append(goal)
        return CancelResponse.ACCEPT

    def pass_time(self, seconds: float) -> None:
        self.time.post(lambda: None, delay=seconds)
        self.time.run()


@pytest.fixture
def world() -> World:
    world = World()
    ActionServer(
        world.node,
        Fibonacci,
        "count",
        lambda _: Fibonacci.Result(),
        handle_accepted_callback=world.goals.append,
        cancel_callback=world.judge,
    )
    return world


def test_a_cancellation_by_time_means_goals_up_to_that_instant(world: World) -> None:
    client = ActionClient(world.node, Fibonacci, "count")
    for _ in range(3):
        assert world.result(client.send_goal_async(Fibonacci.Goal())).accepted
        world.pass_time(1.0)
    request = CancelGoal.Request()
    request.goal_info.stamp = world.goals[1].goal_info.stamp
    response = world.result(world.node.create_client(CancelGoal, "count/_action/cancel_goal").call_async(request))
    assert [info.goal_id for info in response.goals_canceling] == [goal.goal_id for goal in world.goals[:2]]
    assert [goal.is_cancel_requested for goal in world.goals] == [True, True, False]


def test_a_goal_that_is_being_cancelled_is_not_asked_about_again(world: World) -> None:
    client = ActionClient(world.node, Fibonacci, "count")
    handle = world.result(client.send_goal_async(Fibonacci.Goal()))
    first, second = (world.result(handle.cancel_goal_async()) for _ in range(2))
    assert len(first.goals_canceling) == 1 and len(second.goals_canceling) == 0
    assert len(world.asked) == 1


def test_a_nodes_own_arguments_win_over_everybodys(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path))
    context = Context()
    context.init(["--ros-args", "-p", "speed:=1", "-p", "colour:=red"])
    with context, Node("node", context=context, cli_args=["--ros-args", "-p", "speed:=2"]) as node:
        assert node.declare_parameter("speed", 0).value == 2
        assert node.declare_parameter("colour", "").value == "red"


@pytest.fixture
def node(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path))
    context = Context()
    context.init(())
    yield Node("node", context=context)
    context.try_shutdown()


def test_a_timeout_of_zero_only_looks(node: Node) -> None:
    client = node.create_client(std_srvs.srv.Trigger, "go")
    action = ActionClient(node, Fibonacci, "count")
    seen: list[bool] = []

    def look() -> None:
        seen.append(client.wait_for_service(timeout_sec=0.0))
        seen.append(action.wait_for_server(timeout_sec=0.0))
        seen.append(node.wait_for_node("/nobody", 0.0))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(10.0)
    assert seen == [False, False, False]


def test_a_watch_that_looks_late_tells_once_and_keeps_its_grid() -> None:
    now, told, posted = 0.0, [], []

    def post(callback: Callable[[], None], *, delay: float = 0.0) -> Any:
        posted.append((callback, delay))
        return SimpleNamespace(cancel=lambda: None)

    scheduler = SimpleNamespace(monotonic=lambda: now, post=post)
    pump = SimpleNamespace(news=lambda: None)
    node: Any = SimpleNamespace(_ros_scheduler=scheduler, context=SimpleNamespace(bus=SimpleNamespace(pump=pump)))
    watch = Watch(node, 1_000_000_000, lambda: told.append(now))
    watch.feed()
    now = 3.25
    posted[-1][0]()
    assert told == [3.25] and posted[-1][1] == pytest.approx(0.75)
