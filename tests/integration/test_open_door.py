"""What InfluxDB's client and all that speak line protocol write lands in the store; nobody else gets in."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from dashboard.cli import main
from telemetry.door.http import MAX_BODY, Door, unpack
from telemetry.door.tokens import FILE, TokenError, Tokens
from telemetry.messages import Kind
from telemetry.store import Quality, Series
from telemetry.store.embedded import EmbeddedStore, open_store

T0 = 1_790_000_000
NOW = T0 + 5.0
WRITE = "/api/v2/write"


class Running:
    """The door alone, served on a free port."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.tokens = Tokens(data / FILE, lambda: NOW)
        self.token = self.tokens.add("all", ["write", "read"])
        self.door = Door(data, "home", "Asia/Shanghai", lambda: NOW)
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(self.door, log_config=None, lifespan="off"))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve(sockets=[listener])), daemon=True)
        self._thread.start()

    def write(self, lines: str | bytes, *, token: str | None = None, path: str = WRITE, **more: Any) -> httpx.Response:
        content = lines.encode() if isinstance(lines, str) else lines
        headers = {"authorization": f"Token {self.token if token is None else token}"} | more.pop("headers", {})
        return httpx.post(self.url + path, content=content, headers=headers, params=more, timeout=30.0)

    def ask(self, **parameters: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.get(self.url + "/api/v1/query", params=parameters, headers=headers, timeout=30.0)

    def store(self) -> EmbeddedStore:
        return open_store(self.data / "store", read_only=True)

    def values(self, series: Series) -> list[tuple[float, float]]:
        store = self.store()
        samples = store.read(series, 0.0, 1e11)
        store.close()
        return list(zip(samples.at.tolist(), samples.value.tolist(), strict=True))

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10.0)
        self.door.close()
        self.tokens.close()


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("door"))
    yield running
    running.close()


def test_a_write_is_acknowledged_when_another_process_can_read_it(door: Running) -> None:
    answer = door.write(f"climate,zone=z1,device=c-1 air_temperature=21.5,co2=800i,open=t {T0}", precision="s")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["x-influxdb-version"]
    assert door.values(Series("home", "z1", "c-1", "air_temperature")) == [(T0, 21.5)]
    assert door.values(Series("home", "z1", "c-1", "co2")) == [(T0, 800.0)]
    assert door.values(Series("home", "z1", "c-1", "climate.open")) == [(T0, 1.0)]


@pytest.mark.parametrize(("precision", "factor"), [("ns", 10**9), ("us", 10**6), ("ms", 1000), ("s", 1)])
@pytest.mark.parametrize("path", [WRITE, "/write"])
def test_each_precision_means_the_same_time(door: Running, precision: str, factor: int, path: str) -> None:
    device = f"p-{precision}-{len(path)}"
    assert door.write(f"m,device={device} value=1 {T0 * factor}", path=path, precision=precision).status_code == 204
    assert door.values(Series("home", "m", device, "m")) == [(T0, 1.0)]


def test_what_comes_again_is_stored_once_and_acknowledged_again(door: Running) -> None:
    for _ in range(2):
        assert door.write(f"again value=1 {T0}\nagain value=2 {T0 + 1}", precision="s").status_code == 204
    assert door.write(f"again value=9 {T0}", precision="s").status_code == 204
    assert door.values(Series("home", "again", "again", "again")) == [(T0, 1.0), (T0 + 1, 2.0)]


def test_no_two_series_of_a_sender_become_one(door: Running) -> None:
    lines = [
        f"cpu,host=gw,cpu=cpu0 usage=1 {T0}",
        f"cpu,host=gw,cpu=cpu1 usage=2 {T0}",
        f"cpu,host=gw usage=3 {T0}",
        f"mem,host=gw usage=4 {T0}",
        rf"cpu,host=gw,cpu=a\,b\=c usage=5 {T0}",
        f"cpu,host=gw,cpu=a,b=c usage=6 {T0}",
    ]
    for bucket in ("farm", "other"):
        assert door.write("\n".join(lines), precision="s", bucket=bucket).status_code == 204
    store = door.store()
    found = {point.series: point.value for point in store.last().values() if point.series.metric.endswith(".usage")}
    store.close()
    assert sorted(found.values()) == sorted([1.0, 2.0, 3.0, 4.0, 5.0, 6.0] * 2)
    assert found[Series("home", "cpu", "gw,cpu=cpu0", "cpu.usage")] == 1.0
    assert found[Series("other", "mem", "gw", "mem.usage")] == 4.0


