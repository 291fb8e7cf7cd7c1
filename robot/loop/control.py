"""One tick of the control loop, and the requests it serves between ticks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.collision import Obstacles
from robot.gripper import Cut, Grip
from robot.hardware import Capabilities, GripperState, Hardware, HardwareError, JointCommand, JointState, StopCategory
from robot.kinematics import tool_position
from robot.loop.blackbox import BlackBox
from robot.loop.follower import MISMATCH, Follower
from robot.loop.jaws import Jaws
from robot.loop.motion import LoopError, Motion
from robot.loop.watch import Watch
from robot.motion import Trajectory
from robot.safety import POWER_OFF, MotionLease, State, Supervisor, blade_allowed
from robot.safety.states import LATCHED, MOVING, POWERED
from telemetry.clock import Clock

Array = npt.NDArray[np.float64]
COASTING = 2e-3  # joints slower than this have come to rest [m/s, rad/s]
COAST = 2.0 * MISMATCH  # brakes that close may let a joint that stood sink so far [m, rad]
ANSWERS = 0.1  # so long a device goes on before it stops, or a measurement froze before it was noticed [s]
UNAWARE = 0.25  # a start so soon after an operator's hold was sent before its sender knew of it [s]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """How the loop runs.

    Attributes:
        rate: ticks per second.
        required: names of the programs whose heartbeat a motion needs.
        lease_age: a remote holder of the motion lease who is silent for so long makes the robot HOLD [s].
        overrun_policy: stop when ticks come late; off in simulation, where time waits for the loop.
        blackbox: seconds kept.
        local_reset: a stop is answered by the reset button at the machine, by nobody far away; off in simulation.
        obstacles: what the limiter keeps the arm off, itself included; None = it does not look.
    """

    rate: float = 250.0
    required: tuple[str, ...] = ()
    overrun_policy: bool = False
    blackbox: float = 30.0
    lease_age: float = 0.2
    local_reset: bool = True
    obstacles: Obstacles | None = None


@dataclass(slots=True, kw_only=True)
class LoopStats:
    """Counts since the loop was built."""

    ticks: int = 0
    late: int = 0
    rejected: int = 0
    stops: int = 0


class ControlLoop:
    """Owns the hardware. One thread calls `tick` and everything else; nothing here blocks, sleeps, logs or does I/O.

    Args:
        hardware: the device.
        arm: its description; all limits come from here.
        clock: `monotonic` drives watchdogs and expiry.
    """

    def __init__(self, hardware: Hardware, arm: ArmDescription, clock: Clock, settings: LoopSettings) -> None:
        period = 1.0 / settings.rate
        self._hardware, self._arm, self._clock = hardware, arm, clock
        self.supervisor = Supervisor()
        self.stats = LoopStats()
        self.blackbox = BlackBox(int(settings.blackbox * settings.rate))
        self._follower = Follower(arm, period, settings.obstacles)
        self._watch = Watch(arm, self.supervisor, settings.required, period, overrun_policy=settings.overrun_policy)
        self._jaws = Jaws(arm.tool)
        self.lease = MotionLease(settings.lease_age)
        self._local_reset = settings.local_reset
        self._coasting = False
        self._stopped_at = np.full(7, np.nan)  # where the arm was when the driver was told to stop
        self._coast_max = COAST
        self._left: Array | None = None  # where the arm was left when the drives went off
        self._drives_hold = False  # a fault was answered with power on
        self._seq = 0
        self._ticked_at = float("inf")
        self._changes = -1
        self._state = State.OFF
        self._let_go = False
        self._held_at = float("-inf")
        unknown = np.full(7, np.nan)
        self.joints = JointState(stamp=float("-inf"), position=unknown, velocity=unknown, effort=unknown)
        self.gripper = GripperState(
            stamp=float("-inf"), opening=np.nan, opening_velocity=np.nan, force=np.nan, blade_out=False
        )

    # Life

    def bring_up(self) -> None:
        """Configure and power the device and hold where it is: READY, unless something is wrong.

        Raises:
            HardwareError: the device does not answer.
        """
        self._hardware.configure()
        self.supervisor.power_on()
        self._enable()

    def shut_down(self) -> None:
        """Stop, power the drives down and let go of the device."""
        self._hardware.stop(StopCategory.STOP_THEN_POWER_OFF)
        self.supervisor.power_off()
        self._hardware.deactivate()
        self._hardware.shutdown()

    def _enable(self) -> None:
        self._hardware.activate()
        self.joints, self.gripper = self._hardware.read()
        left, self._left = self._left, None
        self._hold_here()
        self._jaws.rest_at(self.gripper.opening)
        self.supervisor.enable()
        self._state, self._drives_hold = self.supervisor.state, False  # a fault from here on is a new one
        if left is not None and not (np.abs(self.joints.position - left) <= MISMATCH).all():
            self.supervisor.momentary("position_mismatch")  # somebody moved it, or the encoders lost count

    def _hold_here(self) -> None:
        q = np.clip(self.joints.position, self._arm.position_min, self._arm.position_max)
        self._follower.rest_at(q)
        self._watch.restart(q)

    # Requests

    @property
    def capabilities(self) -> Capabilities:
        """What the hardware can do."""
        return self._hardware.capabilities

    @property
    def set_point(self) -> Array:
        """The last set point that was sent, shape (7,)."""
        return self._follower.q

    @property
    def moving(self) -> bool:
        return self._follower.moving

    @property
    def busy(self) -> bool:
        """A trajectory has not ended yet."""
        return self._follower.busy

    def acquire(self, holder: str) -> int:
        """Give the motion lease to a remote holder, who renews it; return its token, 0 when it is not to be had.

        What the robot's own programs have under way is stopped along its path.
        """
        token = self.lease.acquire(holder, self._clock.monotonic())
        if token:
            self._follower.stop("canceled", along=True)
            self._jaws.stop("canceled", self.gripper)
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
        if not self._clock.monotonic() <= valid_until:
            raise LoopError("command_expired", f"valid until {valid_until:.3f} s, now {self._clock.monotonic():.3f} s")
        motion = Motion(path_tolerance=path_tolerance, goal_tolerance=goal_tolerance, goal_time=goal_time)
        self._follower.begin(trajectory, motion, tool_speed=self._tool_speed())
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
            state=self.supervisor.state,
            tool=tool_position(self._arm, self.joints.position),
            tool_speed=self._follower.tool_speed,
            force=self.gripper.force,
            opening=self.gripper.opening,
        )
        reason = reason or self.lease.refuses(token, self._clock.monotonic())
        if not reason and self._jaws.cutting:
            reason = "the blade is already sweeping"
        if reason:
            raise LoopError("blade_interlock", reason)
        return self._jaws.cut(self._clock.monotonic())

    def _require_motion(self, token: int) -> None:
        reason = self.lease.refuses(token, self._clock.monotonic())
        if reason:
            raise LoopError("not_allowed", reason)
        if not self.supervisor.motion_allowed:
            raise LoopError("not_allowed", f"state {self.supervisor.state}, causes {list(self.supervisor.causes)}")

    def start(self) -> str:
        """Ask for RUN; return why not, or an empty text."""
        now = self._clock.monotonic()
        self._watch.judge_heartbeats(now)
        if now - self._held_at < UNAWARE:
            return "an operator's hold came at the same time; ask again if it is meant to end"
        if self.supervisor.state in (State.READY, State.HOLD):
            if self._follower.moving:
                return "the arm is still coming to rest"
            if self._follower.mismatch(self.joints.position):
                self.supervisor.momentary("position_mismatch")
                return "position_mismatch: the arm is not where it stopped; reset, then start"
        if self.supervisor.start():
            return ""
        return f"refused in state {self.supervisor.state}, causes {list(self.supervisor.causes)}"

    def hold(self) -> None:
        """Stop along the path and wait for a `start` that is asked for after this."""
        self._held_at = self._clock.monotonic()
        self.supervisor.momentary("operator_hold")

    def stop(self, cause: str = "operator_stop") -> None:
        """Stop at once and stay stopped until `reset`."""
        self.supervisor.momentary(cause)

    def reset(self) -> str:
        """Answer a stop from afar; return why not, or an empty text. Never starts motion.

        Raises:
            HardwareError: the drives cannot be powered again.
        """
        if self._local_reset:
            return "press the reset button at the robot: only somebody who sees it may answer a stop"
        return self._reset()

    def reset_button(self, pressed: bool) -> str:
        """Feed the level of the reset button at the machine; a press answers a stop like `reset`.

        Raises:
            HardwareError: the drives cannot be powered again.
        """
        return self._reset() if self.supervisor.reset_edge(pressed) else ""

    def _reset(self) -> str:
        if self._follower.moving and self.supervisor.state in POWERED:
            return "the arm is still coming to rest"
        if not self.supervisor.reset():
            return f"refused in state {self.supervisor.state}, causes {list(self.supervisor.causes)}"
        if self.supervisor.state is State.IDLE:
            try:
                self._enable()
            except HardwareError as error:
                self._watch.driver_failed(error.code)  # a fault again, which another reset answers
                raise
        elif self._follower.mismatch(self.joints.position):
            self._hold_here()
        return ""

    def fence(self, low: float, high: float) -> None:
        """Keep the tool between two places along the row [m], as its lease on space says; a stop ends there too."""
        self._follower.fence(low, high)

    def heartbeat(self, name: str) -> None:
        """Note a sign of life of another program."""
        self._watch.heartbeats.beat(name, self._clock.monotonic())

    # One tick

    def tick(self) -> None:
        """Read, watch, move on, limit, write. Call it `rate` times per second of the clock."""
        now = self._clock.monotonic()
        self.stats.ticks += 1
        self.stats.late += self._watch.lateness(now)
        measured = self._read()
        if now - self._ticked_at > self._arm.safety.command_age and measured and self.supervisor.state in POWERED:
            self._follower.drop("command_expired")  # the drives hold by themselves by now, wherever they stopped
            self._hold_here()
        self._ticked_at = now
        if measured:
            powered = self.supervisor.state in POWERED
            self._watch.judge(
                self.joints,
                self.gripper,
                now,
                powered=powered,
                holding=self._drives_hold,
                cutting=self._jaws.cutting,
                tool_speed=self._tool_speed(),
            )
        if self.lease.lost(now):
            self.lease.drop()
            self.supervisor.momentary("lease_lost")
        self._react()
        if self.supervisor.state in POWERED:
            self._command(now)
        elif measured and self._coasting and np.isfinite(self.joints.position).all():
            self._coast()
        self._jaws.update(self.gripper, now)
        self._follower.judge(self.joints.position, self._watch.error, now)
        self._record(now)

    def _begin_coast(self) -> None:
        """Note where the arm is while the driver stops it, and how far that may take."""
        q, v = self.joints.position, np.abs(self.joints.velocity)
        v = np.where(np.isfinite(v), v, self._arm.velocity)
        self._stopped_at = np.where(np.isfinite(q), q, self._follower.q)
        self._coast_max = COAST + ANSWERS * v + v**2 / (2.0 * self._arm.acceleration)
        self._left, self._coasting = self._stopped_at, True
        self._watch.tracking.restart(self._stopped_at)

    def _coast(self) -> None:
        """Follow the arm until it has come to rest, but no hand that moves it on, nor a joint that runs away."""
        if (np.abs(self.joints.position - self._stopped_at) <= self._coast_max).all():
            self._left = self.joints.position
            self._coasting = bool((np.abs(self.joints.velocity) > COASTING).any())
        else:
            self._left, self._coasting = self._stopped_at, False
        self._watch.tracking.restart(self._left)

    def _read(self) -> bool:
        try:
            self.joints, self.gripper = self._hardware.read()
        except HardwareError as error:
            self._watch.driver_failed(error.code)
            return False
        return True

    def _react(self) -> None:
        """Stop what is under way when motion is no longer allowed."""
        before, state = self._state, self.supervisor.state
        if state is not before:
            self._state = state
            self.stats.stops += before in MOVING or state in LATCHED
            self._let_go = state is State.PSTOP
            causes = self.supervisor.causes
            code = causes[0] if causes else "protective_stop"
            if state not in POWERED:
                category = _category(state, causes)
                self._drives_hold = before in POWERED and category is StopCategory.STOP_AND_HOLD
                if before in POWERED:
                    self._begin_coast()
                self._follower.drop(code)
                self._driver_stop(category)
            elif state not in MOVING:
                self._follower.stop(code, along=state is State.HOLD)
            if state not in MOVING:
                self._jaws.stop(code, self.gripper)
        elif self._drives_hold and not POWER_OFF.isdisjoint(self.supervisor.causes):
            self._drives_hold = False  # it does not hold
            self._driver_stop(StopCategory.POWER_OFF)
        if self._let_go and not self._follower.moving:
            self._let_go = False
            if self._follower.mismatch(self.joints.position):
                self._hold_here()  # or it would leap to the set point once what blocks it is gone

    def _command(self, now: float) -> None:
        q, v, refused, good = self._follower.advance(self._tool_speed())
        if refused:
            self.stats.rejected += 1
            self.supervisor.momentary(refused)
        if not good:  # not even the stop is accepted: the driver has to do it
            self.supervisor.momentary("hardware_fault")
        if refused:
            self._react()
        if not good:
            return
        self._watch.tracking.commanded(q)
        self._seq += 1
        until = now + self._arm.safety.command_age
        joints = JointCommand(seq=self._seq, valid_until=until, position=q, velocity=v)
        gripper = self._jaws.command(self._seq, until, blade=self.supervisor.state is State.RUN)
        try:
            self._hardware.write(joints, gripper)
        except HardwareError as error:
            self._watch.driver_failed(error.code)
            self._react()

    def _driver_stop(self, category: StopCategory) -> None:
        try:
            self._hardware.stop(category)
        except HardwareError as error:
            self._watch.driver_failed(error.code)

    def _tool_speed(self) -> float:
        limits = self._arm.safety
        return limits.tool_speed_manual if self.supervisor.state is State.MANUAL_REDUCED else limits.tool_speed_auto

    def _record(self, now: float) -> None:
        row = self.blackbox.row()
        row[0] = now
        row[1:8] = self.joints.position
        row[8:15] = self.joints.velocity
        row[15:22] = self._follower.q
        row[22:29] = self._follower.v
        row[29:] = self.gripper.opening, self.gripper.force, self.gripper.blade_out
        if self.supervisor.changes != self._changes:
            self._changes = self.supervisor.changes
            self.blackbox.changes.append((now, str(self.supervisor.state), self.supervisor.causes))


def _category(state: State, causes: tuple[str, ...]) -> StopCategory:
    """Return how the driver has to stop."""
    if not POWER_OFF.isdisjoint(causes):
        return StopCategory.POWER_OFF
    return StopCategory.STOP_AND_HOLD if state is State.FAULT else StopCategory.STOP_THEN_POWER_OFF
