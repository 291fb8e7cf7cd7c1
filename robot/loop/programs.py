"""What programs ask of the loop: the motion lease, trajectories, grips and cuts; each is asked for its right first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.gripper import Cut, Grip
from robot.kinematics import tool_position
from robot.loop.device import Device
from robot.loop.follower import Follower
from robot.loop.jaws import Jaws
from robot.loop.motion import LoopError, Motion
from robot.motion import Trajectory
from robot.safety import MotionLease, State, Supervisor, blade_allowed
from telemetry.clock import Clock

Array = npt.NDArray[np.float64]


class Programs:
    """Passes on what is allowed now, and refuses the rest before anything has moved."""

    def __init__(
        self,
        *,
        arm: ArmDescription,
        supervisor: Supervisor,
        lease: MotionLease,
        follower: Follower,
        jaws: Jaws,
        device: Device,
        clock: Clock,
    ) -> None:
        self._arm, self._supervisor, self._follower, self._jaws = arm, supervisor, follower, jaws
        self._device, self._clock = device, clock
        self.lease = lease

    def tool_speed(self) -> float:
        """Return the tool's limit in the present state [m/s]."""
        limits = self._arm.safety
        return limits.tool_speed_manual if self._supervisor.state is State.MANUAL_REDUCED else limits.tool_speed_auto

    def acquire(self, holder: str) -> int:
        """Give the motion lease to a remote holder, who renews it; return its token, 0 when it is not to be had.

        What the robot's own programs have under way is stopped along its path.
        """
        token = self.lease.acquire(holder, self._clock.monotonic())
        if token:
            self._follower.stop("canceled", along=True)
            self._jaws.stop("canceled", self._device.gripper)
        return token

    def renew(self, token: int) -> bool:
        """Note that the remote holder is there."""
        return self.lease.renew(token, self._clock.monotonic())

    def release(self, token: int) -> bool:
        """Give the motion lease back; what its holder has under way is stopped along its path."""
        if not self.lease.release(token):
            return False
        self._follower.stop("canceled", along=True)
        return True

    def follow(
        self,
        trajectory: Trajectory,
        *,
        path_tolerance: Array | None = None,
        goal_tolerance: Array | None = None,
        goal_time: float | None = None,
        token: int = 0,
        valid_until: float = float("inf"),
    ) -> Motion:
        """Begin a trajectory; the first set point is sent by the next tick.

        Args:
            token: of the motion lease; 0 = the robot's own programs.
            valid_until: monotonic instant after which it must not begin any more [s].

        Raises:
            LoopError: motion is not allowed, it comes too late, another is under way, or it begins elsewhere.
        """
        self._require_motion(token)
        if self._jaws.cutting or self._device.gripper.blade_out:
            raise LoopError("blade_interlock", "the blade is out: the arm stands still until it is back")
        if not self._clock.monotonic() <= valid_until:
            raise LoopError("command_expired", f"valid until {valid_until:.3f} s, now {self._clock.monotonic():.3f} s")
        motion = Motion(path_tolerance=path_tolerance, goal_tolerance=goal_tolerance, goal_time=goal_time)
        self._follower.begin(trajectory, motion, tool_speed=self.tool_speed())
        return motion

    def grip(self, opening: float, max_force: float, *, token: int = 0) -> Grip:
        """Move the pads towards `opening` [m] with at most `max_force` [N] (capped by the tool's limit).

        Raises:
            LoopError: motion is not allowed, or a number is not.
        """
        if not (np.isfinite(opening) and np.isfinite(max_force)):
            raise LoopError("command_invalid", f"expected finite opening and force, got {opening} m, {max_force} N")
        self._require_motion(token)
        return self._jaws.grip(opening, max_force, self._clock.monotonic())

    def cut(self, *, token: int = 0) -> Cut:
        """Sweep the blade once, if the interlock allows.

        Raises:
            LoopError: `blade_interlock`; the detail says why.
        """
        reason = blade_allowed(
            self._arm,
            state=self._supervisor.state,
            tool=tool_position(self._arm, self._device.joints.position),
            tool_speed=self._follower.tool_speed,
            force=self._device.gripper.force,
            opening=self._device.gripper.opening,
        )
        reason = reason or self.lease.refuses(token, self._clock.monotonic())
        if not reason and self._follower.moving:
            reason = "the arm is on its way"
        if not reason and self._jaws.cutting:
            reason = "the blade is already sweeping"
        if reason:
            raise LoopError("blade_interlock", reason)
        return self._jaws.cut(self._clock.monotonic())

    def _require_motion(self, token: int) -> None:
        reason = self.lease.refuses(token, self._clock.monotonic())
        if reason:
            raise LoopError("not_allowed", reason)
        if not self._supervisor.motion_allowed:
            raise LoopError("not_allowed", f"state {self._supervisor.state}, causes {list(self._supervisor.causes)}")