def test_wrong_lines_are_told_counted_and_kept_and_the_rest_is_stored(door: Running) -> None:
    text = f"part value=1 {T0}\npart value= {T0}\npart value=2 {T0 + 1}\npart value=3 5\npart value=4 {T0 * 1000}"
    answer = door.write(text, precision="s")
    told = answer.json()
    assert (answer.status_code, told["code"], told["dropped"], told["accepted"]) == (400, "invalid", 3, 2)
    assert told["message"].startswith("partial write: unable to parse 'part value=")
    assert "missing field value" in told["message"] and "since 2000" in told["message"]
    assert [value for _, value in door.values(Series("home", "part", "part", "part"))] == [1.0, 2.0]
    store = door.store()
    letters = [letter for letter in store.dead_letters() if b"part" in letter.payload]
    store.close()
    assert sorted(letter.reason for letter in letters) == ["bad_timestamp", "bad_timestamp", "bad_value"], letters
    assert {letter.topic for letter in letters} == {"http:/api/v2/write?bucket="}


def test_values_that_would_not_be_kept_as_they_are_are_refused_alone(door: Running) -> None:
    answer = door.write(f"big a=9007199254740993i,b=2 {T0}\nnear value=1 {T0}000000001\nnear value=2 {T0}000000002")
    assert answer.status_code == 400 and answer.json()["dropped"] == 2  # the first line is of 1970
    answer = door.write(f"big a=9007199254740993i,b=2 {T0}000000000")
    assert answer.status_code == 400 and "2^53" in answer.json()["message"]
    assert door.values(Series("home", "big", "big", "big.b")) == [(T0, 2.0)]
    assert door.values(Series("home", "near", "near", "near")) == [(T0, 1.0)]


def test_texts_are_kept_as_events(door: Running) -> None:
    for _ in range(2):
        assert door.write(f'note,device=n-1 said="莓, \\"ripe\\"",n=1 {T0}', precision="s").status_code == 204
    store = door.store()
    (entry,) = [entry for entry in store.entries(Kind.EVENT, type="text") if entry.topic.device == "n-1"]
    store.close()
    assert entry.payload.data == {"measurement": "note", "fields": {"said": '莓, "ripe"'}}  # type: ignore[union-attr]


def test_impossible_values_are_flagged_as_those_of_sensors_are(door: Running) -> None:
    assert door.write(f"climate,zone=z1,device=hot air_temperature=900 {T0}", precision="s").status_code == 204
    store = door.store()
    (point,) = store.last([Series("home", "z1", "hot", "air_temperature")]).values()
    store.close()
    assert point.quality & Quality.RANGE


def test_gzip_is_unpacked_and_a_bomb_is_not(door: Running) -> None:
    packed = gzip.compress(f"zip value=1 {T0}\n".encode()) + gzip.compress(f"zip value=2 {T0 + 1}".encode())
    assert door.write(packed, headers={"content-encoding": "gzip"}, precision="s").status_code == 204
    assert len(door.values(Series("home", "zip", "zip", "zip"))) == 2
    for body, status in ((packed[:-4], 400), (b"no gzip", 400), (gzip.compress(b" " * (MAX_BODY + 1)), 413)):
        answer = door.write(body, headers={"content-encoding": "gzip"})
        assert (answer.status_code, set(answer.json()) >= {"code", "message"}) == (status, True)
    assert door.write("m value=1", headers={"content-encoding": "br"}).status_code == 415
    with pytest.raises(OverflowError):
        unpack(gzip.compress(b"a" * 100), 99)


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(door: Running) -> None:
    def endless() -> Iterator[bytes]:
        yield from (b"m value=1\n" * 100_000 for _ in range(40))

    headers = {"authorization": f"Token {door.token}"}
    try:
        answer = httpx.post(door.url + WRITE, content=endless(), headers=headers, timeout=60.0)
        assert (answer.status_code, answer.json()["code"]) == (413, "request too large")
    except httpx.WriteError:
        pass  # it was hung up on
    assert door.write(f"m value=1 {T0}", precision="s").status_code == 204


