"""Nodes on the in-process bus, run by the virtual-time scheduler."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from robot.ros.action import ActionClient, ActionServer, CancelResponse, GoalResponse, GoalStatus, ServerGoalHandle
from robot.ros.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from robot.ros.exceptions import InvalidHandle, ROSError
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import action_msgs, example_interfaces, rosgraph_msgs, std_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.parameter import Parameter
from robot.ros.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from robot.ros.task import Future
from robot.ros.time import Time
from ros_world import RosWorld

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def pause(node: Node, seconds: float) -> Future[Any]:
    future = node.create_future()
    group = ReentrantCallbackGroup()  # the callback that waits holds the node's own
    timer = node.create_timer(seconds, lambda: (timer.destroy(), future.set_result(None)), group)
    return future


@pytest.fixture
def world() -> RosWorld:
    return RosWorld("/robot")


def text(data: str) -> Any:
    return std_msgs.msg.String(data=data)


def test_messages_arrive_encoded_in_order_at_every_subscription(world: RosWorld) -> None:
    heard: list[tuple[str, str]] = []
    node, other = world.make("one"), world.make("two")
    publisher = node.create_publisher(std_msgs.msg.String, "chat", 10)
    for name in ("a", "b"):
        other.create_subscription(
            std_msgs.msg.String, "/robot/chat", lambda m, name=name: heard.append((name, m.data)), 10
        )
    sent = [text(str(n)) for n in range(3)]
    for message in sent:
        publisher.publish(message)
    sent[0].data = "changed after it was published"
    assert heard == []
    world.time.run()
    assert heard == [("a", "0"), ("b", "0"), ("a", "1"), ("b", "1"), ("a", "2"), ("b", "2")]


def test_a_latched_message_reaches_a_late_subscription_once(world: RosWorld) -> None:
    node = world.make("one")
    publisher = node.create_publisher(std_msgs.msg.String, "state", LATCHED)
    publisher.publish(text("old"))
    publisher.publish(text("RUN"))
    world.time.run()
    heard: list[str] = []
    node.create_subscription(std_msgs.msg.String, "state", lambda m: heard.append(m.data), LATCHED)
    volatile: list[str] = []
    node.create_subscription(std_msgs.msg.String, "state", lambda m: volatile.append(m.data), 1)
    world.time.run()
    assert heard == ["RUN"]
    assert volatile == []


def test_a_full_queue_loses_the_oldest_message(world: RosWorld) -> None:
    node = world.make("one")
    heard: list[str] = []
    subscription = node.create_subscription(std_msgs.msg.String, "chat", lambda m: heard.append(m.data), 2)
    publisher = node.create_publisher(std_msgs.msg.String, "chat", 2)
    for n in range(5):
        publisher.publish(text(str(n)))
    world.time.run()
    assert heard == ["3", "4"]
    assert subscription.lost == 3


@pytest.mark.parametrize(
    ("offered", "wanted", "type_", "said"),
    [
        (QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT), QoSProfile(depth=1), "String", "best effort"),
        (QoSProfile(depth=1), LATCHED, "String", "volatile"),
        (QoSProfile(depth=1), QoSProfile(depth=1), "Bool", "std_msgs/msg/Bool"),
    ],
)
def test_endpoints_that_do_not_fit_are_refused_and_named(  # noqa: PLR0917
    world: RosWorld, caplog: pytest.LogCaptureFixture, offered: QoSProfile, wanted: QoSProfile, type_: str, said: str
) -> None:
    node = world.make("one")
    heard: list[Any] = []
    node.create_subscription(getattr(std_msgs.msg, type_), "chat", heard.append, wanted)
    publisher = node.create_publisher(std_msgs.msg.String, "chat", offered)
    with caplog.at_level(logging.WARNING):
        publisher.publish(text("x"))
        world.time.run()
    assert heard == []
    assert said in caplog.text
    assert publisher.get_subscription_count() == 0


def test_bytes_that_are_no_message_are_dropped_and_logged(world: RosWorld, caplog: pytest.LogCaptureFixture) -> None:
    node = world.make("one")
    heard: list[Any] = []
    node.create_subscription(std_msgs.msg.String, "chat", heard.append, 10)
    publisher = node.create_publisher(std_msgs.msg.String, "chat", 10)
    for data in (b"", b"\xff" * 3, b"\x00\x01\x00\x00\xff\xff\xff\x7f", b"\x00\x00\x00\x00\x00\x00\x00\x01\x00"):
        publisher.publish(data)
    publisher.publish(text("good"))
    world.time.run()
    assert [message.data for message in heard] == ["good"]
    assert caplog.text.count("dropped message") == 4


def test_a_callback_with_two_arguments_gets_the_message_info(world: RosWorld) -> None:
    node = world.make("one")
    infos: list[dict[str, int]] = []
    node.create_subscription(std_msgs.msg.String, "chat", lambda _, info: infos.append(info), 10)
    node.create_publisher(std_msgs.msg.String, "chat", 10).publish(text("x"))
    world.time.run()
    assert infos[0]["source_timestamp"] == 1_750_000_000_000_000_000


def test_timers_fire_on_a_grid_and_can_be_cancelled_and_reset(world: RosWorld) -> None:
    node = world.make("one")
    at: list[float] = []
    timer = node.create_timer(0.1, lambda: at.append(round(world.time.monotonic(), 6)))
    world.time.run(seconds=0.35)
    timer.cancel()
    world.time.run(seconds=1.0)
    assert at == [0.1, 0.2, 0.3]
    timer.reset()
    again_at = world.time.monotonic() + 0.1
    world.time.run(seconds=0.15)
    assert at[3:] == [pytest.approx(again_at)]
    node.destroy_timer(timer)
    world.time.run(seconds=1.0)
    assert len(at) == 4


def test_a_thousand_periods_do_not_drift(world: RosWorld) -> None:
    node = world.make("one")
    at: list[float] = []
    node.create_timer(0.004, lambda: at.append(world.time.monotonic()))
    world.time.run(seconds=4.0005)
    assert len(at) == 1000
    assert at[-1] == pytest.approx(4.0, abs=1e-5)


def test_a_service_answers_and_a_coroutine_callback_may_await_another_service(world: RosWorld) -> None:
    inner, outer, caller = world.make("inner"), world.make("outer"), world.make("caller")
    inner.create_service(std_srvs.srv.SetBool, "inner", lambda request, response: answer(response, request.data))
    client = outer.create_client(std_srvs.srv.SetBool, "inner")

    async def forward(_: Any, response: Any) -> Any:
        reply = await client.call_async(std_srvs.srv.SetBool.Request(data=True))
        return answer(response, reply.success)

    outer.create_service(std_srvs.srv.Trigger, "outer", forward)
    trigger = caller.create_client(std_srvs.srv.Trigger, "outer")
    assert trigger.service_is_ready()
    assert world.result(trigger.call_async(std_srvs.srv.Trigger.Request())).success is True
    other_type = caller.create_client(std_srvs.srv.SetBool, "outer")
    assert not other_type.service_is_ready()
    assert not other_type.wait_for_service(timeout_sec=1.0)


def answer(response: Any, success: bool) -> Any:
    response.success = success
    return response


def test_an_exception_in_a_callback_comes_out_of_the_scheduler(world: RosWorld) -> None:
    node = world.make("one")

    async def fail(_: Any = None) -> None:
        await pause(node, 0.1)
        raise RuntimeError("broken")

    timer = node.create_timer(0.1, fail)
    with pytest.raises(RuntimeError, match="broken"):
        world.time.run(seconds=1.0)
    timer.destroy()
    node.create_subscription(std_msgs.msg.String, "chat", fail, 10)
    node.create_publisher(std_msgs.msg.String, "chat", 10).publish(text("x"))
    with pytest.raises(RuntimeError, match="broken"):
        world.time.run(seconds=1.0)


@pytest.mark.parametrize(("group", "calls"), [(MutuallyExclusiveCallbackGroup, 4), (ReentrantCallbackGroup, 10)])
def test_unfinished_coroutines_hold_back_the_next_call_unless_reentrant(
    world: RosWorld, group: type[CallbackGroup], calls: int
) -> None:
    node = world.make("one")
    started = {"timer": 0, "message": 0}

    async def slow(name: str) -> None:
        started[name] += 1
        await pause(node, 0.25)

    publisher = node.create_publisher(std_msgs.msg.String, "chat", 10)
    node.create_timer(0.1, lambda: slow("timer"), callback_group=group())
    node.create_subscription(std_msgs.msg.String, "chat", lambda _: slow("message"), 20, callback_group=group())
    for n in range(10):
        publisher.publish(text(str(n)))
    world.time.run(seconds=1.05)
    assert started["timer"] == calls
    assert started["message"] == (10 if calls == 10 else 5)


Fibonacci = example_interfaces.action.Fibonacci


class Steps:
    """An action server that makes one step per 0.1 s and can be cancelled."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.server = ActionServer(
            node,
            Fibonacci,
            "steps",
            self.execute,
            goal_callback=lambda goal: GoalResponse.ACCEPT if goal.order > 0 else GoalResponse.REJECT,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    async def execute(self, goal: ServerGoalHandle) -> Any:
        sequence = [0]
        for n in range(goal.request.order):
            await pause(self.node, 0.1)
            if goal.is_cancel_requested:
                goal.canceled()
                return Fibonacci.Result(sequence=sequence)
            if n == 7:
                raise RuntimeError("seven is too many")
            sequence.append(n)
            goal.publish_feedback(Fibonacci.Feedback(sequence=sequence))
        goal.succeed()
        return Fibonacci.Result(sequence=sequence)


