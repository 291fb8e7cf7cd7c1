"""Whether the farm's log still fits together: checked for the buyer's page, not more often than every few minutes."""

from __future__ import annotations

from typing import Any

from dashboard.services import Services
from telemetry.records.chain import TamperError
from telemetry.records.records import Records

EVERY_S = 600.0


class ChainCheck:
    """Keeps the last finding; a whole log takes a while to read and anyone may open the page."""

    def __init__(self) -> None:
        self._found: dict[str, Any] | None = None

    async def found(self, services: Services) -> dict[str, Any]:
        """Return `intact`, how many `entries` fit, and `checked_at` [UTC epoch s]."""
        now = services.clock.now()
        if self._found is None or not 0.0 <= now - self._found["checked_at"] < EVERY_S:
            self._found = {"checked_at": now, **await services.reader.records(_verdict)}
        return self._found


def _verdict(records: Records) -> dict[str, Any]:
    try:
        return {"intact": True, "entries": records.verify()}
    except TamperError as error:
        return {"intact": False, "entries": error.number - 1}
