"""Plans the skill's motions: one work posture of the arm, the rail follows, and nothing may be touched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robot.arms import ArmDescription
from robot.collision import World
from robot.kinematics import forward, solve
from robot.motion import MotionError, Trajectory, joint_move, line_move
from robot.pick.body import PlanError
from robot.pick.grasp import Pose
from robot.pick.result import PickResult
from robot.pick.target import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachSettings:
    """How the arm likes to stand.

    Attributes:
        posture: arm joints [rad], shape (6,), that poses are solved near: elbow up and ahead, wrist far from
            singular, the punnet a quarter turn away. Found by comparing all solutions over the crop's height (ur3e).
        offset: of the tool ahead of the arm's base along the rail in that posture [m].
        clearance: wanted from everything while moving freely [m].
        touch: wanted along a straight line into the crop, where leaves are met [m].
        choices: solutions that are tried before a pose is called out of reach.
    """

    posture: tuple[float, ...] = (1.12, -2.08, -1.60, 3.68, -2.02, 3.14)
    offset: float = 0.25
    clearance: float = 0.006
    touch: float = 0.0
    choices: int = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmPlan:
    """A trajectory with its end, as the tree sees it."""

    trajectory: Trajectory

    @property
    def end(self) -> Vector:
        last: Vector = self.trajectory.positions[-1]
        return last

    @property
    def duration(self) -> float:
        return self.trajectory.duration


class Reach:
    """Plans for one arm among fixed obstacles."""

    def __init__(self, arm: ArmDescription, world: World, settings: ReachSettings | None = None) -> None:
        self._arm = arm
        self._world = world
        self._settings = settings or ReachSettings()

    def plan(self, start: Vector, goal: Pose, speed: float, *, rail: float | None = None) -> ArmPlan:
        """Return a free motion to a tool pose; the arm in its work posture and the rail where that wants it.

        Args:
            rail: keeps the rail there [m] and the arm near the posture it has.

        Raises:
            PlanError: `UNREACHABLE` (no joints reach the pose) or `COLLISION_RISK` (only through something).
        """
        s = self._settings
        near = self._home(goal) if rail is None else start
        if not np.all(np.isfinite(goal)):
            raise PlanError(PickResult.IK_FAIL, "the pose is not finite")
        solutions = solve(self._arm, goal, near, rail=rail)
        if not solutions:
            raise PlanError(PickResult.UNREACHABLE, f"no joints reach {_text(goal)}")
        if rail is not None:
            solutions.sort(key=lambda q: float(np.max(np.abs(q - start) / self._arm.velocity)))
        possible = [q for q in solutions if self._world.clearance(q) >= s.clearance][: s.choices]
        for q in possible:
            try:
                trajectory = joint_move(self._arm, start, q, speed=speed)
            except MotionError as error:
                raise PlanError(PickResult.IK_FAIL, str(error)) from error
            needed = min(s.clearance, self._world.clearance(start))
            if self._world.check(trajectory) >= needed - 1e-9:
                return ArmPlan(trajectory=trajectory)
        raise PlanError(PickResult.COLLISION_RISK, f"no free way to {_text(goal)}")

    def line(self, start: Vector, goal: Pose, tool_speed: float) -> ArmPlan:
        """Return a straight motion of the tool with the rail at rest.

        Raises:
            PlanError: `IK_FAIL` (the line leaves the arm's reach) or `COLLISION_RISK`.
        """
        try:
            trajectory = line_move(self._arm, start, goal, speed=tool_speed)
        except MotionError as error:
            raise PlanError(PickResult.IK_FAIL, str(error)) from error
        needed = min(self._settings.touch, self._world.clearance(start))
        clearance = self._world.check(trajectory)
        if clearance < needed - 1e-9:
            raise PlanError(PickResult.COLLISION_RISK, f"the line to {_text(goal)} comes to {clearance * 1000:.0f} mm")
        return ArmPlan(trajectory=trajectory)

    def _home(self, goal: Pose) -> Vector:
        rail = goal[0, 3] - self._arm.rail.base[0] - self._settings.offset
        return np.array(
            [np.clip(rail, self._arm.rail.position_min, self._arm.rail.position_max), *self._settings.posture]
        )

    def tool_pose(self, joints: Vector) -> Pose:
        return forward(self._arm, joints)


def _text(pose: Pose) -> str:
    x, y, z = pose[:3, 3]
    return f"({x:.3f}, {y:.3f}, {z:.3f}) m"
