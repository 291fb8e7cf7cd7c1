"""The simulated past: complete, ended before the run begins, consistent, and known as what it is."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sim.history import BOOT, Day, Past, PastSettings
from sim.weather import Weather
from telemetry.farm import default_farm_text, parse_farm
from telemetry.messages import Command, Event, Kind
from telemetry.messages.wire import decode, encode

FARM = parse_farm(default_farm_text())
END = 1_793_505_600.0 + 10 * 3600.0 + 17.0  # 2026-11-01 22:00:17 in Hangzhou
DAYS = 4


def past(seed: int = 1, days: float = DAYS) -> list[Day]:
    return list(Past(PastSettings(farm=FARM, seed=seed, start_at=END - days * 86400.0, end_at=END)).days())


@pytest.fixture(scope="module")
def laid() -> list[Day]:
    return past()


def events(laid: list[Day], kind: str) -> list[dict[str, Any]]:
    payloads = [payload for day in laid for _, payload in day.entries]
    return [p.data | {"at": p.at} for p in payloads if isinstance(p, Event) and p.type == kind]


def test_every_device_measures_at_its_interval_up_to_the_run_and_not_into_it(laid: list[Day]) -> None:
    for device in FARM.devices:
        at = [data.at for day in laid for topic, data in day.data if topic.device == device.id]
        assert len(at) == DAYS * 86400.0 / device.interval
        assert {round(b - a, 6) for a, b in pairwise(at)} == {device.interval}
        assert END - device.interval <= at[-1] < END


def test_everything_is_marked_and_numbered_without_a_gap(laid: list[Day]) -> None:
    for device in FARM.devices:
        data = [data for day in laid for topic, data in day.data if topic.device == device.id]
        assert [d.seq for d in data] == list(range(len(data)))
        assert {(d.boot, d.historical) for d in data} == {(BOOT, True)}
    told = [p for day in laid for _, p in day.entries if isinstance(p, Event)]
    assert [e.seq for e in told] == list(range(len(told)))
    assert {e.boot for e in told} == {BOOT}
    orders = [p for day in laid for _, p in day.entries if isinstance(p, Command)]
    assert all(BOOT in order.id for order in orders)


def test_entries_are_messages_of_the_contract(laid: list[Day]) -> None:
    for day in laid:
        for topic, payload in day.entries:
            assert decode(Kind(topic.kind), encode(payload)) == [payload]


def test_robots_visit_each_morning_but_never_on_the_day_of_the_run(laid: list[Day]) -> None:
    local = [datetime.fromtimestamp(e["at"], ZoneInfo("Asia/Shanghai")) for e in events(laid, "order")]
    today = datetime.fromtimestamp(END, ZoneInfo("Asia/Shanghai")).date()
    assert Counter(at.hour for at in local).keys() <= {6, 7}
    assert len({at.date() for at in local}) == DAYS - 1
    assert max(at.date() for at in local) < today


def test_counts_picks_orders_and_punnets_of_a_visit_agree(laid: list[Day]) -> None:
    for order in (o for o in events(laid, "order") if o["status"] == "done"):
        picks = [p for p in events(laid, "pick") if p["order_id"] == order["order_id"]]
        counts = [c for c in events(laid, "count") if c["order_id"] == order["order_id"]]
        assert [c["segment"] for c in counts] == list(range(FARM.beds[0].segments))
        assert sum(c["in_window"] for c in counts) == len(picks)
        ok = [p for p in picks if p["result"] == "ok"]
        assert (order["picked"], order["attempted"]) == (len(ok), sum(p["attempt"] > 0 for p in picks))
        assert all(p["punnet"] for p in ok) and not any(p["punnet"] for p in picks if p["result"] != "ok")
        assert all(FARM.program.ripeness_min <= p["ripeness"] <= FARM.program.ripeness_max for p in picks)
        assert all(0.003 < p["mass"] < 0.08 for p in picks)
    filled = Counter(p["punnet"] for p in events(laid, "pick") if p["result"] == "ok")
    assert filled == {p["punnet"]: p["berries"] for p in events(laid, "punnet")}
    assert sum(filled.values()) > 0


def test_no_berry_is_picked_twice(laid: list[Day]) -> None:
    picked = [p["berry_id"] for p in events(laid, "pick") if p["result"] == "ok"]
    assert len(picked) == len(set(picked))


def test_the_same_seed_gives_the_same_past_and_the_weather_of_the_run_that_follows(laid: list[Day]) -> None:
    again = past()
    assert [day.entries for day in again] == [day.entries for day in laid]
    assert [day.data for day in again] == [day.data for day in laid]
    weather = Weather(latitude=FARM.site.latitude, longitude=FARM.site.longitude, seed=1)
    light = {
        data.at: data.metrics["global_radiation"]
        for topic, data in laid[-1].data
        if topic.device == "climate-1" and data.metrics["global_radiation"] > 50.0
    }
    assert light
    for at, inside in light.items():
        assert 0.3 < inside / max(weather.at(at - 60.0).global_radiation, 1.0) < 1.3


def test_a_past_of_part_of_a_day_is_one_part_of_a_day() -> None:
    (day,) = past(days=0.25)
    assert sum(topic.device == "climate-1" for topic, _ in day.data) == 360
