"""The picker: serves `harvest` for one bed segment by ticking the picking tree, and reports every candidate."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
from py_trees.common import Status

from robot.arms import ArmDescription
from robot.collision import Box, Obstacles, World, carriage
from robot.nodes.convert import RELIABLE, header, point
from robot.nodes.heartbeat import Heartbeat
from robot.nodes.picker_body import RosBody
from robot.nodes.row_lease import RowClaim
from robot.pick.body import Action, PlanError
from robot.pick.candidates import Window
from robot.pick.crop import RowCrop
from robot.pick.punnet import PlacePattern
from robot.pick.reach import Reach, ReachSettings
from robot.pick.result import Outcome, PickResult
from robot.pick.room import waits_for_room, work_left
from robot.pick.round import Job, PunnetInUse, Round
from robot.pick.settings import PickSettings
from robot.pick.shown import Coverage
from robot.pick.survey import survey_views
from robot.pick.tree import picking_tree
from robot.ros.action import ActionServer, CancelResponse, GoalResponse, ServerGoalHandle
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from robot.ros.task import Future
from telemetry.clock import Clock
from vision.types import Stage

log = logging.getLogger(__name__)

FEEDBACK_TICKS = 5
CAMERA_AGE = 8.0
"""A survey whose camera gives no picture for so long is given up [s]."""


MOVES = 0.02
"""Less than this is no way to go [m]."""

AGAIN = 1.0
"""A way out of another machine's way that there is not, or that ended early, is tried again after so long [s]."""

