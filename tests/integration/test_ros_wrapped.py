"""Publishers, subscriptions, services, clients, timers and state machines made as rclpy's own code makes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from robot.ros import _rclpy_pybind11 as rclpy_implementation
from robot.ros.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from robot.ros.client import Client
from robot.ros.clock import Clock, JumpHandle, JumpThreshold
from robot.ros.clock_type import ClockType
from robot.ros.context import Context
from robot.ros.duration import Duration
from robot.ros.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from robot.ros.exceptions import InvalidHandle, RCLError, TimerCancelledError
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import example_interfaces, std_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.parameter import Parameter
from robot.ros.publisher import Publisher
from robot.ros.qos import QoSProfile
from robot.ros.service import Service
from robot.ros.service_introspection import ServiceIntrospectionState
from robot.ros.subscription import Subscription
from robot.ros.time import Time
from robot.ros.timer import Timer, TimerInfo

String, SetBool, Fibonacci = std_msgs.msg.String, std_srvs.srv.SetBool, example_interfaces.action.Fibonacci
QOS = QoSProfile(depth=10)
PROFILE = QOS.get_c_qos_profile()


@pytest.fixture
def context(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path))
    context = Context()
    context.init(["program", "--ros-args", "-p", "answer:=42", "-p", "name:=it"])
    yield context
    context.try_shutdown()


@pytest.fixture
def node(context: Context) -> Node:
    return Node("node", context=context)


@pytest.fixture
def executor(context: Context, node: Node) -> Iterator[SingleThreadedExecutor]:
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield executor
    executor.shutdown()


def until(executor: SingleThreadedExecutor, condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < end, "it did not come true in 10 s"
        executor.spin_once(timeout_sec=0.1)


def subscribe(node: Node, callback: Callable[..., Any], topic: str = "talk") -> Subscription:
    handle = rclpy_implementation.Subscription(node.handle, String, topic, PROFILE)
    events = SubscriptionEventCallbacks(use_default_callbacks=False)
    return Subscription(handle, String, topic, callback, ReentrantCallbackGroup(), QOS, False, events)


def advertise(node: Node, topic: str = "talk") -> Publisher:
    handle = rclpy_implementation.Publisher(node.handle, String, topic, PROFILE)
    events = PublisherEventCallbacks(use_default_callbacks=False)
    return Publisher(handle, String, topic, QOS, events, MutuallyExclusiveCallbackGroup())


def test_a_publisher_and_a_subscription_around_handles_talk(node: Node, executor: SingleThreadedExecutor) -> None:
    heard: list[str] = []
    subscription = subscribe(node, lambda message: heard.append(message.data))
    publisher = advertise(node)
    publisher.publish(String(data="hello"))
    until(executor, lambda: heard)
    assert heard == ["hello"]
    assert (publisher.topic_name, subscription.topic_name) == ("/talk", "/talk")
    assert (publisher.topic, subscription.msg_type, subscription.raw) == ("talk", String, False)
    assert publisher.logger_name == subscription.logger_name == "node"
    assert publisher.handle.wait_for_all_acked(rclpy_implementation.rcl_duration_t(0))


def test_a_service_and_a_client_around_handles_talk(
    context: Context, node: Node, executor: SingleThreadedExecutor
) -> None:
    def serve(request: Any, response: Any) -> Any:
        response.success = request.data
        return response

    served = rclpy_implementation.Service(node.handle, SetBool, "set", PROFILE)
    service = Service(served, SetBool, "set", serve, ReentrantCallbackGroup(), QOS)
    asked = rclpy_implementation.Client(node.handle, SetBool, "set", PROFILE)
    client = Client(context, asked, SetBool, "set", QOS, MutuallyExclusiveCallbackGroup())
    future = client.call_async(SetBool.Request(data=True))
    until(executor, future.done)
    assert future.result().success
    assert served.qos["depth"] == 10
    assert service.srv_type is SetBool


def test_a_wrapper_of_the_wrong_kind_of_handle_is_refused(node: Node) -> None:
    handle = rclpy_implementation.Publisher(node.handle, String, "talk", PROFILE)
    with pytest.raises(TypeError, match="expected the handle of a Subscription"):
        Subscription(handle, String, "talk", print, None, QOS)
    with pytest.raises(TypeError, match="expected the handle of a Service"):
        Service(handle, SetBool, "set", print, None, QOS)


def test_a_handle_says_how_much_is_new(node: Node) -> None:
    handle = rclpy_implementation.Subscription(node.handle, String, "talk", PROFILE)
    publisher, counts = node.create_publisher(String, "talk", 10), list[int]()
    publisher.publish(String())
    publisher.publish(String())
    handle.set_on_new_message_callback(counts.append)
    assert counts == [2]
    publisher.publish(String())
    assert counts == [2, 1]
    handle.clear_on_new_message_callback()
    publisher.publish(String())
    assert sum(counts) == 3

    served = rclpy_implementation.Service(node.handle, SetBool, "set", PROFILE)
    asked = rclpy_implementation.Client(node.handle, SetBool, "set", PROFILE)
    requests, responses = list[int](), list[int]()
    served.set_on_new_request_callback(requests.append)
    asked.set_on_new_response_callback(responses.append)
    asked.send_request(SetBool.Request())
    _, header = served.service_take_request(SetBool.Request)
    served.service_send_response(SetBool.Response(), header)
    assert (requests, responses) == ([1], [1])
    served.clear_on_new_request_callback()
    asked.clear_on_new_response_callback()


def test_handles_filter_and_introspect(node: Node) -> None:
    handle = rclpy_implementation.Subscription(node.handle, String, "talk", PROFILE)
    assert handle.is_cft_supported()
    assert not handle.is_cft_enabled()
    handle.set_content_filter("data = %0", ["'a'"])
    assert handle.is_cft_enabled()
    assert tuple(handle.get_content_filter()) == ("data = %0", ["'a'"])
    events: list[Any] = []
    node.create_subscription(SetBool.Event, "set/_service_event", events.append, 10)
    client = rclpy_implementation.Client(node.handle, SetBool, "set", PROFILE)
    client.configure_introspection(node.get_clock().handle, PROFILE, ServiceIntrospectionState.METADATA)
    client.send_request(SetBool.Request())
    assert node.count_publishers("set/_service_event") == 1


def test_a_timer_without_a_node_says_when_it_is_due(context: Context) -> None:
    clock = Clock(clock_type=ClockType.STEADY_TIME)
    timer = Timer(None, None, 10**12, clock, context=context)
    assert (timer.timer_period_ns, timer.is_ready(), timer.is_canceled()) == (10**12, False, False)
    assert timer.clock is clock
    timer.timer_period_ns = 0
    with timer.handle:
        info = timer.handle.call_timer_with_info()
        assert timer.handle.get_timer_period() == 0
    assert info["actual_call_time"] < info["expected_call_time"]
    timer.cancel()
    assert timer.is_canceled()
    assert timer.time_until_next_call() is None
    with pytest.raises(TimerCancelledError):
        timer.handle.call_timer()
    resets: list[int] = []
    timer.reset()
    timer.reset()
    timer.handle.set_on_reset_callback(resets.append)
    timer.reset()
    timer.handle.clear_on_reset_callback()
    timer.reset()
    assert resets == [2, 1]
    with timer:
        pass
    with pytest.raises(InvalidHandle):
        timer.is_ready()


def test_a_timer_needs_a_context_that_is_initialised() -> None:
    with pytest.raises(RuntimeError, match="must be initialized"):
        Timer(None, None, 10, Clock(), context=Context())


def test_the_information_of_a_timer_is_checked() -> None:
    info = TimerInfo(expected_call_time=1, actual_call_time=2, clock_type=ClockType.STEADY_TIME)
    assert info.expected_call_time == Time(nanoseconds=1, clock_type=ClockType.STEADY_TIME)
    assert info.actual_call_time == Time(nanoseconds=2, clock_type=ClockType.STEADY_TIME)
    with pytest.raises(TypeError, match="ClockType"):
        TimerInfo(clock_type="steady")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="negative"):
        TimerInfo(expected_call_time=-1)


def test_a_jump_handle_made_by_hand_is_told_in_a_dictionary() -> None:
    clock = Clock(clock_type=ClockType.ROS_TIME)
    told: list[Any] = []
    threshold = JumpThreshold(min_forward=Duration(nanoseconds=1), min_backward=None)
    handle = JumpHandle(clock=clock, threshold=threshold, pre_callback=None, post_callback=told.append)
    clock.handle.set_ros_time_override_is_enabled(True)
    clock.handle.set_ros_time_override(rclpy_implementation.rcl_time_point_t(5, ClockType.ROS_TIME))
    assert [(int(jump["clock_change"]), jump["delta"]) for jump in told] == [(2, 0), (1, 5)]
    handle.unregister()
    clock.handle.add_clock_callback(handle, False, 0, -1)
    clock.handle.set_ros_time_override(rclpy_implementation.rcl_time_point_t(4, ClockType.ROS_TIME))
    clock.handle.remove_clock_callback(handle)
    clock.handle.set_ros_time_override(rclpy_implementation.rcl_time_point_t(3, ClockType.ROS_TIME))
    assert [jump["delta"] for jump in told[2:]] == [-1]


def test_a_clock_without_simulated_time_says_so() -> None:
    clock = Clock(clock_type=ClockType.STEADY_TIME)
    with pytest.raises(RCLError, match="ROS_TIME"):
        _ = clock.ros_time_is_active
    with pytest.raises(RCLError, match="ROS_TIME"):
        clock.set_ros_time_override(Time())


def test_a_state_machine_by_hand_has_services_and_tells(node: Node, executor: SingleThreadedExecutor) -> None:
    events: list[str] = []
    machine = rclpy_implementation.LifecycleStateMachine(node.handle, node.get_clock().handle, True)
    kind = next(publisher.msg_type for publisher in node.publishers if publisher.topic_name.endswith("_event"))
    node.create_subscription(kind, "~/transition_event", lambda event: events.append(event.transition.label), 10)
    machine.trigger_transition_by_label("configure", False)
    machine.trigger_transition_by_label("transition_success", True)
    until(executor, lambda: events)
    assert events == ["transition_success"]
    names = [
        machine.service_change_state.name,
        machine.service_get_state.name,
        machine.service_get_available_states.name,
        machine.service_get_available_transitions.name,
        machine.service_get_transition_graph.name,
    ]
    assert [name.rpartition("/")[2] for name in names] == [
        "change_state",
        "get_state",
        "get_available_states",
        "get_available_transitions",
        "get_transition_graph",
    ]
    machine.destroy_when_not_in_use()
    assert node.count_services("~/get_state") == 0


def test_the_handle_of_a_node_gives_the_parameters_of_the_command_line(node: Node) -> None:
    given = node.handle.get_parameters(Parameter)
    assert {name: parameter.value for name, parameter in given.items()} == {"answer": 42, "name": "it"}


def test_the_ends_of_actions_are_counted_and_described(node: Node) -> None:
    handle, clock = node.handle, node.get_clock().handle
    ends = [rclpy_implementation.ActionServer(handle, clock, Fibonacci, "fib", *[PROFILE] * 5, 10.0)]
    ends += [rclpy_implementation.ActionClient(handle, Fibonacci, "fib", *[PROFILE] * 5) for _ in range(2)]
    assert (node.count_action_servers("fib"), node.count_action_clients("/fib")) == (1, 2)
    assert (handle.get_count_action_servers("fib"), handle.get_count_action_clients("fib")) == (1, 2)
    expected = [("/fib", ["example_interfaces/action/Fibonacci"])]
    assert node.get_action_names_and_types() == expected
    assert node.get_action_server_names_and_types_by_node("node", "/") == expected
    assert rclpy_implementation.rclpy_get_action_client_names_and_types_by_node(handle, "node", "/") == expected
    [server] = node.get_action_servers_info_by_action("fib")
    assert (server.node_name, server.action_type) == ("node", "example_interfaces/action/Fibonacci")
    assert server.endpoint_type.name == "SERVER"
    assert "Cancel service:" in str(server)
    [described] = rclpy_implementation.rclpy_get_action_servers_info_by_action(handle, "fib")
    assert type(server)(**described) == server
    assert len(node.get_action_clients_info_by_action("fib")) == 2
    assert len(rclpy_implementation.rclpy_get_servers_info_by_service(handle, "/fib/_action/send_goal", True)) == 1
    for end in ends:
        end.destroy_when_not_in_use()
