"""The plan sends the robot where berries wait, and says why in both languages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.brain.field import Field, SegmentKey, SegmentState
from telemetry.brain.plan import make_plan, seconds_left
from telemetry.farm import Farm, default_farm_text, parse_farm
from telemetry.messages import Event

NOON = 1775102400.0  # 2026-04-02 12:00 in Hangzhou
HOUR = 3600.0
FARM = parse_farm(default_farm_text())


def farm(robot: dict[str, Any] | None = None, **program: Any) -> Farm:
    changed = replace(FARM.robots[0], **(robot or {}))
    return replace(FARM, program=replace(FARM.program, **program), robots=(changed,))


def seen(ripe: int, hours_ago: float = 1.0, *, harvested: bool = False) -> SegmentState:
    return SegmentState(counted_at=NOON - hours_ago * HOUR, order_id="o", in_window=ripe, harvested=harvested)


def field(*states: SegmentState) -> dict[SegmentKey, SegmentState]:
    return {SegmentKey("bed-1", "a", n): state for n, state in enumerate(states)}


def chosen(*states: SegmentState, **kwargs: Any) -> tuple[int, ...]:
    order = make_plan(farm(**kwargs), "berry-1", field(*states), NOON).order
    return order.segments if order else ()


def test_bed_that_nobody_visited_is_harvested_whole() -> None:
    plan = make_plan(FARM, "berry-1", {}, NOON)
    assert plan.order is not None
    assert plan.order.segments == (0, 1, 2, 3)
    assert {entry.reason_en for entry in plan.entries} == {"never visited"}
    assert all(entry.ripe == -1 for entry in plan.entries)


def test_order_carries_the_program() -> None:
    order = make_plan(farm(quota=30, speed=0.5, force=0.8), "berry-1", {}, NOON).order
    assert order is not None
    assert order.arguments() == {
        "bed": "bed-1",
        "side": "a",
        "segments": [0, 1, 2, 3],
        "segment_length": 0.6,
        "ripeness_min": 0.80,
        "ripeness_max": 1.0,
        "quota": 30,
        "speed": 0.5,
        "force": 0.8,
    }


def test_counted_ripe_berries_call_the_robot_and_the_richest_segment_is_first() -> None:
    plan = make_plan(FARM, "berry-1", field(seen(3), seen(9), seen(0), seen(0)), NOON)
    assert plan.order is not None
    assert plan.order.segments == (0, 1)
    assert [entry.segment for entry in plan.entries[:2]] == [1, 0]
    assert plan.entries[0].reason_en == "9 ripe berries counted and not picked yet"


def test_the_program_says_which_beds_cultivars_and_segments_come_first() -> None:
    states = (seen(3), seen(9), seen(0), seen(0))
    assert chosen(*states, order="value") == (1, 0)
    assert chosen(*states, order="along") == (0, 1)
    assert chosen(*states, beds=("bed-9",)) == ()
    assert chosen(*states, beds=("bed-1",), cultivars=("hongyan",)) == (0, 1)
    assert chosen(*states, cultivars=("elsanta",)) == ()


def test_one_is_one_berry_and_one_segment() -> None:
    plan = make_plan(FARM, "berry-1", field(seen(0), seen(1), seen(0), seen(0)), NOON)
    assert plan.entries[0].reason_en == "1 ripe berry counted and not picked yet"
    assert plan.reason_en == "harvest 1 segment of bed-1 side a"


def test_never_visited_comes_before_the_richest_segment() -> None:
    states = field(seen(9), seen(9))
    plan = make_plan(farm(robot={"capacity": 7}), "berry-1", states, NOON)
    assert [entry.segment for entry in plan.entries] == [2, 3, 0, 1]
    assert plan.order is not None
    assert plan.order.segments == (2,)


def test_harvested_segments_rest_until_the_revisit_time() -> None:
    fresh = [seen(2, harvested=True)] * 4
    assert chosen(*fresh) == ()
    assert chosen(*[seen(2, 25.0, harvested=True)] * 4) == (0, 1, 2, 3)
    assert make_plan(FARM, "berry-1", field(*fresh), NOON).reason_en == "no segment is due"


def test_overdue_segment_without_ripe_berries_is_looked_at_again() -> None:
    assert chosen(seen(0, 30.0, harvested=True), *[seen(0, 1.0, harvested=True)] * 3) == (0,)


def test_longer_waiting_berries_are_more_urgent() -> None:
    plan = make_plan(FARM, "berry-1", field(seen(4, 1.0), seen(4, 20.0), seen(0), seen(0)), NOON)
    assert [entry.segment for entry in plan.entries[:2]] == [1, 0]


def test_capacity_bounds_the_order_but_one_rich_segment_is_always_taken() -> None:
    assert chosen(seen(9), seen(8), seen(0), seen(0), robot={"capacity": 10}) == (0,)
    assert chosen(seen(50), seen(0), seen(0), seen(0), robot={"capacity": 10}) == (0,)
    order = make_plan(farm(robot={"capacity": 10}), "berry-1", field(seen(50)), NOON).order
    assert order is not None
    assert order.quota == 10


def test_time_window_bounds_the_order() -> None:
    states = (seen(5), seen(5), seen(0), seen(0))  # 60 s each at the default 20 s + 5 x 8 s
    assert chosen(*states, work_until="12:01") == (0,)
    assert chosen(*states, work_until="12:03") == (0, 1)
    closed = make_plan(farm(work_from="05:00", work_until="11:00"), "berry-1", field(*states), NOON)
    assert closed.order is None
    assert closed.reason_en == "outside the working hours"
    tight = make_plan(farm(robot={"seconds_per_segment": 100.0}, work_until="12:01"), "berry-1", field(*states), NOON)
    assert tight.order is None
    assert tight.reason_en == "too little time is left in the working hours for one segment"


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("00:00", "24:00", 12.0),
        ("05:00", "13:30", 1.5),
        ("13:00", "14:00", 0.0),
        ("22:00", "13:00", 1.0),
        ("11:00", "02:00", 14.0),
    ],
)
def test_working_hours_are_local_and_may_pass_midnight(start: str, end: str, hours: float) -> None:
    program = farm(work_from=start, work_until=end).program
    assert seconds_left(program, "Asia/Shanghai", NOON) == pytest.approx(hours * HOUR)


def test_every_entry_has_a_reason_in_both_languages() -> None:
    plan = make_plan(FARM, "berry-1", field(seen(3), seen(2, harvested=True), seen(0, 30.0)), NOON)
    assert len(plan.entries) == 4
    assert all(entry.reason_zh and entry.reason_en for entry in plan.entries)
    assert plan.reason_zh
    assert plan.reason_en


@given(
    counts=st.lists(st.integers(0, 60), min_size=4, max_size=4),
    hours=st.lists(st.floats(0.0, 60.0), min_size=4, max_size=4),
    capacity=st.integers(1, 100),
)
def test_plan_never_carries_more_than_the_robot_can_unless_it_is_one_segment(
    counts: list[int], hours: list[float], capacity: int
) -> None:
    states = field(*(seen(ripe, ago) for ripe, ago in zip(counts, hours, strict=True)))
    order = make_plan(farm(robot={"capacity": capacity}), "berry-1", states, NOON).order
    if order is not None:
        assert order.quota <= capacity
        assert len(order.segments) == 1 or sum(counts[n] for n in order.segments) <= capacity
        assert all(counts[n] > 0 or hours[n] >= 24.0 for n in order.segments)


def event(type_: str, at: float, seq: int = 0, **data: Any) -> Event:
    return Event(at=at, seq=seq, boot="b", type=type_, data={"bed": "bed-1", "side": "a", "segment": 0} | data)


def test_picks_of_the_same_order_count_whether_they_come_before_or_after_the_count() -> None:
    events = [
        event("pick", 10.0, 1, order_id="o", berry_id=1, result="ok"),
        event("count", 20.0, 2, order_id="o", in_window=3),
        event("pick", 30.0, 3, order_id="o", berry_id=2, result="ok"),
        event("pick", 31.0, 4, order_id="o", berry_id=3, result="slipped"),
    ]
    for sequence in (events, events[::-1], [*events, *events]):
        known = Field()
        for item in sequence:
            known.apply(item)
        assert known.states()[SegmentKey("bed-1", "a", 0)].ripe_left == 1


def test_segment_is_harvested_when_its_order_is_done_and_not_when_it_failed_or_its_quota_was_full() -> None:
    key = SegmentKey("bed-1", "a", 0)
    for status, expected in (("started", False), ("done", True), ("failed", False)):
        known = Field()
        known.apply(event("count", 10.0, 1, order_id="o", in_window=3))
        known.apply(event("order", 20.0, 2, order_id="o", status=status))
        assert known.states()[key].harvested is expected
        assert known.states(cut_short={"o": True})[key].harvested is False


def test_newer_count_replaces_the_older_and_a_late_one_does_not() -> None:
    known = Field()
    known.apply(event("count", 50.0, 2, order_id="p", in_window=7))
    known.apply(event("count", 10.0, 1, order_id="o", in_window=3))
    assert known.states()[SegmentKey("bed-1", "a", 0)].ripe_left == 7


@pytest.mark.parametrize("data", [{"segment": "0"}, {"segment": True}, {"bed": 4}, {"side": None}])
def test_event_that_names_no_segment_is_left_out(data: dict[str, Any]) -> None:
    known = Field()
    assert not known.apply(event("count", 10.0, in_window=3, **data))
    assert not known.apply(event("pick", 10.0, result="ok", **data))
    assert not known.apply(event("song", 10.0))
    assert known.states() == {}
