"""Judges a grip from what the gripper measures: reached its opening, stalled on something, or taking too long."""

from __future__ import annotations

from collections.abc import Callable

from robot.hardware import GripperState

REACHED = 0.0015  # distance from the set point that counts as there [m]
STILL = 0.002  # pads slower than this stand [m/s]
STILL_TIME = 0.12  # for this long [s]
PRESSING, PRESSING_TIME = 0.8, 0.03  # share of the force allowed that tells a grip, for this long [s]
TIMEOUT = 3.0  # [s]; the full stroke takes 0.4 s


class Grip:
    """One request to move the pads. Ends `reached`, `stalled` (something is between the pads) or with a `code`.

    Args:
        opening: wanted distance between the pads [m].
        max_force: largest pad force [N].
        now: monotonic [s].
    """

    __slots__ = (
        "_deadline",
        "_light_since",
        "_still_since",
        "canceled",
        "code",
        "done",
        "max_force",
        "opening",
        "reached",
        "stalled",
        "when_done",
    )

    def __init__(self, *, opening: float, max_force: float, now: float) -> None:
        self.opening, self.max_force = opening, max_force
        self.done = self.reached = self.stalled = False
        self.code, self.canceled = "", False
        self.when_done: Callable[[], None] | None = None
        self._deadline = now + TIMEOUT
        self._still_since = self._light_since = now

    def update(self, measured: GripperState, now: float) -> None:
        """Judge one measurement."""
        if self.done:
            return
        if abs(measured.opening_velocity) > STILL:
            self._still_since = now
        if measured.force < PRESSING * self.max_force or measured.opening <= self.opening:
            self._light_since = now
        pressing = now - self._light_since >= PRESSING_TIME
        still = now - self._still_since >= STILL_TIME or pressing
        if abs(measured.opening - self.opening) <= REACHED and abs(measured.opening_velocity) <= STILL:
            self.reached = True
            self.end()
        elif still:
            self.stalled = True
            self.end()
        elif now > self._deadline:
            self.end("gripper_jammed")

    def cancel(self) -> None:
        """Ask for the pads to stop where they are. No effect once done."""
        self.canceled = True

    def end(self, code: str = "") -> None:
        """End it, with a code when neither reached nor stalled."""
        if not self.done:
            self.done, self.code = True, code
            if self.when_done is not None:
                self.when_done()


class Cut:
    """One sweep of the blade. It has worked when the blade was measured out and then back.

    Args:
        now: monotonic [s].
        blade_time: of one sweep [s].
    """

    __slots__ = ("_back_by", "_out", "_out_by", "_started", "code", "done", "seconds", "when_done")

    def __init__(self, *, now: float, blade_time: float) -> None:
        self.done, self.code, self.seconds = False, "", 0.0
        self.when_done: Callable[[], None] | None = None
        self._out = False
        self._started = now
        self._out_by, self._back_by = now + 0.2, now + 3.0 * blade_time + 0.2

    def update(self, measured: GripperState, now: float) -> None:
        """Judge one measurement."""
        if self.done:
            return
        if measured.blade_out:
            self._out = True
        elif self._out:
            self.seconds = now - self._started
            self.end()
            return
        if now > (self._back_by if self._out else self._out_by):
            self.end("gripper_jammed")

    def end(self, code: str = "") -> None:
        """End it, with a code when the sweep is not complete."""
        if not self.done:
            self.done, self.code = True, code
            if self.when_done is not None:
                self.when_done()
