"""Writes the black box after a stop, where that holds up no tick; a disk that takes nothing stops nobody."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from robot.arms import ArmDescription
from robot.loop import BlackBox, ControlLoop, limits_hash
from telemetry.clock import Clock

log = logging.getLogger(__name__)

KEPT = 20  # files; 30 s are about 1 MB

Aside = Callable[[Callable[[], None]], object]
"""Runs work where it holds nobody up, such as `ThreadPoolExecutor.submit`."""


def at_once(work: Callable[[], None]) -> None:
    """Run it here and now, where time waits for it."""
    work()


class Recorder:
    """Looks now and then whether the loop has stopped, and writes its last seconds once the arm is at rest.

    Args:
        folder: where to; None = nowhere. The newest `KEPT` files stay there.
        aside: where the writing is done; packing takes longer than many ticks.
    """

    def __init__(
        self, loop: ControlLoop, arm: ArmDescription, clock: Clock, folder: Path | None, aside: Aside = at_once
    ) -> None:
        self._loop, self._clock, self._folder, self._aside = loop, clock, folder, aside
        self._limits = limits_hash(arm)
        self._stops = 0
        self.error = ""
        """Why the last one could not be written; empty when it was."""

    def look(self) -> None:
        """Begin to write if there was a stop since the last look."""
        loop, folder = self._loop, self._folder
        if folder is None or loop.moving or loop.stats.stops == self._stops:
            return
        self._stops = loop.stats.stops
        now = self._clock.now()
        offset, causes = now - self._clock.monotonic(), list(loop.supervisor.causes)
        box, path = loop.blackbox.copy(), folder / f"blackbox-{int(now)}.npz"
        self._aside(lambda: self._write(box, path, offset, causes))

    def _write(self, box: BlackBox, path: Path, offset: float, causes: list[str]) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            box.save(path, limits=self._limits, wall_offset=offset)
            for old in sorted(path.parent.glob("blackbox-*.npz"))[:-KEPT]:
                old.unlink(missing_ok=True)
        except OSError as error:
            self.error = str(error)
            log.error("stopped for %s; the last seconds could not be written: %s", causes, error)
        else:
            self.error = ""
            log.warning("stopped for %s; the last seconds are in %s", causes, path)
