"""Nodes whose classes use, for things of their own, every name that rclpy's nodes do not have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from robot.ros.action import ActionClient, ActionServer
from robot.ros.callback_groups import CallbackGroup, ReentrantCallbackGroup
from robot.ros.context import Context
from robot.ros.event_handler import PublisherEventCallbacks
from robot.ros.exceptions import InvalidHandle
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import example_interfaces, std_msgs, std_srvs
from robot.ros.lifecycle import LifecycleNode, SimpleManagedEntity, TransitionCallbackReturn
from robot.ros.node import Node
from robot.ros.publisher import Publisher

String, Trigger = std_msgs.msg.String, std_srvs.srv.Trigger
Fibonacci = example_interfaces.action.Fibonacci
THEIRS = """
    run follow post dispatch own forget attach wake wait_until polled check_name create_task create_future add close
    start stop spin update reset state name namespace publisher subscription timer client service scheduler queue
    _add _bus _commit _count _destroyed _endpoints _event _executor _gate _handle _name _namespace _of _owned _resolve
    _rosout _rules _store _waiting _run _state _lock _timer _timers _publishers _subscriptions _clients _services
    _guards _node _queue _thread _running _stop _tasks _scheduler _external _let_in _mapped _waitables _topic_info
"""
DEADLINE = 20.0  # [s]


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path))
    context = Context()
    context.init(())
    yield context
    context.try_shutdown()


class Holding(Node):
    """Keeps things under all those names."""

    def __init__(self, context: Context) -> None:
        for name in THEIRS.split():
            setattr(self, name, None)
        super().__init__("holding", context=context)
        for name in THEIRS.split():
            setattr(self, name, "mine")


def _not_ours(*_: Any, **__: Any) -> None:
    raise AssertionError("a method of the node's own was called")


Calling: Any = type("Calling", (Node,), {name: _not_ours for name in THEIRS.split() if not name.startswith("_")})


def _use(node: Node, context: Context) -> None:
    heard: list[Any] = []
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    publisher = node.create_publisher(String, "words", 10)
    node.create_subscription(String, "words", heard.append, 10)
    timer = node.create_timer(0.01, lambda: publisher.publish(String(data="word")))

    async def answer(request: Any, response: Any) -> Any:
        response.success = True
        return response

    async def execute(goal: Any) -> Any:
        goal.succeed()
        return Fibonacci.Result(sequence=[1])

    node.create_service(Trigger, "ask", answer)
    server = ActionServer(node, Fibonacci, "count", execute)
    asked = node.create_client(Trigger, "ask").call_async(Trigger.Request())
    executor.spin_until_future_complete(asked, DEADLINE)
    assert asked.result() is not None
    sent = ActionClient(node, Fibonacci, "count").send_goal_async(Fibonacci.Goal())
    executor.spin_until_future_complete(sent, DEADLINE)
    ended = sent.result().get_result_async()  # type: ignore[union-attr]
    executor.spin_until_future_complete(ended, DEADLINE)
    assert list(ended.result().result.sequence) == [1]
    while not heard:
        executor.spin_once(DEADLINE)
    assert node.declare_parameter("size", 3).value == 3
    assert node.count_publishers("words") == 1
    assert node.wait_for_node(node.get_fully_qualified_name(), DEADLINE)
    assert node.destroy_timer(timer)
    server.destroy()
    node.destroy_node()
    executor.shutdown()


def test_a_node_may_keep_things_of_its_own_under_any_name(context: Context) -> None:
    node = Holding(context)
    assert (node._name, node.get_name(), node.get_logger().name) == ("mine", "holding", "holding")
    _use(node, context)


def test_a_node_may_have_methods_of_any_name(context: Context) -> None:
    _use(Calling("calling", context=context), context)


def test_a_lifecycle_node_may_keep_things_of_its_own_under_any_name(context: Context) -> None:
    node = LifecycleNode("node", context=context)
    for name in (*THEIRS.split(), "_call", "_call_all", "_change_state", "_go", "_offer", "_transition_events"):
        setattr(node, name, "mine")
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    node.create_lifecycle_publisher(String, "words", 1).publish(String(data="word"))
    assert node.trigger_shutdown() == TransitionCallbackReturn.SUCCESS


def test_what_a_node_has_is_also_listed_under_rclpys_private_names(context: Context) -> None:
    node = Node("node", context=context)
    timer = node.create_timer(1.0, lambda: None)
    assert node._timers == [timer]
    assert len(node._publishers) == len(list(node.publishers))
    while node._timers:
        node.destroy_timer(node._timers[0])
    assert list(node.timers) == []


def test_a_node_may_replace_its_default_callback_group(context: Context) -> None:
    class Reentrant(Node):
        @property
        def default_callback_group(self) -> CallbackGroup:
            return group

    group = ReentrantCallbackGroup()
    assert Reentrant("one", context=context).create_timer(1.0, lambda: None).callback_group is group
    node = Node("two", context=context)
    node._default_callback_group = group
    assert node.create_subscription(String, "words", lambda _: None, 1).callback_group is group


def test_a_publishers_class_is_given_what_rclpys_is(context: Context) -> None:
    class Counting(Publisher):
        def __init__(  # noqa: PLR0917
            self,
            publisher_impl: Any,
            msg_type: Any,
            topic: str,
            qos_profile: Any,
            event_callbacks: Any,
            callback_group: Any,
        ) -> None:
            given.update(event_callbacks=event_callbacks, callback_group=callback_group)
            options = {"event_callbacks": event_callbacks, "callback_group": callback_group}
            super().__init__(publisher_impl, msg_type, topic, qos_profile, **options)
            self.count = 0

        def publish(self, msg: Any) -> None:
            self.count += 1
            super().publish(msg)

    given: dict[str, Any] = {}
    node = Node("node", context=context)
    publisher: Any = node.create_publisher(String, "words", 1, publisher_class=Counting)
    publisher.publish(String(data="word"))
    assert publisher.count == 1
    assert given["callback_group"] is node.default_callback_group
    assert isinstance(given["event_callbacks"], PublisherEventCallbacks)


def test_a_context_destroys_the_nodes_it_tracks(context: Context) -> None:
    kept, left = Node("kept", context=context), Node("left", context=context)
    context.untrack_node(left)
    context.untrack_node(left)
    context.track_node(kept)
    assert context.nodes == [kept]
    left.destroy_node()
    context.shutdown()
    with pytest.raises(InvalidHandle):
        kept.get_name()


def test_a_client_knows_its_context_and_its_open_requests(context: Context) -> None:
    client = Node("node", context=context).create_client(Trigger, "ask")
    future = client.call_async(Trigger.Request())
    assert client.context is context
    assert list(client._pending_requests.values()) == [future]
    client.remove_pending_request(future)
    assert not client._pending_requests


def test_only_managed_entities_go_with_a_lifecycle(context: Context) -> None:
    node = LifecycleNode("node", context=context)
    with pytest.raises(TypeError, match="ManagedEntity"):
        node.add_managed_entity(node.create_publisher(String, "words", 1))  # type: ignore[arg-type]
    node.add_managed_entity(SimpleManagedEntity())
