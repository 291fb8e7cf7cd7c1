"""Timers, simulated time, waitables and service events over a node's executor."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robot import ros
from robot.ros.action import ActionClient, ActionServer, GoalStatus
from robot.ros.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from robot.ros.clock import Clock, ROSClock
from robot.ros.clock_type import ClockType
from robot.ros.duration import Duration
from robot.ros.exceptions import RCLError
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.guard_condition import GuardCondition
from robot.ros.interfaces import example_interfaces, rosgraph_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.parameter import Parameter
from robot.ros.qos import QoSProfile
from robot.ros.service_introspection import ServiceIntrospectionState
from robot.ros.time import Time
from robot.ros.time_source import TimeSource
from robot.ros.timer import TimerInfo
from robot.ros.waitable import NumberOfEntities, Waitable

DEADLINE = 20.0  # [s]
Fibonacci = example_interfaces.action.Fibonacci


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    ros.init(domain_id=8)
    yield Node("one")
    ros.try_shutdown()


@pytest.fixture
def executor(node: Node) -> SingleThreadedExecutor:
    made = SingleThreadedExecutor()
    made.add_node(node)
    return made


def until(executor: SingleThreadedExecutor, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        executor.spin_once(timeout_sec=0.05)


def test_a_timer_tells_when_it_was_due_and_when_it_came(node: Node, executor: SingleThreadedExecutor) -> None:
    infos: list[TimerInfo] = []

    def tick(info: TimerInfo) -> None:
        infos.append(info)

    timer = node.create_timer(0.005, tick)
    until(executor, lambda: len(infos) == 3)
    assert all(info.actual_call_time - info.expected_call_time >= Duration(nanoseconds=-5000) for info in infos)
    assert infos[0].expected_call_time.clock_type == ClockType.ROS_TIME
    timer.cancel()
    assert timer.is_canceled() and timer.time_until_next_call() is None and not timer.is_ready()
    timer.timer_period_ns = 10**12
    timer.reset()
    left = timer.time_until_next_call()
    assert left is not None and 0 < left <= 10**12 and timer.timer_period_ns == 10**12
    assert timer.time_since_last_call() > 0


def test_a_timer_that_is_not_started_waits_for_its_reset(node: Node, executor: SingleThreadedExecutor) -> None:
    calls: list[bool] = []
    timer = node.create_timer(0.001, lambda: calls.append(True), autostart=False)
    assert timer.is_canceled()
    executor.spin_once(timeout_sec=0.01)
    assert calls == []
    timer.reset()
    until(executor, lambda: bool(calls))
    with pytest.raises(RCLError, match=">= 0"):
        node.create_timer(-1.0, lambda: None)


def test_timers_follow_simulated_time_and_its_jumps(node: Node, executor: SingleThreadedExecutor) -> None:
    at: list[float] = []
    node.set_parameters([Parameter("use_sim_time", value=True)])
    node.create_timer(1.0, lambda: at.append(node.get_clock().now().nanoseconds / 1e9))
    clock = node.create_publisher(rosgraph_msgs.msg.Clock, "/clock", 1)
    for second in (0.5, 1.0, 1.5, 2.25, 7.0, 7.5, 8.0, 1.0, 1.5, 2.0):
        clock.publish(rosgraph_msgs.msg.Clock(clock=Time(seconds=second).to_msg()))
        executor.spin_some()
    assert at == [1.0, 2.25, 7.0, 8.0, 2.0]


def test_a_callback_sleeps_in_simulated_time_while_its_own_executor_takes_in_the_clock(
    node: Node, executor: SingleThreadedExecutor
) -> None:
    node.set_parameters([Parameter("use_sim_time", value=True)])
    clock = node.create_publisher(rosgraph_msgs.msg.Clock, "/clock", 1)
    slept: list[bool] = []
    node.create_guard_condition(lambda: slept.append(node.get_clock().sleep_for(Duration(seconds=5)))).trigger()
    ended = threading.Event()

    def tick() -> None:
        second = 0
        while not ended.wait(0.002):
            second += 1
            clock.publish(rosgraph_msgs.msg.Clock(clock=Time(seconds=second).to_msg()))

    ticking = threading.Thread(target=tick)
    ticking.start()
    try:
        until(executor, lambda: bool(slept))
    finally:
        ended.set()
        ticking.join()
    assert slept == [True]


def test_sleeping_ends_early_at_a_shutdown_and_refuses_another_clock(node: Node) -> None:
    clock = Clock(clock_type=ClockType.STEADY_TIME)
    assert clock.sleep_for(Duration(seconds=0.001))
    with pytest.raises(ValueError, match="clock type does not match"):
        clock.sleep_until(Time(clock_type=ClockType.SYSTEM_TIME))
    slept: list[bool] = []
    sleeping = threading.Thread(target=lambda: slept.append(clock.sleep_for(Duration(seconds=1000))))
    sleeping.start()
    ros.shutdown()
    sleeping.join(DEADLINE)
    assert slept == [False]


def test_a_time_source_sets_its_clocks_and_only_ros_ones(node: Node) -> None:
    source, clock = TimeSource(node=node), ROSClock()
    source.attach_clock(clock)
    with pytest.raises(ValueError, match="ROS_TIME"):
        source.attach_clock(Clock())  # type: ignore[arg-type]
    source.ros_time_is_active = True
    source.clock_callback(rosgraph_msgs.msg.Clock(clock=Time(seconds=9).to_msg()))
    late = ROSClock()
    source.attach_clock(late)
    assert clock.now() == late.now() == Time(seconds=9, clock_type=ClockType.ROS_TIME)
    [result] = node.set_parameters([Parameter("use_sim_time", value=0.5)])
    assert not result.successful
    source.ros_time_is_active = False
    assert not clock.ros_time_is_active


class Bell(Waitable[str]):
    """Ready when its guard condition was triggered."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.default_callback_group)
        self.guard = GuardCondition(None, None, context=node.context)
        self.rung: list[str] = []
        self._index = 0

    def add_to_wait_set(self, wait_set: Any) -> None:
        self._index = wait_set.add_guard_condition(self.guard)

    def is_ready(self, wait_set: Any) -> bool:
        return bool(wait_set.is_ready("guard_condition", self._index))

    def take_data(self) -> str:
        return "ding"

    async def execute(self, taken_data: str) -> None:
        self.rung.append(taken_data)

    def get_num_entities(self) -> NumberOfEntities:
        return NumberOfEntities(num_gcs=1)


