"""One round: everything the tree knows while it harvests one bed segment. Plain state, no wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from robot.arms import Camera, Tool
from robot.collision import Box
from robot.pick.body import Action, Body, Crop, Look, Plan, PlanError, Sighting
from robot.pick.candidates import Window, order
from robot.pick.grasp import Grasp, Pose
from robot.pick.punnet import OVER_WALL, PlacePattern
from robot.pick.result import CUT_OFF, Outcome, PickResult
from robot.pick.settings import PickSettings
from robot.pick.shown import Coverage, in_view
from robot.pick.survey import aim_of, moved
from robot.pick.target import HIDDEN, Target, Vector

SAME_PLACE = 0.022
"""Two fruits are never nearer than this, centre to centre [m]."""

DEEP, INWARDS = 0.01, 0.7
"""A tool that is less than this among the leaves [m], or points less into the crop, need not come back first."""

DOUBTED = 0.5
"""Score below which a track may be a leaf or a shadow, 0-1."""

ENOUGH = 4
"""Of so many fruits the usual length is known."""

REMEMBERED = 900.0
"""What was shown longer ago is looked at anew [s]."""

STANDS = 2e-3
"""Joints that differ by less than this have not moved [m, rad]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is asked for: a stretch of bed, the ripeness window, and how many (0 = all)."""

    order_id: str
    bed: str
    side: str
    segment: int
    window: Window
    quota: int = 0
    speed: float = 1.0
    force: float = 1.0


@dataclass(slots=True, kw_only=True)
class PunnetInUse:
    """The punnet under the tool's place pattern; closed and replaced when full.

    `held`: the berry that a stop left between the jaws, until it is laid down.
    """

    pattern: PlacePattern
    new_id: Callable[[], str]
    id: str = ""
    mass: float = 0.0
    count: int = 0
    place: int = 0
    held: Target | None = None
    closed: list[tuple[str, int, float]] = field(default_factory=list)

    def begin(self) -> None:
        """Make sure there is a punnet with room in it."""
        if self.id and self.place >= self.pattern.shape.capacity:
            self.closed.append((self.id, self.count, self.mass))
            self.id = ""
        if not self.id:
            self.id, self.count, self.place, self.mass = self.new_id(), 0, 0, 0.0

    def add(self, mass: float) -> None:
        """Count a berry laid down in the current place."""
        self.count += 1
        self.place += 1
        self.mass += mass

    def skip_place(self) -> None:
        """Leave the current place: something uncounted may lie there."""
        self.place += 1
        self.begin()


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A motion under way: how long it takes, and when it has left the punnet [s from its start]."""

    action: Action
    leaves: float
    duration: float


