"""From states and fault events in the journal to findings: what each device itself says is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from telemetry.brain.alarm_silence import FOUND_HERE
from telemetry.brain.alarms import UNKNOWN, Alarms, Condition, Finding
from telemetry.messages import Event, Kind, State
from telemetry.messages.tables import faults
from telemetry.store.journal import Archive, Entry

KINDS = (Kind.STATE, Kind.EVENT)
"""In this order: every event before a state that was read is then read too."""
PAGE = 5000
OFFLINE = "device_offline"


class Faults:
    """Folds the journal of a site into the faults each device has now.

    Args:
        standing: conditions whose alarms stand already, after a restart.
    """

    def __init__(self, site: str, standing: Iterable[Condition]) -> None:
        self._site = site
        self._table = faults()
        self._now: dict[tuple[str, str], set[str]] = {}
        self._newest: dict[tuple[str, str], int] = {}
        self.cursors: dict[str, int] = {}
        for condition in standing:
            if not condition.metric and condition.fault not in FOUND_HERE:
                self._now.setdefault((condition.zone, condition.device), set()).add(condition.fault)

    def begin(self, archive: Archive, alarms: Alarms) -> list[Finding]:
        """Go on where this farm's reader was; the first one takes from the past only what is still so."""
        for kind in KINDS:
            known = alarms.cursor(str(kind))
            if known is not None:
                self.cursors[str(kind)] = known
        if self.cursors:
            return []
        last: dict[Condition, Finding] = {f.condition: f for f in self.update(archive)}
        return [finding for finding in last.values() if finding.active]

    def update(self, archive: Archive) -> list[Finding]:
        """Return what new states and events change, in the order in which they arrived."""
        entries: list[Entry] = []
        for kind in KINDS:
            while page := archive.entries(kind, after=self.cursors.get(str(kind), 0), limit=PAGE):
                self.cursors[str(kind)] = page[-1].id
                entries += page
            self.cursors.setdefault(str(kind), 0)
        findings: list[Finding] = []
        for entry in sorted(entries, key=lambda entry: entry.id):
            device = (entry.topic.zone, entry.topic.device)
            if entry.topic.site == self._site and entry.id > self._newest.get(device, 0):
                self._newest[device] = entry.id
                findings += self._take(entry)
        return findings

    def has(self, zone: str, device: str, fault: str) -> bool:
        """Tell whether a device has a fault now."""
        return fault in self._now.get((zone, device), ())

    def _take(self, entry: Entry) -> list[Finding]:
        device, payload = (entry.topic.zone, entry.topic.device), entry.payload
        known = self._now.setdefault(device, set())
        match payload:
            case Event(type="fault", data={"fault": str(fault), "active": bool(active)}):
                now = known | {fault} if active else known - {fault}
            case State(status="offline", fault=""):
                now = set()  # switched off in order: whoever did it knows
            case State(status="offline"):
                now = known | {payload.fault}  # gone without a word: what was wrong before is still unknown
            case State():
                now = _faults_of(payload)
            case _:
                return []
        self._now[device] = now
        return [self._finding(device, fault, fault in now, entry) for fault in sorted(known ^ now)]

    def _finding(self, device: tuple[str, str], fault: str, active: bool, entry: Entry) -> Finding:
        known = fault in self._table
        args: dict[str, Any] = {} if known else {"key": fault[:80]}
        condition = Condition(fault if known else UNKNOWN, *device)
        return Finding(condition=condition, active=active, at=entry.received_at, args=args)


def _faults_of(state: State) -> set[str]:
    causes = state.detail.get("causes")
    named = {cause for cause in causes if isinstance(cause, str)} if isinstance(causes, list) else set()
    return (named | {state.fault}) - {""}