def test_a_waitable_is_run_when_it_is_ready(node: Node, executor: SingleThreadedExecutor) -> None:
    bell = Bell(node)
    node.add_waitable(bell)
    executor.spin_once(timeout_sec=0.0)
    assert bell.rung == []
    bell.guard.trigger()
    until(executor, lambda: bool(bell.rung))
    node.remove_waitable(bell)
    assert bell.rung == ["ding"] and bell not in node.waitables
    assert NumberOfEntities(1, 2) + NumberOfEntities(1) == NumberOfEntities(2, 2)


def test_service_events_show_each_request_and_response(node: Node, executor: SingleThreadedExecutor) -> None:
    trigger, events = std_srvs.srv.Trigger, []
    service = node.create_service(trigger, "go", lambda _, response: response)
    client = node.create_client(trigger, "go")
    node.create_subscription(trigger.Event, "go/_service_event", events.append, 10)
    for entity in (service, client):
        entity.configure_introspection(node.get_clock(), QoSProfile(depth=10), ServiceIntrospectionState.CONTENTS)
    client.call_async(trigger.Request())
    until(executor, lambda: len(events) == 4)
    assert [event.info.event_type for event in events] == [0, 1, 2, 3]
    assert len({bytes(event.info.client_gid) for event in events}) == 1
    assert [len(event.request) for event in events] == [1, 1, 0, 0]
    assert [len(event.response) for event in events] == [0, 0, 1, 1]


def test_a_goal_goes_only_ways_that_ros_allows(node: Node, executor: SingleThreadedExecutor) -> None:
    errors, group = [], MutuallyExclusiveCallbackGroup()

    def execute(goal: Any) -> Any:
        for end in (goal.canceled, goal.succeed, goal.abort):
            try:
                end()
            except RCLError as error:
                errors.append(str(error))
        with pytest.raises(TypeError):
            goal.publish_feedback("no feedback")
        return Fibonacci.Result(sequence=[3])

    server = ActionServer(node, Fibonacci, "count", execute, callback_group=group, result_timeout=1.5)
    client = ActionClient(node, Fibonacci, "count", callback_group=ReentrantCallbackGroup())
    assert group.has_entity(server) and client._action_name == "count"  # as written, as in rclpy
    assert server.get_num_entities().num_services == client.get_num_entities().num_clients == 3
    sent = client.send_goal_async(Fibonacci.Goal(order=1))
    until(executor, sent.done)
    handle = sent.result()
    asked = handle.get_result_async()
    until(executor, asked.done)
    assert asked.result().status == GoalStatus.STATUS_SUCCEEDED and list(asked.result().result.sequence) == [3]
    assert len(errors) == 2 and "CANCELED" in errors[0] and "SUCCEEDED" in errors[1]
    again = client.send_goal_async(Fibonacci.Goal(order=1), goal_uuid=handle.goal_id)
    until(executor, again.done)
    assert not again.result().accepted
    until(executor, lambda: not server._goal_handles)
    unknown = client._get_result_async(handle)
    until(executor, unknown.done)
    assert unknown.result().status == GoalStatus.STATUS_UNKNOWN
    with pytest.raises(TypeError):
        client.send_goal_async("no goal")
    with pytest.raises(TypeError, match="callable"):
        server.register_execute_callback(None)  # type: ignore[arg-type]


def test_feedback_that_came_before_the_result_is_heard_though_the_result_is_taken_first(
    node: Node, executor: SingleThreadedExecutor
) -> None:
    heard: list[int] = []

    def execute(goal: Any) -> Any:
        for number in range(5):
            goal.publish_feedback(Fibonacci.Feedback(sequence=[number]))
        goal.succeed()
        return Fibonacci.Result()

    ActionServer(node, Fibonacci, "count", execute)
    client = ActionClient(node, Fibonacci, "count")
    sent = client.send_goal_async(Fibonacci.Goal(), lambda message: heard.extend(message.feedback.sequence))
    until(executor, sent.done)
    asked = sent.result().get_result_async()
    until(executor, asked.done)
    until(executor, lambda: len(heard) == 5)
    assert heard == [0, 1, 2, 3, 4] and not client._feedback_callbacks