@dataclass(slots=True, kw_only=True)
class Attempt:
    """The candidate in hand.

    Attributes:
        number: of times the tool went in for it, the present one included.
        went_in: the tool went in on the present one; before that only another look was lost.
        looks: how often only a look was lost.
        closing: the jaws, from when they began to close on the way in.
    """

    target: Target
    number: int = 0
    went_in: bool = False
    looks: int = 0
    started: float = 0.0
    peak_force: float = 0.0
    width: float = 0.0
    tilt: float = 0.0
    interruptions: int = 0
    seen_from: float = 0.0
    grasp: Grasp | None = None
    ways: list[Grasp] = field(default_factory=list)
    closing: Action | None = None
    gripped: bool = False
    placed: bool = False
    hangs: bool = False
    look: Look | None = None
    ready: tuple[Vector, list[Plan]] | None = None
    result: PickResult = PickResult.OK
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class Round:
    """State of one harvest of one segment; `report` is called once for every candidate.

    `has_room`: whether a place of the row, world x [m], may be worked at now; others wait.
    `walls`: what stands behind the fruit and does not give way. `coverage`: what pictures taken with `camera` showed;
    None = only the views of the survey count. `missed`: in how many pictures a track was not seen where it should be.
    """

    job: Job
    body: Body
    crop: Crop
    tool: Tool
    punnet: PunnetInUse
    settings: PickSettings
    report: Callable[[Outcome], None]
    report_count: Callable[[Counter[str]], None] = lambda _: None
    has_room: Callable[[float], bool] = lambda _: True
    walls: tuple[Box, ...] = ()
    camera: Camera | None = None
    coverage: Coverage | None = None
    missed: Counter[int] = field(default_factory=Counter)
    views: list[Pose] = field(default_factory=list)
    view: Look | None = None
    decided: dict[int, PickResult] = field(default_factory=dict)
    deferred: set[int] = field(default_factory=set)
    outcomes: list[Outcome] = field(default_factory=list)
    current: Attempt | None = None
    task: str = ""
    looked: int = 0
    looked_from: float | None = None
    stopped: PickResult | None = None
    counted: Counter[str] = field(default_factory=Counter)

    @property
    def picked(self) -> int:
        """Return how many berries were cut and held."""
        return sum(o.result in CUT_OFF for o in self.outcomes)

    @property
    def attempted(self) -> int:
        return sum(o.attempt > 0 for o in self.outcomes)

    @property
    def attempt(self) -> Attempt:
        """Return the candidate in hand; a leaf runs only while there is one."""
        if self.current is None:
            raise ValueError("no candidate in hand: the tree runs a picking leaf outside an attempt")
        return self.current

    def candidates(self) -> list[Target]:
        """Return the wanted berries that are still to be tried; what waits for its neighbours comes at the end."""
        known = self.crop.targets()
        window = self.job.window
        wanted = [t for t in known if window.covers(t) and window.near(t) and not self.is_decided(t)]
        wanted = [t for t in wanted if self._looked_at(t)]
        return [t for t in wanted if t.id not in self.deferred] or wanted

    def next_candidate(self) -> Target | None:
        """Return the wanted berry to try next; None when all are decided, or hang where there is no room now."""
        here = [t for t in self.candidates() if self.has_room(float(t.position[0]))]
        ranked = order(here, self.body.tool_pose()[:3, 3], self.crop.targets())
        return ranked[0] if ranked else None

    def view_due(self) -> bool:
        """Return whether the next picture of the survey comes before anything else."""
        if not self.views or self.current is not None or not self.view_has_room():
            return False
        return self.quota_reached() or self.next_candidate() is None

    def view_has_room(self) -> bool:
        """Put a view that has room first, if there is one; one that would show nothing needs none."""
        for _ in self.views:
            if self.view_spared() or self.has_room(float(self.next_view()[0, 3])):
                return True
            self.views.append(self.views.pop(0))
        return False

    def see(self, sighting: Sighting) -> Sequence[Target]:
        """Merge a picture into what is known; return the tracks it showed."""
        shown = self.crop.see(sighting)
        if self.camera is not None and sighting.camera is not None:
            if self.coverage is not None:
                self.coverage.see(sighting.camera, self.camera, sighting.stamp)
            there = {target.id for target in shown}
            others = [target for target in self.crop.targets() if target.id not in there]
            places = np.array([target.position for target in others]).reshape(-1, 3)
            seen = in_view(places, sighting.camera, self.camera).tolist()
            self.missed.update(t.id for t, inside in zip(others, seen, strict=True) if inside)
        return shown

    def typical_length(self) -> float:
        """Return the median length of the fruit that is seen whole [m]; 0 where too few are."""
        whole = [t.length for t in self.crop.targets() if t.visible >= HIDDEN and t.score >= DOUBTED]
        return float(np.median(whole)) if len(whole) >= ENOUGH else 0.0

    def around(self) -> list[Target]:
        """Return the fruit that is minded as a neighbour: what looked little like fruit and is missed since is not."""
        return [t for t in self.crop.targets() if t.score >= DOUBTED or self.missed[t.id] <= t.sightings]

    def eye(self) -> Vector:
        """Return where the camera is at a pre-grasp pose, in the frame of the tool at the grasp [m], shape (3,)."""
        mount = np.zeros(3) if self.camera is None else self.camera.T_tool_camera[:3, 3]
        back: Vector = mount - [0.0, 0.0, self.settings.standoff]
        return back

    def shown(self, start: float, end: float) -> bool:
        """Return whether the pictures showed enough of a stretch of the row, world x [m]."""
        if self.coverage is None:
            return False
        return self.coverage.share(start, end, self.body.now() - REMEMBERED) >= self.settings.shown_enough

    def view_spared(self) -> bool:
        """Return whether the next view of the survey would show nothing new."""
        if self.camera is None or not self.views:
            return False
        aim, half = aim_of(self.views[0], self.camera, self.settings.crop_front), 0.5 * self.settings.survey_step
        return self.shown(max(aim - half, self.job.window.start), min(aim + half, self.job.window.end))

    def next_view(self) -> Pose:
        """Return the pose of the next view, moved along the row to where most is to be seen that was not shown yet."""
        pose, missing = self.views[0], self._not_shown()
        if self.camera is None or not missing:
            return pose
        return moved(pose, self.camera, self.settings, missing, float(self.body.tool_pose()[0, 3]))

    def _not_shown(self) -> list[float]:
        """Return places of the segment that no picture showed yet, ascending [m]; none where that is not known."""
        if self.camera is None or self.coverage is None:
            return []
        return self.coverage.missing(self.job.window.start, self.job.window.end, self.body.now() - REMEMBERED)

    def _looked_at(self, target: Target) -> bool:
        """Return whether a berry's place was shown, or is on this side of the middle between last view and next."""
        if not self.views:
            return True
        x = float(target.position[0])
        if self.shown(x - SAME_PLACE, x + SAME_PLACE):
            return True
        if self.looked_from is None:
            return False
        following = float(self.views[0][0, 3])
        middle = 0.5 * (self.looked_from + following)
        return bool((target.position[0] < middle) == (self.looked_from < following))

    def in_punnet(self) -> bool:
        """Return whether the tool is between the punnet's walls or just above."""
        shape = self.punnet.pattern.shape
        at = self.body.tool_pose()[:3, 3] - shape.position
        at[0] -= self.body.joints()[0]
        return bool(np.all(np.abs(at[:2]) < shape.inner[:2] / 2.0) and at[2] < shape.inner[2] + OVER_WALL - 1e-3)

    def departure(self) -> list[Plan]:
        """Return the motion that has to come first: up and out of the punnet, or back out of the leaves."""
        goal, shape = self.body.tool_pose().copy(), self.punnet.pattern.shape
        if self.in_punnet():
            goal[2, 3] = shape.position[2] + shape.inner[2] + OVER_WALL
            return [self.body.plan_line(self.body.joints(), goal, self.settings.retract_speed)]
        deep = goal[1, 3] - (self.settings.crop_front - self.settings.clear_of_crop)
        if deep < DEEP or goal[1, 2] < INWARDS:
            return []
        goal[:3, 3] -= deep / goal[1, 2] * goal[:3, 2]
        try:
            return [self.body.plan_line(self.body.joints(), goal, self.settings.retract_speed)]
        except PlanError:  # the way sideways is judged by itself
            return []

    def go(self, goal: Pose, ready: tuple[Vector, list[Plan]] | None = None) -> Way:
        """Move freely to a pose.

        Args:
            ready: where the arm stood when the plans for this were made, and they; used if it still stands there.
        """
        if ready is not None and float(np.max(np.abs(ready[0] - self.body.joints()))) < STANDS:
            plans = ready[1]
        else:
            first = self.departure()
            start = first[-1].end if first else self.body.joints()
            plans = [*first, self.body.plan(start, goal, self.job.speed)]
        whole = self.body.join(plans)
        leaves = whole.spans[0][1] if len(plans) > 1 else 0.0
        return Way(action=self.body.move(whole), leaves=leaves, duration=whole.duration)

    def is_decided(self, target: Target) -> bool:
        """Return whether this berry, or one that was seen at its place under another id, has its result."""
        if target.id in self.decided:
            return True
        places = [o.target.position for o in self.outcomes]
        return any(float(np.linalg.norm(p - target.position)) < SAME_PLACE for p in places)

    def quota_reached(self) -> bool:
        return 0 < self.job.quota <= sum(o.result is PickResult.OK for o in self.outcomes)

    def ripe_mass(self) -> float:
        """Return the estimated mass of the fruit inside the window [kg]."""
        return sum(t.mass() for t in self.crop.targets() if self.job.window.wants(t))

    def settle(self, target: Target, result: PickResult, *, attempt: Attempt | None = None, detail: str = "") -> None:
        """Record and report what became of a candidate."""
        placed = attempt is not None and attempt.placed
        outcome = Outcome(
            at=self.body.now(),
            target=target,
            result=result,
            attempt=attempt.number if attempt else 0,
            seconds=self.body.monotonic() - attempt.started if attempt and attempt.number else 0.0,
            peak_force=attempt.peak_force if attempt else 0.0,
            mass=target.mass(),
            punnet=self.punnet.id if placed else "",
            detail=detail or (attempt.detail if attempt else ""),
        )
        self.decided[target.id] = result
        self.outcomes.append(outcome)
        if result in CUT_OFF or result is PickResult.LOST_TARGET:  # taken, or not there: in nobody's way
            self.crop.forget(target.id)
        self.report(outcome)
