"""A machine's side of the lease on its row: what it asks for, what it believes, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from robot.arms import load_arm
from robot.nodes.convert import RELIABLE
from robot.nodes.row_lease import LONGEST, RowClaim, RowFence
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from robot.ros.transport.inprocess import InProcess
from robot.safety import Supervisor
from robot.span import FLESH, around_fruit
from sim.lockstep import Lockstep

ARM = load_arm("ur3e")


class Loop:
    """What the fence needs of a control loop."""

    def __init__(self) -> None:
        self.supervisor = Supervisor()
        self.fences: list[tuple[float, ...]] = []

    def fence(self, low: float, high: float, rail: tuple[float, float]) -> None:
        self.fences.append((low, high, *rail))


class World:
    def __init__(self) -> None:
        self.time, self.loop = Lockstep(epoch=1_780_000_000.0), Loop()
        context = Context(InProcess(self.time))
        self.node = Node("control", context=context, namespace="/left")
        self.fence = RowFence(self.node, self.time, "/row", self.loop, ARM)  # type: ignore[arg-type]
        self.space = Node("space", context=context, namespace="/row")
        self.leases = self.space.create_publisher(berry_msgs.msg.SpaceLease, "leases", RELIABLE)

    def tell(self, **changed: Any) -> None:
        lease = {"holder": "left", "low": 0.0, "high": 1.0, "lasts": 1.0, **changed}
        self.leases.publish(berry_msgs.msg.SpaceLease(**lease))
        self.time.run(seconds=0.05)

    @property
    def holds(self) -> bool:
        return self.loop.supervisor.causes == ()


def test_a_lease_is_kept_for_as_long_as_it_lasts() -> None:
    world = World()
    assert not world.holds, "nothing is held before the first lease"
    world.tell()
    assert world.holds
    (fence,) = world.loop.fences
    assert fence == pytest.approx((FLESH, 1.0 - FLESH, 0.15, 1.0 - 0.355))
    world.time.run(seconds=0.8)
    assert world.holds
    world.time.run(seconds=0.5)
    assert world.loop.supervisor.causes == ("lease_lost",)


@pytest.mark.parametrize("lasts", [1e9, float("inf")])
def test_no_lease_is_believed_for_ever(lasts: float) -> None:
    world = World()
    world.tell(lasts=lasts)
    assert world.holds
    world.time.run(seconds=LONGEST + 0.25)
    assert world.loop.supervisor.causes == ("lease_lost",)


@pytest.mark.parametrize(
    "wrong",
    [
        {"holder": "right"},
        {"low": float("nan")},
        {"high": float("inf")},
        {"low": float("-inf")},
        {"low": 2.0},
        {"lasts": float("nan")},
        {"lasts": 0.0},
        {"lasts": -1.0},
    ],
)
def test_a_lease_that_says_nothing_changes_nothing(wrong: dict[str, Any]) -> None:
    world = World()
    world.tell(**wrong)
    assert world.loop.supervisor.causes == ("lease_lost",)
    assert world.loop.fences == []


class Asking:
    """A machine that asks, and a lease that gives what is free between two places."""

    def __init__(self) -> None:
        self.time = Lockstep(epoch=1_780_000_000.0)
        context = Context(InProcess(self.time))
        self.body: tuple[float, float] | None = (0.0, 0.5)
        self.work: list[float] = []
        self.leave = (0.0, 0.0)
        self.meanwhile: tuple[float, float] | None = None
        self.asked: list[tuple[float, float]] = []
        self.free = (-9.0, 9.0)
        self.held: list[tuple[float, float]] = []
        self.space = Node("space", context=context, namespace="/row")
        self.space.create_service(berry_msgs.srv.ClaimSpace, "claim", self._answer)
        self.claim = RowClaim(
            Node("picker", context=context, namespace="/left"),
            self.time,
            "/row",
            ARM,
            lambda: self.body,
            work=lambda: self.work,
            held=lambda low, high: self.held.append((low, high)),
        )

    def _answer(self, request: Any, response: Any) -> Any:
        self.body = self.meanwhile or self.body
        response.granted = self.free[0] <= request.low and request.high <= self.free[1]
        response.free_low, response.free_high = self.free
        response.leave_low, response.leave_high = self.leave
        self.asked.append((request.low, request.high))
        return response

    def after(self, seconds: float) -> tuple[float, float]:
        self.time.run(seconds=seconds)
        return self.held[-1]


BEHIND, AHEAD = around_fruit(ARM)
SLACK = 0.03


def test_a_machine_asks_for_what_it_reaches_from_where_it_is_to_its_work_and_gives_back_what_lies_behind() -> None:
    asking = Asking()
    assert not asking.claim.held
    assert asking.after(1.0) == pytest.approx((-SLACK, 0.5 + SLACK))
    asking.work = [1.0, 2.0]
    assert asking.after(0.5) == pytest.approx((-SLACK, 2.0 + AHEAD))
    assert asking.claim.covers(2.0)
    assert not asking.claim.covers(2.1)
    asking.body, asking.work = (1.6, 2.1), [2.0]
    assert asking.after(0.3)[0] == pytest.approx(-SLACK), "it may be on its way from there"
    assert asking.after(1.0) == pytest.approx((2.0 - BEHIND, 2.0 + AHEAD))
    asking.work = []
    assert asking.after(1.5) == pytest.approx((1.6 - SLACK, 2.1 + SLACK)), "work that is done needs no room"


def test_of_what_another_machine_holds_a_part_the_rest_is_had() -> None:
    asking = Asking()
    asking.free, asking.work = (-9.0, 1.4), [0.4, 2.0]
    assert asking.after(1.0)[1] == pytest.approx(0.4 + AHEAD), "no more than is of use"
    assert asking.claim.covers(0.4)
    assert not asking.claim.covers(0.41)
    asking.free = (-9.0, 9.0)
    assert asking.after(0.5)[1] == pytest.approx(2.0 + AHEAD)


def test_a_machine_that_does_not_know_where_it_is_asks_for_nothing() -> None:
    asking = Asking()
    asking.body = None
    asking.time.run(seconds=1.0)
    assert asking.held == []
    assert not asking.claim.covers(0.3)


def test_who_can_reach_none_of_its_work_gives_back_all_but_room_to_stand_and_asks_for_the_nearest() -> None:
    asking = Asking()
    asking.work = [2.0, 1.0]
    assert asking.after(0.5)[1] == pytest.approx(2.0 + AHEAD)
    asking.free = (-9.0, 0.9)
    assert asking.after(0.5) == pytest.approx((-SLACK, 0.5 + SLACK))
    assert not asking.claim.covers(1.0)
    assert asking.asked[-1] == pytest.approx((-SLACK, 1.0 + AHEAD))
    told = len(asking.held)
    assert asking.after(1.0) == pytest.approx((-SLACK, 0.5 + SLACK))
    assert len(asking.held) == told, "it has it already"


@pytest.mark.parametrize(
    ("free", "leave", "far"),
    [
        ((-0.5, 9.0), (-1.0, 0.2), 0.3),
        ((-0.5, 9.0), (-1.0, 0.7), 0.8),
        ((-9.0, 1.0), (0.3, 1.5), -0.3),
        ((-9.0, 1.0), (-0.2, 1.5), -0.8),
        ((-9.0, 9.0), (0.0, 0.0), 0.0),
    ],
)
def test_who_is_in_the_way_of_another_knows_how_far_to_go(
    free: tuple[float, float], leave: tuple[float, float], far: float
) -> None:
    asking = Asking()
    asking.free = free
    asking.after(0.5)
    assert asking.claim.aside() == 0.0
    asking.leave = leave
    asking.after(0.5)
    assert asking.claim.aside() == pytest.approx(far)


def test_a_way_begun_while_an_answer_is_on_its_way_is_claimed_with_the_rest() -> None:
    asking = Asking()
    asking.work = [2.0]
    assert asking.after(0.5)[1] == pytest.approx(2.0 + AHEAD)
    asking.free = (-9.0, 0.9)
    asking.meanwhile, told = (0.0, 0.8), len(asking.held)
    asking.after(0.5)
    assert asking.held[told] == pytest.approx((-SLACK, 0.8 + SLACK))
