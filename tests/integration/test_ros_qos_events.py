"""Deadline, lifespan, liveliness, lost messages and matches, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from robot.ros import _rclpy_pybind11 as rclpy_implementation
from robot.ros.duration import Duration
from robot.ros.event_handler import PublisherEventCallbacks, QoSEventHandler, SubscriptionEventCallbacks
from robot.ros.interfaces import std_msgs
from robot.ros.parameter import Parameter
from robot.ros.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
)
from robot.ros.qos_overriding_options import InvalidQosOverridesError, QoSOverridingOptions
from ros_world import RosWorld

String = std_msgs.msg.String


@pytest.fixture
def world() -> RosWorld:
    return RosWorld()


def test_missed_deadlines_are_counted_on_both_sides(world: RosWorld) -> None:
    node, offered, wanted = world.make("one"), [], []
    profile = QoSProfile(depth=1, deadline=Duration(seconds=0.1))
    publisher = node.create_publisher(
        String, "chat", profile, event_callbacks=PublisherEventCallbacks(deadline=offered.append)
    )
    node.create_subscription(
        String, "chat", lambda _: None, profile, event_callbacks=SubscriptionEventCallbacks(deadline=wanted.append)
    )
    world.time.run(seconds=1.0)
    assert offered == wanted == []
    for _ in range(10):
        publisher.publish(String())
        world.time.run(seconds=0.05)
    assert offered == wanted == []
    world.time.run(seconds=0.28)
    assert [event.total_count for event in offered] == [1, 2, 3] == [event.total_count for event in wanted]
    assert {event.total_count_change for event in offered} == {1}
    publisher.publish(String())
    world.time.run(seconds=0.05)
    assert len(offered) == 3


def test_a_message_older_than_its_lifespan_is_not_delivered(world: RosWorld) -> None:
    node, heard = world.make("one"), []
    profile = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL, lifespan=Duration(seconds=1))
    publisher = node.create_publisher(String, "chat", profile)
    world.time.post(lambda: publisher.publish(String(data="old")))
    world.time.post(lambda: publisher.publish(String(data="new")), delay=0.9)
    world.time.post(lambda: None, delay=1.4)
    world.time.run()
    node.create_subscription(String, "chat", lambda m: heard.append(m.data), profile)
    world.time.run()
    assert heard == ["new"]


def test_a_message_that_waited_longer_than_its_lifespan_is_not_taken(world: RosWorld) -> None:
    node = world.make("one")
    profile = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL, lifespan=Duration(seconds=1))
    handle = rclpy_implementation.Subscription(node.handle, String, "chat", profile)
    publisher = node.create_publisher(String, "chat", profile)
    for seconds, taken in ((0.9, True), (1.1, False)):
        publisher.publish(String(data="here"))
        world.time.post(lambda: None, delay=seconds)
        world.time.run()
        assert (handle.take_message(String, False) is not None) == taken
    publisher.publish(String(data="new"))
    kept: list[Any] = []
    publisher.replay(bytes(16), lambda _, payload: kept.append(payload))
    assert [bool(payload) for payload in kept] == [True, False]


def test_a_publisher_that_does_not_say_it_is_alive_is_not(world: RosWorld) -> None:
    node, lost, changes = world.make("one"), [], []
    profile = QoSProfile(
        depth=1, liveliness=LivelinessPolicy.MANUAL_BY_TOPIC, liveliness_lease_duration=Duration(seconds=0.2)
    )
    node.create_subscription(
        String, "chat", lambda _: None, profile, event_callbacks=SubscriptionEventCallbacks(liveliness=changes.append)
    )
    publisher = node.create_publisher(
        String, "chat", profile, event_callbacks=PublisherEventCallbacks(liveliness=lost.append)
    )
    for _ in range(5):
        publisher.assert_liveliness()
        world.time.run(seconds=0.1)
    assert [(event.alive_count, event.not_alive_count) for event in changes] == [(1, 0)] and lost == []
    world.time.run(seconds=1.0)
    assert [event.total_count for event in lost] == [1]
    publisher.publish(String())
    world.time.run(seconds=0.05)
    assert [(event.alive_count, event.not_alive_count) for event in changes] == [(1, 0), (0, 1), (1, 0)]
    publisher.destroy()
    world.time.run(seconds=1.0)
    assert (changes[-1].alive_count, changes[-1].alive_count_change) == (0, -1)


def test_a_slow_subscription_keeps_few_messages_and_is_told_what_it_lost(world: RosWorld) -> None:
    node, heard, lost = world.make("one"), [], []
    node.create_subscription(
        String,
        "chat",
        lambda m: heard.append(m.data),
        2,
        event_callbacks=SubscriptionEventCallbacks(message_lost=lost.append),
    )
    publisher = node.create_publisher(String, "chat", 2)
    for n in range(10):
        publisher.publish(String(data=str(n)))
    world.time.run()
    assert heard == ["8", "9"]
    assert lost[-1].total_count == 8


def test_a_message_lost_on_its_way_is_counted(world: RosWorld) -> None:
    node, lost = world.make("one"), []
    callbacks = SubscriptionEventCallbacks(message_lost=lost.append)
    node.create_subscription(String, "chat", lambda _: None, 10, event_callbacks=callbacks)
    publisher = node.create_publisher(String, "chat", 10)
    for skipped in (0, 0, 1, 0, 3):
        publisher._sequence += skipped
        publisher.publish(String())
        world.time.run()
    assert [(event.total_count, event.total_count_change) for event in lost] == [(1, 1), (4, 3)]


def test_handlers_are_made_for_the_handle_of_an_endpoint_too(world: RosWorld) -> None:
    node, matched = world.make("one"), []
    publisher = node.create_publisher(String, "chat", 1)
    callbacks = PublisherEventCallbacks(matched=matched.append, use_default_callbacks=False)
    [handler] = callbacks.create_event_handlers(node.default_callback_group, publisher.handle, publisher.topic)
    assert handler.get_num_entities().num_events == 1
    node.create_subscription(String, "chat", lambda _: None, 1)
    world.time.run()
    assert [event.total_count for event in matched] == [1]
    with pytest.warns(DeprecationWarning, match="use EventHandler"):
        QoSEventHandler(
            callback_group=node.default_callback_group,
            callback=matched.append,
            event_type=handler.event_type,
            parent_impl=publisher.handle,
        )


def test_matches_are_counted_as_endpoints_come_and_go(world: RosWorld) -> None:
    node, publishers, subscriptions = world.make("one"), [], []
    node.create_publisher(String, "chat", 1, event_callbacks=PublisherEventCallbacks(matched=subscriptions.append))
    callbacks = SubscriptionEventCallbacks(matched=publishers.append)
    subscription = node.create_subscription(String, "chat", lambda _: None, 1, event_callbacks=callbacks)
    world.time.run()
    subscription.destroy()
    world.time.run()
    assert [(event.total_count, event.current_count) for event in subscriptions] == [(1, 1), (1, 0)]
    assert [event.current_count_change for event in publishers] == [1]


@pytest.mark.parametrize(("type_", "reliable"), [("String", False), ("Bool", True)])
def test_what_does_not_fit_is_told_to_both_sides(world: RosWorld, type_: str, reliable: bool) -> None:
    node, told = world.make("one"), []
    offered = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    callback = {"incompatible_type" if reliable else "incompatible_qos": told.append}
    node.create_subscription(
        getattr(std_msgs.msg, type_), "chat", lambda _: None, 1, event_callbacks=SubscriptionEventCallbacks(**callback)
    )
    profile = QoSProfile(depth=1, reliability=offered)
    node.create_publisher(String, "chat", profile, event_callbacks=PublisherEventCallbacks(**callback))
    world.time.run()
    assert [event.total_count for event in told] == [1, 1]
    if not reliable:
        assert {event.last_policy_kind for event in told} == {QoSPolicyKind.RELIABILITY}


def test_parameters_override_a_profile_where_that_is_allowed(world: RosWorld) -> None:
    name = "qos_overrides./chat.publisher"
    node = world.make(
        "one",
        parameter_overrides=[
            Parameter(f"{name}.reliability", value="best_effort"),
            Parameter(f"{name}.depth", value=7),
            Parameter(f"{name}.durability", value="transient_local"),
        ],
    )
    publisher = node.create_publisher(
        String, "chat", 1, qos_overriding_options=QoSOverridingOptions.with_default_policies()
    )
    assert publisher.qos_profile.best_effort and publisher.qos_profile.depth == 7
    assert not publisher.qos_profile.latched and publisher.qos_profile.history == HistoryPolicy.KEEP_LAST
    assert node.get_parameter(f"{name}.depth").value == 7
    refusing = QoSOverridingOptions([QoSPolicyKind.DEPTH], callback=lambda _: False, entity_id="other")
    with pytest.raises(InvalidQosOverridesError):
        node.create_subscription(String, "chat", lambda _: None, 1, qos_overriding_options=refusing)
    assert node.has_parameter("qos_overrides./chat.subscription_other.depth")
