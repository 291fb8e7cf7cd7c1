"""Looks at trajectory goals and begins them: short ones at once, long ones where no tick of the loop waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from robot.arms import ArmDescription
from robot.loop import ControlLoop, LoopError, Motion
from robot.nodes.goals import POINTS_MAX, Goal, read_goal
from robot.nodes.recorder import Aside
from robot.ros.action import ServerGoalHandle
from robot.ros.task import Future
from telemetry.clock import Clock

AT_ONCE = 200
"""A trajectory of so many points is looked at between two ticks, in 2 ms; a longer one aside."""

BEGINS_WITHIN = 2.0
"""A trajectory that was looked at aside for longer than this does not begin any more [s]."""


class GoalReader:
    """Begins what may be begun now. One long goal is looked at at a time.

    Args:
        aside: where long goals are looked at.
        future: makes a future whose awaiting coroutine goes on in the loop's thread.
    """

    def __init__(
        self, loop: ControlLoop, arm: ArmDescription, clock: Clock, aside: Aside, future: Callable[[], Future[Goal]]
    ) -> None:
        self._loop, self._arm, self._clock, self._aside, self._future = loop, arm, clock, aside, future
        self._looking = False

    async def begin(self, handle: ServerGoalHandle) -> Motion:
        """Look at a goal and begin to follow it.

        Raises:
            GoalError: it cannot be followed.
            LoopError: motion is not allowed, or was not for a moment while it was looked at; it was cancelled
                meanwhile, took too long, another is under way, or it begins elsewhere.
        """
        until, stops = self._clock.monotonic() + BEGINS_WITHIN, self._loop.supervisor.stops
        set_point, now = self._loop.set_point.copy(), self._clock.now()
        if AT_ONCE < len(handle.request.trajectory.points) <= POINTS_MAX:
            goal = await self._read_aside(lambda: read_goal(self._arm, handle.request, set_point, now))
        else:
            goal = read_goal(self._arm, handle.request, set_point, now)
        if self._loop.supervisor.stops != stops:
            raise LoopError("not_allowed", "the robot was stopped while the trajectory was looked at; send it again")
        if handle.is_cancel_requested:
            raise LoopError("canceled", "before it began")
        return self._loop.follow(
            goal.trajectory,
            path_tolerance=goal.path_tolerance,
            goal_tolerance=goal.goal_tolerance,
            goal_time=goal.goal_time,
            valid_until=until,
        )

    async def _read_aside(self, read: Callable[[], Goal]) -> Goal:
        supervisor = self._loop.supervisor
        if not supervisor.motion_allowed:  # nor may it begin at a start that is asked for after it was sent
            raise LoopError("not_allowed", f"state {supervisor.state}, causes {list(supervisor.causes)}")
        if self._looking:
            raise LoopError("busy", "another long trajectory is being looked at")
        done = self._future()

        def work() -> None:
            try:
                done.set_result(read())
            except Exception as error:  # noqa: BLE001 (whoever awaits gets it: no goal is left without an answer)
                done.set_exception(error)

        self._looking = True
        try:
            self._aside(work)
            goal: Any = await done
        finally:
            self._looking = False
        found: Goal = goal
        return found
