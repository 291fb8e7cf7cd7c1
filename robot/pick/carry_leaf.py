"""The way of held fruit from the crop into the punnet, with every way out tried before it is let go."""

from __future__ import annotations

import math

from py_trees.common import Status

from robot.pick.body import Action, Plan, PlanError
from robot.pick.grasp import Grasp, Pose, lift_over, way_out
from robot.pick.grip_leaves import depth_in_crop, verify_held
from robot.pick.leaf import ActionLeaf
from robot.pick.result import PickResult
from robot.pick.target import Vector
from robot.pick.verify import holds, still_held, touches_down

BEGUN = 0.010
"""A way out of the crop that is already this far along is not lifted any more [m]."""

CARRY_TRIES = 2
"""A motion that was aborted while the fruit is held is planned anew from where the tool is so many times."""

LOST_TICKS = 3
"""The grip must be missing in so many ticks in a row before the fruit counts as lost."""


class Carry(ActionLeaf):
    """Take the fruit out of the crop, over its place in the punnet and down; watch on the way that it is still held.

    It ends early where the fruit touches something below, and fails at once where it is lost.
    """

    _lowers_at: float = math.inf
    _lets_go_at: float = math.inf
    _lost: int = 0
    _tries: int = 0

    def initialise(self) -> None:
        self._tries = 0
        super().initialise()

    def start(self) -> Action | None:
        """Plan the way from where the tool is; after a HOLD that may be anywhere on it."""
        body, settings = self.round.body, self.round.settings
        self._lost, self._lowers_at, self._lets_go_at = 0, math.inf, math.inf
        joints = body.joints()
        if self.round.in_punnet():
            self._lowers_at = body.monotonic()
            return body.move(body.plan_line(joints, self._pose(joints, above=False), settings.lower_speed))
        reason = PlanError(PickResult.PLACE_FAIL)
        for up, back in self._out_of_crop():
            try:
                first = self._straight(joints, up, back)
                return body.move(self._whole(first, first[-1].end if first else joints))
            except PlanError as error:
                reason = PlanError(PickResult.PLACE_FAIL, error.detail)
        raise reason

    def _whole(self, first: list[Plan], joints: Vector) -> Plan:
        """Return the way out of the crop, over the place in the punnet and down, at the first tilt that reaches."""
        body, attempt, settings = self.round.body, self.round.attempt, self.round.settings
        reason = PlanError(PickResult.PLACE_FAIL)
        for attempt.tilt in settings.place_tilts:
            try:
                over = body.plan(joints, self._pose(joints, above=True), self.round.job.speed, rail=float(joints[0]))
                down = body.plan_line(over.end, self._pose(joints, above=False), settings.lower_speed)
            except PlanError as error:
                reason = error
                continue
            corners = [settings.lift_overlap, settings.swing_overlap][-len(first) :] if first else []
            whole = body.join(
                [*first, over, down],
                overlap=[*corners, settings.lower_overlap],
                over_wall=self.round.punnet.pattern.over_wall(attempt.target),
            )
            self._lowers_at = body.monotonic() + whole.spans[-1][0]
            self._lets_go_at = body.monotonic() + whole.duration - settings.release_ahead
            return whole
        raise reason

    def _out_of_crop(self) -> list[tuple[float, float]]:
        """Return how far up [m] and then back along the approach [m] the tool may leave the crop, the best first.

        Up over fruit that the held one would drag along, and back past what hangs in the way down. Where there is no
        such way the fruit, which is cut, is not let go: it comes out as the tool went in, and in the end at once.
        """
        round_, settings = self.round, self.round.settings
        deep = depth_in_crop(round_)
        if deep <= -settings.retract + 0.005:
            return [(0.0, 0.0)]
        grasp, held, around = self._grasp(), round_.attempt.target, round_.around()
        far = way_out(held, around, grasp, round_.tool, settings.retract)
        up = lift_over(held, around, grasp) if deep >= -BEGUN else 0.0
        ways = [(up, far), (up, settings.retract), (0.0, far), (0.0, settings.retract), (0.0, 0.0)]
        return list(dict.fromkeys(ways))

    def _straight(self, joints: Vector, up: float, far: float) -> list[Plan]:
        """Return the straight part of the way out; none where it is not to go back at all."""
        body, settings = self.round.body, self.round.settings
        if far == 0.0:
            return []
        back = self._grasp().standoff(far)
        if up == 0.0:
            return [body.plan_line(joints, back, settings.retract_speed)]
        lifted = body.tool_pose().copy()
        lifted[2, 3] += up
        back[2, 3] += up
        first = body.plan_line(joints, lifted, settings.approach_speed)
        then = body.plan_line(first.end, back, settings.retract_speed)
        return [first, then]

    def _grasp(self) -> Grasp:
        grasp = self.round.attempt.grasp
        if grasp is None:
            raise ValueError("expected a grasp before the fruit is carried")
        return grasp

    def fail(self, result: PickResult, detail: str) -> Status:
        """Go on from here while the fruit is held; give the place up when it may have fallen into it."""
        held = holds(self.round.body.grip())
        if result is PickResult.TIMEOUT and held and self._tries < CARRY_TRIES and self.action is not None:
            self._tries += 1
            self._began = self.round.body.monotonic()
            self._try(self.begin)
            return Status.FAILURE if self._failed else Status.RUNNING
        if not held and self.round.body.monotonic() >= self._lowers_at:
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
        if body.monotonic() >= self._lets_go_at and self.action is not None and not self.action.error:
            return self.finish()
        return super().step()

    def finish(self) -> Status:
        return verify_held(self)

    def _pose(self, joints: Vector, *, above: bool) -> Pose:
        attempt, punnet = self.round.attempt, self.round.punnet
        height = punnet.pattern.height_over_wall(punnet.place, attempt.target) if above else 0.0
        return punnet.pattern.pose(punnet.place, attempt.target, float(joints[0]), tilt=attempt.tilt, above=height)
