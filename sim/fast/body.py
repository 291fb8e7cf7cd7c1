"""The robot as the picking skill sees it, without a wire: straight onto the control loop, eyes that know the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from robot.arms import ArmDescription
from robot.gripper import Cut
from robot.gripper import Grip as Closing
from robot.kinematics import camera_pose
from robot.loop import ControlLoop, LoopError, Motion
from robot.motion import refuse
from robot.pick.body import Plan, SafetyView, Sighting
from robot.pick.grasp import Pose, Poses
from robot.pick.punnet import OVER_WALL
from robot.pick.reach import ArmPlan, Reach
from robot.pick.target import Vector
from robot.pick.verify import Grip
from sim.fast.row import Row
from sim.fast.sight import LATENCY, seen
from telemetry.clock import Clock
from vision.track import Sighting as Seen
from vision.track import to_world


class FastAction:
    """A motion, grip or cut under way in the loop; refused ones are done at once, with the reason."""

    def __init__(self, begin: Callable[[], Motion | Closing | Cut]) -> None:
        self._error = ""
        self._work: Motion | Closing | Cut | None = None
        try:
            self._work = begin()
        except LoopError as error:
            self._error = str(error)

    @property
    def done(self) -> bool:
        return self._work is None or self._work.done

    @property
    def error(self) -> str:
        return self._error if self._work is None else self._work.code

    def cancel(self) -> None:
        if self._work is not None and not isinstance(self._work, Cut):
            self._work.cancel()


@dataclass(slots=True, kw_only=True)
class FastLook:
    """A picture on its way; it never comes while the eyes are dead."""

    body: FastBody
    sighting: Sighting
    due: float
    error: str = ""

    @property
    def done(self) -> bool:
        return self.body.eyes_alive and self.body.monotonic() >= self.due

    def cancel(self) -> None:
        """Nothing to take back."""


class FastBody:
    """Implements `robot.pick.body.Body`.

    Args:
        rng: of the noise in what the eyes tell.
    """

    def __init__(
        self,
        loop: ControlLoop,
        clock: Clock,
        *,
        arm: ArmDescription,
        reach: Reach,
        row: Row,
        rng: np.random.Generator,
    ) -> None:
        self._loop, self._clock, self._arm, self._reach, self._row, self._rng = loop, clock, arm, reach, row, rng
        self.eyes_alive = True

    def now(self) -> float:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def safety(self) -> SafetyView:
        supervisor = self._loop.supervisor
        return SafetyView(
            state=str(supervisor.state),
            motion_allowed=supervisor.motion_allowed,
            needs_reset=supervisor.needs_reset,
            causes=supervisor.causes,
        )

    def joints(self) -> Vector:
        return self._loop.joints.position

    def tool_pose(self) -> Pose:
        return self._reach.tool_pose(self.joints())

    def grip(self) -> Grip:
        return Grip(opening=self._loop.gripper.opening, force=self._loop.gripper.force)

    def plan(self, start: Vector, goal: Pose, speed: float, *, rail: float | None = None) -> ArmPlan:
        return self._reach.plan(start, goal, speed, rail=rail)

    def plan_line(self, start: Vector, goal: Pose, tool_speed: float) -> ArmPlan:
        return self._reach.line(start, goal, tool_speed)

    def join(
        self, plans: Sequence[Plan], *, overlap: Sequence[float] | None = None, over_wall: float = OVER_WALL
    ) -> ArmPlan:
        return self._reach.join([_own(plan) for plan in plans], overlap=overlap, over_wall=over_wall)

    def tool_way(self, plan: Plan) -> Poses:
        return self._reach.tool_way(_own(plan))

    def move(self, plan: Plan) -> FastAction:
        def begin() -> Motion:
            trajectory = _own(plan).trajectory
            wrong = refuse(self._arm, trajectory)
            if wrong:
                raise LoopError("command_invalid", wrong)
            return self._loop.follow(trajectory)

        return FastAction(begin)

    def grip_to(self, opening: float, force: float) -> FastAction:
        return FastAction(lambda: self._loop.grip(opening, force))

    def cut(self) -> FastAction:
        return FastAction(self._loop.cut)

    def look(self) -> FastLook:
        here = camera_pose(self._arm, self.joints())
        sighting = Sighting(stamp=self.now(), berries=tuple(self._see()), camera=here)
        return FastLook(body=self, sighting=sighting, due=self.monotonic() + LATENCY)

    def _see(self) -> list[Seen]:
        """Return what the camera sees now, in the world."""
        joints = self.joints()
        T = camera_pose(self._arm, joints)
        return [to_world(berry, T) for berry in seen(self._arm, self._row, joints, self._rng)]


def _own(plan: Plan) -> ArmPlan:
    if not isinstance(plan, ArmPlan):
        raise ValueError(f"expected a plan made by this body, got {type(plan).__name__}")
    return plan
