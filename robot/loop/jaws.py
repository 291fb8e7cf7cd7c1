"""The gripper's side of the loop: what the pads and the blade are asked to do, and when that is over."""

from __future__ import annotations

from robot.arms import Tool
from robot.gripper import Cut, Grip
from robot.hardware import GripperCommand, GripperState

FORCE_DEFAULT = 0.5  # pad force while opening or holding nothing [N]
LOADED = 0.1  # pads that measure more hold something [N]


class Jaws:
    """Set points of the pads, one grip and one cut under way at most."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        self._opening, self._force = tool.opening_max, FORCE_DEFAULT
        self._grip: Grip | None = None
        self._cut: Cut | None = None

    @property
    def cutting(self) -> bool:
        return self._cut is not None

    def rest_at(self, opening: float) -> None:
        """Hold the pads where they are [m]."""
        self._opening, self._force = opening, FORCE_DEFAULT

    def grip(self, opening: float, max_force: float, now: float) -> Grip:
        """Begin to move the pads; the grip before is over. Opening and force are kept inside the tool's limits."""
        tool = self._tool
        if self._grip is not None:
            self._grip.end("canceled")
        self._opening = min(max(opening, tool.opening_min), tool.opening_max)
        self._force = min(max_force, tool.force_max) if max_force > 0.0 else tool.force_limit
        self._grip = Grip(opening=self._opening, max_force=self._force, now=now)
        return self._grip

    def cut(self, now: float) -> Cut:
        """Begin one sweep of the blade; the interlock has been asked before."""
        self._cut = Cut(now=now, blade_time=self._tool.blade_time)
        return self._cut

    def stop(self, code: str, measured: GripperState) -> None:
        """End what is under way; keep what is held, neither open further nor close on anything new."""
        if self._cut is not None:
            self._cut.end(code)
            self._cut = None
        if self._grip is not None:
            self._grip.end(code)
            self._grip = None
        if self._opening > measured.opening or measured.force < LOADED:
            self._opening = measured.opening

    def update(self, measured: GripperState, now: float) -> None:
        """Judge what is under way by a measurement, or take notice that it was cancelled."""
        if self._grip is not None:
            if self._grip.canceled:
                self.stop("canceled", measured)
                return
            self._grip.update(measured, now)
            if self._grip.done:
                self._grip = None
        if self._cut is not None:
            self._cut.update(measured, now)
            if self._cut.done:
                self._cut = None

    def command(self, seq: int, valid_until: float, *, blade: bool) -> GripperCommand:
        """Return the set points to send; `blade` says whether the state allows a sweep."""
        return GripperCommand(
            seq=seq,
            valid_until=valid_until,
            opening=self._opening,
            max_force=self._force,
            cut=self._cut is not None and blade,
        )
