"""The alarms' node: reads the store and the journal, and settles what it finds in the farm's alarms."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable

from telemetry.brain.alarm_faults import OFFLINE, Faults
from telemetry.brain.alarm_silence import FOUND_HERE, Silence
from telemetry.brain.alarm_values import Values
from telemetry.brain.alarms import Alarms, AlarmsError, Condition, Finding
from telemetry.clock import Clock, Timers
from telemetry.farm import Farm
from telemetry.store.journal import Archive, StoreError

log = logging.getLogger(__name__)

OWN_DEVICES = ("brain", "ingest")
"""Programs that speak as devices without being in the farm file."""
AWAY_S = 30.0
"""A store that cannot be read for so long is an alarm [s]; a server that is started again is none."""


class AlarmWatch:
    """Looks every `period` seconds. After a restart it goes on with the alarms that stand.

    Args:
        archive: the store and its journal, read only.
        alarms: where alarms are kept; its owner closes it.
    """

    def __init__(
        self, archive: Archive, alarms: Alarms, clock: Clock, timers: Timers, farm: Farm, *, period: float = 2.0
    ) -> None:
        self._archive, self._alarms, self._clock = archive, alarms, clock
        alarms.settle(_gone(farm, alarms.standing(), clock.now()))
        standing = list(alarms.standing())
        site = farm.site.id
        self._faults = Faults(site, standing)
        self._values = Values(site, standing)
        self._silence = Silence(farm, standing, clock.now())
        self._begun = False
        self._store_away = Condition("store_away", farm.zones[0].id, "ingest")
        self._away = self._store_away in standing
        self._away_since = math.inf
        self._findings: list[Finding] = []
        self._cursors: dict[str, int] = {}
        timers.every(period, self.update)

    def update(self) -> None:
        """Take in what is new; what cannot be kept now is kept with the next call."""
        now = self._clock.now()
        try:
            if not self._begun:
                self._findings += self._faults.begin(self._archive, self._alarms, now)
                self._begun = True
            self._findings += self._faults.update(self._archive, now)
            self._look_at_values(now)
            cursors = dict(self._faults.cursors)
            if not self._findings and cursors == self._cursors:
                return
            self._alarms.settle(self._findings, cursors=cursors)
        except (StoreError, AlarmsError) as error:
            log.error("alarms wait: %s", error)
            return
        for finding in self._findings:
            c = finding.condition
            log.info("alarm %s %s of %s %s", c.fault, "raised" if finding.active else "cleared", c.device, c.metric)
        self._findings, self._cursors = [], cursors

    def _look_at_values(self, now: float) -> None:
        """Judge values and silence; a server outside that is away keeps back no alarm of what devices say."""
        away = False
        try:
            self._findings += self._values.update(self._archive, now)
            self._findings += self._silence.update(
                self._archive.last(), now, excused=lambda zone, device: self._faults.has(zone, device, OFFLINE)
            )
        except StoreError as error:
            log.warning("values are not judged: %s", error)
            self._away_since = min(self._away_since, now)
            away = now - self._away_since >= AWAY_S
            if not away:
                return
        else:
            self._away_since = math.inf
        if away != self._away:
            self._away = away
            self._findings.append(Finding(condition=self._store_away, active=away, at=now))


def _gone(farm: Farm, standing: Iterable[Condition], now: float) -> list[Finding]:
    """Clear what was measured by devices that are no longer in the farm file: nobody would ever clear it."""
    here = {(device.zone, device.id) for device in farm.devices} | {(robot.zone, robot.id) for robot in farm.robots}
    here |= {(zone.id, device) for zone in farm.zones for device in OWN_DEVICES}
    return [
        Finding(condition=condition, active=False, at=now)
        for condition in standing
        if (condition.metric or condition.fault in FOUND_HERE) and (condition.zone, condition.device) not in here
    ]
