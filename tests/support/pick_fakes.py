"""A robot for tests of the picking tree: time is counted, motions take one tick, berries are where they are put."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from robot.arms import load_arm
from robot.pick.body import PlanError, SafetyView, Sighting
from robot.pick.candidates import Window
from robot.pick.grasp import LEVEL, Pose, Poses
from robot.pick.punnet import PlacePattern
from robot.pick.result import Outcome, PickResult
from robot.pick.round import Job, PunnetInUse, Round
from robot.pick.settings import PickSettings
from robot.pick.target import Target, Vector
from robot.pick.tree import picking_tree
from robot.pick.verify import Grip

RUN = SafetyView(state="RUN", motion_allowed=True, needs_reset=False)
HOLD = SafetyView(state="HOLD", motion_allowed=False, needs_reset=False, causes=("eyes_lost",))
PSTOP = SafetyView(state="PSTOP", motion_allowed=False, needs_reset=True, causes=("tracking_error",))


def berry(id: int, x: float, y: float = 0.5, *, ripeness: float = 0.95, stage: str = "ripe") -> Target:
    up = np.array([0.0, 0.0, 1.0])
    position = np.array([x, y, 1.0])
    return Target(
        id=id, position=position, diameter=0.028, length=0.036, axis=up, ripeness=ripeness, stage=stage, seen_at=0.0
    )


def _grip_on(target: Target | None) -> Grip:
    return Grip(opening=target.diameter, force=0.8) if target else Grip(opening=0.0, force=0.0)


@dataclass
class FakeAction:
    """Takes effect at once and is done a tenth of a second later."""

    body: FakeBody
    error: str = ""
    ends: float = 0.0
    canceled: bool = False

    def __post_init__(self) -> None:
        self.ends = self.body.time + 0.1

    @property
    def done(self) -> bool:
        return self.body.time >= self.ends

    def cancel(self) -> None:
        self.canceled = True


@dataclass
class FakeLook(FakeAction):
    sighting: Sighting = field(default_factory=lambda: Sighting(stamp=0.0, berries=()))


@dataclass
class FakePlan:
    end: Vector
    goal: Pose
    duration: float = 0.15
    spans: tuple[tuple[float, float], ...] = ()


@dataclass
class FakeBody:
    """Does at once what it is asked; `script` of grips is consumed by closing the jaws."""

    crop: list[Target]
    time: float = 100.0
    view: SafetyView = RUN
    closes_to: Callable[[Target | None], Grip] = lambda t: Grip(
        opening=t.diameter if t else 0.0, force=0.8 if t else 0.0
    )
    unreachable: Callable[[Pose], bool] = lambda _: False
    look_delay: float = 0.1
    log: list[str] = field(default_factory=list)
    measured: Grip = field(default_factory=lambda: Grip(opening=0.06, force=0.0))
    pose: Pose = field(default_factory=lambda: _pose(0.0, 0.3, 1.0))
    move_error: str = ""

    def now(self) -> float:
        return 1_700_000_000.0 + self.time

    def monotonic(self) -> float:
        return self.time

    def safety(self) -> SafetyView:
        return self.view

    def joints(self) -> Vector:
        return np.zeros(7)

    def tool_pose(self) -> Pose:
        return self.pose

    def grip(self) -> Grip:
        return self.measured

    def plan(self, start: Vector, goal: Pose, speed: float, *, rail: float | None = None) -> FakePlan:
        if self.unreachable(goal):
            raise PlanError(PickResult.UNREACHABLE, "too far")
        return FakePlan(end=np.zeros(7), goal=goal)

    def plan_line(self, start: Vector, goal: Pose, tool_speed: float) -> FakePlan:
        return self.plan(start, goal, tool_speed)

    def join(self, plans: list[FakePlan], *, overlap: list[float] | None = None, over_wall: float = 0.0) -> FakePlan:
        ends = [0.1 * k for k in range(len(plans) + 1)]
        return replace(plans[-1], duration=ends[-1], spans=tuple(pairwise(ends)))

    def tool_way(self, plan: FakePlan) -> Poses:
        return plan.goal[None]

    def move(self, plan: FakePlan) -> FakeAction:
        self.log.append("move")
        if not self.move_error:
            self.pose = plan.goal
        return FakeAction(self, error=self.move_error)

    def grip_to(self, opening: float, force: float) -> FakeAction:
        if opening == 0.0:
            held = [t for t in self.crop if float(np.linalg.norm(t.position - self.pose[:3, 3])) < 0.02]
            self.measured = self.closes_to(held[0] if held else None)
            self.log.append("close")
        else:
            self.measured = Grip(opening=opening, force=0.0)
            self.log.append("open")
        return FakeAction(self)

    def cut(self) -> FakeAction:
        self.log.append("cut")
        self.crop = [t for t in self.crop if float(np.linalg.norm(t.position - self.pose[:3, 3])) >= 0.02]
        return FakeAction(self)

    def look(self) -> FakeLook:
        self.log.append("look")
        stamp = self.now() + 0.1 - self.look_delay
        return FakeLook(self, sighting=Sighting(stamp=stamp, berries=tuple(self.crop)))


@dataclass
class FakeCrop:
    """Tracks by the ids the fake berries carry."""

    known: dict[int, Target] = field(default_factory=dict)

    def see(self, sighting: Sighting) -> list[Target]:
        self.known.update({b.id: b for b in sighting.berries})
        return list(sighting.berries)

    def targets(self) -> list[Target]:
        return list(self.known.values())

    def get(self, id: int) -> Target | None:
        return self.known.get(id)

    def forget(self, id: int) -> None:
        self.known.pop(id, None)


def _pose(x: float, y: float, z: float) -> Pose:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = LEVEL, [x, y, z]
    return pose


def make_round(body: FakeBody, *, quota: int = 0) -> Round:
    arm = load_arm("ur3e")
    window = Window(ripeness_min=0.8, ripeness_max=1.0, start=-1.0, end=1.0)
    reported: list[Outcome] = []
    round_ = Round(
        job=Job(order_id="o1", bed="1", side="left", segment=0, window=window, quota=quota),
        body=body,
        crop=FakeCrop(),
        tool=arm.tool,
        punnet=PunnetInUse(pattern=PlacePattern(shape=arm.punnet), new_id=lambda: "p1"),
        settings=PickSettings(),
        report=reported.append,
        views=[_pose(0.0, 0.2, 1.0), _pose(0.2, 0.2, 1.0)],
    )
    round_.punnet.begin()
    return round_


def run(round_: Round, body: FakeBody, *, each: Callable[[int], None] = lambda _: None, ticks: int = 3000) -> int:
    """Tick until the tree ends; `each` is called before every tick. Returns the number of ticks."""
    tree = picking_tree(round_)
    for n in range(ticks):
        each(n)
        tree.tick_once()
        body.time += round_.settings.tick
        if tree.status.name != "RUNNING":
            return n + 1
    raise AssertionError(f"the tree did not end in {ticks} ticks; last task {round_.task}")
