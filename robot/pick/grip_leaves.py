"""Leaves that touch the fruit: approach, close, cut, let go, and what is verified in between."""

from __future__ import annotations

import math

from py_trees.common import Status

from robot.pick.body import Action
from robot.pick.grasp import Grasp, Pose
from robot.pick.leaf import ActionLeaf, Leaf
from robot.pick.punnet import RELEASE_MARGIN
from robot.pick.result import PickResult
from robot.pick.round import Round
from robot.pick.verify import TOO_HARD, after_close, after_release, still_held

CREEP = 0.9
"""The jaws close in less than this [s]; what moves then still is fruit that gives way."""

NARROW = 0.006
"""Fruit may be so much wider than it looks [m]."""

CLEAR = 0.004
"""Jaws this much wider than the fruit have let go of it [m]."""

BLEND = 0.05
"""An approach becomes slow over this time [s]."""

PUSH_TICKS = 2
"""Open jaws that press on fruit in so many ticks in a row stop."""


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
    """Go straight in on a picture that is fresh at this moment (R6); after a HOLD the picture is not.

    The jaws begin to close shortly before the tool is there, while they are still clear of the fruit.
    """

    _closes_at: float = math.inf
    _pressing: int = 0
    _stopped: bool = False

    def _grasp(self) -> Grasp:
        grasp = self.round.attempt.grasp
        if grasp is None:
            raise ValueError("approach needs a grasp")
        return grasp

    def goal(self) -> Pose:
        return self._grasp().pose

    def tool_speed(self) -> float:
        return self.round.settings.approach_speed * self.round.job.speed

    def _beside(self) -> bool:
        """Return whether a finger pushes a neighbour back on this approach, or one comes between the jaws."""
        grasp = self.round.attempt.grasp
        return grasp is not None and (grasp.push >= self.round.settings.pushes or bool(grasp.caught))

    def begin(self) -> None:
        age = self.round.body.now() - self.round.attempt.seen_from
        if age > self.round.settings.pose_age_max:
            self._again(f"the berry was last seen {age:.2f} s ago, allowed {self.round.settings.pose_age_max:g}")
            return
        self.round.attempt.closing = None
        self._pressing, self._stopped = 0, False
        super().begin()
        self.round.attempt.went_in = True

    def start(self) -> Action | None:
        """Go in; slowly where fruit is beside the way, from where the jaws may meet it, and close only at its end."""
        body, settings = self.round.body, self.round.settings
        if not self._beside():
            way = body.plan_line(body.joints(), self.goal(), self.tool_speed())
            self._closes_at = body.monotonic() + way.duration - self._closing_ahead()
            return body.move(way)
        self._closes_at = math.inf
        parts = [
            (self._grasp().standoff(settings.beside), settings.approach_speed),
            (self.goal(), settings.beside_speed),
        ]
        ways, joints = [], body.joints()
        for goal, speed in parts:
            ways.append(body.plan_line(joints, goal, speed * self.round.job.speed))
            joints = ways[-1].end
        return body.move(body.join(ways, overlap=[BLEND]))

    def step(self) -> Status:
        attempt, body = self.round.attempt, self.round.body
        if attempt.closing is None and body.monotonic() >= self._closes_at:
            attempt.gripped = True
            attempt.closing = body.grip_to(0.0, self.round.job.force)
        if self._stopped:
            return Status.SUCCESS if self.action is None or self.action.done else Status.RUNNING
        if attempt.closing is None and self._beside() and self._pushes():
            return self._stop_short()
        return super().step()

    def _closing_ahead(self) -> float:
        """Return so long before the tool stands the jaws may begin to close [s]: they meet the fruit when it does."""
        room = self._grasp().opening - self.round.attempt.target.diameter - NARROW
        return min(max(0.0, room / self.round.tool.opening_velocity), self.round.settings.close_ahead)

    def _pushes(self) -> bool:
        """Return whether the open jaws have pressed on something for two ticks: fruit that cannot give way."""
        self._pressing = self._pressing + 1 if self.round.body.grip().force > self.round.settings.push_force else 0
        return self._pressing >= PUSH_TICKS

    def _stop_short(self) -> Status:
        """Close the jaws here where they have the berry already, else try from another side."""
        self.halt()
        depth = depth_in_crop(self.round)
        if depth >= -self.round.settings.short:
            self._stopped = True  # it closes once the arm stands
            return Status.RUNNING
        force = self.round.body.grip().force
        where = f"{-depth * 1e3:.0f} mm before the berry"
        return self.fail(PickResult.COLLISION_RISK, f"a neighbour was pushed with {force:.1f} N, {where}")

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
        attempt = self.round.attempt
        attempt.gripped = True
        under_way, attempt.closing = attempt.closing, None
        return under_way or self.round.body.grip_to(0.0, self.round.job.force)

    def finish(self) -> Status:
        grip, attempt = self.round.body.grip(), self.round.attempt
        attempt.width = grip.opening
        result = after_close(grip, attempt.target, self.round.job.force)
        if result is not PickResult.OK:
            return self.fail(result, f"opening {grip.opening * 1000:.1f} mm, force {grip.force:.2f} N after closing")
        return Status.SUCCESS

    def step(self) -> Status:
        """Judge at once jaws that press too hard, and after a while those that creep on soft fruit."""
        squeezes = self.round.body.grip().force > TOO_HARD * self.round.job.force
        if squeezes or self.round.body.monotonic() - self._began > CREEP:
            return self.finish()
        return super().step()


class Cut(ActionLeaf):
    """Sweep the blade once; the fruit must still be held afterwards."""

    def start(self) -> Action | None:
        return self.round.body.cut()

    def finish(self) -> Status:
        return verify_held(self)


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
