"""The lease on a row: nobody moves before all were seen, no two hold one place, and no place becomes free by time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from robot.arms import load_arm
from robot.nodes.space import SpaceNode, SpaceSettings
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, sensor_msgs
from robot.ros.node import Node
from robot.ros.transport.inprocess import InProcess
from robot.span import extent
from sim.fast.hardware import parked
from sim.lockstep import Lockstep

ARM = load_arm("ur3e")
STANDS = {"left": parked(ARM, 0.3), "right": parked(ARM, 2.3)}


class Row:
    """The node, and two machines that are only their joints."""

    def __init__(self, *standing: str) -> None:
        self.time = Lockstep(epoch=1779256800.0)
        self._context = Context(InProcess(self.time))
        self._person = Node("person", context=self._context)
        self.leases: list[Any] = []
        self._person.create_subscription(berry_msgs.msg.SpaceLease, "/row/leases", self.leases.append, 10)
        self.standing = set(standing)
        self.speed = 0.0
        self.joints = {
            name: self._person.create_publisher(sensor_msgs.msg.JointState, f"/{name}/joint_states", 2)
            for name in STANDS
        }
        self.node = self.start()
        self.time.every(0.1, self._show)
        self.time.run(seconds=2.5)

    def start(self) -> SpaceNode:
        return SpaceNode(
            self._context, self.time, SpaceSettings(machines=("left", "right")), {"left": ARM, "right": ARM}
        )

    def _show(self) -> None:
        for name in self.standing:
            joints = sensor_msgs.msg.JointState(name=list(ARM.joint_names), position=STANDS[name].tolist())
            joints.velocity = [self.speed] * 7
            self.joints[name].publish(joints)

    def _ask(self, kind: Any, topic: str, **values: Any) -> Any:
        future = self._person.create_client(kind, topic).call_async(kind.Request(**values))
        self.time.run(until=future.done, seconds=1.0)
        return future.result()

    def claim(self, name: str, low: float, high: float) -> Any:
        return self._ask(berry_msgs.srv.ClaimSpace, "/row/claim", holder=name, low=low, high=high)

    def release(self, name: str) -> Any:
        return self._ask(berry_msgs.srv.ReleaseSpace, "/row/release", holder=name)


def test_nobody_gets_anything_before_every_machine_was_seen() -> None:
    row = Row("left")
    answer = row.claim("left", -1.0, 1.0)
    assert not answer.granted
    assert "right" in answer.reason
    row.standing.add("right")
    row.time.run(seconds=0.5)
    assert row.claim("left", -1.0, 1.0).granted


def test_each_first_holds_where_it_stands() -> None:
    row = Row("left", "right")
    for name, joints in STANDS.items():
        assert row.node.stretch(name) == pytest.approx(extent(ARM, joints))


def test_no_two_hold_one_place() -> None:
    row = Row("left", "right")
    assert row.claim("left", -1.0, 1.0).granted
    refused = row.claim("right", 0.5, 3.0)
    assert not refused.granted
    assert refused.reason
    assert row.node.stretch("right") == pytest.approx(extent(ARM, STANDS["right"])), "it keeps what it had"
    assert row.claim("right", 1.1, 3.0).granted


def test_who_is_refused_is_told_what_is_free_and_who_has_it_what_is_waited_for() -> None:
    row = Row("left", "right")
    assert row.claim("left", -1.0, 1.8).granted
    begin, end = extent(ARM, STANDS["right"])
    refused = row.claim("right", 1.7, end)
    assert (refused.free_low, refused.free_high) == (pytest.approx(1.82), float("inf"))
    told = row.claim("left", -1.0, 1.8)
    assert (told.leave_low, told.leave_high) == pytest.approx((1.7, end))
    away = row.claim("left", -1.0, 1.0)
    assert not away.leave_low < away.leave_high, "it is out of the way"
    row.claim("left", -1.0, 1.8)
    assert row.claim("right", begin, end).granted
    content = row.claim("left", -1.0, 1.8)
    assert not content.leave_low < content.leave_high, "nobody waits any more"


def test_who_waits_no_longer_asks_nobody_to_leave() -> None:
    row = Row("left", "right")
    assert row.claim("left", -1.0, 1.8).granted
    assert not row.claim("right", 1.7, 2.5).granted
    row.time.run(seconds=SpaceSettings(machines=()).age + 0.5)
    told = row.claim("left", -1.0, 1.8)
    assert not told.leave_low < told.leave_high


def test_a_lease_is_told_with_how_long_it_lasts() -> None:
    row = Row("left", "right")
    answer = row.claim("left", -1.0, 1.0)
    row.time.run(seconds=0.1)
    told = row.leases[-1]
    assert (told.holder, told.low, told.high, told.lasts) == ("left", -1.0, 1.0, answer.lasts)
    assert answer.lasts == SpaceSettings(machines=()).age


@pytest.mark.parametrize(("speed", "shrinks"), [(0.0, True), (0.1, False)])
def test_who_falls_silent_keeps_where_it_stands_once_it_does(speed: float, shrinks: bool) -> None:
    row = Row("left", "right")
    row.claim("left", -1.0, 1.0)
    row.speed = speed
    row.time.run(seconds=3.0)
    held = row.node.stretch("left")
    assert held == pytest.approx(extent(ARM, STANDS["left"]) if shrinks else (-1.0, 1.0))


def test_who_is_not_seen_keeps_all_it_had_until_a_person_says_it_has_left() -> None:
    row = Row("left", "right")
    row.claim("left", -1.0, 1.0)
    row.standing.clear()
    row.time.run(seconds=60.0)
    assert row.node.stretch("left") == (-1.0, 1.0)
    assert not row.claim("right", 0.5, 3.0).granted
    assert row.release("left").success
    assert row.claim("right", 0.5, 3.0).granted
    assert not row.release("nobody").success


def test_who_renews_keeps_its_stretch_for_any_time() -> None:
    row = Row("left", "right")
    for _ in range(20):
        assert row.claim("left", -1.0, 1.0).granted
        row.time.run(seconds=0.5)
    assert row.node.stretch("left") == (-1.0, 1.0)


def test_a_node_that_was_started_again_asks_where_everybody_is() -> None:
    row = Row("left", "right")
    row.claim("left", -1.0, 1.0)
    row.node.destroy_node()
    row.standing.discard("left")
    row.node = row.start()
    row.time.run(seconds=3.0)
    assert not row.claim("right", 0.5, 3.0).granted, "nobody knows where the left one is"
    row.standing.add("left")
    row.time.run(seconds=1.0)
    assert row.claim("right", 0.9, 3.0).granted


def test_a_node_that_was_started_again_at_once_waits_until_no_earlier_lease_lasts() -> None:
    row = Row("left", "right")
    assert row.claim("left", -1.0, 1.8).granted
    row.node.destroy_node()
    row.node = row.start()
    lasts = SpaceSettings(machines=()).age
    while row.node.stretch("left") is None:
        assert not row.claim("right", 1.0, 3.0).granted, "the left one rests for a moment, and may go on until 1.8 m"
        row.time.run(seconds=0.1)
        lasts -= 0.1
    assert lasts < 0.0
    assert row.claim("right", 1.0, 3.0).granted


def test_who_still_asks_for_its_room_is_not_released() -> None:
    row = Row("left", "right")
    row.claim("left", -1.0, 1.0)
    refused = row.release("left")
    assert not refused.success
    assert "switch it off" in refused.message
    assert not row.claim("right", 0.5, 3.0).granted


@pytest.mark.parametrize("wrong", [{"velocity": []}, {"velocity": [0.0] * 3}, {"position": [0.3]}, {"name": []}])
def test_joints_that_do_not_say_where_and_how_fast_say_nothing(wrong: dict[str, Any]) -> None:
    row = Row("right")
    joints = sensor_msgs.msg.JointState(name=list(ARM.joint_names), position=STANDS["left"].tolist())
    joints.velocity = [0.0] * 7
    for field, values in wrong.items():
        setattr(joints, field, values)
    row.joints["left"].publish(joints)
    row.time.run(seconds=0.2)
    assert row.node.stretch("left") is None
    assert row.node.stretch("right") is not None


def test_a_stranger_or_a_number_that_is_none_is_refused() -> None:
    row = Row("left", "right")
    assert "left, right" in row.claim("other", 0.0, 1.0).reason
    assert not row.claim("left", np.nan, 1.0).granted