def test_an_action_reports_feedback_and_its_result(world: RosWorld) -> None:
    Steps(world.make("server"))
    client = ActionClient(world.make("client"), Fibonacci, "steps")
    assert client.server_is_ready()
    feedback: list[int] = []
    goal = world.result(
        client.send_goal_async(Fibonacci.Goal(order=3), lambda message: feedback.append(len(message.feedback.sequence)))
    )
    assert goal.accepted
    response = world.result(goal.get_result_async())
    assert response.status == GoalStatus.STATUS_SUCCEEDED == goal.status
    assert list(response.result.sequence) == [0, 0, 1, 2]
    assert feedback == [2, 3, 4]
    assert world.time.monotonic() == pytest.approx(0.3, abs=1e-3)


def test_an_action_can_be_refused_cancelled_and_can_fail(world: RosWorld, caplog: pytest.LogCaptureFixture) -> None:
    Steps(world.make("server"))
    client = ActionClient(world.make("client"), Fibonacci, "steps")
    assert not world.result(client.send_goal_async(Fibonacci.Goal(order=0))).accepted

    goal = world.result(client.send_goal_async(Fibonacci.Goal(order=5)))
    result = goal.get_result_async()
    world.time.run(seconds=0.15)
    cancelled = world.result(goal.cancel_goal_async())
    assert len(cancelled.goals_canceling) == 1
    assert world.result(result).status == GoalStatus.STATUS_CANCELED
    again = world.result(goal.cancel_goal_async())
    assert again.return_code == action_msgs.srv.CancelGoal.Response.ERROR_GOAL_TERMINATED

    failing = world.result(client.send_goal_async(Fibonacci.Goal(order=9)))
    assert world.result(failing.get_result_async()).status == GoalStatus.STATUS_ABORTED
    assert "seven is too many" in caplog.text


