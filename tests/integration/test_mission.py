"""The mission between a picker and a control loop that are stand-ins: queue, starts, holds, stops and crashes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from robot.nodes.convert import LATCHED, RELIABLE, to_time
from robot.nodes.mission import MOST_ANSWERS, MissionNode, MissionSettings
from robot.ros.action import ActionServer, CancelResponse, GoalResponse
from robot.ros.callback_groups import ReentrantCallbackGroup
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.task import Future
from robot.ros.transport.inprocess import InProcess
from sim.lockstep import Lockstep


class Stage:
    """A mission, a picker that does what it is told, and a control loop that answers `safety/start`."""

    def __init__(self, queue: Path | str = ":memory:") -> None:
        self.time = Lockstep(epoch=1_750_000_000.0)
        self.context = Context(transport=InProcess(self.time))
        self.node = Node("stage", context=self.context, namespace="/robot")
        self.queue = queue
        self.goals: list[Any] = []
        self.asked_at: list[float] = []
        self.canceled = 0
        self.starts = 0
        self.statuses: list[Any] = []
        self.states: list[Any] = []
        self.accept = True
        self.wait: Future[str] | None = None
        self.fault = ""
        self.answers = True
        self.safety = self.node.create_publisher(berry_msgs.msg.SafetyState, "safety/state", LATCHED)
        self.picks = self.node.create_publisher(berry_msgs.msg.PickOutcome, "picks", RELIABLE)
        self.node.create_service(
            std_srvs.srv.Trigger, "safety/start", self._on_start, callback_group=ReentrantCallbackGroup()
        )
        self.node.create_subscription(berry_msgs.msg.OrderStatus, "orders/status", self.statuses.append, RELIABLE)
        self.node.create_subscription(berry_msgs.msg.MissionState, "mission/state", self.states.append, LATCHED)
        self.submit_client = self.node.create_client(berry_msgs.srv.SubmitOrder, "orders/submit")
        ActionServer(
            self.node,
            berry_msgs.action.Harvest,
            "harvest",
            self._harvest,
            goal_callback=self._judge,
            cancel_callback=self._take_back,
        )
        self.set_safety("READY")
        self.mission = self.new_mission()

    def new_mission(self) -> MissionNode:
        settings = MissionSettings(queue=self.queue, beds={"1": 0.2}, ends={"1": 1.3})
        return MissionNode(self.context, self.time, settings)

    def set_safety(self, state: str, *causes: str, needs_reset: bool = False) -> None:
        allowed = state == "RUN"
        message = berry_msgs.msg.SafetyState(
            state=state, causes=list(causes), motion_allowed=allowed, needs_reset=needs_reset
        )
        self.safety.publish(message)

    def _judge(self, _: Any) -> GoalResponse:
        self.asked_at.append(self.time.monotonic())
        return GoalResponse.ACCEPT if self.accept else GoalResponse.REJECT

    def _take_back(self, _: Any) -> CancelResponse:
        self.canceled += 1
        return CancelResponse.ACCEPT

    async def _on_start(self, _: Any, response: Any) -> Any:
        self.starts += 1
        if not self.answers:
            await Future(executor=self.node)
        self.set_safety("RUN")
        response.success = True
        return response

    async def _harvest(self, handle: Any) -> Any:
        goal = handle.request
        self.goals.append(goal)
        verdict = "done"
        if self.wait is not None:
            verdict = await self.wait or "done"
        if verdict == "done":
            berry = 100 * len(self.goals) + goal.segment
            pick = berry_msgs.msg.PickOutcome(
                order_id=goal.order_id, result="ok", attempt=1, punnet="p", berry_id=berry
            )
            self.picks.publish(pick)
            handle.succeed()
        elif verdict == "canceled":
            handle.canceled()
        else:
            handle.abort()
        return berry_msgs.action.Harvest.Result(result=verdict, fault=self.fault)

    def submit(self, id: str = "o1", **changes: Any) -> Any:
        fields: dict[str, Any] = {
            "id": id,
            "issuer": "test",
            "expires_at": to_time(self.time.now() + 600.0),
            "bed": "1",
            "side": "a",
            "segments": [0, 1],
            "segment_length": 0.6,
            "ripeness_min": 0.8,
            "ripeness_max": 1.0,
            "speed": 1.0,
            "force": 1.0,
        }
        future = self.submit_client.call_async(berry_msgs.srv.SubmitOrder.Request(**(fields | changes)))
        self.time.run(until=future.done, seconds=5.0)
        return future.result()

    def run(self, seconds: float = 5.0) -> None:
        self.time.run(seconds=seconds)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_an_order_starts_the_robot_and_its_segments_are_harvested_in_order(stage: Stage) -> None:
    assert stage.submit().status == "accepted"
    stage.run()
    assert stage.starts == 1
    assert [(g.segment, round(g.start, 3), round(g.end, 3)) for g in stage.goals] == [(0, 0.2, 0.8), (1, 0.8, 1.3)]
    assert [(s.status, s.picked, s.placed, s.attempted) for s in stage.statuses] == [
        ("started", 0, 0, 0),
        ("done", 2, 2, 2),
    ]
    assert stage.states[-1].state == "idle"


def test_nothing_moves_without_an_order(stage: Stage) -> None:
    stage.run()
    assert stage.starts == 0
    assert stage.goals == []


def test_the_same_order_twice_has_no_second_effect(stage: Stage) -> None:
    assert stage.submit().status == "accepted"
    stage.run()
    assert stage.submit().status == "duplicate"
    stage.run()
    assert len(stage.goals) == 2


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"expires_at": to_time(1.0)}, "expired"),
        ({"bed": "9"}, "rejected"),
        ({"segments": []}, "rejected"),
        ({"segments": [0, 2]}, "rejected"),
        ({"segment_length": 0.0}, "rejected"),
        ({"ripeness_min": 0.9, "ripeness_max": 0.5}, "rejected"),
        ({"speed": 0.0}, "rejected"),
    ],
)
def test_orders_that_cannot_be_done_are_refused_with_a_reason(
    stage: Stage, changes: dict[str, Any], status: str
) -> None:
    answer = stage.submit(**changes)
    assert answer.status == status
    assert answer.reason
    stage.run()
    assert stage.goals == []


def test_the_quota_ends_an_order_early(stage: Stage) -> None:
    stage.submit(quota=1)
    stage.run()
    assert len(stage.goals) == 1
    assert stage.statuses[-1].status == "done"


def test_orders_wait_for_each_other(stage: Stage) -> None:
    stage.submit("a", segments=[0])
    stage.submit("b", segments=[1])
    stage.run()
    assert [g.order_id for g in stage.goals] == ["a", "b"]


def test_a_hold_that_clears_by_itself_is_answered_with_a_start(stage: Stage) -> None:
    stage.wait = Future(executor=stage.node)
    stage.submit()
    stage.run(1.0)
    stage.set_safety("HOLD", "eyes_lost")
    stage.run(1.0)
    assert stage.starts == 1
    assert (stage.states[-1].state, stage.states[-1].fault) == ("holding", "eyes_lost")
    stage.set_safety("HOLD")
    stage.run(1.0)
    assert stage.starts == 2


def test_a_way_that_was_refused_is_answered_with_a_start_a_few_times_and_then_by_a_person(stage: Stage) -> None:
    stage.wait = Future(executor=stage.node)
    stage.submit()
    stage.run(1.0)
    before = stage.starts
    for _ in range(MOST_ANSWERS + 3):
        stage.set_safety("HOLD", "collision_risk")
        stage.run(1.0)
        stage.set_safety("RUN")
        stage.run(1.0)
    answered = stage.starts - before
    stage.set_safety("HOLD", "collision_risk", "operator_hold")
    stage.run(1.0)
    assert answered == MOST_ANSWERS == stage.starts - before


def test_a_hold_by_a_person_is_not_answered_by_the_mission(stage: Stage) -> None:
    stage.wait = Future(executor=stage.node)
    stage.submit()
    stage.run(1.0)
    stage.set_safety("HOLD", "operator_hold")
    stage.run(2.0)
    assert stage.starts == 1


def test_a_stop_blocks_the_mission_until_a_person_has_let_the_robot_run_again(stage: Stage) -> None:
    stage.wait = Future(executor=stage.node)
    stage.submit()
    stage.run(1.0)
    stage.set_safety("PSTOP", "tracking_error", needs_reset=True)
    stage.wait.set_result("aborted")
    stage.wait = None
    stage.run(1.0)
    assert (stage.states[-1].state, stage.states[-1].fault) == ("blocked", "tracking_error")
    stage.set_safety("READY")
    stage.run(2.0)
    assert (stage.states[-1].state, stage.states[-1].fault) == ("blocked", ""), "nothing is wrong after the reset"
    assert stage.starts == 1
    assert len(stage.goals) == 1
    stage.set_safety("RUN")
    stage.run(2.0)
    assert [g.segment for g in stage.goals] == [0, 0, 1]
    assert stage.statuses[-1].status == "done"


def test_a_picker_that_refuses_fails_the_order_after_the_retries(stage: Stage) -> None:
    stage.accept = False
    stage.submit()
    stage.run(10.0)
    assert (stage.statuses[-1].status, stage.statuses[-1].fault) == ("failed", "picker_lost")
    assert len(stage.asked_at) == 3
    assert min(b - a for a, b in pairwise(stage.asked_at)) >= 3.0, "a picker that is busy needs time to become free"


def test_after_a_crash_the_order_goes_on_where_it_was_and_keeps_its_count(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "orders.sqlite3")
    stage.submit()
    stage.time.run(until=lambda: len(stage.goals) == 1, seconds=5.0)
    stage.wait = Future(executor=stage.node)
    stage.time.run(until=lambda: len(stage.goals) == 2, seconds=5.0)
    stage.mission.close()
    stage.mission.destroy_node()
    stage.wait = None
    stage.mission = stage.new_mission()
    stage.run()
    assert [g.segment for g in stage.goals] == [0, 1, 1]
    last = stage.statuses[-1]
    assert (last.status, last.placed) == ("done", 2)
    stage.mission.close()


def test_a_goal_whose_picker_died_is_begun_again(stage: Stage) -> None:
    stage.wait = Future(executor=stage.node)
    stage.submit(segments=[0])
    stage.run(1.0)
    stage.wait = None
    stage.run(5.0)
    assert len(stage.goals) == 2
    assert stage.statuses[-1].status == "done"


def test_a_picker_that_thinks_for_long_is_told_to_stop_and_the_segment_is_begun_again(stage: Stage) -> None:
    first: Future[str] = Future(executor=stage.node)
    stage.wait = first
    stage.submit(segments=[0])
    stage.run(3.5)
    assert stage.canceled == 1
    stage.accept = False
    stage.run(3.0)
    first.set_result("canceled")
    stage.wait, stage.accept = None, True
    stage.run()
    assert stage.statuses[-1].status == "done"
    assert len(stage.goals) == 2


def test_the_late_end_of_a_goal_that_was_given_up_does_not_end_the_goal_that_took_its_place(stage: Stage) -> None:
    first: Future[str] = Future(executor=stage.node)
    stage.wait = first
    stage.submit(segments=[0, 1])
    stage.time.run(until=lambda: len(stage.goals) == 1, seconds=5.0)
    second: Future[str] = Future(executor=stage.node)
    stage.wait = second
    stage.time.run(until=lambda: len(stage.goals) == 2, seconds=10.0)
    first.set_result("done")
    stage.run(1.0)
    assert [g.segment for g in stage.goals] == [0, 0], "segment 0 is still in the picker's hands"
    stage.wait = None
    second.set_result("done")
    stage.run(1.0)
    assert [g.segment for g in stage.goals] == [0, 0, 1]


def test_a_mission_started_again_after_a_stop_still_waits_for_a_person(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "orders.sqlite3")
    stage.wait = Future(executor=stage.node)
    stage.submit()
    stage.run(1.0)
    stage.set_safety("PSTOP", "operator_stop", needs_reset=True)
    stage.run(1.0)
    stage.set_safety("READY")
    stage.run(1.0)
    for _ in range(2):
        stage.mission.close()
        stage.mission.destroy_node()
        stage.mission = stage.new_mission()
        stage.run(2.0)
        assert stage.starts == 1
        assert stage.states[-1].state == "blocked"
    stage.wait = None
    stage.set_safety("RUN")
    stage.run(2.0)
    assert stage.statuses[-1].status == "done"
    stage.mission.close()


def test_a_start_that_is_never_answered_is_asked_for_again(stage: Stage) -> None:
    stage.answers = False
    stage.submit(segments=[0])
    stage.run(4.0)
    assert stage.starts == 1
    stage.answers = True
    stage.run(4.0)
    assert stage.starts == 2
    assert stage.statuses[-1].status == "done"


def test_segments_beyond_the_beds_end_are_refused_with_what_was_expected(stage: Stage) -> None:
    answer = stage.submit(segments=[99])
    assert answer.reason == "order_invalid: expected segments 0 to 1 of bed '1' (1.10 m), got 99"


def test_an_order_of_a_picker_that_cannot_see_fails_at_once_with_the_cameras_fault(stage: Stage) -> None:
    stage.wait = Future(executor=stage.node)
    stage.fault = "camera_frozen"
    stage.submit()
    stage.run(1.0)
    stage.wait.set_result("blind")
    stage.run(1.0)
    assert (stage.statuses[-1].status, stage.statuses[-1].fault) == ("failed", "camera_frozen")
    assert len(stage.goals) == 1


def test_a_goal_that_was_given_up_and_is_done_after_all_is_not_done_twice(stage: Stage) -> None:
    stage.wait = Future(executor=stage.node)
    stage.submit(segments=[0])
    stage.time.run(until=lambda: len(stage.goals) == 1, seconds=5.0)
    stage.accept = False
    stage.run(6.0)
    stage.accept = True
    stage.wait.set_result("done")
    stage.run(1.0)
    assert len(stage.goals) == 1
    assert stage.statuses[-1].status == "done"
