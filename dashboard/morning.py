"""The morning by rule, values in and values out: one sentence, at most three things to do, and their figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.harvest import STAGES, Count, Pick
from telemetry.brain.field import SegmentKey

SENTENCES = (
    "robot_needs_person",
    "critical_alarm",
    "robot_silent",
    "spoils_today",
    "picking",
    "picking_last",
    "ripe_waiting",
    "nothing",
)
THINGS = ("robot_reset", "robot_resume", "robot_silent", "alarm", "spoils_today", "ripe_waiting", "device_silent")
MOST_THINGS = 3
RATE_WINDOW_S = 3600.0
"""Berries per hour are of the last hour in which the robot picked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotFacts:
    """One robot now. `link` as `FarmView.link` says it."""

    id: str
    bed: str
    status: str
    safety: str
    fault: str
    needs_reset: bool
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the morning is told by.

    Attributes:
        now, midnight: the farm's time, and when its day began [UTC epoch s].
        picks: since midnight at least, oldest first.
        counts: the newest count of each segment; `left`: ripe berries in the window counted and not picked since.
        alarms: active ones, most severe first; `severity`, `fault`, `place` are read.
        silent: devices that should speak and do not.
    """

    now: float
    midnight: float
    picks: Sequence[Pick]
    counts: Mapping[SegmentKey, Count]
    left: Mapping[SegmentKey, int]
    robots: Sequence[RobotFacts]
    alarms: Sequence[Mapping[str, Any]]
    silent: Sequence[str]


def morning(facts: Facts) -> dict[str, Any]:
    """Return the page's content as JSON."""
    today = [p for p in facts.picks if p.at >= facts.midnight]
    return {
        "at": facts.now,
        "sentence": sentence(facts),
        "harvest": harvest(today),
        "robot": performance(today),
        "stages": stages(facts.counts),
        "things": things(facts),
        "alarms": list(facts.alarms[:5]),
    }


def harvest(today: Iterable[Pick]) -> dict[str, Any]:
    """Return what was picked; `kg` is estimated from the berries' sizes, the forecast is not made yet."""
    taken = [p for p in today if p.ok]
    weighed = [p.mass for p in taken if p.mass is not None]
    return {
        "kg": round(sum(weighed), 3),
        "berries": len(taken),
        "estimated": True,
        "forecast": None,
        "forecast_why": "not_enough_seasons",
    }


def performance(today: Sequence[Pick]) -> dict[str, Any]:
    """Return how the robots work; a figure without a pick behind it is null."""
    tried = [p for p in today if p.attempt > 0]
    taken = [p for p in tried if p.ok]
    seconds = sum(p.seconds or 0.0 for p in tried)
    per_berry = seconds / len(taken) if taken and seconds > 0.0 else None
    recent = [p for p in taken if p.at > taken[-1].at - RATE_WINDOW_S] if taken else []
    span = recent[-1].at - recent[0].at if len(recent) > 1 else 0.0
    rate = (len(recent) - 1) / span * 3600.0 if span > 0.0 else None
    reasons: dict[str, int] = {}
    for pick in today:
        if not pick.ok:
            reasons[pick.result] = reasons.get(pick.result, 0) + 1
    return {
        "berries_per_hour": round(rate, 1) if rate is not None else None,
        "success": round(len(taken) / len(tried), 4) if tried else None,
        "attempted": len(tried),
        "picked": len(taken),
        "seconds_per_berry": round(per_berry, 2) if per_berry is not None else None,
        "last_pick_at": taken[-1].at if taken else None,
        "not_picked": dict(sorted(reasons.items(), key=lambda item: -item[1])),
    }


def stages(counts: Mapping[SegmentKey, Count]) -> dict[str, Any]:
    """Return all counted fruit by stage; `at` is the oldest count in it, null when nothing was ever counted."""
    total: dict[str, Any] = {stage: sum(c.stages[stage] for c in counts.values()) for stage in STAGES}
    ats = [c.at for c in counts.values()]
    return total | {"at": min(ats, default=None), "newest_at": max(ats, default=None), "segments": len(ats)}