def test_destroyed_entities_are_silent_and_refuse_use(world: RosWorld) -> None:
    node, other = world.make("one"), world.make("two")
    heard: list[str] = []
    subscription = other.create_subscription(std_msgs.msg.String, "chat", lambda m: heard.append(m.data), 10)
    publisher = node.create_publisher(std_msgs.msg.String, "chat", 10)
    publisher.publish(text("on its way"))
    subscription.destroy()
    world.time.run()
    assert heard == []
    other.create_timer(0.1, lambda: heard.append("timer"))
    other.destroy_node()
    node.destroy_publisher(publisher)
    with pytest.raises(InvalidHandle):
        publisher.publish(text("x"))
    world.time.run(seconds=1.0)
    assert heard == []
    assert [name for name, _ in node.get_topic_names_and_types()] == ["/parameter_events", "/rosout"]


def test_entities_can_be_created_inside_callbacks(world: RosWorld) -> None:
    node = world.make("one")
    heard: list[str] = []

    def create() -> None:
        timer.cancel()
        node.create_subscription(std_msgs.msg.String, "late", lambda m: heard.append(m.data), 10)
        node.create_publisher(std_msgs.msg.String, "late", 10).publish(text("hello"))

    timer = node.create_timer(0.1, create)
    world.time.run(seconds=1.0)
    assert heard == ["hello"]


def test_simulated_time_from_clock_drives_clocks_and_timers(world: RosWorld) -> None:
    sim = world.make("sim")
    node = world.make("one", parameter_overrides=[Parameter("use_sim_time", value=True)])
    clock = sim.create_publisher(rosgraph_msgs.msg.Clock, "/clock", 10)
    at: list[int] = []
    node.create_timer(1.0, lambda: at.append(node.get_clock().now().nanoseconds))
    world.time.run(seconds=5.0)
    assert at == []
    for tick in range(0, 31):
        clock.publish(rosgraph_msgs.msg.Clock(clock=Time(nanoseconds=tick * 100_000_000).to_msg()))
        world.time.run()
    assert at == [1_000_000_000, 2_000_000_000, 3_000_000_000]


def test_the_same_run_puts_the_same_bytes_on_the_bus() -> None:
    def run() -> list[bytes]:
        world = RosWorld()
        heard: list[bytes] = []
        spy = world.make("spy")
        for topic, type_ in (
            ("steps/_action/feedback", Fibonacci.Impl.FeedbackMessage),
            ("steps/_action/status", Fibonacci.Impl.GoalStatusMessage),
        ):
            spy.create_subscription(type_, topic, heard.append, 100, raw=True)
        Steps(world.make("server"))
        client = ActionClient(world.make("client"), Fibonacci, "steps")
        world.result(world.result(client.send_goal_async(Fibonacci.Goal(order=4))).get_result_async())
        world.time.run(seconds=1.0)
        return heard

    first = run()
    assert len(first) >= 7
    assert first == run()


def test_an_executor_is_refused_where_a_scheduler_runs_the_context(world: RosWorld) -> None:
    executor = SingleThreadedExecutor(context=world.context)
    with pytest.raises(ROSError, match="scheduler"):
        executor.spin_once(timeout_sec=0.0)
