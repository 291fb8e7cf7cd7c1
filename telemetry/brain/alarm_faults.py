"""From states and fault events in the journal to findings: what each device itself says is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable

from telemetry.brain.alarm_silence import FOUND_HERE
from telemetry.brain.alarms import UNKNOWN, Alarms, Condition, Finding
from telemetry.messages import Birth, Event, Kind, State
from telemetry.messages.tables import faults
from telemetry.store.journal import Archive, Entry

KINDS = (Kind.STATE, Kind.EVENT, Kind.BIRTH)
"""In this order: whatever is older than a state that was read is then read too."""
PAGE = 5000
OFFLINE = "device_offline"
STARTING_S = 15.0
"""A device whose programs start one after the other misses some of them at first: that is no alarm for so long [s]."""

_Device = tuple[str, str]
"""Zone and device."""


class Faults:
    """Folds the journal of a site into the faults each device has now.

    Args:
        standing: conditions whose alarms stand already, after a restart.
    """

    def __init__(self, site: str, standing: Iterable[Condition]) -> None:
        self._site = site
        self._table = faults()
        self._now: dict[_Device, set[str]] = {}
        self._newest: dict[_Device, int] = {}
        self._born_at: dict[_Device, float] = {}
        self._starting: dict[tuple[_Device, str], Finding] = {}
        self.cursors: dict[str, int] = {}
        for condition in standing:
            if not condition.metric and condition.fault not in FOUND_HERE:
                self._now.setdefault((condition.zone, condition.device), set()).add(condition.fault)

    def begin(self, archive: Archive, alarms: Alarms, now: float) -> list[Finding]:
        """Go on where this farm's reader was; the first one takes from the past only what is still so."""
        for kind in KINDS:
            known = alarms.cursor(str(kind))
            if known is not None:
                self.cursors[str(kind)] = known
        if self.cursors:
            return []
        last: dict[Condition, Finding] = {f.condition: f for f in self.update(archive, now)}
        return [finding for finding in last.values() if finding.active]

    def update(self, archive: Archive, now: float) -> list[Finding]:
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
                findings += self._take(device, entry)
        over = [key for key in self._starting if now - self._born_at[key[0]] >= STARTING_S]
        findings += [self._starting.pop(key) for key in over]
        return findings

    def has(self, zone: str, device: str, fault: str) -> bool:
        """Tell whether a device has a fault now."""
        return fault in self._now.get((zone, device), ())

    def _take(self, device: _Device, entry: Entry) -> list[Finding]:
        payload, known = entry.payload, self._now.get(device, set())
        match payload:
            case Birth():
                self._born_at[device] = entry.received_at
                return []
            case Event(type="fault", data={"fault": str(fault), "active": bool(active)}):
                told = [fault]
                now = known | {self._known(fault)} if active else known - {self._known(fault)}
            case State():
                told = _faults_of(payload)
                now = {self._known(fault) for fault in told}
                if payload.status == "offline" and now:
                    now |= known  # gone without a word: what was wrong before may still be
            case _:
                return []
        self._now[device] = now
        strange = [fault[:80] for fault in told if fault not in self._table]
        findings = []
        for fault in sorted(known ^ now):
            finding = Finding(
                condition=Condition(fault, *device),
                active=fault in now,
                at=entry.received_at,
                args={"key": strange[0]} if fault == UNKNOWN and strange else {},
            )
            if self._holds_back(device, finding):
                continue
            findings.append(finding)
        return findings

    def _holds_back(self, device: _Device, finding: Finding) -> bool:
        """Tell whether a finding must wait, or goes away together with one that waits."""
        key = (device, finding.condition.fault)
        if not finding.active:
            return self._starting.pop(key, None) is not None
        if not key[1].endswith("_lost") or finding.at - self._born_at.get(device, float("-inf")) >= STARTING_S:
            return False
        self._starting[key] = finding
        return True

    def _known(self, fault: str) -> str:
        return fault if fault in self._table else UNKNOWN


def _faults_of(state: State) -> list[str]:
    """Return what a state names; none when a device was switched off in order: whoever did that knows."""
    causes = state.detail.get("causes")
    named = [cause for cause in causes if isinstance(cause, str)] if isinstance(causes, list) else []
    return [fault for fault in (*named, state.fault) if fault] if state.status != "offline" or state.fault else []