@pytest.mark.parametrize(
    ("lines", "parameters", "problem"),
    [("", {}, "requires points"), ("cpu", {}, "missing fields"), ("m v=1", {"precision": "h"}, "invalid precision"),
     (b"\xff v=1", {}, "UTF-8"), ("m v=1", {"bucket": "a\nb"}, "bucket"), ("m v=nan", {}, "invalid field value")],
)  # fmt: skip
def test_what_is_wrong_is_said_as_influxdb_says_it(
    door: Running, lines: str, parameters: dict[str, str], problem: str
) -> None:
    answer = door.write(lines, **parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert problem in answer.json()["message"]


def test_only_a_token_that_may_gets_in_and_a_revoked_one_does_not(door: Running) -> None:
    reader, narrow = door.tokens.add("reader", ["read"]), door.tokens.add("narrow", ["write", "read"], "north")
    gone = door.tokens.add("gone", ["write"])
    line = f"m value=1 {T0}"
    for token in ("none", "x", "' OR 1=1 --", "bb_" + "A" * 43):
        answer = door.write(line, token=token, precision="s")
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    answer = door.write(line, token=reader, precision="s")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert door.write(line, token=narrow, precision="s", bucket="farm").status_code == 403
    assert door.write(line, token=narrow, precision="s", bucket="north").status_code == 204
    assert door.write(f"m,site=home value=1 {T0}", token=narrow, precision="s", bucket="north").status_code == 400
    query = httpx.get(door.url + "/api/v1/query", headers={"authorization": f"Token {narrow}"}, params={"from": "@0"})
    assert query.status_code == 200 and len(query.json()["rows"]) == 1
    assert door.write(line, token=gone, precision="s").status_code == 204
    door.tokens.revoke("gone")
    assert door.write(line, token=gone, precision="s").status_code == 401


def test_1x_clients_name_their_database_and_send_the_token_as_a_password(door: Running) -> None:
    line = f"old value=1 {T0}"
    basic = "Basic " + base64.b64encode(f"anyone:{door.token}".encode()).decode()
    for headers, more in (({"authorization": basic}, {}), ({"authorization": ""}, {"u": "anyone", "p": door.token})):
        asked = {"db": "telegraf", "precision": "s", **more}
        assert httpx.post(door.url + "/write", content=line, params=asked, headers=headers).status_code == 204
        made = httpx.post(door.url + "/query", params={"q": 'CREATE DATABASE "telegraf"', **more}, headers=headers)
        assert made.json() == {"results": [{"statement_id": 0}]}
    assert door.values(Series("telegraf", "old", "old", "old")) == [(T0, 1.0)]


def test_1x_clients_are_told_in_their_own_shape_and_may_write_nothing(door: Running) -> None:
    # As InfluxDB 1.6.7 answers; clients of 1.x read `error`, and Home Assistant writes nothing to see who answers.
    assert door.write("", path="/write", db="old").status_code == 204
    answer = door.write(f"old value=1 {T0}\nold value=", path="/write", db="old", precision="s")
    assert (answer.status_code, set(answer.json())) == (400, {"error"})
    assert answer.json()["error"].startswith("partial write: unable to parse 'old value='")
    assert httpx.post(door.url + "/write", content="m v=1").json().keys() == {"error"}
    assert "InfluxQL" in httpx.get(f"{door.url}/query?q=SELECT+1&p={door.token}").json()["error"]


@pytest.mark.parametrize("name", ["'; DROP TABLE point; --", '"', "a/../b", "#", "+", "莓园", "x" * 400])
def test_a_name_is_only_ever_a_name(door: Running, name: str) -> None:
    from telemetry.store.line_protocol import Line, write_line

    line = Line(measurement="inj", tags=(("device", name),), fields={"value": 7.0}, at_ns=T0 * 10**9)
    assert door.write(write_line(line)).status_code == 204
    assert door.values(Series("home", "inj", name, "inj")) == [(T0, 7.0)]


def test_questions_are_answered_in_each_format(door: Running) -> None:
    lines = [f"q,zone=z9,device=q-1 air_temperature={20 + i % 10} {T0 - 3600 + 60 * i}" for i in range(60)]
    assert door.write("\n".join(lines), precision="s").status_code == 204
    asked = {"metric": "air_temperature", "device": "q-1", "from": f"@{T0 - 7200}", "timezone": "UTC"}
    told = door.ask(**asked).json()
    assert told["columns"] == ["time", "zone", "device", "metric", "unit", "value", "quality"]
    assert len(told["rows"]) == 60 and told["rows"][0][1:6] == ["z9", "q-1", "air_temperature", "°C", 20.0]
    assert len(door.ask(**asked, step="10min", aggregate=["min", "max"], format="csv").text.splitlines()) in (7, 8)
    arrow = door.ask(**asked, format="arrow")
    assert arrow.headers["content-type"] == "application/vnd.apache.arrow.stream" and len(arrow.content) > 1000
    for wrong in ({"metric": "no_such"}, {"format": "exe"}, {"from": "whenever"}, {"drop": "table"}, {"step": "-1h"}):
        answer = door.ask(**{**asked, **wrong})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), wrong
    assert httpx.get(door.url + "/api/v1/query").status_code == 401


