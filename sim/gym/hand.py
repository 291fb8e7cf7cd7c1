"""One robot in front of one bed side in the kinematic tier: loop, safety layer and planner, an action at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms import load_arm
from robot.collision import World
from robot.kinematics import solve
from robot.loop import ControlLoop, LoopSettings
from robot.pick.body import Action, PlanError
from robot.pick.grasp import LEVEL, Pose
from robot.pick.punnet import PlacePattern
from robot.pick.reach import ArmPlan, Reach
from robot.pick.settings import PickSettings
from robot.pick.target import Target
from sim.fast.body import FastBody
from sim.fast.hardware import FastHardware
from sim.fast.row import Row, Where
from sim.rig import obstacles
from sim.scene.settings import SceneSettings
from vision.track import Sighting

Array = npt.NDArray[np.float64]

TICK = 0.004
"""Period of the control loop [s]."""

EPOCH = 1779256800.0
START_Y, START_Z = 0.40, 0.95
"""Where the tool begins in the world [m], as in the other tiers."""

LONGEST = 4.0
"""A motion or grip that has not ended by then is given up [s]."""

STROKE = 3.0
"""A way that takes longer is no stroke but a detour [s]; it is refused."""


class Hand:
    """Implements a clock too: `monotonic` is simulated time.

    Args:
        scene: the bed side.
        seed: of the fruit and of the noise in what is seen.
    """

    def __init__(self, scene: SceneSettings, seed: int) -> None:
        self._time = 0.0
        self.scene = scene
        self.arm = arm = load_arm(scene.arm)
        self.row = Row(scene, seed)
        around = obstacles(arm, scene)
        self._reach = Reach(arm, World(arm, around))
        self._pattern, self._laid = PlacePattern(shape=arm.punnet), 0
        self.hardware = FastHardware(arm, self.monotonic, self.row, self._parked())
        self.loop: ControlLoop = ControlLoop(
            self.hardware, arm, self, LoopSettings(blackbox=1.0, local_reset=False, obstacles=around)
        )
        self.loop.bring_up()
        rng = np.random.default_rng([seed, 0x6E7])
        self.body = FastBody(self.loop, self, arm=arm, reach=self._reach, row=self.row, rng=rng)
        self.wait(0.02)
        self.loop.start()
        self.wait(0.02)

    def now(self) -> float:
        return EPOCH + self._time

    def monotonic(self) -> float:
        return self._time

    @property
    def tool(self) -> Array:
        """Measured place of the tool in the world [m], shape (3,)."""
        place: Array = self.body.tool_pose()[:3, 3]
        return place

    @property
    def stopped(self) -> bool:
        """The safety layer has stopped the robot; a person would have to answer."""
        return not self.loop.supervisor.motion_allowed

    def wait(self, seconds: float) -> None:
        """Let simulated time pass, the loop ticking."""
        for _ in range(max(1, round(seconds / TICK))):
            self._time += TICK
            self.loop.tick()

    def finish(self, action: Action) -> str:
        """Let time pass until an action has ended; return why it failed, or an empty text."""
        until = self._time + LONGEST
        while not action.done:
            if self._time > until:
                action.cancel()
                self.wait(0.5)
                return "timeout"
            self.wait(TICK)
        return action.error

    def stroke(self, to: Array, speed: float) -> str:
        """Move the level tool straight to a place in the world [m], shape (3,), the rail moving along.

        Args:
            speed: share of what is allowed, 0-1.
        """
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = LEVEL, to
        try:
            plan = self._reach.plan(self.body.joints(), pose, speed)
        except PlanError as error:
            return str(error.result)
        return "detour" if plan.duration > STROKE else self.finish(self.body.move(plan))

    def close(self, force: float) -> str:
        """Close the jaws with at most `force` [N] until they stop."""
        return self.finish(self.body.grip_to(0.0, force))

    def open(self) -> str:
        """Open the jaws."""
        return self.finish(self.body.grip_to(self.arm.tool.opening_max, 0.5))

    def cut(self) -> str:
        """Sweep the blade once, if the interlock allows."""
        return self.finish(self.body.cut())

    def look(self) -> tuple[Sighting, ...]:
        """Take a picture and wait for the berries in it."""
        picture = self.body.look()
        self.wait(max(0.0, picture.due - self._time))
        return picture.sighting.berries

    def lay_down(self) -> str:
        """Carry what is held into the punnet, open over it, and come back to where the tool was."""
        back, joints = self.body.tool_pose(), self.body.joints()
        target = Target(
            id=0,
            position=back[:3, 3],
            diameter=self.loop.gripper.opening,
            length=1.25 * self.loop.gripper.opening,
            axis=np.array([0.0, 0.0, 1.0]),
            ripeness=1.0,
            stage="ripe",
            seen_at=self.now(),
        )
        failed = ""
        for tilt in PickSettings().place_tilts:
            try:
                way = self._over_and_down(joints, target, tilt)
            except PlanError as error:
                failed = str(error.result)
                continue
            failed = self.finish(self.body.move(way)) or self.open()
            self._laid += 1
            return failed or self._return(back)
        return failed

    def _over_and_down(self, joints: Array, target: Target, tilt: float) -> ArmPlan:
        index, rail = self._laid % self._pattern.shape.capacity, float(joints[0])
        above = self._pattern.height_over_wall(index, target)
        over = self._reach.plan(joints, self._pattern.pose(index, target, rail, tilt=tilt, above=above), 1.0, rail=rail)
        down = self._reach.line(over.end, self._pattern.pose(index, target, rail, tilt=tilt), 0.25)
        return self._reach.join([over, down])

    def _return(self, to: Pose) -> str:
        """Go straight up out of the punnet, then back."""
        up = self.body.tool_pose()
        up[2, 3] += 0.12
        try:
            first = self._reach.line(self.body.joints(), up, 0.25)
            return self.finish(self.body.move(self._reach.join([first, self._reach.plan(first.end, to, 1.0)])))
        except PlanError as error:
            return str(error.result)

    def count(self, where: Where, ripeness_min: float) -> int:
        """Return how many berries at least so ripe are there."""
        berries = zip(self.row.berries, self.row.where, strict=True)
        return sum(place is where and berry.ripeness >= ripeness_min for berry, place in berries)

    def _parked(self) -> Array:
        pose, like = np.eye(4), self.arm.posture
        pose[:3, :3], pose[:3, 3] = LEVEL, (self.scene.origin + 0.1, START_Y, START_Z)
        rail = float(pose[0, 3] - self.arm.rail.base[0]) - like.ahead
        found: Array = solve(self.arm, pose, np.array([rail, *like.joints]), rail=rail)[0]
        return found
