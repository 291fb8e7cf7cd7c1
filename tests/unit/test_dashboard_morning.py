"""The morning is told by rule: who needs a person first, then what spoils, then the work, then that all is quiet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dashboard.harvest import STAGES, Count, Pick
from dashboard.morning import MOST_THINGS, SENTENCES, THINGS, Facts, RobotFacts, harvest, morning, performance, stages
from telemetry.brain.field import SegmentKey

NOW = 1_790_000_000.0
CALM = RobotFacts(id="berry-1", bed="bed-1", status="idle", safety="RUN", fault="", needs_reset=False, link="ok")
QUIET = Facts(now=NOW, midnight=NOW - 30_000.0, picks=[], counts={}, left={}, robots=[CALM], alarms=[], silent=[])
KEY = SegmentKey("bed-1", "a", 2)
CRITICAL = {"id": "a1", "severity": "critical", "fault": "collision", "place": {"zone": "z", "device": "berry-1"}}


def pick(at: float, result: str = "ok", *, attempt: int = 1, mass: float | None = 0.02, seconds: float = 8.0) -> Pick:
    return Pick(
        at=at, robot="berry-1", bed="bed-1", side="a", segment=2, berry_id=1, result=result, stage="ripe",
        attempt=attempt, punnet="", ripeness=0.9, diameter=0.03, mass=mass, seconds=seconds, peak_force=0.5,
    )  # fmt: skip


def count(*, overripe: int = 0, in_window: int = 4) -> Count:
    numbers = dict.fromkeys(STAGES, 1) | {"overripe": overripe}
    return Count(at=NOW - 100.0, stages=numbers, in_window=in_window, ripe_mass=0.08)


def test_a_quiet_farm_needs_nobody() -> None:
    told = morning(QUIET)
    assert told["sentence"]["key"] == "nothing"
    assert told["things"] == []
    assert told["robot"] | {"not_picked": None} == {
        "berries_per_hour": None, "success": None, "attempted": 0, "picked": 0, "seconds_per_berry": None,
        "last_pick_at": None, "not_picked": None,
    }  # fmt: skip
    assert told["stages"]["at"] is None
    assert told["harvest"]["forecast"] is None and told["harvest"]["forecast_why"]


@pytest.mark.parametrize(
    ("facts", "key"),
    [
        (replace(QUIET, robots=[replace(CALM, needs_reset=True, fault="operator_stop")]), "robot_needs_person"),
        (replace(QUIET, alarms=[CRITICAL]), "critical_alarm"),
        (replace(QUIET, robots=[replace(CALM, link="silent")]), "robot_silent"),
        (replace(QUIET, counts={KEY: count(overripe=3)}), "spoils_today"),
        (replace(QUIET, robots=[replace(CALM, status="working")]), "picking_last"),
        (replace(QUIET, robots=[replace(CALM, status="working")], counts={KEY: count()}, left={KEY: 4}), "picking"),
        (replace(QUIET, counts={KEY: count()}, left={KEY: 4}), "ripe_waiting"),
    ],
)
def test_each_situation_has_its_sentence(facts: Facts, key: str) -> None:
    assert morning(facts)["sentence"]["key"] == key
    assert key in SENTENCES


def test_a_robot_that_needs_a_person_comes_before_everything_else() -> None:
    stopped = replace(CALM, needs_reset=True, fault="collision", status="working")
    facts = replace(QUIET, robots=[stopped], alarms=[CRITICAL], counts={KEY: count(overripe=1)}, left={KEY: 2})
    assert morning(facts)["sentence"] == {
        "key": "robot_needs_person",
        "args": {"robot": "berry-1", "fault": "collision"},
    }


def test_a_critical_alarm_that_is_over_no_longer_leads_the_day() -> None:
    told = morning(replace(QUIET, alarms=[{**CRITICAL, "cleared_at": NOW - 5.0}]))
    assert told["sentence"]["key"] == "nothing"
    assert told["things"] == []
    assert len(told["alarms"]) == 1, "nobody has seen it yet"


def test_things_are_three_at_most_and_critical_alarms_lead() -> None:
    stopped = replace(CALM, needs_reset=True, fault="collision")
    silent = ["climate-2", "wetness-2", "climate-3"]
    facts = replace(QUIET, robots=[stopped], alarms=[CRITICAL], counts={KEY: count(overripe=1)}, silent=silent)
    things = morning(facts)["things"]
    assert [thing["key"] for thing in things] == ["alarm", "robot_reset", "spoils_today"]
    assert len(things) == MOST_THINGS
    assert {thing["key"] for thing in morning(replace(QUIET, silent=silent))["things"]} <= set(THINGS)


def test_a_stop_that_somebody_asked_for_is_offered_to_be_resumed_and_a_fault_is_not() -> None:
    held = replace(CALM, safety="HOLD", fault="operator_hold")
    assert morning(replace(QUIET, robots=[held]))["things"][0]["key"] == "robot_resume"
    assert morning(replace(QUIET, robots=[replace(held, fault="camera_dark")]))["things"] == []


def test_kilograms_are_those_taken_today_and_said_to_be_estimated() -> None:
    picks = [pick(QUIET.midnight - 1.0), pick(NOW - 60.0), pick(NOW - 50.0, "slipped"), pick(NOW - 40.0, mass=None)]
    told: dict[str, Any] = morning(replace(QUIET, picks=picks))
    assert told["harvest"]["kg"] == pytest.approx(0.02)
    assert told["harvest"]["berries"] == 2
    assert harvest(picks)["estimated"] is True


def test_a_berry_passed_over_is_no_attempt_but_its_reason_is_told() -> None:
    picks = [pick(NOW - 60.0), pick(NOW - 50.0, "slipped"), pick(NOW - 40.0, "not_ripe", attempt=0), pick(NOW - 30.0)]
    told = performance(picks)
    assert (told["attempted"], told["picked"]) == (3, 2)
    assert told["success"] == pytest.approx(2 / 3, abs=1e-4)
    assert told["seconds_per_berry"] == pytest.approx(24.0 / 2)
    assert told["not_picked"] == {"slipped": 1, "not_ripe": 1}


def test_berries_per_hour_come_from_the_times_between_picks() -> None:
    picks = [pick(NOW - 1000.0 + 10.0 * i) for i in range(11)]
    assert performance(picks)["berries_per_hour"] == pytest.approx(360.0)
    assert performance(picks[:1])["berries_per_hour"] is None


def test_stages_add_up_over_segments_and_tell_their_oldest_count() -> None:
    newer = replace(count(), at=NOW)
    told = stages({KEY: count(overripe=2), SegmentKey("bed-2", "a", 0): newer})
    assert (told["ripe"], told["overripe"], told["segments"]) == (2, 2, 2)
    assert (told["at"], told["newest_at"]) == (NOW - 100.0, NOW)


def test_what_waits_is_weighed_by_the_share_that_is_left() -> None:
    sentence = morning(replace(QUIET, counts={KEY: count(in_window=4)}, left={KEY: 1}))["sentence"]
    assert sentence["args"] == {"berries": 1, "kg": pytest.approx(0.02), "bed": "bed-1", "beds": 1}
