"""What the picking skill needs of the robot: measure, plan, act, look. The picker node implements it; tests fake it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from robot.pick.grasp import Pose, Poses
from robot.pick.punnet import OVER_WALL
from robot.pick.result import PickResult
from robot.pick.target import Target, Vector
from robot.pick.verify import Grip
from vision.track import Sighting as Seen


class PlanError(Exception):
    """No motion was found; `result` says why: `UNREACHABLE`, `IK_FAIL` or `COLLISION_RISK`."""

    def __init__(self, result: PickResult, detail: str = "") -> None:
        super().__init__(f"{result}: {detail}" if detail else str(result))
        self.result = result
        self.detail = detail


class Plan(Protocol):
    """A motion that has been found possible; `end`: joints where it ends [m, rad], shape (7,); `duration` [s].

    `spans`: when each part of a joined one begins and ends [s].
    """

    @property
    def end(self) -> Vector: ...

    @property
    def duration(self) -> float: ...

    @property
    def spans(self) -> tuple[tuple[float, float], ...]: ...


class Action(Protocol):
    """Something under way. `error` is empty when it ended well, else one line saying what happened."""

    @property
    def done(self) -> bool: ...

    @property
    def error(self) -> str: ...

    def cancel(self) -> None:
        """Stop it; calling it on a finished action has no effect."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one picture showed: berries in the world frame, not yet tracked.

    Attributes:
        stamp: exposure, UTC epoch [s].
        eye: where the camera was in the world [m], shape (3,); None when it is not told.
        camera: its whole pose there, as `robot.kinematics.camera_pose` gives it; None when it is not told.
    """

    stamp: float
    berries: tuple[Seen, ...]
    image_ok: bool = True
    fault: str = ""
    eye: Vector | None = None
    camera: Pose | None = None


class Look(Action, Protocol):
    """A picture that was asked for; `sighting` may be read once `done` without `error`."""

    @property
    def sighting(self) -> Sighting: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyView:
    """The safety layer's latest word."""

    state: str
    motion_allowed: bool
    needs_reset: bool
    causes: tuple[str, ...] = ()


class Body(Protocol):
    """The robot under the skill."""

    def now(self) -> float:
        """Return UTC epoch seconds."""
        ...

    def monotonic(self) -> float: ...

    def safety(self) -> SafetyView: ...

    def joints(self) -> Vector:
        """Return the measured joints, rail first [m, rad], shape (7,)."""
        ...

    def tool_pose(self) -> Pose:
        """Return the measured tool pose in the world, shape (4, 4)."""
        ...

    def grip(self) -> Grip: ...

    def plan(self, start: Vector, goal: Pose, speed: float, *, rail: float | None = None) -> Plan:
        """Return a free motion from joints `start` to the tool pose `goal` with `speed` (0-1 of what is allowed).

        The rail goes along, or stays at `rail` [m].

        Raises:
            PlanError: there is none.
        """
        ...

    def plan_line(self, start: Vector, goal: Pose, tool_speed: float) -> Plan:
        """Return a straight motion of the tool to `goal` at `tool_speed` [m/s]; the rail stands still.

        Raises:
            PlanError: there is none.
        """
        ...

    def join(
        self, plans: Sequence[Plan], *, overlap: Sequence[float] | None = None, over_wall: float = OVER_WALL
    ) -> Plan:
        """Return plans, each beginning where the one before it ends, as one motion, as fast as may be.

        Args:
            overlap: so long before it ends each but the last is joined by the next, which cuts the corner [s]; None =
                as long as the planner likes.
            over_wall: how high above the punnet's walls the tool must pass, held fruit and all [m].
        """
        ...

    def tool_way(self, plan: Plan) -> Poses:
        """Return the tool's poses along a plan, a few centimetres apart at most, shape (n, 4, 4)."""
        ...

    def move(self, plan: Plan) -> Action: ...

    def grip_to(self, opening: float, force: float) -> Action:
        """Move the pads towards `opening` [m] with at most `force` [N]; ends when reached or stalled."""
        ...

    def cut(self) -> Action: ...

    def look(self) -> Look: ...


class Crop(Protocol):
    """Berries known so far, tracked in world coordinates over pictures."""

    def see(self, sighting: Sighting) -> Sequence[Target]:
        """Merge a picture; return the tracks it showed, with their ids."""
        ...

    def targets(self) -> list[Target]: ...

    def get(self, id: int) -> Target | None: ...

    def forget(self, id: int) -> None:
        """Drop a berry that was taken."""
        ...
