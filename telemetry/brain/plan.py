"""The plan as a pure function: which bed segments a robot should harvest now, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from telemetry.brain.field import SegmentKey, SegmentState
from telemetry.farm import Farm, Program, Robot
from telemetry.farm.settings import ALL

RIPE_UNSEEN = 6
"""Berries expected in a segment nobody has looked at yet; bounds the first order, promises nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One segment in the plan. `ripe` is -1 when unknown; `value` orders visited segments; reasons are for people."""

    bed: str
    side: str
    segment: int
    ripe: int
    value: float
    chosen: bool
    reason_zh: str
    reason_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HarvestOrder:
    """What goes into a work order's arguments."""

    bed: str
    side: str
    segments: tuple[int, ...]
    segment_length: float
    ripeness_min: float
    ripeness_max: float
    quota: int
    speed: float
    force: float

    def arguments(self) -> dict[str, object]:
        """Return the command's arguments as they go on the wire."""
        return {name: getattr(self, name) for name in self.__slots__} | {"segments": list(self.segments)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every segment a robot can reach, best first, and the order to send now; None when there is nothing to do."""

    robot: str
    at: float
    entries: tuple[Entry, ...]
    order: HarvestOrder | None
    reason_zh: str
    reason_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    key: SegmentKey
    state: SegmentState
    first: bool
    value: float
    reason_zh: str
    reason_en: str


def make_plan(farm: Farm, robot_id: str, segments: Mapping[SegmentKey, SegmentState], now: float) -> Plan:
    """Choose the segments a robot harvests next.

    Never-visited segments come first, then by ripe berries times urgency; bounded by the time window and by what the
    robot carries. One order covers one bed side.

    Args:
        farm: beds, the robot and the picking program.
        robot_id: for which robot.
        segments: what is known of each segment (see `field`); a missing one was never visited.
        now: UTC epoch [s].
    """
    robot, program = farm.robot(robot_id), farm.program
    left_s = seconds_left(program, farm.site.timezone, now)
    candidates = [_judge(program, key, segments.get(key, SegmentState()), now) for key in _reachable(farm, robot)]
    due = sorted((c for c in candidates if c.value > 0.0 or c.first), key=lambda c: (not c.first, -c.value, c.key))
    chosen = _within(robot, program, due, left_s)
    entries = tuple(_entry(c, chosen) for c in [*due, *(c for c in candidates if c not in due)])
    if not chosen:
        zh, en = (
            ("工作时段之外", "outside the working hours")
            if due and left_s <= 0.0
            else ("没有要采的段", "no segment is due")
        )
        if due and left_s > 0.0:
            zh, en = "工作时段剩余时间不够采一段", "too little time is left in the working hours for one segment"
        return Plan(robot=robot_id, at=now, entries=entries, order=None, reason_zh=zh, reason_en=en)
    bed = farm.bed(chosen[0].bed)
    order = HarvestOrder(
        bed=bed.id,
        side=chosen[0].side,
        segments=tuple(key.segment for key in chosen)
        if program.order == "value"
        else tuple(sorted(key.segment for key in chosen)),
        segment_length=bed.segment_length,
        ripeness_min=program.ripeness_min,
        ripeness_max=program.ripeness_max,
        quota=min(program.quota or robot.capacity, robot.capacity),
        speed=program.speed,
        force=program.force,
    )
    return Plan(
        robot=robot_id,
        at=now,
        entries=entries,
        order=order,
        reason_zh=f"采 {bed.id} {order.side} 侧 {len(chosen)} 段",
        reason_en=f"harvest {_count(len(chosen), 'segment', 'segments')} of {bed.id} side {order.side}",
    )


def seconds_left(program: Program, timezone: str, now: float) -> float:
    """Return how long the working hours still last [s]; 0 outside them. The window may pass midnight."""
    local = datetime.fromtimestamp(now, ZoneInfo(timezone))
    second = local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6
    start, end = _second(program.work_from), _second(program.work_until)
    if start < end:
        return end - second if start <= second < end else 0.0
    if second >= start:
        return 86400.0 - second + end
    return max(0.0, end - second)


def _second(hour: str) -> float:
    return int(hour[:2]) * 3600.0 + int(hour[3:]) * 60.0


def _reachable(farm: Farm, robot: Robot) -> Iterable[SegmentKey]:
    bed, program = farm.bed(robot.bed), farm.program
    named = ((program.beds, bed.id), (program.cultivars, bed.cultivar))
    if not all(ALL in names or mine in names for names, mine in named):
        return []
    return [SegmentKey(bed.id, robot.side, segment) for segment in range(bed.segments)]


def _judge(program: Program, key: SegmentKey, state: SegmentState, now: float) -> _Candidate:
    """Say how much a segment is worth a visit now; 0 when it is not due."""
    if not state.visited:
        return _Candidate(key=key, state=state, first=True, value=0.0, reason_zh="从未去过", reason_en="never visited")
    hours = max(0.0, now - state.counted_at) / 3600.0
    overdue = hours >= program.revisit_hours
    urgency = 1.0 + hours / program.revisit_hours
    if state.ripe_left > 0 and not state.harvested:
        zh = f"还有 {state.ripe_left} 颗熟果未采"
        en = f"{_count(state.ripe_left, 'ripe berry', 'ripe berries')} counted and not picked yet"
        return _Candidate(
            key=key, state=state, first=False, value=state.ripe_left * urgency, reason_zh=zh, reason_en=en
        )
    if overdue:
        zh = f"距上次 {hours:.0f} 小时，超过 {program.revisit_hours:g} 小时"
        en = f"last visited {hours:.0f} h ago, revisit after {program.revisit_hours:g} h"
        return _Candidate(
            key=key, state=state, first=False, value=max(0.5, state.ripe_left) * urgency, reason_zh=zh, reason_en=en
        )
    zh = f"{hours:.1f} 小时前去过，{program.revisit_hours - hours:.1f} 小时后再去"
    en = f"visited {hours:.1f} h ago, again in {program.revisit_hours - hours:.1f} h"
    return _Candidate(key=key, state=state, first=False, value=0.0, reason_zh=zh, reason_en=en)


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def _within(robot: Robot, program: Program, due: list[_Candidate], left_s: float) -> list[SegmentKey]:
    """Take the best segments while time and capacity last."""
    chosen: list[SegmentKey] = []
    carried, seconds = 0, 0.0
    for candidate in due:
        key = candidate.key
        ripe = candidate.state.ripe_left if candidate.state.visited else RIPE_UNSEEN
        cost = robot.seconds_per_segment + ripe * robot.seconds_per_berry
        limit = min(program.quota or robot.capacity, robot.capacity)
        if seconds + cost > left_s or (chosen and carried + ripe > limit):
            continue
        chosen.append(key)
        carried += ripe
        seconds += cost
    return chosen


def _entry(candidate: _Candidate, chosen: list[SegmentKey]) -> Entry:
    return Entry(
        bed=candidate.key.bed,
        side=candidate.key.side,
        segment=candidate.key.segment,
        ripe=candidate.state.ripe_left if candidate.state.visited else -1,
        value=candidate.value,
        chosen=candidate.key in chosen,
        reason_zh=candidate.reason_zh,
        reason_en=candidate.reason_en,
    )
