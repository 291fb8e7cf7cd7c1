"""Leaves that clean up: let go, back out, decide what became of a candidate, lay down what a stop left in the jaws."""

from __future__ import annotations

from dataclasses import replace

from py_trees.common import Status

from robot.pick.body import Action
from robot.pick.grasp import Grasp, Pose, from_where_seen
from robot.pick.grip_leaves import Line, depth_in_crop
from robot.pick.leaf import ActionLeaf, Leaf
from robot.pick.punnet import RELEASE_MARGIN
from robot.pick.result import ENDS_THE_SEGMENT, RETRY_FROM_ANOTHER_ANGLE, PickResult
from robot.pick.round import Attempt, Round
from robot.pick.verify import NOTHING_BELOW, holds

SEEN = (PickResult.LOST_TARGET, PickResult.TWO_STEMS, PickResult.COLLISION_RISK)
"""Reasons that a look from another side may take away; no attempt is lost before the tool has gone in."""

HELD = 0
"""The number of a berry that was in the jaws when a harvest began; tracks count from 1."""


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
        if attempt.placed:
            return self._laid_down(attempt, f"{result} on the way, {detail}")
        if result in SEEN and not attempt.went_in and attempt.looks < self.round.settings.looks:
            attempt.looks += 1
            attempt.number -= 1
        again = result in RETRY_FROM_ANOTHER_ANGLE and attempt.number < self.round.settings.attempts and attempt.ways
        if again and self.round.stopped is None:
            self._first.setdefault(attempt.target.id, (result, detail))
            if result is PickResult.LOST_TARGET:
                attempt.ways = from_where_seen(attempt.ways, attempt.target, self.round.eye())
            return Status.SUCCESS
        attempt.detail = detail
        self.round.settle(attempt.target, result, attempt=attempt)
        self.round.current = None
        return Status.SUCCESS

    def _laid_down(self, attempt: Attempt, detail: str) -> Status:
        """Count fruit that lies in the punnet although its way there did not end well."""
        attempt.detail = detail
        self.round.settle(attempt.target, PickResult.OK, attempt=attempt)
        self.round.current = None
        self.round.punnet.begin()
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
        wider = min(round_.tool.opening_max, grip.opening + RELEASE_MARGIN)  # or it could never be let go again
        here = Grasp(pose=pose, opening=wider, yaw=0.0, pitch=0.0, cost=0.0, crowding=0.0, stems=())
        round_.current = Attempt(
            target=target, number=1, started=body.monotonic(), width=grip.opening, grasp=here, gripped=True
        )
        return Status.SUCCESS


class OpenWide(ActionLeaf):
    """Let go of what is between the jaws, so that nothing is torn; what falls into the punnet is counted there.

    They open no wider than they came in: what hangs beside them would come out with them.
    """

    blames = False
    _over_punnet: bool = False

    def start(self) -> Action | None:
        attempt = self.round.current
        if attempt is None or not attempt.gripped or attempt.result in ENDS_THE_SEGMENT:
            return None
        grip = self.round.body.grip()
        self._over_punnet = self.round.in_punnet() and holds(grip)
        if grip.opening < NOTHING_BELOW and not holds(grip):  # closed and empty, they come out past everything
            return None
        opening = self.round.tool.opening_max if attempt.grasp is None else max(attempt.grasp.opening, grip.opening)
        return self.round.body.grip_to(opening, self.round.job.force)

    def finish(self) -> Status:
        attempt = self.round.current
        let_go = self._over_punnet and not holds(self.round.body.grip())
        if attempt is not None and self.action is not None and let_go:
            attempt.placed = True
            self.round.punnet.add(attempt.target.mass())
        return Status.SUCCESS


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
