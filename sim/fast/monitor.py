"""An independent judge of the kinematic tier: looks at true positions, forces and arriving commands, asks nobody.

It shares no code with the loop or the safety layer: limits come from the arm's file, the tool's place from a chain of
its own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import isfinite

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.hardware import JointCommand
from sim.fast.hardware import FastHardware

Array = npt.NDArray[np.float64]

EVERY, WINDOW = 5, 5
"""Ticks between two looks at where the tool is; its speed is the mean over so many looks (0.1 s): servos that catch up
after commands came late are faster for a moment."""

REST = 2e-3
"""Joints slower than this stand [m/s, rad/s]."""

POSITION_SLACK = np.array([0.006, *[0.02] * 6])
"""How far beyond a soft limit a stop may carry a joint [m, rad]; the machine's own ends are further out."""

SPEED_SLACK, TOOL_SLACK, FORCE_SLACK, STEP_SLACK = 1.25, 1.25, 1.05, 1.05
WORKSPACE_SLACK = 0.03
HELD = 0.035
"""A set point this near to the arm holds it where it is [m, rad]: encoders may be off by a little."""

CATCH_UP_LOOKS, CATCH_UP_SLACK = 20, 1.6
"""For so many looks (0.4 s) after something was mended the tool may be so many times as fast as its limit: a joint that
was stuck by less than the tracking limit catches up at its own rated speed."""

BLADE_MOVES, BLADE_TRAVEL = 0.05, 0.015
"""Tool speed above which a blade that is out is a danger [m/s]; how far it may get while it is out [m], which is all
that can be asked of a joint that runs away."""


@dataclass(slots=True, kw_only=True)
class Deadline:
    """By `at` (monotonic [s]) the arm has to stand; `travel` is what the tool may go until then [m]."""

    name: str
    at: float
    travel: float
    from_: Array
    over: bool = False


@dataclass(slots=True, kw_only=True)
class Findings:
    """What was seen: `unsafe` lists what must not happen, the rest are the largest values [m/s, N, m]."""

    unsafe: list[str] = field(default_factory=list)
    tool_speed: float = 0.0
    force: float = 0.0
    travel: float = 0.0
    commands: int = 0


