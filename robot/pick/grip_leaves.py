"""Leaves that touch the fruit: approach, close, cut, retract, lay down, and what is verified in between."""

from __future__ import annotations

import math
from dataclasses import replace

from py_trees.common import Status

from robot.pick.body import Action, PlanError
from robot.pick.grasp import Grasp, Pose
from robot.pick.leaf import ActionLeaf, Leaf
from robot.pick.punnet import RELEASE_MARGIN
from robot.pick.result import ENDS_THE_SEGMENT, RETRY_FROM_ANOTHER_ANGLE, PickResult
from robot.pick.round import Attempt, Round
from robot.pick.target import Vector
from robot.pick.verify import after_close, after_release, holds, still_held, touches_down

CREEP = 0.9
"""The jaws close in less than this [s]; what moves then still is fruit that gives way."""

HELD = 0
"""The number of a berry that was in the jaws when a harvest began; tracks count from 1."""

CLEAR = 0.006
"""Jaws this much wider than the fruit have let go of it [m]."""

LOST_TICKS = 3
"""The grip must be missing in so many ticks in a row before the fruit counts as lost."""


class Line(ActionLeaf):
    """Straight motion of the tool to the pose `goal()` gives."""

    def goal(self) -> Pose:
        raise NotImplementedError

    def tool_speed(self) -> float:
        return self.round.settings.retract_speed * self.round.job.speed

    def start(self) -> Action | None:
        body = self.round.body
        return body.move(body.plan_line(body.joints(), self.goal(), self.tool_speed()))


class Approach(Line):
    """Go straight in on a picture that is fresh at this moment (R6); after a HOLD the picture is not."""

    def goal(self) -> Pose:
        grasp = self.round.attempt.grasp
        if grasp is None:
            raise ValueError("approach needs a grasp")
        return grasp.pose

    def tool_speed(self) -> float:
        return self.round.settings.approach_speed * self.round.job.speed

    def begin(self) -> None:
        age = self.round.body.now() - self.round.attempt.seen_from
        if age > self.round.settings.pose_age_max:
            self._again(f"the berry was last seen {age:.2f} s ago, allowed {self.round.settings.pose_age_max:g}")
            return
        super().begin()

    def resume(self) -> None:
        self._again("held during the approach")

    def _again(self, why: str) -> None:
        attempt = self.round.attempt
        if attempt.interruptions < self.round.settings.interruptions:
            attempt.interruptions += 1
            attempt.number -= 1
            attempt.ways.insert(0, attempt.grasp) if attempt.grasp else None
        self.fail(PickResult.TIMEOUT, why)


class Close(ActionLeaf):
    """Close the jaws with limited force and judge what is between them."""

    def start(self) -> Action | None:
        self.round.attempt.gripped = True
        return self.round.body.grip_to(0.0, self.round.job.force)

    def finish(self) -> Status:
        grip, attempt = self.round.body.grip(), self.round.attempt
        attempt.width = grip.opening
        result = after_close(grip, attempt.target, self.round.job.force)
        if result is not PickResult.OK:
            return self.fail(result, f"opening {grip.opening * 1000:.1f} mm, force {grip.force:.2f} N after closing")
        return Status.SUCCESS

    def step(self) -> Status:
        """Judge jaws that creep on soft fruit after a while instead of waiting for them to stand still."""
        if self.round.body.monotonic() - self._began > CREEP:
            return self.finish()
        return super().step()


class Cut(ActionLeaf):
    """Sweep the blade once; the fruit must still be held afterwards."""

    def start(self) -> Action | None:
        return self.round.body.cut()

    def finish(self) -> Status:
        return verify_held(self)


