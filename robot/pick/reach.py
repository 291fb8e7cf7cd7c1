"""Plans the skill's motions: one work posture of the arm, the rail follows, and nothing may be touched."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robot.arms import ArmDescription
from robot.collision import World
from robot.kinematics import forward, solve
from robot.kinematics.many import link_frames_many, tool_positions
from robot.motion import MotionError, Trajectory, joint_move, line_move, quicken, stops, within_limits
from robot.motion.combine import KNOT, carry, joined
from robot.pick.body import PlanError
from robot.pick.grasp import Pose, Poses, rotation
from robot.pick.punnet import OVER_WALL
from robot.pick.result import PickResult
from robot.pick.target import Vector
from robot.span import extents

log = logging.getLogger(__name__)

WORKSPACE_MARGIN = 0.05
"""Kept from the workspace's walls [m]: the tool stops within it from its top speed."""

LINE_STEP, GLIDE_STEP = 0.004, 0.012
"""Between points where the joints are solved: on the way into the crop, and on free ways [m]."""

OVERLAP = 0.25
"""Two motions that follow each other share this time [s]."""

STOP_STEP, STOP_TOUCH, SLOWER, SLOWEST = 0.016, -0.001, 1.2, 2.5
"""Stops are looked at this often [s] and may come so near [m]: the limiter, which judges each of them, allows a
millimetre more. A way that cannot be broken off is slowed down by such steps, to at most the last."""

WAY_STEP = 2
"""Of so many knots of a plan one is told when its poses are asked for: 16 ms, 8 mm at full speed."""

INSIDE = 0.002
"""A stretch of the row that is held is kept by so much more than the limiter demands [m]."""

