"""The picker on the simulated cell: what it refuses, how it ends when it is cancelled, held or stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from robot.nodes.convert import RELIABLE
from robot.pick.result import PickResult
from robot.ros.action import ActionClient, GoalStatus
from robot.ros.interfaces import berry_msgs, std_srvs
from robot.ros.node import Node
from sim.lockstep import Lockstep
from sim.rig import Rig, RigSettings
from sim.scenarios import load_scenario
from vision import default_detector

pytestmark = pytest.mark.timeout(180)


class Operator:
    """Talks to the picker and to the control loop without a mission's order."""

    def __init__(self) -> None:
        settings = load_scenario("short")
        self.time = Lockstep(settings.epoch)
        self.rig = Rig(self.time, RigSettings(cell=settings, seed=1), default_detector())
        self.node = Node("operator", context=self.rig.context, namespace="/robot")
        self.scene = settings.scene
        self.outcomes: list[Any] = []
        self.node.create_subscription(berry_msgs.msg.PickOutcome, "picks", self.outcomes.append, RELIABLE)
        self.harvest = ActionClient(self.node, berry_msgs.action.Harvest, "harvest")
        self.time.run(seconds=0.5)

    def goal(self, **changes: Any) -> Any:
        start = self.scene.origin
        fields = {"order_id": "o", "bed": "b", "side": "a", "start": start, "end": start + 0.6, "ripeness_min": 0.8}
        fields |= {"ripeness_max": 1.0, "speed": 1.0, "force": 1.0}
        return berry_msgs.action.Harvest.Goal(**(fields | changes))

    def send(self, **changes: Any) -> Any:
        return self.wait(self.harvest.send_goal_async(self.goal(**changes)))

    def wait(self, future: Any, seconds: float = 60.0) -> Any:
        self.time.run(until=future.done, seconds=seconds)
        assert future.done(), f"no answer in {seconds} simulated seconds; the picker's task is {self.rig.picker.task!r}"
        return future.result()

    def call(self, name: str) -> bool:
        client = self.node.create_client(std_srvs.srv.Trigger, f"safety/{name}")
        return bool(self.wait(client.call_async(std_srvs.srv.Trigger.Request()), 5.0).success)

    def until_task(self, task: str) -> None:
        self.time.run(until=lambda: self.rig.picker.task == task, seconds=60.0)
        assert self.rig.picker.task == task


@pytest.fixture
def operator() -> Iterator[Operator]:
    made = Operator()
    yield made
    made.rig.close()


def test_goals_that_make_no_sense_and_a_second_goal_are_refused(operator: Operator) -> None:
    assert not operator.send(end=operator.scene.origin).accepted
    assert not operator.send(ripeness_min=0.9, ripeness_max=0.5).accepted
    assert operator.send().accepted
    assert not operator.send().accepted


def test_one_berry_is_picked_and_placed_and_the_quota_ends_the_segment(operator: Operator) -> None:
    assert operator.call("start")
    handle = operator.send(quota=1)
    response = operator.wait(handle.get_result_async())
    assert (response.status, response.result.result) == (int(GoalStatus.STATUS_SUCCEEDED), "done")
    (placed,) = [o for o in operator.outcomes if o.result == "ok"]
    assert placed.punnet
    assert placed.peak_force < 2.5
    assert 0.0 < placed.seconds < 12.0
    assert response.result.count.in_window >= 1
    assert {o.result for o in operator.outcomes} <= {str(r) for r in PickResult}


def test_cancelling_leaves_the_arm_at_rest_and_reports_the_berry_in_hand(operator: Operator) -> None:
    assert operator.call("start")
    handle = operator.send()
    operator.until_task("approach")
    operator.wait(handle.cancel_goal_async())
    response = operator.wait(handle.get_result_async(), 2.0)
    assert (response.status, response.result.result) == (int(GoalStatus.STATUS_CANCELED), "canceled")
    assert operator.outcomes[-1].result == "operator_abort"
    operator.time.run(seconds=1.0)
    assert not operator.rig.loop.moving


def test_a_hold_during_the_approach_is_waited_out_and_the_berry_is_picked_afterwards(operator: Operator) -> None:
    assert operator.call("start")
    handle = operator.send(quota=1)
    operator.until_task("approach")
    assert operator.call("hold")
    operator.time.run(seconds=3.0)
    assert operator.outcomes == [o for o in operator.outcomes if o.result == "not_ripe"]
    assert operator.call("start")
    operator.wait(handle.get_result_async())
    (placed,) = [o for o in operator.outcomes if o.result == "ok"]
    assert placed.attempt == 1


def test_a_stop_while_a_berry_is_held_ends_the_segment_as_aborted(operator: Operator) -> None:
    assert operator.call("start")
    handle = operator.send()
    operator.until_task("cut")
    assert operator.call("stop")
    response = operator.wait(handle.get_result_async(), 5.0)
    assert (response.result.result, response.result.fault) == ("aborted", "operator_stop")
    assert operator.outcomes[-1].result == "protective_stop"
