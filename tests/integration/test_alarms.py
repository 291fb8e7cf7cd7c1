"""Alarms kept in their file: raised, cleared, seen, again; two connections; a brain that starts again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry.brain.alarms import Alarms, AlarmsError, Condition, Finding

COLD = Condition("air_cold", "tunnel-1", "climate-1", "air_temperature")
STOP = Condition("estop_input", "tunnel-1", "berry-1")


@pytest.fixture
def alarms(tmp_path: Path) -> Iterator[Alarms]:
    opened = Alarms(tmp_path)
    yield opened
    opened.close()


def raised(condition: Condition, at: float, **args: object) -> Finding:
    return Finding(condition=condition, active=True, at=at, args=args)


def cleared(condition: Condition, at: float) -> Finding:
    return Finding(condition=condition, active=False, at=at)


def test_every_sequence_of_raise_clear_and_acknowledge_ends_as_the_four_states_say(tmp_path: Path) -> None:
    book = Alarms(tmp_path)
    for number, steps in enumerate(itertools.product("rca", repeat=4)):
        condition = Condition("air_cold", "z", f"d{number}", "air_temperature")
        active = seen = False
        rows = 0  # how many alarms this should have become
        for step in steps:
            at = float(next(CLOCK))
            if step == "r" and not active:
                if rows == 0 or seen:  # the one before was seen: this is a new alarm
                    rows, seen = rows + 1, False
                active = True
                book.settle([raised(condition, at)])
            elif step == "r":
                assert book.settle([raised(condition, at)]) == 0
            elif step == "c":
                assert book.settle([cleared(condition, at)]) == int(active)
                active = False
            elif rows:
                newest = next(row for row in book.all(10**6) if row["place"]["device"] == condition.device)
                book.acknowledge(newest["id"], "li", at)
                seen = True
        open_rows = [row for row in book.active() if row["place"]["device"] == condition.device]
        assert len([row for row in book.all(10**6) if row["place"]["device"] == condition.device]) == rows, steps
        assert len(open_rows) == int(rows > 0 and (active or not seen)), steps
        if open_rows:
            assert open_rows[0]["active"] is active and (open_rows[0]["acknowledged_at"] is not None) is seen, steps
        book.settle([cleared(condition, float(next(CLOCK)))])
        for row in book.active():
            book.acknowledge(row["id"], "li", float(next(CLOCK)))
    book.close()


CLOCK = itertools.count(1)


def test_an_alarm_that_clears_unseen_stays_until_it_is_seen_and_comes_again_as_the_same(alarms: Alarms) -> None:
    alarms.settle([raised(COLD, 10.0, value=4.0, limit=5.0), cleared(COLD, 20.0)])
    (row,) = alarms.active()
    assert (row["active"], row["cleared_at"], row["value"], row["limit"]) == (False, 20.0, 4.0, 5.0)
    alarms.settle([raised(COLD, 30.0, value=3.0)])
    (again,) = alarms.active()
    assert (again["id"], again["since"], again["raised_at"], again["times"]) == (row["id"], 10.0, 30.0, 2)
    assert again["cleared_at"] is None
    assert alarms.acknowledge(row["id"], "li", 31.0) == "done"
    assert alarms.active()[0]["acknowledged_by"] == "li", "seen is not cleared"
    alarms.settle([cleared(COLD, 40.0)])
    assert alarms.active() == []


def test_the_first_who_saw_it_stays_on_record_and_an_unknown_alarm_is_named(alarms: Alarms) -> None:
    alarms.settle([raised(STOP, 1.0)])
    alarm = alarms.active()[0]["id"]
    assert [alarms.acknowledge(alarm, name, at) for name, at in (("li", 2.0), ("wang", 3.0))] == ["done", "done"]
    assert (alarms.active()[0]["acknowledged_by"], alarms.active()[0]["acknowledged_at"]) == ("li", 2.0)
    assert alarms.acknowledge("' OR 1=1 --", "li", 2.0) == "unknown_alarm"


def test_the_most_severe_come_first_and_then_the_newest(alarms: Alarms) -> None:
    info = Condition("operator_hold", "tunnel-1", "berry-1")
    dry = Condition("substrate_dry", "tunnel-1", "substrate-1", "substrate_moisture")
    alarms.settle([raised(info, 4.0), raised(COLD, 1.0), raised(STOP, 2.0), raised(dry, 3.0)])
    assert [row["fault"] for row in alarms.active()] == ["estop_input", "substrate_dry", "air_cold", "operator_hold"]
    assert [row["severity"] for row in alarms.active()] == ["critical", "warning", "warning", "info"]
    assert [row["fault"] for row in alarms.all(2)] == ["operator_hold", "substrate_dry"]


def test_a_second_connection_sees_what_the_brain_raises_and_both_write(tmp_path: Path) -> None:
    brain, dashboard = Alarms(tmp_path), Alarms(tmp_path)
    before = dashboard.version()
    brain.settle([raised(COLD, 1.0)], cursors={"state": 7})
    assert dashboard.version() != before
    assert dashboard.acknowledge(dashboard.active()[0]["id"], "li", 2.0) == "done"
    brain.settle([cleared(COLD, 3.0)])
    assert dashboard.active() == [] and dashboard.all(9)[0]["cleared_at"] == 3.0
    brain.close()
    again = Alarms(tmp_path)
    assert (again.cursor("state"), again.cursor("event"), again.standing()) == (7, None, set())
    again.close()
    dashboard.close()


def test_a_folder_that_cannot_be_written_is_an_error_with_a_code(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AlarmsError) as caught:
        Alarms(tmp_path / "file")
    assert caught.value.code == "store_failed"
