"""Placed berries become lots, and a lot is traced back to row, hour, robot and climate."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from telemetry.messages import Event, Kind, Topic
from telemetry.records import Records, RecordsError
from telemetry.store import Point, Quality, Series
from telemetry.store.embedded import EmbeddedStore, open_store
from telemetry.store.journal import Batch, Entry

NOON = 1775102400.0  # 2026-04-02 12:00 in Hangzhou
ROBOT = Topic(site="s", zone="z", device="berry-1", kind=Kind.EVENT)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    opened = open_store(tmp_path / "store")
    yield opened
    opened.close()


@pytest.fixture
def records(store: EmbeddedStore, tmp_path: Path) -> Iterator[Records]:
    opened = Records(store, tmp_path / "records", timezone="Asia/Shanghai")
    yield opened
    opened.close()


def pick(seq: int, at: float = NOON, boot: str = "b1", **data: Any) -> Entry:
    body = {
        "order_id": "o1",
        "bed": "bed-1",
        "side": "a",
        "segment": 0,
        "berry_id": seq,
        "x": 0.1 * seq,
        "y": 0.5,
        "z": 0.9,
        "ripeness": 0.95,
        "stage": "ripe",
        "diameter": 0.03,
        "result": "ok",
        "attempt": 1,
        "seconds": 6.0,
        "peak_force": 0.8,
        "mass": 0.020,
        "punnet": "p1",
    }
    return Entry(topic=ROBOT, payload=Event(at=at, seq=seq, boot=boot, type="pick", data=body | data), received_at=at)


def other(type_: str, seq: int, at: float = NOON, **data: Any) -> Entry:
    return Entry(topic=ROBOT, payload=Event(at=at, seq=seq, boot="b1", type=type_, data=data), received_at=at)


def commit(store: EmbeddedStore, *entries: Entry) -> None:
    store.commit(Batch(entries=entries))


def test_placed_berries_of_a_punnet_are_one_lot(store: EmbeddedStore, records: Records) -> None:
    commit(store, pick(1), pick(2, NOON + 60.0, segment=2), pick(3, NOON + 90.0, punnet="p2"))
    assert records.update() == 3
    first, second = records.lots()
    assert (first.id, first.berries, first.segments, first.closed) == ("L20260402-berry-1-0001", 2, (0, 2), False)
    assert first.mass == pytest.approx(0.040)
    assert (first.first_pick_at, first.last_pick_at) == (NOON, NOON + 60.0)
    assert (second.punnet, second.berries) == ("p2", 1)


def test_berry_that_was_not_placed_is_logged_and_in_no_lot(store: EmbeddedStore, records: Records) -> None:
    commit(store, pick(1, result="slipped", punnet=""), pick(2, result="place_fail"), pick(3, punnet=""))
    assert records.update() == 3
    assert records.lots() == []


def test_replayed_events_change_nothing(store: EmbeddedStore, records: Records, tmp_path: Path) -> None:
    commit(store, pick(1), pick(2))
    records.update()
    before = records.lots()
    commit(store, pick(1), pick(2))
    assert records.update() == 0
    # A second store that holds the same events under other numbers, as after a restored backup.
    copy = open_store(tmp_path / "copy")
    commit(copy, other("fault", 90, fault="x", active=True), pick(2), pick(1))
    again = Records(copy, tmp_path / "records", timezone="Asia/Shanghai")
    again._connection.execute("DELETE FROM cursor")
    assert again.update() == 1
    assert again.lots() == before
    assert again.verify() == 3
    again.close()
    copy.close()


def test_log_survives_a_restart_and_goes_on(store: EmbeddedStore, records: Records, tmp_path: Path) -> None:
    commit(store, pick(1))
    records.update()
    records.close()
    again = Records(store, tmp_path / "records", timezone="Asia/Shanghai")
    commit(store, pick(2))
    assert again.update() == 1
    assert again.lots()[0].berries == 2
    assert again.verify() == 2
    again.close()


def test_closed_punnet_closes_its_lot_and_the_same_name_later_is_another(
    store: EmbeddedStore, records: Records
) -> None:
    closing = other("punnet", 2, NOON + 10.0, punnet="p1", berries=1, mass=0.02, closed=True)
    commit(store, pick(1), closing, pick(3, NOON + 20.0), pick(1, NOON + 10.0, boot="b0"))
    records.update()
    lots = records.lots()
    assert [(lot.closed, lot.berries) for lot in lots] == [(True, 2), (False, 1)]
    assert len({lot.id for lot in lots}) == 2


def test_same_punnet_name_on_another_day_is_another_lot(store: EmbeddedStore, records: Records) -> None:
    commit(store, pick(1), pick(1, NOON + 86400.0, boot="b2"))
    records.update()
    assert [lot.id for lot in records.lots()] == ["L20260402-berry-1-0001", "L20260403-berry-1-0002"]


def test_lot_is_traced_to_rows_hours_robot_and_climate(store: EmbeddedStore, records: Records) -> None:
    commit(store, pick(1), pick(2, NOON + 3700.0, segment=3))
    series = Series("s", "z", "climate-1", "air_temperature")
    point = Point(series=series, at=NOON + 60.0, value=21.0, received_at=NOON + 61.0)
    stuck = replace(point, at=NOON + 120.0, value=99.0, quality=Quality.STUCK)
    dli = replace(point, series=Series("s", "z", "brain", "dli"), value=8.0)
    later = replace(dli, at=NOON + 1800.0, value=9.0)
    store.write([point, replace(point, at=NOON + 90.0, value=23.0), stuck, dli, later])
    records.update()
    trace = records.trace("L20260402-berry-1-0001")
    assert trace["robot"] == "berry-1"
    assert trace["rows"] == [
        {"bed": "bed-1", "side": "a", "segment": 0, "berries": 1},
        {"bed": "bed-1", "side": "a", "segment": 3, "berries": 1},
    ]
    assert trace["first_pick"] == "2026-04-02T12:00:00+08:00"
    assert trace["orders"] == ["o1"]
    noon, one = trace["climate"]
    assert noon["hour"] == "2026-04-02T12:00:00+08:00"
    assert noon["kpis"]["air_temperature"] == {"value": 22.0, "known": True, "samples": 2, "device": "climate-1"}
    assert noon["kpis"]["dli"]["value"] == 9.0
    assert one["kpis"]["air_temperature"]["value"] is None
    assert not one["kpis"]["air_temperature"]["known"]
    assert trace["picks"][0]["x"] == pytest.approx(0.1)


def test_unknown_lot_says_how_many_there_are(records: Records) -> None:
    with pytest.raises(KeyError, match="no lot 'x'; 0 lots"):
        records.trace("x")


def test_pick_without_an_origin_is_logged_and_left_out_of_lots(store: EmbeddedStore, records: Records) -> None:
    commit(store, pick(1, segment=None), pick(2, mass="heavy"), pick(3))
    assert records.update() == 3
    assert records.lots()[0].berries == 1
    assert records.verify() == 3


def test_numbers_no_file_can_hold_are_logged_and_do_not_stop_what_follows(
    store: EmbeddedStore, records: Records
) -> None:
    commit(store, pick(1, segment=10**30), pick(2, mass=10**400), pick(3, ripeness=-(10**400)), pick(4))
    assert records.update() == 4
    assert records.lots()[0].berries == 1
    assert records.verify() == 4


def test_other_events_of_the_harvest_are_logged_too(store: EmbeddedStore, records: Records) -> None:
    commit(
        store,
        other("count", 1, bed="bed-1", side="a", segment=0, in_window=3),
        other("order", 2, order_id="o1", status="done"),
        other("fault", 3, fault="eyes_lost", active=True),
        other("song", 4, text="la"),
    )
    assert records.update() == 3
    assert records.verify() == 3


def test_place_that_cannot_be_written_is_an_error_of_its_own(store: EmbeddedStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordsError, match="cannot be used"):
        Records(store, tmp_path / "file", timezone="Asia/Shanghai")


def test_log_waits_while_it_cannot_be_written_and_takes_everything_in_after(
    store: EmbeddedStore, records: Records, tmp_path: Path
) -> None:
    commit(store, pick(1), pick(2))
    other_writer = sqlite3.connect(tmp_path / "records" / "records.sqlite3", isolation_level=None)
    records._connection.execute("PRAGMA busy_timeout = 1")
    other_writer.execute("BEGIN IMMEDIATE")
    assert records.update() == 0
    other_writer.execute("ROLLBACK")
    other_writer.close()
    assert records.update() == 2
    assert records.verify() == 2


def test_page_that_fails_in_the_middle_leaves_nothing_behind(store: EmbeddedStore, records: Records) -> None:
    commit(store, pick(1), pick(2))
    records._connection.execute(
        "CREATE TEMP TRIGGER fail BEFORE INSERT ON berry WHEN NEW.ref LIKE '%/2' "
        "BEGIN SELECT RAISE(ABORT, 'no space'); END"
    )
    assert records.update() == 0
    assert records.verify() == 0
    records._connection.execute("DROP TRIGGER fail")
    assert records.update() == 2
    assert records.lots()[0].berries == 2
