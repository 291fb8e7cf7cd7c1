"""What the API answers over a farm with a real store: values with their age, gaps as gaps, plans, lots, commands."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

import dashboard_farm
from dashboard.label import qr_svg

Until = Callable[..., None]
Get = Callable[..., Any]
PERSONAL = ("robot", "order", "device_id", "viewer", "grower", "admin", "berry-1")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    running = dashboard_farm.Site(tmp_path_factory.mktemp("site"), days=1.6, pick_period=0.3)
    yield running
    running.close()


@pytest.fixture(scope="module")
def client(site: Any) -> Iterator[httpx.Client]:
    with site.login("grower") as signed_in:
        yield signed_in


@pytest.fixture(scope="module")
def get(client: httpx.Client) -> Get:
    def fetch(path: str, **parameters: Any) -> Any:
        answer = client.get("/api/v1/" + path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return fetch


def test_each_value_has_its_time_and_says_whether_it_is_live(get: Get) -> None:
    rows = {(row["device"], row["metric"]): row for row in get("last")}
    live, stale = rows["climate-1", "air_temperature"], rows["climate-2", "air_temperature"]
    never = rows["wetness-2", "leaf_wetness"]
    assert (live["state"], live["unit"]) == ("live", "Cel")
    assert 0.0 <= live["age"] < 180.0
    assert stale["state"] == "stale" and stale["age"] >= dashboard_farm.SILENT_S
    assert (never["state"], never["value"], never["at"]) == ("no_data", None, None)


def test_a_history_shows_the_gap_and_keeps_impossible_values_apart(get: Get) -> None:
    now = time.time()
    told = get("history", device="climate-1", metric="air_temperature", start=now - 36 * 3600, end=now, points=300)
    assert len(told["at"]) == len(told["mean"]) == len(told["min"]) == len(told["max"]) == len(told["quality"]) <= 320
    assert max(value for value in told["max"] if value is not None) < 40.0
    assert [point[1] for point in told["rejected"]] == [85.0, 85.0]
    long = [gap for gap in told["gaps"] if gap[1] - gap[0] > 3 * 3600]
    assert len(long) == 1
    begin, end = long[0]
    assert not [at for at in told["at"] if begin + told["step"] < at < end - told["step"]]


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"start": 2e9, "end": 1e9}, 422),
        ({"start": "nan"}, 422),
        ({"end": "inf"}, 422),
        ({"points": 0}, 422),
        ({"points": 10**9}, 422),
        ({"metric": "no_such"}, 404),
        ({"metric": "x" * 200}, 422),
        ({"device": "'; DROP TABLE point; --"}, 404),
        ({"format": "exe"}, 422),
    ],
)
def test_a_history_that_cannot_be_is_refused(client: httpx.Client, parameters: dict[str, Any], status: int) -> None:
    query = {"device": "climate-1", "metric": "air_temperature", **parameters}
    answer = client.get("/api/v1/history", params=query)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["zh"]


def test_a_page_whose_clock_is_a_day_ahead_gets_an_empty_future_not_an_error(get: Get) -> None:
    ahead = time.time() + 86400.0
    told = get("history", device="climate-1", metric="air_temperature", start=ahead - 3600.0, end=ahead)
    assert told["at"] == []


def test_a_table_holds_every_stored_value(client: httpx.Client) -> None:
    now = time.time()
    query = {"device": "climate-1", "metric": "co2", "start": now - 7200.0, "end": now - 60.0, "format": "csv"}
    answer = client.get("/api/v1/history", params=query)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="climate-1-co2.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert 115 <= len(rows) <= 125
    assert rows[0]["unit"] == "[ppm]"
    assert rows[0]["time_local"].endswith("+08:00")


def test_every_segment_has_a_row_and_nobody_guesses_what_was_not_counted(get: Get) -> None:
    rows = {(row["bed"], row["segment"]): row for row in get("segments")}
    assert len(rows) == 12 + 12 + 8
    unseen = rows["bed-3", 7]
    assert (unseen["at"], unseen["ripe"], unseen["left"]) == (None, None, None)
    seen = rows["bed-2", 3]
    assert seen["left"] == seen["in_window"] >= 0
    assert seen["picked_at"] is None


def test_the_robot_works_through_the_plan_and_the_picks_arrive(get: Get, until: Until) -> None:
    before = get("picks", limit=1)[0]["at"]
    until(lambda: get("picks", limit=1)[0]["at"] > before, within=30.0, what="a new pick")
    pick = get("picks", limit=1)[0]
    assert set(pick) >= {"bed", "side", "segment", "result", "ripeness", "seconds", "attempt", "punnet", "robot"}
    plan = get("plan")
    assert plan["at"] is not None
    ordered = [entry for entry in plan["entries"] if entry["order_id"]]
    assert ordered and all(entry["status"] for entry in ordered)
    assert all(entry["reason"]["zh"] and entry["reason"]["en"] for entry in plan["entries"])


def test_asking_the_brain_to_plan_is_answered_by_the_brain(client: httpx.Client) -> None:
    answer = client.post("/api/v1/plan/run").json()
    assert answer["status"] == "done"
    assert answer["seconds"] < 5.0


def test_the_morning_tells_of_today(get: Get) -> None:
    told = get("morning")
    assert {"sentence", "harvest", "robot", "stages", "things", "alarms", "plan"} <= set(told)
    assert told["stages"]["segments"] == 26
    assert len(told["things"]) <= 3


def test_a_buyer_sees_place_minute_and_climate_but_neither_machine_nor_person(site: Any, get: Get) -> None:
    lots = get("lots")
    assert lots[0]["first_pick_at"] >= lots[-1]["first_pick_at"]
    full = get("lots/" + lots[-1]["id"])
    assert full["robot"] == "berry-1"
    answer = httpx.get(site.url + "/api/v1/trace/" + lots[-1]["id"])
    told = answer.json()
    assert told["berries"] == lots[-1]["berries"]
    assert (
        told["rows"] and told["first_pick"] and told["climate"][0]["kpis"]["air_temperature"]["known"] in (True, False)
    )
    # A lot's own id names its machine; nothing else may.
    text = answer.text.replace(told["lot"], "")
    assert not [word for word in PERSONAL if word in text]


def test_the_code_on_a_label_leads_to_the_lot_at_the_address_it_was_asked_at(site: Any, get: Get) -> None:
    lot = get("lots")[-1]["id"]
    asked = {"host": "berries.example:8080"}
    told = httpx.get(f"{site.url}/api/v1/trace/{lot}", headers=asked).json()
    assert told["address"] == f"http://berries.example:8080/t/{lot}"
    code = httpx.get(f"{site.url}/t/{lot}/qr.svg", headers=asked)
    assert (code.status_code, code.headers["content-type"]) == (200, "image/svg+xml")
    assert code.text == qr_svg(told["address"])
    known = {"if-none-match": code.headers["etag"]}
    assert httpx.get(f"{site.url}/t/{lot}/qr.svg", headers=asked | known).status_code == 304
    assert httpx.get(f"{site.url}/t/{lot}/qr.svg", headers=known).status_code == 200
    assert httpx.get(f"{site.url}/t/none/qr.svg").json()["error"]["code"] == "unknown_lot"
    wrong = httpx.get(f"{site.url}/t/{lot}/qr.svg", headers={"host": "me@evil.example"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "bad_request")


@pytest.mark.parametrize("lot", ["none", "..%2f..%2faccounts", "%3Cscript%3E", "L" * 81])
def test_a_lot_that_is_none_is_refused(site: Any, lot: str) -> None:
    answer = httpx.get(f"{site.url}/api/v1/trace/{lot}")
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.usefixtures("patient")
def test_stop_reset_resume_in_their_order_and_reasons_when_not(client: httpx.Client) -> None:
    def command(name: str) -> dict[str, Any]:
        answer: dict[str, Any] = client.post(f"/api/v1/robots/berry-1/{name}").json()
        return answer

    stopped = command("stop")
    assert stopped["status"] == "done" and stopped["seconds"] < 15.0
    refused = command("resume")
    assert refused["status"] == "failed" and refused["reason"]
    assert command("reset")["status"] == "done"
    assert command("resume")["status"] == "done"
    assert client.post("/api/v1/robots/nobody/stop").json()["error"]["code"] == "unknown_robot"


def test_a_robot_that_does_not_answer_is_said_so_within_a_second(site: Any, client: httpx.Client) -> None:
    site.call(lambda: site.beds.broker.cut("berry-1"))
    began = time.monotonic()
    answer = client.post("/api/v1/robots/berry-1/stop").json()
    assert answer["status"] == "no_answer"
    assert 0.9 < time.monotonic() - began < 15.0
    site.call(lambda: site.beds.broker.restore("berry-1"))


def test_an_alarm_is_seen_by_name_and_stays_until_its_cause_is_gone(
    site: Any, get: Get, client: httpx.Client, until: Until
) -> None:
    until(
        lambda: [row for row in get("alarms") if row["place"]["device"] == "climate-2"], within=30.0, what="the alarm"
    )
    alarm = next(row for row in get("alarms") if row["place"]["device"] == "climate-2")
    with site.login("viewer") as viewer:
        assert viewer.post(f"/api/v1/alarms/{alarm['id']}/acknowledge").status_code == 403
    assert client.post(f"/api/v1/alarms/{alarm['id']}/acknowledge").json()["status"] == "done"
    seen = next(row for row in get("alarms") if row["id"] == alarm["id"])
    assert seen["acknowledged_by"] == "grower" and seen["acknowledged_at"]
    answer = client.post("/api/v1/alarms/none/acknowledge")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_alarm")


def test_the_farm_names_its_words_in_both_languages(get: Get) -> None:
    farm = get("farm")
    assert all(metric["label_zh"] and metric["label_en"] for metric in farm["metrics"].values())
    assert all(fault["do_zh"] and fault["do_en"] for fault in farm["faults"].values())
    assert farm["beds"][0]["segments"] == 12


def test_the_robots_shape_comes_from_what_it_said_at_birth(get: Get) -> None:
    model = get("robots/berry-1/model")
    names = [joint["name"] for joint in model["joints"]]
    assert {"rail_joint", "elbow_joint", "wrist_3_joint"} <= set(names)


HOSTILE = "<img src=x onerror=alert(1)>=cmd|' /C calc'!A0"


def test_hostile_words_of_a_device_come_back_as_plain_json(
    site: Any, get: Get, client: httpx.Client, until: Until
) -> None:
    event = {"ts": round(time.time() * 1000), "seq": 0, "boot": "evil", "type": "pick"}
    data = {"bed": HOSTILE, "side": "a", "segment": 0, "result": HOSTILE, "mass": "NaN", "seconds": [], "attempt": {}}
    payload = json.dumps(event | {"data": data}).encode()
    topic = f"gh/1/{site.beds.services.farm.site.id}/tunnel-1/berry-1/event"
    site.call(lambda: site.beds.broker.client("evil").publish(topic, payload, qos=1))

    def arrived() -> list[dict[str, Any]]:
        return [pick for pick in get("picks", limit=1000) if pick["bed"] == HOSTILE]

    until(arrived, within=30.0, what="the hostile pick")
    assert (arrived()[0]["result"], arrived()[0]["mass"], arrived()[0]["seconds"]) == (HOSTILE, None, None)
    for path in ("picks?limit=1000", "morning", "segments", "plan", "lots"):
        answer = client.get("/api/v1/" + path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
