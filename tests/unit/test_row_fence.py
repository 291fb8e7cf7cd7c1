"""A machine's side of the lease on its row: what it believes, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from robot.nodes.convert import RELIABLE
from robot.nodes.row_lease import AHEAD, LEADS, LONGEST, TRAILS, RowFence
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from robot.ros.transport.inprocess import InProcess
from robot.safety import Supervisor
from sim.lockstep import Lockstep


class Loop:
    """What the fence needs of a control loop."""

    def __init__(self) -> None:
        self.supervisor = Supervisor()
        self.fences: list[tuple[float, float]] = []

    def fence(self, low: float, high: float) -> None:
        self.fences.append((low, high))


class World:
    def __init__(self) -> None:
        self.time, self.loop = Lockstep(epoch=1_780_000_000.0), Loop()
        context = Context(InProcess(self.time))
        self.node = Node("control", context=context, namespace="/left")
        self.fence = RowFence(self.node, self.time, "/row", self.loop)  # type: ignore[arg-type]
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
    assert world.loop.fences == [(TRAILS, 1.0 - LEADS)]
    world.time.run(seconds=0.8)
    assert world.holds
    world.time.run(seconds=0.5)
    assert world.loop.supervisor.causes == ("lease_lost",)


@pytest.mark.parametrize("lasts", [1e9, float("inf")])
def test_no_lease_is_believed_for_ever(lasts: float) -> None:
    world = World()
    world.tell(lasts=lasts)
    assert world.holds
    world.time.run(seconds=LONGEST + AHEAD)
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