WAITS = "waiting_for_room"
"""The task while another machine is where this one has to work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PickerSettings:
    """Settings of the picker.

    Attributes:
        namespace: of the robot.
        robot: id; punnets are named after it.
        obstacles: boxes in the world that stand still, such as the gutter.
        row: namespace of the row that it shares with other machines; empty = it has the row to itself.
    """

    namespace: str = "/robot"
    robot: str = "robot"
    pick: PickSettings = field(default_factory=PickSettings)
    reach: ReachSettings = field(default_factory=ReachSettings)
    obstacles: tuple[Box, ...] = ()
    row: str = ""


@dataclass(slots=True, kw_only=True)
class _Running:
    handle: ServerGoalHandle
    round: Round
    tree: Any
    ended: Future[str]
    seen: float
    counts: Any = None
    told: tuple[int, str] = (0, "")
    messages: list[Any] = field(default_factory=list)


class PickerNode(Node):
    """Hosts the picking skill. One goal at a time; a goal that is cancelled stops within one tick."""

    def __init__(self, context: Context, clock: Clock, settings: PickerSettings, arm: ArmDescription) -> None:
        super().__init__("picker", context=context, namespace=settings.namespace)
        self._clock_source = clock
        self._settings = settings
        self._arm = arm
        world = World(arm, Obstacles(boxes=(*carriage(arm), *settings.obstacles)))
        reach = Reach(arm, world, settings.reach)
        self.body = RosBody(self, clock, arm, reach)
        self._numbers = count(1)
        self._punnet = PunnetInUse(pattern=PlacePattern(shape=arm.punnet), new_id=self._new_punnet)
        self._running: _Running | None = None
        self._crops = RowCrop(Coverage(front=settings.pick.crop_front, heights=settings.pick.heights))
        self._picks = self.create_publisher(berry_msgs.msg.PickOutcome, "picks", RELIABLE)
        self._counts = self.create_publisher(berry_msgs.msg.SegmentCount, "segment_counts", RELIABLE)
        self._server = ActionServer(
            self,
            berry_msgs.action.Harvest,
            "harvest",
            self._execute,
            goal_callback=self._judge_goal,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )
        self.create_timer(settings.pick.tick, self._tick)
        self.heartbeat = Heartbeat(self, clock)
        self._aside: Action | None = None
        self._aside_until = self._aside_again = float("-inf")
        self._goes_to: float | None = None
        self._last: Round | None = None
        self._room = (
            RowClaim(self, clock, settings.row, arm, self.body.body, work=self._work, held=reach.keep_within)
            if settings.row
            else None
        )

    @property
    def task(self) -> str:
        return self._running.round.task if self._running else ""

    def _work(self) -> list[float]:
        """Return where along the row something is left to do, or where to go out of another machine's way [m]."""
        aside = [] if self._goes_to is None else [self._goes_to]
        return [*aside, *(work_left(self._running.round) if self._running else [])]

    def _goes_aside(self) -> bool:
        """Tell whether a way out of another machine's way is under way; one that nobody ends is given up."""
        way = self._aside
        return way is not None and not way.done and self._clock_source.monotonic() < self._aside_until

    def _make_room(self) -> None:
        """Go out of the way of a machine that waits for this place; with nothing to do here, or nothing that it may."""
        room, round_, now = self._room, self._last, self._clock_source.monotonic()
        if room is None or round_ is None or self._goes_aside():
            return
        shift = room.aside() if self.body.safety().motion_allowed else 0.0
        if abs(shift) < MOVES:
            self._goes_to = None
            return
        goal = self.body.tool_pose()
        goal[0, 3] += shift
        self._goes_to = float(goal[0, 3])
        if room.covers(self._goes_to) and now >= self._aside_again:
            self._aside_again = now + AGAIN
            goal[1, 3] = min(goal[1, 3], round_.settings.crop_front - round_.settings.clear_of_crop)
            try:
                self._aside = round_.go(goal).action
                self._aside_until = now + round_.settings.move_timeout
                log.info("%.2f m along the row, out of the way of another machine", shift)
            except PlanError as error:
                log.info("stays in another machine's way: %s", error)

    def _new_punnet(self) -> str:
        return f"{self._settings.robot}-{int(self._clock_source.now())}-{next(self._numbers)}"

    def _judge_goal(self, goal: Any) -> GoalResponse:
        if self._running is not None or not goal.start < goal.end or not goal.ripeness_min <= goal.ripeness_max:
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> Any:
        self._punnet.begin()
        round_ = self._new_round(handle.request)
        ended: Future[str] = Future(executor=self)
        now = self._clock_source.monotonic()
        self._running = _Running(handle=handle, round=round_, tree=picking_tree(round_), ended=ended, seen=now)
        if self._room is not None:
            self._room.ask()
        verdict = await ended
        running, self._running = self._running, None
        result = berry_msgs.action.Harvest.Result(result=verdict, outcomes=running.messages)
        if running.counts is not None:
            result.count = running.counts
        if verdict == "canceled":
            handle.canceled()
        elif verdict == "done":
            handle.succeed()
        elif verdict == "blind":
            result.fault = self.body.blind
            handle.abort()
        else:
            causes = self.body.safety().causes
            unseen = running.round.looked == 0
            result.fault = causes[0] if causes else ("unreachable" if unseen else "protective_stop")
            handle.abort()
        return result

    def _new_round(self, goal: Any) -> Round:
        pick = self._settings.pick
        window = Window(
            ripeness_min=float(goal.ripeness_min) - 1e-6,
            ripeness_max=float(goal.ripeness_max) + 1e-6,
            start=float(goal.start),
            end=float(goal.end),
        )
        force = float(goal.force) if goal.force > 0.0 else pick.force
        job = Job(
            order_id=goal.order_id,
            bed=goal.bed,
            side=goal.side,
            segment=int(goal.segment),
            window=window,
            quota=int(goal.quota),
            speed=float(np.clip(goal.speed, 0.05, 1.0)) if goal.speed > 0.0 else pick.speed,
            force=min(force, self._arm.tool.force_max),
        )
        round_ = Round(
            job=job,
            body=self.body,
            crop=self._crops.of(
                job.order_id, job.bed, job.side, now=self.body.now(), start=window.start, end=window.end
            ),
            tool=self._arm.tool,
            punnet=self._punnet,
            settings=pick,
            report=self._report,
            report_count=self._report_count,
            walls=self._settings.obstacles,
            camera=self._arm.camera,
            coverage=self._crops.coverage,
        )
        self._last = round_
        at = float(self.body.tool_pose()[0, 3]) if self.body.history.known else float(goal.start)
        if self._room is not None:
            round_.has_room = self._room.covers
        round_.views = survey_views(job.window, self._arm.camera, pick, at)
        return round_

    def _tick(self) -> None:
        running = self._running
        if running is None and self.body.history.known:
            self._make_room()
        if running is None or running.ended.done() or not self.body.history.known:
            return
        if running.handle.is_cancel_requested:
            self._cancel(running)
            return
        known = self._room is None or self._room.held
        if known and not self._goes_aside():
            running.tree.tick_once()
        at_work = running.tree.decorated.status is Status.RUNNING  # at a place, or on a way, for which there was room
        waits = self._room is not None and (not known or (not at_work and waits_for_room(running.round)))
        if self._room is not None and waits and running.told[1] != WAITS:
            self._room.ask()
        if waits and running.round.current is None:
            self._make_room()
        else:
            self._goes_to = None
        self._feed_back(running, WAITS if waits else running.round.task)
        now = self._clock_source.monotonic()
        if waits or self.body.blind != "camera_lost" or running.round.current is not None:
            running.seen = now
        elif now - running.seen > CAMERA_AGE:
            running.tree.stop(Status.INVALID)
            running.ended.set_result("blind")
            return
        if running.tree.status is not Status.RUNNING:
            running.ended.set_result(self._verdict(running.round))

    def _verdict(self, round_: Round) -> str:
        """Say how a round ended: one in which the camera showed nothing, or nothing was looked at, is not done."""
        if round_.stopped:
            return "aborted"
        if self.body.blind and not round_.quota_reached():
            return "blind"
        return "done" if round_.looked else "aborted"

    def _cancel(self, running: _Running) -> None:
        running.tree.stop(Status.INVALID)
        if self._aside is not None and not self._aside.done:
            self._aside.cancel()
        attempt = running.round.current
        if attempt is not None:
            running.round.settle(attempt.target, PickResult.OPERATOR_ABORT, attempt=attempt)
            running.round.current = None
        running.ended.set_result("canceled")

    def _feed_back(self, running: _Running, task: str) -> None:
        """Tell the mission ten times a second, and whenever the task changes."""
        ticks, before = running.told
        running.told = (ticks + 1, task)
        if task == before and ticks % FEEDBACK_TICKS:
            return
        feedback = berry_msgs.action.Harvest.Feedback(
            task=task, picked=running.round.picked, attempted=running.round.attempted
        )
        if running.round.current is not None:
            target = running.round.current.target
            feedback.berry_id, feedback.position = target.id, point(target.position)
            feedback.ripeness, feedback.stage, feedback.diameter = target.ripeness, target.stage, target.diameter
        running.handle.publish_feedback(feedback)

    def _report(self, outcome: Outcome) -> None:
        running = self._running
        if running is None:
            return
        target, job = outcome.target, running.round.job
        message = berry_msgs.msg.PickOutcome(
            header=header(outcome.at, "world"),
            order_id=job.order_id,
            bed=job.bed,
            side=job.side,
            segment=job.segment,
            berry_id=target.id,
            position=point(target.position),
            ripeness=target.ripeness,
            stage=target.stage,
            diameter=target.diameter,
            result=str(outcome.result),
            attempt=outcome.attempt,
            seconds=outcome.seconds,
            peak_force=outcome.peak_force,
            mass=outcome.mass,
            punnet=outcome.punnet,
            detail=outcome.detail,
        )
        running.messages.append(message)
        self._picks.publish(message)
        log.info(
            "berry %d at (%.3f, %.3f, %.3f) m: %s, attempt %d, %.1f s, %.2f N %s",
            target.id,
            *target.position,
            outcome.result,
            outcome.attempt,
            outcome.seconds,
            outcome.peak_force,
            outcome.detail,
        )

    def _report_count(self, counted: Counter[str]) -> None:
        running = self._running
        if running is None or self.body.blind:
            return
        job = running.round.job
        message = berry_msgs.msg.SegmentCount(
            header=header(self._clock_source.now(), "world"),
            order_id=job.order_id,
            bed=job.bed,
            side=job.side,
            segment=job.segment,
            in_window=counted["in_window"],
            ripe_mass=running.round.ripe_mass(),
            **{str(stage): counted[str(stage)] for stage in Stage},
        )
        running.counts = message
        self._counts.publish(message)
