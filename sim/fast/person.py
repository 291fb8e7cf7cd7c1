"""The person beside the machine: some time after a stop, once nothing is broken any more, resets and starts it."""

from __future__ import annotations

from collections.abc import Sequence

from robot.hardware import HardwareError
from robot.loop import ControlLoop
from sim.fast.monitor import Monitor

PATIENCE, GIVE_UP = 0.6, 25.0
"""A person acts so long after a stop; a robot that cannot be brought back by then is lost [s]."""

AGAIN = 25
"""Ticks after which a person who acted in vain tries again."""


class Person:
    """Looks at one machine after every tick, and keeps what stopped it.

    Args:
        heard: programs whose sign of life goes with a start.
        tick: period of the control loop [s].
    """

    def __init__(self, loop: ControlLoop, monitor: Monitor, heard: Sequence[str], tick: float) -> None:
        self._loop, self._monitor, self._heard, self._tick = loop, monitor, heard, tick
        self._stopped_at: float | None = None
        self.stops: list[str] = []

    def start(self) -> None:
        """Ask for motion."""
        for name in self._heard:
            self._loop.heartbeat(name)
        self._monitor.permit_motion()
        self._loop.start()

    def look(self, now: float, *, broken: bool) -> None:
        """Note a stop, and bring the robot back if it is time.

        Args:
            now: monotonic [s].
            broken: something still is; nobody resets a machine that visibly is.
        """
        supervisor = self._loop.supervisor
        if supervisor.motion_allowed:
            self._stopped_at = None
            return
        if self._stopped_at is None:
            self._stopped_at = now
            self.stops.append(supervisor.causes[0] if supervisor.causes else "")
        waited = now - self._stopped_at
        if broken or waited < PATIENCE or round(waited / self._tick) % AGAIN:
            return
        if supervisor.needs_reset:
            self._reset()
        else:
            self.start()

    def _reset(self) -> None:
        self._monitor.forbid_motion("after a reset, before anybody asked for it")
        try:
            self._loop.reset()
        except HardwareError:
            return

    def gave_up(self, now: float) -> bool:
        """Tell whether the robot stood for so long that it is lost."""
        return self._stopped_at is not None and now - self._stopped_at > GIVE_UP
