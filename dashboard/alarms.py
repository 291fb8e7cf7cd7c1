"""The farm's alarms as the pages need them: the brain keeps them, people see them here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from telemetry.brain.alarms import Alarms


class AlarmBook(Protocol):
    """Alarms as rows of JSON: id, fault, severity, place, since, cleared_at, acknowledged_by, acknowledged_at, ….

    Called in the event loop: an implementation answers from memory, or as good as.
    """

    def rows(self, *, active_only: bool) -> list[dict[str, Any]]:
        """Return alarms; with `active_only` those that last or that nobody has seen, the most severe first.

        Raises:
            AlarmsError: they cannot be read.
        """
        ...

    async def acknowledge(self, alarm: str, name: str) -> str:
        """Note that `name` has seen it; return `done` or why not (a key of the API's errors)."""
        ...


class NoAlarms:
    """A farm whose brain keeps no alarms."""

    def rows(self, *, active_only: bool) -> list[dict[str, Any]]:
        return []

    async def acknowledge(self, alarm: str, name: str) -> str:
        return "unknown_alarm"


class BrainAlarms:
    """The brain's own file. Rows are read again only when something has changed.

    Args:
        data: the farm's state folder.
        now: the farm's time [UTC epoch s].
    """

    def __init__(self, data: Path, now: Callable[[], float]) -> None:
        self._now = now
        self._read, self._write = Alarms(data), Alarms(data)
        self._version = -1
        self._active: list[dict[str, Any]] = []
        self._writing = asyncio.Lock()

    def rows(self, *, active_only: bool) -> list[dict[str, Any]]:
        if not active_only:
            return self._read.all()
        version = self._read.version()
        if version != self._version:
            self._active, self._version = self._read.active(), version
        return self._active

    async def acknowledge(self, alarm: str, name: str) -> str:
        async with self._writing:  # waits for the brain's own writing, so not in the event loop
            return await asyncio.to_thread(self._write.acknowledge, alarm, name, self._now())

    def close(self) -> None:
        self._read.close()
        self._write.close()
