"""Leaves that look and choose: survey views, ranking, the way to a berry, the second look."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from py_trees.common import Status

from robot.pick.body import Action, Look, Plan, PlanError
from robot.pick.grasp import Grasp, grasps
from robot.pick.leaf import ActionLeaf, Leaf
from robot.pick.push import knocks
from robot.pick.result import CUT_OFF, PickResult
from robot.pick.round import Attempt, Round
from robot.pick.target import Target, Vector

log = logging.getLogger(__name__)

NEAR_MISS = 0.15
"""Fruit that is this far below the window is reported as a candidate that was not ripe."""

PINNED = 0.002
"""Fruit that a finger pushes further than there is room before a wall is bruised [m]; so much less is told by sight."""

REOPENS = 1e-3
"""The jaws go in as wide as the look from near by asks for, where that is so much different [m]."""

CROWDED = (PickResult.COLLISION_RISK, PickResult.TWO_STEMS)
"""Reasons that may be gone once the neighbours are picked; such a candidate waits until the others are done."""

MARGIN = 0.02
"""Fruit must look so much riper than the window's lower end: what is left today is riper at the next visit."""

WELL = 0.5
"""Score of a berry that was seen well, 0-1."""

ALIKE = 0.35
"""Two looks at one berry differ by less than this in ripeness."""


class ViewDue(Leaf):
    """Succeed when the next picture of the survey is due: what the ones before it showed well enough is picked."""

    def step(self) -> Status:
        return Status.SUCCESS if self.round.view_due() else Status.FAILURE


class MoveToView(ActionLeaf):
    """Go where the next survey picture is taken, and ask for it shortly before.

    A view out of reach is left out, and one that would show nothing new.
    """

    _looks_at: float

    def start(self) -> Action | None:
        self.round.view = None
        while self.round.views and not self.round.view_spared():
            try:
                way = self.round.go(self.round.next_view())
            except PlanError as error:
                log.warning("a view of the survey is left out: %s", error)
                self.round.views.pop(0)
                continue
            self._looks_at = self.round.body.monotonic() + way.duration - self.round.settings.look_ahead
            return way.action
        return None

    def step(self) -> Status:
        if self.action is not None and self.round.view is None and self.round.body.monotonic() >= self._looks_at:
            self.round.view = self.round.body.look()
        return super().step()


class LookAround(ActionLeaf):
    """Take a picture and merge it into what is known of the crop."""

    look: Look | None

    def start(self) -> Action | None:
        early, self.round.view, self.look = self.round.view, None, None
        if not self.round.views or (early is None and self.round.view_spared()):
            return None
        self.look = early or self.round.body.look()
        return self.look

    def finish(self) -> Status:
        if self.round.views:
            if self.look is None:
                self.round.looked += 1
            elif self.look.sighting.image_ok:
                self.round.see(self.look.sighting)
                self.round.looked += 1
            self.round.looked_from = float(self.round.views.pop(0)[0, 3])
        return Status.SUCCESS


class Count(Leaf):
    """After the last view, count what the survey saw, and report nearly ripe fruit as a candidate that was not."""

    def step(self) -> Status:
        if self.round.views:
            return Status.SUCCESS
        window = self.round.job.window
        for outcome in self.round.outcomes:
            if outcome.result in CUT_OFF:  # taken between two views
                self.round.counted[outcome.target.stage] += 1
                self.round.counted["in_window"] += 1
        for target in self.round.crop.targets():
            if not window.covers(target):
                continue
            self.round.counted[target.stage] += 1
            self.round.counted["in_window"] += window.ripe(target)
            nearly = window.ripeness_min - NEAR_MISS <= target.ripeness
            if nearly and not window.near(target) and not self.round.is_decided(target):
                self.round.settle(target, PickResult.NOT_RIPE, detail=f"ripeness {target.ripeness:.2f}, {target.stage}")
        self.round.report_count(self.round.counted)
        return Status.SUCCESS