class Monitor:
    """Watches one machine. `look` is called after every tick, `Tap` hands it every command that is sent.

    Args:
        arm: limits.
        machine: the truth.
    """

    def __init__(self, arm: ArmDescription, machine: FastHardware) -> None:
        self.findings = Findings()
        self._arm, self._machine = arm, machine
        self._ticks, self._last_look = 0, 0.0
        self._places: deque[tuple[float, Array]] = deque([(0.0, self.tool())], maxlen=WINDOW + 1)
        self._command: JointCommand | None = None
        self._command_at = 0.0
        self._anew = True
        self._deadlines: list[Deadline] = []
        self._must_rest: str = ""
        self._catching_up = 0
        self._blade_from: Array | None = None
        ends = arm.position_min - POSITION_SLACK, arm.position_max + POSITION_SLACK
        self._ends: tuple[list[float], list[float]] = ends[0].tolist(), ends[1].tolist()
        self._speed_max: list[float] = (arm.velocity * SPEED_SLACK).tolist()
        self._step_max = arm.velocity * 0.004 * STEP_SLACK + 1e-9

    def tool(self) -> Array:
        """Return the tool's true place [m], by plain products of DH matrices, shape (3,)."""
        q, arm = self._machine.q, self._arm
        T = np.eye(4)
        T[:3, 3] = arm.rail.base + np.array([q[0], 0.0, 0.0])
        for theta, d, a, alpha in zip(q[1:], arm.arm.d, arm.arm.a, arm.arm.alpha, strict=True):
            c, s, ca, sa = np.cos(theta), np.sin(theta), np.cos(alpha), np.sin(alpha)
            T = T @ np.array([[c, -s * ca, s * sa, a * c], [s, c * ca, -c * sa, a * s], [0, sa, ca, d], [0, 0, 0, 1]])
        place: Array = (T @ arm.tool.T_flange_tool)[:3, 3]
        return place

    def expect_rest(self, name: str, *, at: float, travel: float) -> None:
        """Demand that the arm stands by `at` and until `permit_motion`, and that the tool goes `travel` at most."""
        self._deadlines.append(Deadline(name=name, at=at, travel=travel, from_=self.tool()))

    def runs_away(self, now: float, travel: float) -> None:
        """A joint moves by itself: what had to stand has been judged by now; what has yet to may be carried further.

        Args:
            now: monotonic [s].
            travel: so far, until the power is taken [m].
        """
        self._deadlines = [deadline for deadline in self._deadlines if deadline.at > now]
        for deadline in self._deadlines:
            deadline.travel += travel

    def permit_motion(self) -> None:
        """A person has asked for motion; what had to stand may move again."""
        self._deadlines.clear()
        self._must_rest = ""

    def no_longer(self, name: str) -> None:
        """The arm need not stand any more for this reason."""
        self._deadlines = [deadline for deadline in self._deadlines if deadline.name != name]

    def allow_catching_up(self) -> None:
        """Something was mended: joints that were held up by it are faster than planned for a moment."""
        self._catching_up = CATCH_UP_LOOKS

    def forbid_motion(self, why: str) -> None:
        """From now on the arm has to stand: nobody asked for motion."""
        self._must_rest = why

    def restart(self) -> None:
        """The drives were stopped or powered: the next set point may be elsewhere, but only where the arm is."""
        self._anew = True

    def command(self, command: JointCommand, now: float) -> None:
        """Judge a command on its way out."""
        before = self._command
        self.findings.commands += 1
        position, velocity = command.position.tolist(), command.velocity.tolist()
        if command.position.shape != (7,) or not all(map(isfinite, [*position, *velocity])):
            self._unsafe(f"a command of {command.position} was sent")
            return
        if beyond(position, self._ends):
            self._unsafe(f"a set point outside the limits was sent: {np.round(command.position, 3)}")
        if command.valid_until > now + 0.1:
            self._unsafe(f"a command valid for {command.valid_until - now:.3f} s was sent")
        if before is not None:
            if command.seq <= before.seq:
                self._unsafe(f"command {command.seq} was sent after {before.seq}")
            far = np.abs(command.position - before.position) > self._step_max
            held = not any(velocity) and bool((np.abs(command.position - self._machine.q) < HELD).all())
            expired = now > before.valid_until
            if expired and before.velocity.any() and not held and not self._anew:
                self._unsafe("set points went on after they had expired")
            if far.any() and not (held and (self._anew or expired or not before.velocity.any())):
                self._unsafe(f"set points leapt by {np.abs(command.position - before.position).max():.4f}")
            if now == self._command_at:
                self._unsafe("two commands were sent in one tick")
        self._command, self._command_at, self._anew = command, now, False

    def look(self, now: float) -> None:
        """Judge the true state of the machine."""
        machine, arm, found = self._machine, self._arm, self.findings
        v = [abs(speed) for speed in machine.v.tolist()]
        if beyond(machine.q.tolist(), self._ends):
            self._unsafe(f"a joint is beyond its limit: {np.round(machine.q, 3)}")
        if any(speed > most for speed, most in zip(v, self._speed_max, strict=True)):
            self._unsafe(f"a joint turns too fast: {np.round(v, 2)}")
        found.force = max(found.force, machine.force)
        if machine.force > arm.tool.force_max * FORCE_SLACK:
            self._unsafe(f"the pads press with {machine.force:.1f} N")
        moving = max(v) > REST
        if moving and self._must_rest:
            self._unsafe(f"the arm moves {self._must_rest}")
        for deadline in self._deadlines:
            if moving and now > deadline.at and not deadline.over:
                deadline.over = True
                self._unsafe(f"the arm still moves {now - deadline.at:.3f} s after it had to stand: {deadline.name}")
        self._ticks += 1
        if self._ticks % EVERY == 0 and now > self._last_look:
            self._look_at_tool(now)

    def _look_at_tool(self, now: float) -> None:
        arm, found, place = self._arm, self.findings, self.tool()
        then, there = self._places[0]
        speed = float(np.linalg.norm(place - there)) / (now - then)
        at_once = float(np.linalg.norm(place - self._places[-1][1])) / (now - self._last_look)
        self._places.append((now, place))
        self._last_look = now
        found.tool_speed = max(found.tool_speed, speed)
        broken = self._machine.broken
        self._catching_up -= self._catching_up > 0
        slack = CATCH_UP_SLACK if self._catching_up else TOOL_SLACK
        if speed > arm.safety.tool_speed_auto * slack and not broken.reversed:
            self._unsafe(f"the tool moves at {speed:.2f} m/s")
        low, high = arm.safety.workspace_min - WORKSPACE_SLACK, arm.safety.workspace_max + WORKSPACE_SLACK
        if (place < low).any() or (place > high).any():
            self._unsafe(f"the tool left its space: {np.round(place, 3)} m")
        if self._machine.blade_out:
            crop_low, crop_high = arm.safety.crop_volume_min - 0.01, arm.safety.crop_volume_max + 0.01
            if (place < crop_low).any() or (place > crop_high).any():
                self._unsafe(f"the blade is out at {np.round(place, 3)} m")
            begun = self._blade_from = place if self._blade_from is None else self._blade_from
            if float(np.linalg.norm(place - begun)) > BLADE_TRAVEL:
                self._unsafe(f"the blade is out {np.linalg.norm(place - begun):.3f} m from where it began to sweep")
            if at_once > BLADE_MOVES and not broken.reversed:
                self._unsafe(f"the blade is out while the tool moves at {at_once:.2f} m/s")
        else:
            self._blade_from = None
        for deadline in self._deadlines:
            gone = float(np.linalg.norm(place - deadline.from_))
            found.travel = max(found.travel, gone)
            if gone > deadline.travel and not deadline.over:
                deadline.over = True
                self._unsafe(f"the tool went {gone:.3f} m of {deadline.travel} m allowed: {deadline.name}")

    def _unsafe(self, what: str) -> None:
        if len(self.findings.unsafe) < 20:
            self.findings.unsafe.append(f"{self._last_look:.2f} s: {what}")


def beyond(values: list[float], ends: tuple[list[float], list[float]]) -> bool:
    """Tell whether a joint is outside its ends [m, rad]."""
    return any(x < low or x > high for x, low, high in zip(values, *ends, strict=True))