class Carry(ActionLeaf):
    """Take the fruit out of the crop, over its place in the punnet and down; watch on the way that it is still held.

    It ends early where the fruit touches something below, and fails at once where it is lost.
    """

    _lowers_at: float = math.inf
    _lost: int = 0

    def start(self) -> Action | None:
        """Plan the way from where the tool is; after a HOLD that may be anywhere on it."""
        body, attempt, settings = self.round.body, self.round.attempt, self.round.settings
        self._lost, self._lowers_at = 0, math.inf
        joints = body.joints()
        if self.round.in_punnet():
            self._lowers_at = body.monotonic()
            return body.move(body.plan_line(joints, self._pose(joints, above=False), settings.lower_speed))
        first = []
        if depth_in_crop(self.round) > -settings.retract + 0.005:
            first = [body.plan_line(joints, self._grasp().standoff(settings.retract), settings.retract_speed)]
            joints = first[0].end
        reason = PlanError(PickResult.PLACE_FAIL)
        for attempt.tilt in settings.place_tilts:
            try:
                over = body.plan(joints, self._pose(joints, above=True), self.round.job.speed, rail=float(joints[0]))
                down = body.plan_line(over.end, self._pose(joints, above=False), settings.lower_speed)
            except PlanError as error:
                reason = PlanError(PickResult.PLACE_FAIL, error.detail)
                continue
            whole = body.join([body.join([*first, over]), down], overlap=settings.lower_overlap)
            self._lowers_at = body.monotonic() + whole.duration - down.duration
            return body.move(whole)
        raise reason

    def _grasp(self) -> Grasp:
        grasp = self.round.attempt.grasp
        if grasp is None:
            raise ValueError("expected a grasp before the fruit is carried")
        return grasp

    def fail(self, result: PickResult, detail: str) -> Status:
        """Give the place up when the fruit may have fallen into it."""
        if self.round.body.monotonic() >= self._lowers_at:
            self.round.punnet.skip_place()
        return super().fail(result, detail)

    def step(self) -> Status:
        body, attempt = self.round.body, self.round.attempt
        grip = body.grip()
        lowering = body.monotonic() >= self._lowers_at
        if lowering and touches_down(grip, attempt.width, self.round.job.force):
            self.halt()
            return Status.SUCCESS
        if not lowering and still_held(grip, attempt.width) is not PickResult.OK:
            self._lost += 1
            if self._lost >= LOST_TICKS:
                self.halt()
                return verify_held(self)
        return super().step()

    def finish(self) -> Status:
        return verify_held(self)

    def _pose(self, joints: Vector, *, above: bool) -> Pose:
        settings, attempt, punnet = self.round.settings, self.round.attempt, self.round.punnet
        height = settings.place_above if above else 0.0
        return punnet.pattern.pose(punnet.place, attempt.target, float(joints[0]), tilt=attempt.tilt, above=height)


class Release(ActionLeaf):
    """Open the jaws a little and see that nothing is left between them."""

    error_result = PickResult.PLACE_FAIL

    def step(self) -> Status:
        """Leave while the jaws still open, once they are clear of the fruit."""
        grip, width = self.round.body.grip(), self.round.attempt.width
        if grip.opening >= width + CLEAR and after_release(grip, width) is PickResult.OK:
            return self.finish()
        return super().step()

    def start(self) -> Action | None:
        attempt = self.round.attempt
        opening = min(self.round.tool.opening_max, attempt.width + RELEASE_MARGIN)
        return self.round.body.grip_to(opening, self.round.job.force)

    def finish(self) -> Status:
        attempt, grip = self.round.attempt, self.round.body.grip()
        result = after_release(grip, attempt.width)
        if result is not PickResult.OK:
            return self.fail(result, f"opening {grip.opening * 1000:.1f} mm, force {grip.force:.2f} N after opening")
        attempt.placed = True
        attempt.gripped = False
        self.round.punnet.add(attempt.target.mass())
        return Status.SUCCESS


class Conclude(Leaf):
    """Record a berry that was picked and placed."""

    def update(self) -> Status:
        attempt = self.round.attempt
        attempt.detail = ""
        self.round.settle(attempt.target, PickResult.OK, attempt=attempt)
        self.round.current = None
        self.round.punnet.begin()
        return Status.SUCCESS


