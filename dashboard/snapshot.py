"""The farm's state as the live socket tells it: everything once, then only what has changed."""

from __future__ import annotations

import logging
import time
from typing import Any

from dashboard.services import Services
from dashboard.values import last_rows
from telemetry.brain.alarms import AlarmsError
from telemetry.store.journal import StoreError

log = logging.getLogger(__name__)

ROBOT = (
    "zone",
    "status",
    "fault",
    "safety",
    "needs_reset",
    "task",
    "bed",
    "side",
    "segment",
    "order_id",
    "picked",
    "placed",
    "attempted",
    "queued",
    "at",
)
UNSENT = frozenset({"age"})
"""Changes by itself; the page counts on from what it was told."""


class Snapshot:
    """Knows what was sent last, and so what is new."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rows: list[dict[str, Any]] = []
        self._sent_rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._sent_robots: dict[str, dict[str, Any]] = {}
        self._sent_rest: dict[str, Any] = {}
        self._alarms: dict[str, dict[str, Any]] | None = None
        self._alarm_rows: list[dict[str, Any]] = []
        self._points: Any = {}

    async def refresh(self) -> None:
        """Read the newest values of the store."""
        try:
            self._points = await self._services.reader.archive(lambda archive: archive.last())
        except StoreError as error:
            log.warning("values are not read: %s", error)

    def full(self, asked: set[str]) -> dict[str, Any]:
        """Return everything. `asked`: robots that should show themselves by now."""
        message = {"type": "state", "full": True, "at": self._services.clock.now()}
        return message | {"robots": self._robots(asked), "last": self._last(), **self._rest()}

    def delta(self, asked: set[str]) -> dict[str, Any] | None:
        """Return what differs from what was sent before; None when nothing does."""
        robots, rows, rest = self._robots(asked), self._last(), self._rest()
        new_robots = {id_: robot for id_, robot in robots.items() if _plain(robot) != self._sent_robots.get(id_)}
        new_rows = [row for row in rows if _plain(row) != self._sent_rows.get(_key(row))]
        if not new_robots and not new_rows and rest == self._sent_rest:
            return None
        self._sent_robots = {id_: _plain(robot) for id_, robot in robots.items()}
        self._sent_rows = {_key(row): _plain(row) for row in rows}
        self._sent_rest = rest
        return {"type": "state", "at": self._services.clock.now(), "robots": new_robots, "last": new_rows, **rest}

    def new_alarms(self) -> list[dict[str, Any]]:
        """Return alarms that came or changed since the last call; none at the first."""
        now = {str(row.get("id")): row for row in self._active()}
        known, self._alarms = self._alarms, now
        return [] if known is None else [row for id_, row in now.items() if known.get(id_) != row]

    def _robots(self, asked: set[str]) -> dict[str, dict[str, Any]]:
        view, now = self._services.view, time.monotonic()
        robots = {}
        for id_, robot in view.robots.items():
            row = {name: getattr(robot, name) for name in ROBOT}
            row["state"] = row.pop("status")
            row["causes"] = list(robot.causes)
            row["due"] = list(robot.due)
            row["link"] = view.link(id_, watched=id_ in asked)
            row["age"] = None if robot.heard_at is None else round(now - robot.heard_at, 1)
            robots[id_] = row
        return robots

    def _last(self) -> list[dict[str, Any]]:
        services = self._services
        return last_rows(services.farm, services.view.births, services.metrics, self._points, services.clock.now())

    def _active(self) -> list[dict[str, Any]]:
        try:
            self._alarm_rows = self._services.alarms.rows(active_only=True)
        except AlarmsError as error:
            log.warning("alarms are not read: %s", error)
        return self._alarm_rows

    def _rest(self) -> dict[str, Any]:
        rows = self._active()
        critical = sum(row.get("severity") == "critical" for row in rows)
        broker = "ok" if self._services.view.broker_connected else "lost"
        return {"alarms": {"active": len(rows), "critical": critical}, "broker": broker}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in UNSENT}


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    return (row["zone"], row["device"], row["metric"])