class ChooseNext(Leaf):
    """Take the next candidate and the best way to it; candidates nothing can reach are reported and skipped."""

    def step(self) -> Status:
        if self.round.current is None:
            target = self.round.next_candidate()
            if target is None:
                return Status.FAILURE
            self.round.current = Attempt(target=target, started=self.round.body.monotonic())
        attempt = self.round.current
        if not attempt.ways:
            attempt.ways = grasps(attempt.target, self.round.around(), self.round.tool, self.round.walls)
        reason = self._choose_way(attempt)
        if reason is None:
            attempt.number += 1
            attempt.went_in = False
            return Status.SUCCESS
        untried = attempt.number == attempt.looks == 0
        if untried and reason.result in CROWDED and attempt.target.id not in self.round.deferred:
            self.round.deferred.add(attempt.target.id)  # picking its neighbours may make room
            self.round.current = None
            return Status.FAILURE
        tried = None if untried else attempt
        self.round.settle(
            attempt.target, attempt.result if tried else reason.result, attempt=tried, detail=reason.detail
        )
        self.round.current = None
        return Status.FAILURE

    def _choose_way(self, attempt: Attempt) -> PlanError | None:
        """Take the first way that is clear enough and within reach; return why there is none."""
        settings, body = self.round.settings, self.round.body
        first = self.round.departure()
        start = first[-1].end if first else body.joints()
        reason = PlanError(PickResult.COLLISION_RISK, "neighbours on every side")
        while attempt.ways:
            way = attempt.ways.pop(0)
            if way.crowding > settings.crowding_max:
                continue
            if way.walled > 0.0:
                reason = PlanError(PickResult.COLLISION_RISK, "a finger would meet what stands behind the fruit")
                continue
            if way.pinned > PINNED:
                reason = PlanError(PickResult.COLLISION_RISK, "a finger would press a neighbour against what is behind")
                continue
            if way.surely or (way.stems and attempt.target.id not in self.round.deferred):
                reason = PlanError(PickResult.TWO_STEMS, f"peduncle or flesh of {way.stems[0]} under the blade")
                continue
            if way.caught and attempt.target.id not in self.round.deferred:
                reason = PlanError(PickResult.COLLISION_RISK, f"berry {way.caught[0]} would come between the jaws")
                continue
            try:
                there = self._way_to(way, start)
                body.plan_line(there[-1].end, way.pose, settings.approach_speed)
            except PlanError as error:
                reason = error
                continue
            attempt.grasp, attempt.ready = way, (body.joints(), [*first, *there])
            attempt.ways = [w for w in attempt.ways if (w.yaw, w.pitch) != (way.yaw, way.pitch)]
            return None
        return reason

    def _way_to(self, grasp: Grasp, start: Vector) -> list[Plan]:
        """Return the way to the pre-grasp pose: straight there, or in from further out where it would knock fruit."""
        round_, settings = self.round, self.round.settings
        there = round_.body.plan(start, grasp.standoff(settings.standoff), round_.job.speed)
        if not knocks(round_.body.tool_way(there), round_.around(), round_.tool, grasp.opening):
            return [there]
        try:
            out = round_.body.plan(start, grasp.standoff(settings.standoff + settings.further), round_.job.speed)
            into = round_.body.plan_line(out.end, grasp.standoff(settings.standoff), settings.retract_speed)
        except PlanError:
            return [there]
        return [out, into]


class MoveToStandoff(ActionLeaf):
    """Go to the pre-grasp pose; the jaws open on the way, once they have left the punnet.

    The picture there is asked for shortly before the arm stands: the joints at its exposure are known.
    """

    _opens_at: float | None
    _looks_at: float

    def start(self) -> Action | None:
        attempt = self.round.attempt
        way = self.round.go(_grasp_of(self.round).standoff(self.round.settings.standoff), attempt.ready)
        now = self.round.body.monotonic()
        self._opens_at = now + way.leaves
        self._looks_at = now + way.duration - self.round.settings.look_ahead
        self.round.attempt.look = None
        return way.action

    def step(self) -> Status:
        if self.round.attempt.look is None and self.round.body.monotonic() >= self._looks_at:
            self.round.attempt.look = self.round.body.look()
        if self._opens_at is not None and self.round.body.monotonic() >= self._opens_at:
            self._opens_at = None
            self.round.body.grip_to(_grasp_of(self.round).opening, self.round.job.force)
        return super().step()


