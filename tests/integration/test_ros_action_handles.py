"""Actions by hand: the ends without callbacks, and clients and servers as waitables."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robot.ros import _rclpy_pybind11 as rclpy_implementation
from robot.ros.action import ActionClient, ActionServer
from robot.ros.context import Context
from robot.ros.exceptions import InvalidHandle, RCLError
from robot.ros.interfaces import action_msgs, example_interfaces, unique_identifier_msgs
from robot.ros.node import Node
from robot.ros.qos import QoSProfile, qos_profile_action_status_default
from robot.ros.waitable import Waitable, WaitSet

Fibonacci = example_interfaces.action.Fibonacci
Impl = Fibonacci.Impl
GoalEvent = rclpy_implementation.GoalEvent
Status = action_msgs.msg.GoalStatus
Cancel = action_msgs.srv.CancelGoal
PROFILES = [QoSProfile(depth=10)] * 4 + [qos_profile_action_status_default]
LONG, FOREVER = 30.0, 100.0  # [s]


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path))
    context = Context()
    context.init(())
    yield Node("node", context=context)
    context.try_shutdown()


def taken(node: Node, take: Callable[[], Any]) -> Any:
    """Take with `take` until there is something."""
    found: list[Any] = []

    def look() -> bool:
        if not found and (had := take()) is not None and had != (None, None):
            found.append(had)
        return bool(found)

    assert node.wait_until(look, LONG)
    return found[0]


def client_of(node: Node) -> Any:
    return rclpy_implementation.ActionClient(node.handle, Fibonacci, "count", *PROFILES)


def server_of(node: Node, keep: float = FOREVER) -> Any:
    return rclpy_implementation.ActionServer(node.handle, node.get_clock().handle, Fibonacci, "count", *PROFILES, keep)


def goal_id(number: int) -> Any:
    return unique_identifier_msgs.msg.UUID(uuid=[number] * 16)


def test_a_goal_goes_from_hand_to_hand(node: Node) -> None:
    client, server = client_of(node), server_of(node)
    assert client.get_num_entities() == (2, 0, 0, 3, 0)
    assert server.get_num_entities() == (0, 0, 1, 0, 3)
    assert node.wait_until(client.is_action_server_available, LONG)

    asked = client.send_goal_request(Impl.SendGoalService.Request(goal_id=goal_id(1), goal=Fibonacci.Goal(order=3)))
    header, request = taken(node, lambda: server.take_goal_request(Impl.SendGoalService.Request))
    assert request.goal.order == 3
    info = action_msgs.msg.GoalInfo(goal_id=request.goal_id)
    assert not server.goal_exists(info)
    goal = rclpy_implementation.ActionGoalHandle(server, info)
    assert server.goal_exists(info)
    with pytest.raises(RCLError, match="in use"):
        rclpy_implementation.ActionGoalHandle(server, info)
    server.send_goal_response(header, Impl.SendGoalService.Response(accepted=True))
    number, response = taken(node, lambda: client.take_goal_response(Impl.SendGoalService.Response))
    assert (number, response.accepted) == (asked, True)

    goal.update_goal_state(GoalEvent.EXECUTE)
    server.publish_status()
    states = taken(node, lambda: client.take_status(Impl.GoalStatusMessage))
    assert [each.status for each in states.status_list] == [Status.STATUS_EXECUTING]
    server.publish_feedback(Impl.FeedbackMessage(goal_id=goal_id(1), feedback=Fibonacci.Feedback(sequence=[0, 1])))
    assert list(taken(node, lambda: client.take_feedback(Impl.FeedbackMessage)).feedback.sequence) == [0, 1]

    goal.update_goal_state(GoalEvent.SUCCEED)
    assert (goal.get_status(), goal.is_active()) == (Status.STATUS_SUCCEEDED, False)
    with pytest.raises(RCLError, match="ABORT"):
        goal.update_goal_state(GoalEvent.ABORT)
    asked = client.send_result_request(Impl.GetResultService.Request(goal_id=goal_id(1)))
    header, _ = taken(node, lambda: server.take_result_request(Impl.GetResultService.Request))
    server.send_result_response(header, Impl.GetResultService.Response(status=goal.get_status()))
    number, result = taken(node, lambda: client.take_result_response(Impl.GetResultService.Response))
    assert (number, result.status) == (asked, Status.STATUS_SUCCEEDED)
    client.destroy_when_not_in_use()
    with pytest.raises(InvalidHandle):
        client.is_action_server_available()


@pytest.mark.parametrize(
    ("asked", "code", "cancelled"),
    [
        (goal_id(0), Cancel.Response.ERROR_NONE, [1, 2]),
        (goal_id(2), Cancel.Response.ERROR_NONE, [2]),
        (goal_id(3), Cancel.Response.ERROR_GOAL_TERMINATED, []),
        (goal_id(4), Cancel.Response.ERROR_UNKNOWN_GOAL_ID, []),
    ],
)
def test_a_cancellation_is_about_one_goal_or_all(node: Node, asked: Any, code: int, cancelled: list[int]) -> None:
    server = server_of(node)
    for number in (1, 2, 3):
        goal = rclpy_implementation.ActionGoalHandle(server, action_msgs.msg.GoalInfo(goal_id=goal_id(number)))
        goal.update_goal_state(GoalEvent.EXECUTE)
    goal.update_goal_state(GoalEvent.ABORT)
    request = Cancel.Request(goal_info=action_msgs.msg.GoalInfo(goal_id=asked))
    response = server.process_cancel_request(request, Cancel.Response)
    assert [int(each.goal_id.uuid[0]) for each in response.goals_canceling] == cancelled
    assert response.return_code == code


def test_a_goal_that_ended_expires(node: Node) -> None:
    server, kept = server_of(node, keep=0.0), server_of(node)
    for number in (1, 2):
        info = action_msgs.msg.GoalInfo(goal_id=goal_id(number))
        goal = rclpy_implementation.ActionGoalHandle(server, info)
        rclpy_implementation.ActionGoalHandle(kept, info)
        goal.update_goal_state(GoalEvent.EXECUTE)
        goal.update_goal_state(GoalEvent.SUCCEED)
    assert not any(server.is_ready())
    server.notify_goal_done()
    kept.notify_goal_done()
    assert server.is_ready() == (False, False, False, True)
    assert len(server.expire_goals(1)) == 1
    [last] = server.expire_goals(5)
    assert int(last.goal_id.uuid[0]) == 2
    assert kept.expire_goals(5) == ()


def test_clients_and_servers_of_actions_are_waitables(node: Node) -> None:
    def execute(goal: Any) -> Any:
        goal.publish_feedback(Fibonacci.Feedback(sequence=[7]))
        goal.succeed()
        return Fibonacci.Result(sequence=[7, 8])

    server = ActionServer(
        node, Fibonacci, "count", execute, handle_accepted_callback=lambda goal: goals.append(goal) or None
    )
    client = ActionClient(node, Fibonacci, "count")
    goals: list[Any] = []
    heard: list[Any] = []
    assert isinstance(client, Waitable) and isinstance(server, Waitable)
    assert {client, server} <= set(node.waitables)

    def step(waitable: Any) -> None:
        counts = waitable.get_num_entities()
        wait_set = WaitSet(
            counts.num_subscriptions, 0, 0, counts.num_clients, counts.num_services, 0, node.context.handle
        )
        waitable.add_to_wait_set(wait_set)
        wait_set.wait(int(LONG * 1e9))
        assert waitable.is_ready(wait_set)
        asyncio.run(waitable.execute(waitable.take_data()))

    assert client.wait_for_server(LONG)
    assert not client.is_ready(WaitSet())
    assert not client._pending_goal_requests
    sent = client.send_goal_async(Fibonacci.Goal(order=2), feedback_callback=heard.append)
    assert len(client._pending_goal_requests) == 1
    assert not client._pending_cancel_requests and not client._pending_result_requests
    step(server)
    end = time.monotonic() + LONG
    while not sent.done() and time.monotonic() < end:
        step(client)
    handle = sent.result()
    assert handle is not None and handle.accepted
    assert client.take_data().keys() <= {"status"}