class GiveUp(Leaf):
    """Decide after a failed attempt: once more from another angle, or record it and go on."""

    def __init__(self, name: str, round_: Round, timeout: float) -> None:
        super().__init__(name, round_, timeout)
        self._first: dict[int, tuple[PickResult, str]] = {}

    def update(self) -> Status:
        attempt = self.round.current
        if attempt is None:
            return Status.SUCCESS
        result, detail = self._reason(attempt)
        if result in ENDS_THE_SEGMENT and attempt.gripped:
            self.round.punnet.held = attempt.target
        attempt.gripped = False
        again = result in RETRY_FROM_ANOTHER_ANGLE and attempt.number < self.round.settings.attempts and attempt.ways
        if again and self.round.stopped is None:
            self._first.setdefault(attempt.target.id, (result, detail))
            if result is PickResult.LOST_TARGET:  # what hides it hangs above: look from below
                attempt.ways.sort(key=lambda way: -way.pitch)
            return Status.SUCCESS
        attempt.detail = detail
        self.round.settle(attempt.target, result, attempt=attempt)
        self.round.current = None
        return Status.SUCCESS

    def _reason(self, attempt: Attempt) -> tuple[PickResult, str]:
        """Return the reason to report: a berry not found on the retry was lost for the first attempt's reason."""
        first = self._first.get(attempt.target.id)
        if first is not None and attempt.result is PickResult.LOST_TARGET:
            return first[0], f"{first[1]}; then not found again"
        if attempt.hangs and attempt.result is PickResult.SLIPPED:
            return PickResult.MISSED_STEM, f"{attempt.detail}; it still hung there after the first cut"
        return attempt.result, attempt.detail


class StillHolding(Leaf):
    """Succeed when a harvest begins with the fruit between the jaws that a stop left there: it is laid down first.

    If its stem was not cut yet it slips out of the jaws on the way back.
    """

    def step(self) -> Status:
        body, round_ = self.round.body, self.round
        grip = body.grip()
        held, round_.punnet.held = round_.punnet.held, None
        if held is None or not holds(grip):
            return Status.FAILURE
        pose = body.tool_pose()
        target = replace(held, id=HELD, position=pose[:3, 3])
        here = Grasp(pose=pose, opening=grip.opening, yaw=0.0, pitch=0.0, cost=0.0, crowding=0.0, stems=())
        round_.current = Attempt(
            target=target, number=1, started=body.monotonic(), width=grip.opening, grasp=here, gripped=True
        )
        return Status.SUCCESS


class OpenWide(ActionLeaf):
    """Let go of whatever is between the jaws; part of backing out, so that nothing is torn."""

    blames = False

    def start(self) -> Action | None:
        attempt = self.round.current
        if attempt is None or not attempt.gripped or attempt.result in ENDS_THE_SEGMENT:
            return None
        return self.round.body.grip_to(self.round.tool.opening_max, self.round.job.force)


class BackOut(Line):
    """Leave the crop the way the tool came; nothing to do when it is not inside."""

    blames = False

    def goal(self) -> Pose:
        attempt = self.round.current
        if attempt is None or attempt.grasp is None:
            return self.round.body.tool_pose()
        return attempt.grasp.standoff(self.round.settings.standoff)

    def start(self) -> Action | None:
        if self.round.stopped is not None or depth_in_crop(self.round) < -self.round.settings.standoff + 0.005:
            return None
        return super().start()


def depth_in_crop(round_: Round) -> float:
    """Return how far the tool is along the approach, 0 at the grasp [m]; far behind it when there is none."""
    attempt = round_.current
    if attempt is None or attempt.grasp is None:
        return -1.0
    offset = round_.body.tool_pose()[:3, 3] - attempt.grasp.pose[:3, 3]
    return float(offset @ attempt.grasp.pose[:3, 2])


def verify_held(leaf: Leaf) -> Status:
    """Return success while the fruit is between the pads, else fail the leaf with `SLIPPED`."""
    grip, attempt = leaf.round.body.grip(), leaf.round.attempt
    result = still_held(grip, attempt.width)
    if result is PickResult.OK:
        return Status.SUCCESS
    widths = f"opening {grip.opening * 1000:.1f} of {attempt.width * 1000:.1f} mm"
    return leaf.fail(result, f"{widths}, force {grip.force:.2f} N after {leaf.name}")
