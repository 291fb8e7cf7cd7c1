"""Cleaning, blades and charge: the mission counts, reminds and drives to the dock, and the farm hears of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from robot.arms import load_arm
from robot.nodes.convert import LATCHED, RELIABLE
from robot.nodes.mission import MissionNode, MissionSettings
from robot.nodes.mission_care import CareSettings
from robot.nodes.mission_dock import Dock
from robot.orders import OrderQueue, Outcome, WorkOrder
from robot.ros.action import ActionServer
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, control_msgs, sensor_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.transport.inprocess import InProcess
from sim.lockstep import Lockstep
from telemetry.messages.tables import faults

ARM = load_arm("ur3e")
DOCK = -0.3


class Yard:
    """A mission, a rail that goes where it is told, a picker that works until it is called back, and a battery."""

    def __init__(self, queue: Path | str = ":memory:", *, dock: float | None = DOCK, refuse: int = 0) -> None:
        self.time = Lockstep(epoch=1_750_000_000.0)
        context = Context(transport=InProcess(self.time))
        self.node = Node("yard", context=context, namespace="/robot")
        self.rail, self.refuse, self.drives, self.goals, self.canceled = 1.0, refuse, 0, 0, 0
        self.states: list[Any] = []
        self.causes: list[str] = []
        self.safety = self.node.create_publisher(berry_msgs.msg.SafetyState, "safety/state", LATCHED)
        self.battery = self.node.create_publisher(sensor_msgs.msg.BatteryState, "battery", 5)
        self.joints = self.node.create_publisher(sensor_msgs.msg.JointState, "joint_states", 5)
        self.node.create_subscription(berry_msgs.msg.MissionState, "mission/state", self.states.append, LATCHED)
        follow = control_msgs.action.FollowJointTrajectory
        ActionServer(self.node, follow, "arm_controller/follow_joint_trajectory", self._drive)
        ActionServer(self.node, berry_msgs.action.Harvest, "harvest", self._harvest, cancel_callback=self._cancel)
        self.working = True
        care = CareSettings(clean_every=2, blade_every=3)
        settings = MissionSettings(queue=queue, beds={"1": 0.2}, ends={"1": 1.3}, care=care, dock=dock)
        self.mission = MissionNode(context, self.time, settings, ARM)
        self.time.every(0.05, self._tell)
        self.run(0.2)

    def run(self, seconds: float) -> None:
        self.time.run(seconds=seconds)

    def charge(self, share: float, seconds: float = 1.0) -> None:
        self.battery.publish(sensor_msgs.msg.BatteryState(percentage=share))
        self.run(seconds)

    def call(self, name: str) -> Any:
        future = self.node.create_client(std_srvs.srv.Trigger, name).call_async(std_srvs.srv.Trigger.Request())
        self.time.run(until=future.done, seconds=5.0)
        return future.result()

    @property
    def state(self) -> tuple[str, str]:
        return self.states[-1].state, self.states[-1].fault

    def _tell(self) -> None:
        allowed = not self.causes
        self.safety.publish(
            berry_msgs.msg.SafetyState(state="RUN" if allowed else "HOLD", motion_allowed=allowed, causes=self.causes)
        )
        position = [self.rail, 0.0, -1.5, -2.0, 1.5, 0.5, 1.5, 0.03]
        names = [*ARM.joint_names, "gripper_joint"]
        self.joints.publish(sensor_msgs.msg.JointState(name=names, position=[position[0], *position[1:]]))

    async def _drive(self, handle: Any) -> Any:
        self.drives += 1
        result = control_msgs.action.FollowJointTrajectory.Result()
        if self.drives <= self.refuse:
            result.error_string = "busy"
            handle.abort()
            return result
        last = handle.request.trajectory.points[-1].positions
        assert list(last[1:]) == pytest.approx([0.0, -1.5, -2.0, 1.5, 0.5, 1.5])
        self.rail = round(float(last[0]), 6)
        handle.succeed()
        return result

    async def _harvest(self, handle: Any) -> Any:
        from robot.ros.task import Future

        self.goals += 1
        self.wait: Future[str] = Future(executor=self.node)
        verdict = await self.wait
        (handle.canceled if verdict == "canceled" else handle.succeed)()
        return berry_msgs.action.Harvest.Result(result=verdict)

    def _cancel(self, _: Any) -> Any:
        from robot.ros.action import CancelResponse

        self.canceled += 1
        self.wait.set_result("canceled")
        return CancelResponse.ACCEPT


def order() -> WorkOrder:
    return WorkOrder(id="o1", issuer="t", expires_at=2e9, bed="1", side="a", segments=(0, 1), segment_length=0.6)


def test_cleaning_and_a_new_blade_are_due_by_count_across_a_restart_until_somebody_says_it_is_done(
    tmp_path: Path,
) -> None:
    yard = Yard(tmp_path / "queue.db")
    queue: OrderQueue = yard.mission._queue
    queue.submit(order())
    seen = []
    for n in range(3):
        outcome = Outcome(type="pick", key=f"k{n}", at=0.0, data="{}")
        queue.count("o1", outcome, picked=True, placed=True, attempted=True)
        yard.run(0.2)
        yard.mission._publish_state()
        yard.run(0.1)
        seen.append(list(yard.states[-1].due))
    assert seen == [[], ["cleaning_due"], ["cleaning_due", "blade_due"]]
    yard.mission.close()
    again = Yard(tmp_path / "queue.db")
    assert list(again.states[-1].due) == ["cleaning_due", "blade_due"]
    assert again.call("care/cleaned").success
    assert list(again.states[-1].due) == ["blade_due"]
    assert again.call("care/blade_changed").success
    assert list(again.states[-1].due) == []


def test_with_a_low_battery_the_segment_is_finished_and_the_carriage_goes_to_its_dock_until_it_is_charged() -> None:
    yard = Yard()
    yard.mission._queue.submit(order())
    yard.run(0.5)
    assert yard.goals == 1
    yard.charge(0.19)
    assert (yard.canceled, yard.drives, yard.rail) == (0, 0, 1.0)
    yard.wait.set_result("done")
    yard.run(1.0)
    assert yard.state == ("holding", "charge_low")
    assert (yard.goals, yard.drives, yard.rail) == (1, 1, DOCK)
    yard.charge(0.5)
    assert yard.state == ("holding", "charge_low"), "half full is not enough to begin again"
    yard.charge(float("nan"))
    assert (yard.state, yard.drives) == (("holding", "charge_low"), 1)
    yard.charge(0.85)
    assert yard.state == ("working", "")
    assert yard.goals == 2


def test_a_low_battery_stays_told_while_something_else_holds_the_robot() -> None:
    yard = Yard(dock=None)
    yard.mission._queue.submit(order())
    yard.run(0.5)
    yard.charge(0.15)
    for causes in (["eyes_lost"], []):
        yard.causes = causes
        yard.run(0.5)
        assert list(yard.states[-1].due) == ["charge_low"]
    yard.charge(0.9)
    assert list(yard.states[-1].due) == []


def test_an_order_that_is_finished_is_told_before_the_battery_is_charged() -> None:
    yard = Yard()
    told: list[str] = []
    yard.node.create_subscription(
        berry_msgs.msg.OrderStatus, "orders/status", lambda message: told.append(message.status), RELIABLE
    )
    yard.mission._queue.submit(order())
    yard.run(0.5)
    yard.wait.set_result("done")
    yard.run(0.5)
    yard.charge(0.15)
    yard.wait.set_result("done")
    yard.run(1.0)
    assert (yard.goals, yard.mission._queue.current()) == (2, None)
    assert (told, yard.state, yard.rail) == (["started", "done"], ("holding", "charge_low"), DOCK)


def test_a_critical_battery_breaks_the_segment_off_and_it_is_begun_again_later() -> None:
    yard = Yard()
    yard.mission._queue.submit(order())
    yard.run(0.5)
    yard.charge(0.09)
    assert (yard.canceled, yard.rail) == (1, DOCK)
    yard.charge(0.9)
    progress = yard.mission._queue.current()
    assert progress is not None
    assert (progress.next, yard.goals) == (0, 2)


def test_a_way_to_the_dock_that_is_refused_is_tried_again_but_not_at_once() -> None:
    yard = Yard(refuse=1)
    yard.charge(0.1, seconds=3.0)
    assert (yard.drives, yard.rail) == (1, 1.0)
    yard.run(4.0)
    assert (yard.drives, yard.rail) == (2, DOCK)


def test_without_a_dock_the_robot_waits_where_it_is() -> None:
    yard = Yard(dock=None)
    yard.charge(0.1)
    assert yard.state == ("holding", "charge_low")
    assert (yard.drives, yard.rail) == (0, 1.0)


def test_wrong_settings_are_refused_with_what_was_expected() -> None:
    with pytest.raises(ValueError, match="critical <= low < enough"):
        CareSettings(battery_low=0.9)
    with pytest.raises(ValueError, match="counts >= 1"):
        CareSettings(clean_every=0)
    yard = Yard(dock=None)
    with pytest.raises(ValueError, match="dock on the rail"):
        Dock(yard.node, yard.time, ARM, 9.0)


def test_what_is_due_is_explained_in_both_languages() -> None:
    table = faults()
    for key in ("cleaning_due", "blade_due", "charge_low"):
        assert table[key].zh and table[key].en and table[key].do_zh and table[key].do_en
