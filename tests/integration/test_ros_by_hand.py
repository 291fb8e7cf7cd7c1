"""Taking by hand what otherwise goes to callbacks: handles, wait sets, and waitables made of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from robot.ros import _rclpy_pybind11 as rclpy_implementation
from robot.ros.clock import Clock
from robot.ros.clock_type import ClockType
from robot.ros.context import Context
from robot.ros.event_handler import EventHandler
from robot.ros.exceptions import InvalidHandle, RCLError, TimerCancelledError, UnsupportedEventTypeError
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import std_msgs, std_srvs, type_description_interfaces
from robot.ros.node import Node
from robot.ros.qos import QoSProfile
from robot.ros.serialization import deserialize_message
from robot.ros.subscription import Subscription
from robot.ros.task import Task
from robot.ros.waitable import NumberOfEntities, Waitable

String, SetBool = std_msgs.msg.String, std_srvs.srv.SetBool
PROFILE = QoSProfile(depth=10).get_c_qos_profile()
PERIOD = 1_000_000  # [ns]


@pytest.fixture
def context(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path))
    context = Context()
    context.init(())
    yield context
    context.try_shutdown()


@pytest.fixture
def node(context: Context) -> Node:
    return Node("node", context=context)


def until(executor: SingleThreadedExecutor, condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < end, "it did not come true in 10 s"
        executor.spin_once(timeout_sec=0.1)


class Taker(Waitable[Any]):
    """Takes from one thing of a kind when it is ready."""

    def __init__(self, node: Node, kind: str, member: Any, take: Callable[[], Any]) -> None:
        super().__init__(node.default_callback_group)
        self.kind, self.member, self.take = kind, member, take
        self.index = -1
        self.taken: list[Any] = []
        node.add_waitable(self)

    def get_num_entities(self) -> NumberOfEntities:
        return NumberOfEntities()

    def add_to_wait_set(self, wait_set: Any) -> None:
        self.index = getattr(wait_set, f"add_{self.kind}")(self.member)

    def is_ready(self, wait_set: Any) -> bool:
        return bool(wait_set.is_ready(self.kind, self.index))

    def take_data(self) -> Any:
        return self.take()

    async def execute(self, taken_data: Any) -> None:
        self.taken.append(taken_data)


@pytest.fixture
def executor(context: Context, node: Node) -> Iterator[SingleThreadedExecutor]:
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield executor
    executor.shutdown()


def test_a_waitable_takes_messages(node: Node, executor: SingleThreadedExecutor) -> None:
    handle = rclpy_implementation.Subscription(node.handle, String, "chat", PROFILE)
    taker = Taker(node, "subscription", handle, lambda: handle.take_message(String, False))
    publisher = node.create_publisher(String, "chat", 10)
    assert publisher.handle.get_subscription_count() == handle.get_publisher_count() == 1
    executor.spin_once(timeout_sec=0.0)
    assert taker.taken == []
    publisher.handle.publish(String(data="one"))
    publisher.handle.publish(String(data="two"))
    until(executor, lambda: len(taker.taken) == 2)
    message, info = taker.taken[0]
    assert message == String(data="one") and info["publication_sequence_number"] == 1
    assert handle.take_message(String, False) is None


def test_a_waitable_serves_and_another_asks(node: Node, executor: SingleThreadedExecutor) -> None:
    service = rclpy_implementation.Service(node.handle, SetBool, "go", PROFILE)
    client = rclpy_implementation.Client(node.handle, SetBool, "go", PROFILE)
    server = Taker(node, "service", service, lambda: service.service_take_request(SetBool.Request))
    asker = Taker(node, "client", client, lambda: client.take_response(SetBool.Response))
    assert client.service_server_is_available()
    assert service.service_take_request(SetBool.Request) == (None, None)
    assert client.take_response(SetBool.Response) == (None, None)
    before = time.time_ns()
    number = client.send_request(SetBool.Request(data=True))
    until(executor, lambda: server.taken)
    request, asked = server.taken[0]
    assert request.data and asked.request_id.sequence_number == number
    assert before - 10_000_000 < asked.source_timestamp <= asked.received_timestamp < time.time_ns() + 10_000_000
    with pytest.raises(TypeError, match="response"):
        service.service_send_response("yes", asked)
    service.service_send_response(SetBool.Response(success=True), asked)
    until(executor, lambda: asker.taken)
    answered, response = asker.taken[0]
    assert response.success and answered.request_id.sequence_number == number
    assert answered.source_timestamp >= asked.source_timestamp


def test_a_waitable_is_woken_by_a_timer_and_a_guard_condition(
    context: Context, node: Node, executor: SingleThreadedExecutor
) -> None:
    assert context.handle is not None
    clock = Clock(clock_type=ClockType.STEADY_TIME)
    timer = rclpy_implementation.Timer(clock.handle, context.handle, PERIOD, True)
    ticking = Taker(node, "timer", timer, timer.call_timer)
    guard = rclpy_implementation.GuardCondition(context.handle)
    guarded = Taker(node, "guard_condition", guard, lambda: "rung")
    until(executor, lambda: len(ticking.taken) == 3)
    assert guarded.taken == []
    guard.trigger_guard_condition()
    until(executor, lambda: guarded.taken == ["rung"])
    node.remove_waitable(ticking)
    timer.cancel_timer()
    assert timer.is_timer_canceled() and timer.time_until_next_call() is None and not timer.is_timer_ready()
    with pytest.raises(TimerCancelledError):
        timer.call_timer()
    timer.change_timer_period(2 * PERIOD)
    timer.reset_timer()
    assert timer.get_timer_period() == 2 * PERIOD and timer.time_since_last_call() >= 0
    timer.destroy_when_not_in_use()
    with pytest.raises(InvalidHandle):
        timer.is_timer_ready()


def test_a_wait_set_waits_for_what_comes_first(context: Context, node: Node) -> None:
    subscription = rclpy_implementation.Subscription(node.handle, String, "chat", PROFILE)
    assert context.handle is not None
    guard = rclpy_implementation.GuardCondition(context.handle)
    wait_set = rclpy_implementation.WaitSet(1, 1, 0, 0, 0, 0, context.handle)
    at, other = wait_set.add_subscription(subscription), wait_set.add_guard_condition(guard)
    wait_set.wait(PERIOD)
    assert not wait_set.is_ready("subscription", at) and not wait_set.is_ready("guard_condition", other)
    publisher = rclpy_implementation.Publisher(node.handle, String, "chat", PROFILE)
    publisher.publish(String(data="here"))
    wait_set.wait(-1)
    assert wait_set.get_ready_entities("subscription") == [subscription.pointer]
    assert wait_set.get_ready_entities("guard_condition") == []
    taken = subscription.take_message(String, True)
    assert taken is not None and deserialize_message(taken[0], String) == String(data="here")
    guard.trigger_guard_condition()
    wait_set.wait(-1)
    assert wait_set.is_ready("guard_condition", other) and not wait_set.is_ready("subscription", at)
    wait_set.clear_entities()
    assert wait_set.get_ready_entities("guard_condition") == []
    with pytest.raises(ValueError, match="handle of a context"):
        rclpy_implementation.WaitSet().wait(0)


def test_a_callback_gets_what_nobody_took_by_hand(node: Node, executor: SingleThreadedExecutor) -> None:
    heard: list[str] = []
    subscription = node.create_subscription(String, "chat", lambda message: heard.append(message.data), 10)
    publisher = node.create_publisher(String, "chat", 10)
    publisher.publish(String(data="by hand"))
    publisher.publish(String(data="by callback"))
    taken = subscription.handle.take_message(String, False)
    assert taken[0].data == "by hand"
    until(executor, lambda: heard == ["by callback"])


def test_what_was_made_by_hand_goes_by_its_handle_or_with_the_node(node: Node) -> None:
    early = rclpy_implementation.Subscription(node.handle, String, "chat", PROFILE)
    late = rclpy_implementation.Service(node.handle, SetBool, "go", PROFILE)
    assert node.count_subscribers("chat") == 1 and late.name == "/go"
    early.destroy_when_not_in_use()
    assert node.count_subscribers("chat") == 0
    node.destroy_node()
    for handle in (early, late):
        with pytest.raises(InvalidHandle):
            handle.__enter__()


def test_an_event_is_taken_by_hand_when_a_wait_set_says_so(context: Context, node: Node) -> None:
    publisher = node.create_publisher(String, "chat", 1)
    kinds = rclpy_implementation.rcl_publisher_event_type_t
    event = rclpy_implementation.EventHandle(publisher.handle, kinds.RCL_PUBLISHER_MATCHED)
    wait_set = rclpy_implementation.WaitSet(0, 0, 0, 0, 0, 1, context.handle)
    index = wait_set.add_event(event)
    wait_set.wait(0)
    assert not wait_set.is_ready("event", index)
    node.create_subscription(String, "chat", lambda _: None, 1)
    wait_set.wait(10_000_000_000)
    assert wait_set.is_ready("event", index)
    taken = event.take_event()
    assert isinstance(taken, rclpy_implementation.rmw_matched_status_t)
    assert (taken.total_count, taken.current_count, taken.current_count_change) == (1, 1, 1)
    assert not event.is_ready()


def test_an_event_of_the_wrong_kind_of_endpoint_is_refused(node: Node) -> None:
    publisher = node.create_publisher(String, "chat", 1)
    subscription = node.create_subscription(String, "chat", lambda _: None, 1)
    service = node.create_service(SetBool, "switch", lambda _, response: response)
    kinds = rclpy_implementation.rcl_subscription_event_type_t
    for handle in (publisher.handle, service.handle):
        with pytest.raises(UnsupportedEventTypeError):
            rclpy_implementation.EventHandle(handle, kinds.RCL_SUBSCRIPTION_MATCHED)
    with pytest.raises(UnsupportedEventTypeError):
        other = rclpy_implementation.rcl_publisher_event_type_t.RCL_PUBLISHER_MATCHED
        rclpy_implementation.EventHandle(subscription.handle, other)
    publisher.destroy()
    with pytest.raises(InvalidHandle):
        rclpy_implementation.EventHandle(publisher.handle, other)


def test_a_handler_of_events_is_a_waitable(context: Context, node: Node) -> None:
    heard: list[Any] = []
    publisher = node.create_publisher(String, "chat", 1)
    handler = EventHandler(
        callback_group=node.default_callback_group,
        callback=heard.append,
        event_type=rclpy_implementation.rcl_publisher_event_type_t.RCL_PUBLISHER_MATCHED,
        parent_impl=publisher.handle,
    )
    assert isinstance(handler, Waitable)
    wait_set = rclpy_implementation.WaitSet(0, 0, 0, 0, 0, 1, context.handle)
    with handler:
        handler.add_to_wait_set(wait_set)
    assert not handler.is_ready(wait_set)
    node.create_subscription(String, "chat", lambda _: None, 1)
    wait_set.wait(10_000_000_000)
    assert handler.is_ready(wait_set)
    Task(handler.execute, (handler.take_data(),))()
    assert [info.current_count for info in heard] == [1]
    assert not handler.is_ready(wait_set)


def test_handles_are_made_of_names_alone(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path))
    context = rclpy_implementation.Context([], rclpy_implementation.RCL_DEFAULT_DOMAIN_ID)
    made = rclpy_implementation.Node("raw", "/ns", context, None, True, False)
    try:
        assert made.get_fully_qualified_name() == "/ns/raw"
        assert ("raw", "/ns") in made.get_node_names_and_namespaces()
        handle = rclpy_implementation.Publisher(made, String, "chat", PROFILE)
        topics = rclpy_implementation.rclpy_get_topic_names_and_types(made, False)
        assert ("/ns/chat", ["std_msgs/msg/String"]) in topics
        [info] = rclpy_implementation.rclpy_get_publishers_info_by_topic(made, "chat", False)
        assert (info["node_name"], info["endpoint_type"], info["qos_profile"]["depth"]) == ("raw", 1, 10)
        assert made.get_count_publishers("chat") == 1
        assert rclpy_implementation.rclpy_resolve_name(made, "~/x", False, True) == "/ns/raw/x"
        handle.destroy_when_not_in_use()
        assert made.get_count_publishers("chat") == 0
    finally:
        context.shutdown()
    assert not context.ok()


def test_a_clock_by_hand_follows_its_override() -> None:
    clock = rclpy_implementation.Clock(ClockType.ROS_TIME)
    clock.set_ros_time_override(rclpy_implementation.rcl_time_point_t(5, ClockType.ROS_TIME))
    assert clock.get_now().nanoseconds != 5
    clock.set_ros_time_override_is_enabled(True)
    assert clock.get_ros_time_override_is_enabled()
    assert clock.get_now().nanoseconds == 5
    with pytest.raises(RCLError):
        rclpy_implementation.Clock(ClockType.STEADY_TIME).get_ros_time_override_is_enabled()


def test_a_nodes_log_is_published_with_the_profile_asked_for(context: Context) -> None:
    node = Node("quiet", context=context, rosout_qos_profile=7)
    [info] = node.get_publishers_info_by_topic("/rosout")
    assert (info.node_name, info.qos_profile.depth, info.qos_profile.durability.name) == ("quiet", 7, "VOLATILE")


def test_a_subscription_says_what_its_callback_takes(node: Node) -> None:
    kinds = Subscription.CallbackType
    for callback, kind in ((lambda _: None, "MessageOnly"), (lambda _, __: None, "WithMessageInfo")):
        made = node.create_subscription(String, "chat", callback, 1)
        assert made._callback_type == kinds[kind]
    with pytest.raises(RuntimeError, match="callable with one argument"):
        node.create_subscription(String, "chat", lambda: None, 1)


def test_types_are_described_by_hand(node: Node) -> None:
    raw = rclpy_implementation.TypeDescriptionService(node.handle)
    kind = type_description_interfaces.srv.GetTypeDescription
    assert raw.impl.name == "/node/get_type_description"
    described = raw.handle_request(kind.Request(type_name="std_msgs/msg/String"), kind.Response, node.handle)
    assert described.successful
    assert [field.name for field in described.type_description.type_description.fields] == ["data"]


def test_the_executor_of_events_is_made_of_a_context_alone(context: Context, node: Node) -> None:
    ran: list[int] = []
    with rclpy_implementation.EventsExecutor(context) as executor:
        executor.add_node(node)
        executor.create_task(ran.append, 1)
        executor.spin_once(timeout_sec=10.0)
    assert ran == [1]
