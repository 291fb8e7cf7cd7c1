"""One tick of the control loop, and the requests it serves between ticks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.hardware import Capabilities, GripperState, Hardware, JointCommand, JointState, StopCategory
from robot.loop.blackbox import BlackBox
from robot.loop.coast import Coast
from robot.loop.device import Device
from robot.loop.follower import MISMATCH, Follower
from robot.loop.jaws import Jaws
from robot.loop.operator import Operator
from robot.loop.programs import Programs
from robot.loop.settings import LoopSettings, LoopStats
from robot.loop.watch import Watch
from robot.safety import POWER_OFF, MotionLease, State, Supervisor
from robot.safety.states import LATCHED, MOVING, POWERED
from telemetry.clock import Clock

Array = npt.NDArray[np.float64]


class ControlLoop:
    """Owns the hardware. One thread calls `tick` and everything else; nothing here blocks, sleeps, logs or does I/O.

    Args:
        hardware: the device.
        arm: its description; all limits come from here.
        clock: `monotonic` drives watchdogs and expiry.
    """

    def __init__(self, hardware: Hardware, arm: ArmDescription, clock: Clock, settings: LoopSettings) -> None:
        period = 1.0 / settings.rate
        self._arm, self._clock = arm, clock
        self.supervisor = Supervisor()
        self.stats = LoopStats()
        self.blackbox = BlackBox(int(settings.blackbox * settings.rate))
        self._follower = Follower(arm, period, settings.obstacles)
        self._watch = Watch(arm, self.supervisor, settings.required, period, overrun_policy=settings.overrun_policy)
        self._device = Device(hardware, self._watch)
        self._jaws = Jaws(arm.tool)
        self._coast = Coast(arm)
        programs = Programs(
            arm=arm,
            supervisor=self.supervisor,
            lease=MotionLease(settings.lease_age),
            follower=self._follower,
            jaws=self._jaws,
            device=self._device,
            clock=clock,
        )
        self._tool_speed, self.lease = programs.tool_speed, programs.lease
        self.acquire, self.renew, self.release = programs.acquire, programs.renew, programs.release
        self.follow, self.grip, self.cut = programs.follow, programs.grip, programs.cut
        operator = Operator(
            supervisor=self.supervisor,
            follower=self._follower,
            device=self._device,
            watch=self._watch,
            clock=clock,
            local_reset=settings.local_reset,
            enable=self._enable,
            hold_here=self._hold_here,
        )
        self.start, self.hold = operator.start, operator.hold
        self.reset, self.reset_button = operator.reset, operator.reset_button
        self._drives_hold = False  # a fault was answered with power on
        self._seq, self._changes, self._stopped = 0, -1, 0
        self._ticked_at = float("inf")
        self._state = State.OFF
        self._let_go = False

    # Life

    def bring_up(self) -> None:
        """Configure and power the device and hold where it is: READY, unless something is wrong.

        Raises:
            HardwareError: the device does not answer.
        """
        self._device.connect()
        self.supervisor.power_on()
        self._enable()

    def shut_down(self) -> None:
        """Stop, power the drives down and let go of the device."""
        self._device.stop(StopCategory.STOP_THEN_POWER_OFF)
        self.supervisor.power_off()
        self._device.let_go()

    def _enable(self) -> None:
        self._device.power()
        self._hold_here()
        self._jaws.rest_at(self.gripper.opening)
        self.supervisor.enable()
        self._state, self._drives_hold = self.supervisor.state, False  # a fault from here on is a new one
        if self._coast.moved(self.joints.position):
            self.supervisor.momentary("position_mismatch")  # somebody moved it, or the encoders lost count

    def _hold_here(self) -> None:
        measured = self.joints.position
        q = np.clip(measured, self._arm.position_min, self._arm.position_max)
        beyond = np.abs(q - measured) > MISMATCH
        if beyond.any():  # a joint so far beyond its limit is held there: it must not leap back
            q[beyond] = measured[beyond]
            self.supervisor.momentary("joint_limit")
        self._follower.rest_at(q)
        self._watch.restart(q)

    # Requests

    @property
    def capabilities(self) -> Capabilities:
        """What the hardware can do."""
        return self._device.capabilities

    @property
    def joints(self) -> JointState:
        """The newest measurement of the joints."""
        return self._device.joints

    @property
    def gripper(self) -> GripperState:
        """The newest measurement of the gripper."""
        return self._device.gripper

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

    def stop(self, cause: str = "operator_stop") -> None:
        """Stop at once and stay stopped until `reset`."""
        self.supervisor.momentary(cause)

    def fence(self, low: float, high: float, rail: tuple[float, float]) -> None:
        """Keep tool and rail between two places each [m], as the lease on space says; a stop ends there too."""
        self._follower.fence(low, high, rail)

    def heartbeat(self, name: str) -> None:
        """Note a sign of life of another program."""
        self._watch.heartbeats.beat(name, self._clock.monotonic())

    # One tick

    def tick(self) -> None:
        """Read, watch, move on, limit, write. Call it `rate` times per second of the clock."""
        now = self._clock.monotonic()
        self.stats.ticks += 1
        self.stats.late += self._watch.lateness(now)
        measured = self._device.read()
        known = measured and bool(np.isfinite(self.joints.position).all())
        if now - self._ticked_at > self._arm.safety.command_age and known and self.supervisor.state in POWERED:
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
        elif known and self._coast.under_way:
            self._watch.tracking.restart(self._coast.follow(self.joints))
        self._jaws.update(self.gripper, now)
        self._follower.judge(self.joints.position, self._watch.error, now)
        self._record(now)

    def _react(self) -> None:
        """Stop what is under way when motion is no longer allowed."""
        before, state = self._state, self.supervisor.state
        if state is not before or self.supervisor.stops != self._stopped:
            self._state, self._stopped = state, self.supervisor.stops
            self.stats.stops += before in MOVING or state in LATCHED
            self._let_go = state is State.PSTOP
            causes = self.supervisor.causes
            code = causes[0] if causes else "protective_stop"
            if state not in POWERED:
                category = _category(state, causes)
                self._drives_hold = before in POWERED and category is StopCategory.STOP_AND_HOLD
                if before in POWERED:
                    self._watch.tracking.restart(self._coast.begin(self.joints, self._follower.q))
                self._follower.drop(code)
                self._device.stop(category)
            elif state not in MOVING:
                self._follower.stop(code, along=state is State.HOLD)
            if state not in MOVING:
                self._jaws.stop(code, self.gripper)
        elif self._drives_hold and not POWER_OFF.isdisjoint(self.supervisor.causes):
            self._drives_hold = False  # it does not hold
            self._device.stop(StopCategory.POWER_OFF)
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
        if not self._device.write(joints, gripper):
            self._react()

    def _record(self, now: float) -> None:
        self.blackbox.record(now, self.joints, self.gripper, self._follower.q, self._follower.v)
        if self.supervisor.changes != self._changes:
            self._changes = self.supervisor.changes
            self.blackbox.changes.append((now, str(self.supervisor.state), self.supervisor.causes))


def _category(state: State, causes: tuple[str, ...]) -> StopCategory:
    """Return how the driver has to stop."""
    if not POWER_OFF.isdisjoint(causes):
        return StopCategory.POWER_OFF
    return StopCategory.STOP_AND_HOLD if state is State.FAULT else StopCategory.STOP_THEN_POWER_OFF
