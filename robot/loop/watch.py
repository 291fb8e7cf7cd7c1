"""Turns measurements, heartbeats and lateness into causes of the supervisor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.hardware import GripperState, JointState
from robot.kinematics import tool_position
from robot.safety import (
    CAUSES,
    FeedbackWatch,
    Heartbeats,
    LateWatch,
    LoadWatch,
    Supervisor,
    ToolWatch,
    TrackingWatch,
)

Array = npt.NDArray[np.float64]
FROZEN_AGE = 0.05  # the gripper's stamp may be so old [s]; R6
FORCE_SHARE = 1.2  # of the tool's force limit that the pads may measure
DRIVES_OFF = ("drives_off",)  # codes that are no fault while nothing asked the drives to be on
PRESSED_TOLD = 0.5  # pads that press too hard for an instant are told for so long, or nobody hears why it holds [s]
BLADE_GRACE = 0.3  # the blade may still be on its way back this long after a sweep [s]


class Watch:
    """The watchdogs of one loop.

    Args:
        required: programs whose heartbeat a motion needs.
        period: of the loop [s].
        overrun_policy: whether late ticks stop the arm.
    """

    def __init__(
        self,
        arm: ArmDescription,
        supervisor: Supervisor,
        required: tuple[str, ...],
        period: float,
        *,
        overrun_policy: bool,
    ) -> None:
        self._supervisor = supervisor
        self.heartbeats = Heartbeats(required, arm.safety.heartbeat_age)
        self._lost_keys = {name: f"{name}_lost" if f"{name}_lost" in CAUSES else "heartbeat_lost" for name in required}
        self._feedback = FeedbackWatch(arm)
        self.tracking = TrackingWatch(arm)
        self._tool = ToolWatch(lambda q: tool_position(arm, q))
        self._load = LoadWatch(arm)
        self._late = LateWatch(period)
        self._overrun_policy = overrun_policy
        self._force_max = arm.tool.force_max * FORCE_SHARE
        self._driver: set[str] = set()
        self._failed = ""
        self._cut_at = self._pressed_at = float("-inf")
        self.error = np.zeros(7)

    def restart(self, q: Array) -> None:
        """Begin anew with the arm at rest at `q`, shape (7,)."""
        self._feedback.restart()
        self._late.restart()
        self.tracking.restart(q)
        self._tool.restart()
        self.error = np.zeros(7)

    def lateness(self, now: float) -> bool:
        """Note a tick; return whether it is late."""
        late, stop = self._late.judge(now)
        if stop and self._overrun_policy:
            self._supervisor.momentary("loop_overrun")
        return late

    def driver_failed(self, code: str) -> None:
        """Report that the driver raised; it lasts until it answers again."""
        key = code if code in CAUSES else "hardware_lost"
        if self._failed and self._failed != key:
            self._supervisor.clear(self._failed)
        self._failed = key
        self._supervisor.raise_cause(key)

    def judge(
        self,
        joints: JointState,
        gripper: GripperState,
        now: float,
        *,
        powered: bool,
        holding: bool,
        cutting: bool,
        tool_speed: float,
    ) -> None:
        """Judge one measurement and everybody's signs of life.

        Args:
            powered: the drives follow set points.
            holding: after a fault they hold by themselves, still with power.
            cutting: a sweep of the blade is under way.
            tool_speed: the tool's limit now [m/s].
        """
        supervisor = self._supervisor
        if self._failed:
            supervisor.clear(self._failed)
            self._failed = ""
        if joints.faults or gripper.faults or self._driver:
            self._report((*joints.faults, *gripper.faults), powered=powered)
        wrong = self._feedback.judge(joints.stamp, joints.position, joints.velocity, now)
        if wrong == "encoder_jump":
            supervisor.momentary(wrong)
        self._condition("sensor_frozen", wrong == "sensor_frozen" or not abs(now - gripper.stamp) <= FROZEN_AGE)
        if wrong == "hardware_fault":
            supervisor.momentary(wrong)
        if (powered or holding) and wrong != "hardware_fault":
            self.error = self.tracking.error(joints.position)
            self._condition("tracking_error", powered and self.tracking.exceeded(self.error))
            if wrong == "encoder_jump":
                self._tool.restart()  # the count is wrong, the arm did not leap
            else:
                self._judge_motion(joints, tool_speed, cutting=gripper.blade_out)
        else:
            supervisor.clear("tracking_error")
        self._condition("overload", self._load.judge(joints.stamp, joints.effort))
        if gripper.force > self._force_max:
            self._pressed_at = now
        self._condition("gripper_force", now - self._pressed_at < PRESSED_TOLD)
        if cutting:
            self._cut_at = now
        self._condition("blade_interlock", gripper.blade_out and now - self._cut_at > BLADE_GRACE)
        self.judge_heartbeats(now)

    def _judge_motion(self, joints: JointState, tool_speed: float, *, cutting: bool) -> None:
        """Raise what takes the power away: a joint that runs away, a tool that is too fast."""
        behind = self.error.any()  # mostly not: a servo's lag is no error
        if behind and self.tracking.runs_away(self.error, joints.position, joints.velocity, cutting=cutting):
            self._supervisor.momentary("runaway")
        if self._tool.too_fast(joints.stamp, joints.position, tool_speed):
            self._supervisor.momentary("overspeed")

    def judge_heartbeats(self, now: float) -> None:
        """Raise or clear `<name>_lost` of every required program."""
        if not self._lost_keys:
            return
        lost = {self._lost_keys[name] for name in self.heartbeats.lost(now)}
        for key in self._lost_keys.values():
            self._condition(key, key in lost)

    def _report(self, codes: tuple[str, ...], *, powered: bool) -> None:
        """Raise what drives and gripper report, and clear what they no longer do."""
        expected = () if powered else DRIVES_OFF
        keys = {code if code in CAUSES else "hardware_fault" for code in codes if code not in expected}
        for key in self._driver - keys:
            self._supervisor.clear(key)
        for key in keys:
            self._supervisor.raise_cause(key)
        self._driver = keys

    def _condition(self, key: str, on: bool) -> None:
        if on:
            self._supervisor.raise_cause(key)
        else:
            self._supervisor.clear(key)
