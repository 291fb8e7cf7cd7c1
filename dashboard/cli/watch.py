"""Watch a run in the farm's journal: what was ordered, counted and picked, and whether the bed side is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from telemetry.farm import Farm
    from telemetry.store.journal import Archive

ENDED = frozenset({"done", "failed", "rejected", "expired", "canceled"})


class Watch:
    """Folds the robot's and the brain's messages into the state of one harvest.

    It reads what ingest has committed, so that nothing is missed while the broker is away.

    Args:
        archive: the farm's store, read only.
        farm: the farm's settings.
        robot: which robot is watched.
        say: called with a line for people when something happens.
    """

    def __init__(self, archive: Archive, farm: Farm, robot: str, say: Callable[[str], None]) -> None:
        from telemetry.brain.field import Field
        from telemetry.messages import Kind

        self._archive, self._farm, self._robot, self._say = archive, farm, robot, say
        self._field = Field()
        self._readers: dict[Kind, Callable[[Any], None]] = {
            Kind.CMD: self._on_command,
            Kind.ACK: self._on_ack,
            Kind.EVENT: self._on_event,
            Kind.STATE: self._on_state,
        }
        self._cursor = {kind: _newest(archive, kind) for kind in self._readers}
        self._open: set[str] = set()
        self._fault = ""
        self.ordered_at: float | None = None
        self.ended_at: float | None = None
        self.results: Counter[str] = Counter()
        self.attempted = 0
        self.blocked = False

    def poll(self) -> None:
        """Take in what is new in the journal."""
        for kind, read in self._readers.items():
            for entry in self._archive.entries(kind, after=self._cursor[kind]):
                self._cursor[kind] = entry.id
                if entry.topic.device == self._robot:
                    read(entry.payload)

    @property
    def fault(self) -> str:
        """Key of what keeps the robot from working now; empty when nothing does."""
        return self._fault

    def finished(self, now: float) -> bool:
        """Tell whether the robot's bed side is done: no order is open, and the plan at `now` [UTC epoch s] is empty."""
        from telemetry.brain.plan import make_plan

        if self._open or self.ended_at is None:
            return False
        return make_plan(self._farm, self._robot, self._field.states(), now).order is None

    def _on_command(self, command: Any) -> None:
        if command.command != "harvest" or command.id in self._open:
            return
        self._open.add(command.id)
        segments = command.arguments.get("segments", [])
        self._say(f"{command.issuer} orders a harvest: segments {', '.join(map(_spoken, segments))}")

    def _on_ack(self, ack: Any) -> None:
        status = str(ack.status)
        if status in ENDED:
            self._end(ack.id, status, ack.at, ack.reason)
        elif status == "accepted" and self.ordered_at is None:
            self.ordered_at = ack.at

    def _on_event(self, event: Any) -> None:
        self._field.apply(event)
        data = event.data
        match event.type:
            case "count":
                self._say(f"segment {_spoken(data.get('segment'))}: {data.get('in_window', '?')} berries to pick")
            case "pick":
                result = str(data.get("result", ""))
                self.results[result] += 1
                if data.get("attempt", 1):
                    self.attempted += 1
                    self._say(f"segment {_spoken(data.get('segment'))}: berry {data.get('berry_id')} {result}")
            case "order":
                if str(data.get("status")) in ENDED:
                    self._end(str(data.get("order_id", "")), str(data["status"]), event.at, str(data.get("fault", "")))

    def _on_state(self, state: Any) -> None:
        self.blocked = state.status == "blocked"
        if state.fault != self._fault:
            self._say(f"the robot waits: {state.fault}{_meaning(state.fault)}" if state.fault else "the robot goes on")
        self._fault = state.fault

    def _end(self, order: str, status: str, at: float, reason: str) -> None:
        if order not in self._open:
            return
        self._open.remove(order)
        self.ended_at = at if self.ended_at is None else max(self.ended_at, at)
        self._say(f"order {status}{': ' + reason if reason else ''}")


def _spoken(segment: Any) -> str:
    """Return a segment's number as the pages and people count: from 1."""
    return str(segment + 1) if isinstance(segment, int) else "?"


def _meaning(fault: str) -> str:
    """Return in words what a fault is; empty for a key that is not in the table."""
    from telemetry.messages.tables import faults

    row = faults().get(fault)
    return f" ({row.en})" if row else ""


def _newest(archive: Archive, kind: Any) -> int:
    """Return the number of the last entry of a kind: earlier runs in the same folder are not watched."""
    entries = archive.entries(kind)
    return entries[-1].id if entries else 0