class LookAgain(ActionLeaf):
    """Look from near by, find the berry again and correct the grasp; a surprising place is looked at once more."""

    look: Look
    _looks: int
    _before: Target

    def _doubtful(self, target: Target) -> bool:
        """Return whether this look and the one before it disagree, at most twice."""
        before, self._before = self._before, target
        self._looks += 1
        return self._looks < 3 and _distance(target, before) > self.round.settings.relook_agree

    def start(self) -> Action | None:
        self._looks, self._before = 0, self.round.attempt.target
        early, self.round.attempt.look = self.round.attempt.look, None
        self.look = early or self.round.body.look()
        return self.look

    def finish(self) -> Status:
        sighting, attempt, crop = self.look.sighting, self.round.attempt, self.round.crop
        if not sighting.image_ok:
            return self.fail(PickResult.LOST_TARGET, f"picture refused: {sighting.fault}")
        shown = self.round.see(sighting)  # what else it shows is a view of the crop as good as any
        target = find_again(attempt.target, shown, self.round.settings.relook_shift)
        if target is None and self._believed(attempt):
            if not self._ripe_enough(attempt.target):
                return self.fail(PickResult.NOT_RIPE, f"ripeness {attempt.target.ripeness:.2f} from afar, then hidden")
            attempt.seen_from = sighting.stamp  # a leaf gives way to the jaws; if the fruit is gone, they close empty
            return self._settle_grasp(attempt.target)
        if target is None:
            return self.fail(PickResult.LOST_TARGET, f"not among the {len(shown)} berries seen from near by")
        if target.id != attempt.target.id:  # one fruit under two names: half hidden, it was placed too far off
            crop.forget(attempt.target.id)
        if attempt.result is PickResult.SLIPPED:
            attempt.hangs = True
        if self._doubtful(target):
            self.look = self.round.body.look()
            self.action, self._ended = self.look, None
            return Status.RUNNING
        typical = self.round.typical_length()
        target = replace(target.completed(attempt.target).not_below(typical), ripeness=self._ripeness(target))
        attempt.target, attempt.seen_from = target, sighting.stamp
        if not self._ripe_enough(attempt.target):
            return self.fail(PickResult.NOT_RIPE, f"ripeness {attempt.target.ripeness:.2f} over all looks")
        return self._settle_grasp(attempt.target)

    def _believed(self, attempt: Attempt) -> bool:
        """Return whether a berry that cannot be seen from here is there: seen often, or well and now from nowhere."""
        target, settings = attempt.target, self.round.settings
        if attempt.number != 1:
            return False
        return target.sightings >= settings.sure or (attempt.looks == settings.looks and target.score >= WELL)

    def _ripe_enough(self, target: Target) -> bool:
        return target.ripeness >= self.round.job.window.ripeness_min + MARGIN

    def _ripeness(self, target: Target) -> float:
        """Return the ripeness over all looks at a berry, under both its names if it had two."""
        known, before = self.round.crop.get(target.id), self.round.attempt.target
        ripeness = target.ripeness if known is None else known.ripeness
        return ripeness if target.id == before.id else 0.5 * (ripeness + before.ripeness)

    def _settle_grasp(self, target: Target) -> Status:
        """Correct the grasp for where the berry is now; refuse one that would cut a neighbour."""
        attempt = self.round.attempt
        ways = grasps(target, self.round.around(), self.round.tool, self.round.walls)
        before = _grasp_of(self.round).opening
        attempt.grasp = same_way(_grasp_of(self.round), ways)
        if attempt.grasp.surely:
            return self.fail(
                PickResult.TWO_STEMS, f"berry {attempt.grasp.surely[0]} under the blade, seen from near by"
            )
        if attempt.grasp.pinned > PINNED:
            return self.fail(PickResult.COLLISION_RISK, "a neighbour would be pressed against what is behind it")
        if abs(attempt.grasp.opening - before) > REOPENS:
            self.round.body.grip_to(attempt.grasp.opening, self.round.job.force)
        return Status.SUCCESS


def find_again(target: Target, shown: Sequence[Target], shift: float) -> Target | None:
    """Return the berry among `shown` that is `target`: the same track, else the nearest that is alike.

    Args:
        shift: largest distance [m]; three quarters of it where the track is another one.
    """
    same = [t for t in shown if t.id == target.id and _distance(t, target) < shift]
    alike = [t for t in shown if abs(t.ripeness - target.ripeness) < ALIKE and _distance(t, target) < 0.75 * shift]
    found = same or sorted(alike, key=lambda t: _distance(t, target))
    return found[0] if found else None


def _distance(a: Target, b: Target) -> float:
    return float(np.linalg.norm(a.position - b.position))


def same_way(before: Grasp, now: list[Grasp]) -> Grasp:
    """Return the corrected grasp from the same angle, with the better opening; the robot already stands there."""
    return next(g for g in now if (g.yaw, g.pitch) == (before.yaw, before.pitch))


def _grasp_of(round_: Round) -> Grasp:
    grasp = round_.attempt.grasp
    if grasp is None:
        raise ValueError("no grasp chosen: ChooseNext must succeed before the robot moves to a berry")
    return grasp
