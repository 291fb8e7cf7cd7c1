"""What the pages need of the farm's alarms; the brain keeps them."""

from __future__ import annotations

from typing import Any, Protocol


class AlarmBook(Protocol):
    """Alarms as rows of JSON: id, fault, severity, place, since, cleared_at, acknowledged_by, acknowledged_at, ….

    Called in the event loop: an implementation answers from memory.
    """

    def rows(self, *, active_only: bool) -> list[dict[str, Any]]:
        """Return alarms, the most severe and newest first; with `active_only` those neither cleared nor seen."""
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
