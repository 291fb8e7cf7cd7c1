"""Who should speak and does not: silence of devices and robots, single values that stay away, and of everything."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from telemetry.brain.alarm_rules import SILENT_INTERVALS
from telemetry.brain.alarms import Condition, Finding
from telemetry.farm import Device, Farm
from telemetry.store import Point, Series

ROBOT_INTERVAL_S = 10.0
"""How often a robot reports its metrics [s]."""
FOUND_HERE = frozenset({"device_silent", "ingest_lost", "store_away"})
"""Faults of a whole device that the brain finds, not told by the device."""
REPORT_S = 60.0
"""How often ingest reports about itself [s]: with that, nothing at all arrives only when nothing is stored."""


class Silence:
    """Judges ages by the time of arrival; a device's own clock may be wrong.

    Args:
        standing: conditions whose alarms stand already, after a restart.
        started_at: before this nobody listened [UTC epoch s]; what was missed then is not held against a device.
    """

    def __init__(self, farm: Farm, standing: Iterable[Condition], started_at: float) -> None:
        self._farm = farm
        self._active = set(standing)
        self._started_at = started_at

    def update(self, last: Mapping[Series, Point], now: float, *, excused: Callable[[str, str], bool]) -> list[Finding]:
        """Return what has changed.

        Args:
            last: the newest point of each series.
            excused: tells of a zone and a device whether it is known to be off, so that silence is no news.
        """
        heard: dict[tuple[str, str], float] = {}
        of_metric: dict[tuple[str, str, str], float] = {}
        for series, point in last.items():
            if series.site == self._farm.site.id:
                speaker = (series.zone, series.device)
                heard[speaker] = max(heard.get(speaker, -math.inf), point.received_at)
                of_metric[*speaker, series.metric] = point.received_at
        findings: list[Finding] = []
        intervals = [device.interval for device in self._farm.devices] or [REPORT_S]
        newest = max(heard.values(), default=-math.inf)
        stored = Condition("ingest_lost", self._farm.zones[0].id, "ingest")
        self._judge(findings, stored, newest, now, SILENT_INTERVALS * REPORT_S, raising=True)
        listening = now - newest <= SILENT_INTERVALS * min(intervals)
        robots = [
            Device(id=robot.id, zone=robot.zone, interval=ROBOT_INTERVAL_S, metrics=())
            for robot in self._farm.robots
            if (robot.zone, robot.id) in heard
        ]
        for device in (*self._farm.devices, *robots):
            place = (device.zone, device.id)
            limit = SILENT_INTERVALS * device.interval
            raising = listening and not excused(*place)
            spoke = heard.get(place, -math.inf)
            self._judge(findings, Condition("device_silent", *place), spoke, now, limit, raising=raising)
            for metric in device.metrics:
                at = of_metric.get((*place, metric), -math.inf)
                stale = Condition("value_stale", *place, metric)
                self._judge(findings, stale, at, now, limit, raising=raising and now - spoke <= limit)
        return findings

    def _judge(
        self, findings: list[Finding], condition: Condition, heard: float, now: float, limit: float, *, raising: bool
    ) -> None:
        active = condition in self._active
        if now - heard <= limit:
            if active:
                self._active.discard(condition)
                findings.append(Finding(condition=condition, active=False, at=heard))
        elif not active and raising and now - self._started_at > limit:
            self._active.add(condition)
            last_at = heard if math.isfinite(heard) else None
            args = {"metric": condition.metric, "last_at": last_at, "limit": limit, "unit": "s"}
            findings.append(Finding(condition=condition, active=True, at=now, args=args))