WALL = 0.012
PUNNET_MARGIN = 0.05
"""Beside and in the punnet: how near its walls begin, how far they are minded [m]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachSettings:
    """How near the arm may come, and what counts as its work posture.

    Attributes:
        clearance: wanted from everything while moving freely [m].
        touch: wanted along a straight line into the crop, where leaves are met [m].
        family: joints further than this from the posture belong to another family [rad].
    """

    clearance: float = 0.006
    touch: float = 0.0
    family: float = 2.4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmPlan:
    """A trajectory with its end, as the tree sees it.

    Attributes:
        tool_speed: it was planned for [m/s].
        spans: when each part of a joined plan begins and ends [s].
    """

    trajectory: Trajectory
    tool_speed: float
    spans: tuple[tuple[float, float], ...] = ()

    @property
    def end(self) -> Vector:
        last: Vector = self.trajectory.positions[-1]
        return last

    @property
    def duration(self) -> float:
        return self.trajectory.duration


class Reach:
    """Plans for one arm among fixed obstacles.

    Raises:
        ValueError: the arm has too few joints.
    """

    def __init__(self, arm: ArmDescription, world: World, settings: ReachSettings | None = None) -> None:
        arm.require_six()
        self._arm = arm
        self._world = world
        self._settings = settings or ReachSettings()
        self._stretch: tuple[float, float] | None = None

    def keep_within(self, low: float, high: float) -> None:
        """Plan only ways on which the machine stays in a stretch of the row [m], wherever they are broken off."""
        self._stretch = low + INSIDE, high - INSIDE

    def plan(self, start: Vector, goal: Pose, speed: float, *, rail: float | None = None) -> ArmPlan:
        """Return a motion to a tool pose: a straight glide with the rail moving along, else a free joint motion.

        Args:
            speed: share of what is allowed, 0-1.
            rail: where the rail ends [m]; None = where the work posture wants it.

        Raises:
            PlanError: `UNREACHABLE` (no joints reach the pose) or `COLLISION_RISK` (only through something).
        """
        if not np.all(np.isfinite(goal)):
            raise PlanError(PickResult.IK_FAIL, "the pose is not finite")
        if self._stretch is not None and not self._stretch[0] <= goal[0, 3] <= self._stretch[1]:
            raise PlanError(PickResult.COLLISION_RISK, f"{_text(goal)} lies beyond the stretch that is held")
        to = float(self._home(goal)[0]) if rail is None else rail
        for way in (self._glide, self._detour, self._joint_motion):
            try:
                return way(start, goal, speed, to)
            except PlanError as error:
                log.debug("%s: %s", way.__name__, error)
                reason = error
        raise reason

    def _glide(self, start: Vector, goal: Pose, speed: float, rail: float) -> ArmPlan:
        """Move the tool straight in the carriage's frame while the carriage goes to `rail` [m]."""
        local = goal.copy()
        local[0, 3] -= rail - start[0]
        arm = self._line(start, local, self._arm.safety.tool_speed_auto * speed, GLIDE_STEP)
        trajectory = carry(self._arm, arm, rail - float(start[0]), speed)
        turned = trajectory.positions[-1, 1:] - self._arm.posture.joints
        if float(np.max(np.abs(turned))) >= self._settings.family:
            raise PlanError(PickResult.COLLISION_RISK, f"{_text(goal)} would be reached in another posture")
        self._judge(trajectory, min(self._settings.touch, self._world.clearance(start)), goal)
        return ArmPlan(trajectory=trajectory, tool_speed=self._arm.safety.tool_speed_auto * speed)

    def _detour(self, start: Vector, goal: Pose, speed: float, rail: float) -> ArmPlan:
        """Glide in two strokes over a neutral pose in front of the crop."""
        for y, z, tilt in self._arm.posture.neutral:
            neutral = np.eye(4)
            neutral[:3, :3] = rotation(0.0, -tilt)
            neutral[:3, 3] = rail + float(self._arm.rail.base[0]) + self._arm.posture.ahead, y, z
            try:
                first = self._glide(start, neutral, speed, rail)
                second = self._glide(first.end, goal, speed, rail)
            except PlanError as error:
                reason = error
                continue
            raw, _ = self._blend([first, second], [OVERLAP])
            limit = self._arm.safety.tool_speed_auto * speed
            return ArmPlan(trajectory=within_limits(self._arm, raw, limit), tool_speed=limit)
        raise reason

    def _joint_motion(self, start: Vector, goal: Pose, speed: float, rail: float) -> ArmPlan:
        """Move all joints at once, to joints of the posture's own family: from there the next glide goes on."""
        s = self._settings
        home = self._home(goal)
        home[0] = rail
        solutions = solve(self._arm, goal, home, rail=rail)
        if not solutions:
            raise PlanError(PickResult.UNREACHABLE, f"no joints reach {_text(goal)}")
        family = [q for q in solutions if float(np.max(np.abs(q - home))) < s.family]
        needed = min(s.clearance, self._world.clearance(start))
        for q in [q for q in family if self._world.clearance(q) >= s.clearance]:
            try:
                trajectory = joint_move(self._arm, start, q, speed=speed)
                self._judge(trajectory, needed, goal)
            except MotionError as error:
                raise PlanError(PickResult.IK_FAIL, str(error)) from error
            except PlanError:
                continue
            return ArmPlan(trajectory=trajectory, tool_speed=self._arm.safety.tool_speed_auto * speed)
        raise PlanError(PickResult.COLLISION_RISK, f"no free way to {_text(goal)}")

    def line(self, start: Vector, goal: Pose, tool_speed: float) -> ArmPlan:
        """Return a straight motion of the tool with the rail at rest.

        Raises:
            PlanError: `IK_FAIL` (the line leaves the arm's reach) or `COLLISION_RISK`.
        """
        trajectory = self._line(start, goal, tool_speed)
        needed = min(self._settings.touch, self._world.clearance(start))
        clearance = self._world.check(trajectory)
        if clearance < needed - 1e-9:
            raise PlanError(PickResult.COLLISION_RISK, f"the line to {_text(goal)} comes to {clearance * 1000:.0f} mm")
        stoppable = self._stoppable(trajectory, goal)
        return ArmPlan(trajectory=stoppable, tool_speed=min(tool_speed, self._arm.safety.tool_speed_auto))

    def _stoppable(self, trajectory: Trajectory, goal: Pose) -> Trajectory:
        """Return a way so slow that it touches nothing wherever it is broken off, as the limiter demands."""
        slow = trajectory
        while slow.duration <= SLOWEST * trajectory.duration:
            ends = stops(self._arm, slow, STOP_STEP)
            if self._leaves_stretch(ends):
                slow = slow.slower(SLOWER)
                continue
            clearance = self._world.clearances(ends)
            near = np.flatnonzero(clearance < STOP_TOUCH)
            if not len(near):
                return slow
            at, _, _ = slow.sample_many(near.astype(np.float64) * STOP_STEP)
            if np.all(clearance[near] >= self._world.clearances(at) - 1e-9):  # it leads out of a touch
                return slow
            slow = slow.slower(SLOWER)
        what = "leave the stretch that is held" if self._leaves_stretch(ends) else "touch something"
        raise PlanError(PickResult.COLLISION_RISK, f"a stop on the way to {_text(goal)} would {what}")

    def _leaves_stretch(self, joints: Vector) -> bool:
        """Tell whether the machine is beyond the stretch that is held anywhere, joints of shape (m, n + 1)."""
        if self._stretch is None:
            return False
        low, high = extents(self._arm, joints)
        return low < self._stretch[0] or high > self._stretch[1]

    def _line(self, start: Vector, goal: Pose, tool_speed: float, step: float = LINE_STEP) -> Trajectory:
        try:
            return line_move(self._arm, start, goal, speed=tool_speed, step=step)
        except MotionError as error:
            raise PlanError(PickResult.IK_FAIL, str(error)) from error

    def _judge(self, trajectory: Trajectory, clearance: float, goal: Pose, over_wall: float = OVER_WALL) -> None:
        """Refuse a way that touches something, leaves the workspace or passes too low over the punnet's walls."""
        if self._world.check(trajectory) < clearance - 1e-9:
            raise PlanError(PickResult.COLLISION_RISK, f"something is in the way to {_text(goal)}")
        tool = tool_positions(self._arm, trajectory.positions[::4])
        low = self._arm.safety.workspace_min + WORKSPACE_MARGIN
        high = self._arm.safety.workspace_max - WORKSPACE_MARGIN
        if np.any(tool < low) or np.any(tool > high):
            raise PlanError(PickResult.COLLISION_RISK, f"the way to {_text(goal)} leaves the workspace")
        if self._leaves_stretch(trajectory.positions[::4]):
            raise PlanError(PickResult.COLLISION_RISK, f"the way to {_text(goal)} leaves the stretch that is held")
        punnet = self._arm.punnet
        at = tool - trajectory.positions[::4, :1] * [1.0, 0.0, 0.0] - punnet.position
        outside = np.any(np.abs(at[:, :2]) > punnet.inner[:2] / 2.0 - WALL, axis=1)
        walls = outside & np.all(np.abs(at[:, :2]) < punnet.inner[:2] / 2.0 + PUNNET_MARGIN, axis=1)
        if np.any(at[walls, 2] < float(punnet.inner[2]) + over_wall - 1e-6):
            raise PlanError(PickResult.COLLISION_RISK, f"the way to {_text(goal)} meets the punnet's wall")

    def join(
        self, plans: Sequence[ArmPlan], *, overlap: Sequence[float] | None = None, over_wall: float = OVER_WALL
    ) -> ArmPlan:
        """Return plans as one motion as fast as it may be, each begun before the one ahead of it is at rest.

        The corner that this cuts is checked like any other way; where it would touch something, less of it is cut.

        Args:
            overlap: of each plan with the next [s].
            over_wall: how high above the punnet's walls the tool must pass, held fruit and all [m].
        """
        overlaps = [OVERLAP] * (len(plans) - 1) if overlap is None else overlap
        raw, starts = self._blend(plans, overlaps, over_wall)
        limit = np.full(len(raw.times), max(plan.tool_speed for plan in plans))
        for plan, start in zip(plans, starts, strict=True):  # where two share their time, the slower one counts
            inside = (raw.times >= start - KNOT) & (raw.times <= start + plan.duration + KNOT)
            limit[inside] = np.minimum(limit[inside], plan.tool_speed)
        whole, passed = quicken(self._arm, raw, limit)
        slowed = self._stoppable(whole, forward(self._arm, whole.positions[-1]))
        passed, whole = passed * (slowed.duration / whole.duration), slowed
        spans = [
            tuple(np.interp([start, start + plan.duration], raw.times, passed).tolist())
            for plan, start in zip(plans, starts, strict=True)
        ]
        return ArmPlan(trajectory=whole, tool_speed=float(limit.max()), spans=tuple((a, b) for a, b in spans))

    def _blend(
        self, plans: Sequence[ArmPlan], overlaps: Sequence[float], over_wall: float = OVER_WALL
    ) -> tuple[Trajectory, list[float]]:
        """Return plans added up, with as much overlap as is free of collisions, and when each begins [s].

        The sum may be over its limits.
        """
        parts = [plan.trajectory for plan in plans]
        if len(parts) == 1:
            return parts[0], [0.0]
        clearance = min(self._settings.touch, *(self._world.check(part) for part in parts))
        goal = forward(self._arm, parts[-1].positions[-1])
        for share in (1.0, 0.5):
            raw, starts = joined(parts, [share * overlap for overlap in overlaps])
            try:
                self._judge(raw, clearance, goal, over_wall)
            except PlanError as error:
                log.debug("less blending: %s", error)
                continue
            return raw, starts
        return joined(parts, [0.0] * len(overlaps))

    def _home(self, goal: Pose) -> Vector:
        rail = self._arm.rail
        wanted = float(goal[0, 3]) - float(rail.base[0]) - self._arm.posture.ahead
        return np.array([min(max(wanted, rail.position_min), rail.position_max), *self._arm.posture.joints])

    def tool_way(self, plan: ArmPlan) -> Poses:
        """Return the tool's poses along a plan, its end included, shape (n, 4, 4)."""
        positions = plan.trajectory.positions
        tools: Poses = link_frames_many(self._arm, np.vstack([positions[::WAY_STEP], positions[-1:]]))[:, -1]
        return tools

    def tool_pose(self, joints: Vector) -> Pose:
        return forward(self._arm, joints)


def _text(pose: Pose) -> str:
    x, y, z = pose[:3, 3]
    return f"({x:.3f}, {y:.3f}, {z:.3f}) m"