def test_influxdb_client_writes_unchanged_in_all_its_modes(door: Running) -> None:
    pandas = pytest.importorskip("pandas", reason="install it with: pip install pandas")
    from influxdb_client import InfluxDBClient, Point, WriteOptions, WritePrecision
    from influxdb_client.client.write_api import SYNCHRONOUS

    at = T0 * 10**9
    with InfluxDBClient(url=door.url, token=door.token, org="any", enable_gzip=True) as client:
        assert client.ping() is True
        api = client.write_api(write_options=SYNCHRONOUS)
        point = Point("modes").tag("device", "point").field("air_temperature", 20.25).field("n", 3).field("b", True)
        api.write(bucket="farm", record=point.time(T0, WritePrecision.S))
        api.write(bucket="farm", record=[f"modes,device=lines air_temperature={i} {at + i * 10**9}" for i in range(3)])
        row = {"measurement": "modes", "tags": {"device": "dict"}, "fields": {"air_temperature": 1.5}, "time": at}
        api.write(bucket="farm", record=row)
        frame = pandas.DataFrame(
            {"air_temperature": [1.0, 2.0, None], "device": ["frame"] * 3},
            index=pandas.to_datetime([T0, T0 + 1, T0 + 2], unit="s", utc=True),
        )
        api.write(bucket="farm", record=frame, data_frame_measurement_name="modes", data_frame_tag_columns=["device"])
        failures: list[str] = []
        batching = client.write_api(
            write_options=WriteOptions(batch_size=500, flush_interval=200),
            error_callback=lambda _, __, error: failures.append(str(error)),
        )
        for i in range(2000):
            batching.write(bucket="farm", record=f"modes,device=batch air_temperature={i % 50} {at - i * 10**9}")
        batching.close()
        assert failures == []
        with pytest.raises(Exception, match="unable to parse"):
            api.write(bucket="farm", record="modes,device=bad air_temperature=x")

    def stored(device: str) -> list[float]:
        return [value for _, value in door.values(Series("home", "modes", device, "air_temperature"))]

    assert stored("point") == [20.25]
    assert door.values(Series("home", "modes", "point", "modes.n")) == [(T0, 3.0)]
    assert stored("lines") == [0.0, 1.0, 2.0]
    assert stored("dict") == [1.5]
    assert stored("frame") == [1.0, 2.0]
    assert stored("batch") == [i % 50 for i in reversed(range(2000))]


def test_many_writers_at_once_lose_nothing(door: Running) -> None:
    def body(number: int) -> str:
        return "\n".join(f"many,device=w-{number} value={i} {T0 - i}" for i in range(500))

    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(door.write(body(n), precision="s").status_code))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert answers == [204] * 8
    assert all(len(door.values(Series("home", "many", f"w-{n}", "many"))) == 500 for n in range(8))


def test_what_is_not_spoken_is_said(door: Running) -> None:
    headers = {"authorization": f"Token {door.token}"}
    assert httpx.post(door.url + "/api/v2/query", headers=headers).status_code == 501
    assert httpx.get(door.url + "/query", params={"q": "SELECT 1"}, headers=headers).status_code == 501
    assert httpx.get(door.url + WRITE, headers=headers).status_code == 405
    assert httpx.get(door.url + "/ping").status_code == 204


def test_the_command_makes_lists_and_revokes_tokens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stop:
            main(["token", *words, "--data", str(tmp_path)])
        out = capsys.readouterr()
        return int(str(stop.value.code)), out.out + out.err

    code, secret = run("add", "telegraf", "--scope", "write", "--bucket", "farm")
    assert code == 0 and secret.startswith("bb_")
    code, told = run("list", "--json")
    assert json.loads(told)["tokens"][0]["scopes"] == ["write"]
    assert secret.strip() not in told
    assert secret.strip().encode() not in (tmp_path / FILE).read_bytes()
    assert ((tmp_path / FILE).stat().st_mode & 0o077) == 0
    tokens = Tokens(tmp_path / FILE, time.time)
    found = tokens.find(secret.strip())
    assert found is not None and found.name == "telegraf"
    assert run("add", "telegraf")[0] == 2
    assert run("revoke", "telegraf")[0] == 0
    assert run("revoke", "telegraf")[0] == 1
    assert tokens.find(secret.strip()) is None
    with pytest.raises(TokenError):
        tokens.add("x", ["admin"])
    tokens.close()