def sentence(facts: Facts) -> dict[str, Any]:
    """Choose the one sentence: who needs a person first, then what spoils, then the work, then that all is quiet."""
    for robot in facts.robots:
        if robot.needs_reset:
            return _say("robot_needs_person", robot=robot.id, fault=robot.fault)
    for alarm in _critical(facts):
        return _say("critical_alarm", fault=alarm.get("fault", ""), place=alarm.get("place"))
    for robot in facts.robots:
        if robot.link in ("lost", "silent"):
            return _say("robot_silent", robot=robot.id)
    spoiling = _spoiling(facts)
    if spoiling:
        return _say("spoils_today", **spoiling)
    waiting = _waiting(facts)
    today = harvest(p for p in facts.picks if p.at >= facts.midnight)
    for robot in facts.robots:
        if robot.status == "working":
            left = waiting.get("berries", 0)
            key = "picking" if left else "picking_last"
            return _say(key, robot=robot.id, bed=robot.bed, kg=today["kg"], berries=today["berries"], left=left)
    if waiting:
        return _say("ripe_waiting", **waiting)
    return _say("nothing", kg=today["kg"], berries=today["berries"])


def things(facts: Facts) -> list[dict[str, Any]]:
    """Return what to do, the most urgent first; critical alarms lead."""
    rows = [
        _say("alarm", fault=a.get("fault", ""), place=a.get("place"), id=a.get("id")) | {"action": "open_alarms"}
        for a in _critical(facts)
    ]
    for robot in facts.robots:
        if robot.needs_reset:
            rows.append(_say("robot_reset", robot=robot.id, fault=robot.fault) | {"action": "open_robot"})
        elif robot.safety in ("HOLD", "READY") and robot.fault in ("", "operator_hold", "operator_stop"):
            rows.append(_say("robot_resume", robot=robot.id) | {"action": "open_robot"})
        elif robot.link in ("lost", "silent"):
            rows.append(_say("robot_silent", robot=robot.id) | {"action": "open_robot"})
    spoiling, waiting = _spoiling(facts), _waiting(facts)
    if spoiling:
        rows.append(_say("spoils_today", **spoiling) | {"action": "open_map"})
    if waiting and not any(robot.status == "working" for robot in facts.robots):
        rows.append(_say("ripe_waiting", **waiting) | {"action": "open_plan"})
    rows += [_say("device_silent", device=device) | {"action": "open_climate"} for device in facts.silent]
    return rows[:MOST_THINGS]


def _critical(facts: Facts) -> list[Mapping[str, Any]]:
    """Return the critical alarms that last; one that is over and not yet seen waits on the alarms' page."""
    return [a for a in facts.alarms if a.get("severity") == "critical" and a.get("cleared_at") is None]


def _say(key: str, **args: Any) -> dict[str, Any]:
    return {"key": key, "args": args}


def _spoiling(facts: Facts) -> dict[str, Any]:
    """Return where over-ripe fruit hangs, the worst bed first; empty when there is none."""
    by_bed: dict[str, int] = {}
    for key, count in facts.counts.items():
        if count.stages["overripe"]:
            by_bed[key.bed] = by_bed.get(key.bed, 0) + count.stages["overripe"]
    if not by_bed:
        return {}
    worst = max(by_bed, key=lambda bed: by_bed[bed])
    return {"berries": sum(by_bed.values()), "bed": worst, "beds": len(by_bed)}


def _waiting(facts: Facts) -> dict[str, Any]:
    """Return the ripe fruit not picked yet: how many, about how much, and in which bed most of it hangs."""
    by_bed: dict[str, int] = {}
    kg = 0.0
    for key, left in facts.left.items():
        if left > 0:
            by_bed[key.bed] = by_bed.get(key.bed, 0) + left
            count = facts.counts.get(key)
            if count is not None and count.ripe_mass and count.in_window:
                kg += count.ripe_mass * left / count.in_window
    if not by_bed:
        return {}
    most = max(by_bed, key=lambda bed: by_bed[bed])
    return {"berries": sum(by_bed.values()), "kg": round(kg, 3), "bed": most, "beds": len(by_bed)}
