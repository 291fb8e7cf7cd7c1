"""Lines on their way to a server: away, busy, or refusing single lines; what comes back is what was written."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import urllib3
import uvicorn

from dashboard.cli import main
from telemetry.door.http import Door
from telemetry.door.tokens import FILE as TOKENS
from telemetry.door.tokens import Tokens
from telemetry.farm import default_farm_text, parse_farm
from telemetry.messages import Kind, State, Topic
from telemetry.mqtt.broker import free_port
from telemetry.store import Block, Point, Quality, Series
from telemetry.store.embedded import open_store
from telemetry.store.influx import InfluxSettings, OutsideError
from telemetry.store.influx.archive import OutsideArchive
from telemetry.store.influx.influxql import quote
from telemetry.store.influx.queue import Queue
from telemetry.store.influx.send import Sender
from telemetry.store.influx.store import InfluxStore
from telemetry.store.journal import Batch, Entry, StoreError
from telemetry.store.opening import open_archive

T0 = 1_780_000_000.0
AIR = Series("farm", "zone-1", "climate-1", "air_temperature")


class Wire:
    """A server that is away when told to, and refuses lines with `bad` in them."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.away = False
        self.requests = 0

    def send(self, lines: Sequence[str]) -> None:
        self.requests += 1
        if self.away:
            raise OutsideError("503", lasting=False)
        self.got += [line for line in lines if "bad" not in line]  # as InfluxDB: the good ones are kept
        if any("bad" in line for line in lines):
            raise OutsideError("400: partial write", lasting=True)

    def close(self) -> None:
        pass


class Bench:
    """A sender over that wire, with a clock that stands."""

    def __init__(self, folder: Path, most: int = 10_000) -> None:
        self.wire, self.queue = Wire(), Queue(folder / "q.sqlite3", most)
        self.refused: list[str] = []
        self.now = 0.0
        self.sender = Sender(
            self.wire, self.queue, lambda line, _: self.refused.append(line), batch=4, monotonic=lambda: self.now
        )


def test_what_the_server_does_not_take_waits_and_comes_first(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.sender.send(["a", "b"])
    bench.wire.away = True
    bench.sender.send([f"c{i}" for i in range(6)])
    bench.sender.send(["d"])
    assert (bench.wire.got, bench.queue.count()) == (["a", "b"], 7)
    tries = bench.wire.requests
    bench.sender.send(["e"])
    assert bench.wire.requests == tries  # not at every turn
    again = Bench(tmp_path)  # as after a kill
    assert again.sender.flush() and again.queue.count() == 0
    assert again.wire.got == [*(f"c{i}" for i in range(6)), "d", "e"]


def test_it_waits_longer_and_longer_and_at_most_a_minute(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.wire.away = True
    bench.sender.send(["a"])
    tries = []
    for second in range(400):
        bench.now = float(second)
        before = bench.wire.requests
        bench.sender.flush()
        if bench.wire.requests > before:
            tries.append(second)
    waits = np.diff(tries).tolist()
    assert waits[:4] == [2, 4, 8, 16] and max(waits) == 60
    bench.wire.away, bench.now = False, 1e6
    assert bench.sender.flush() and bench.wire.got == ["a"]


def test_a_bad_line_is_found_and_the_others_are_delivered(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    lines = [f"l{i}" for i in range(8)]
    bench.sender.send([*lines[:3], "bad-1", *lines[3:], "bad-2"])
    assert bench.refused == ["bad-1", "bad-2"]
    assert set(bench.wire.got) == set(lines) and bench.queue.count() == 0


def test_a_full_queue_is_said_and_nothing_acknowledged(tmp_path: Path) -> None:
    bench = Bench(tmp_path, most=100)
    bench.wire.away = True
    bench.sender.send(["x" * 200])
    with pytest.raises(StoreError) as failure:
        bench.sender.send(["y"])
    assert failure.value.code == "store_full"


def test_nothing_at_the_address_is_no_loss(tmp_path: Path) -> None:
    settings = InfluxSettings(url=f"http://127.0.0.1:{free_port()}", timeout_s=2.0)
    store = InfluxStore(settings, tmp_path, lambda *_: None)
    assert store.write([Point(series=AIR, at=T0, value=1.0, received_at=T0)]) == 1
    assert store.waiting() == 1
    with pytest.raises(StoreError, match="store_failed"):
        store.read(AIR, 0.0, T0)
    store.close()


def test_a_server_that_was_away_is_not_asked_again_at_once(tmp_path: Path) -> None:
    now = [0.0]
    settings = InfluxSettings(url=f"http://127.0.0.1:{free_port()}", timeout_s=2.0)
    store = InfluxStore(settings, tmp_path, lambda *_: None, monotonic=lambda: now[0])
    asked = []

    class Silent:
        def last(self) -> dict[Series, object]:
            asked.append(now[0])
            now[0] += 10.0  # as a network that swallows everything
            raise OutsideError("timed out", lasting=False)

        def close(self) -> None:
            pass

    store._reading = Silent()  # type: ignore[assignment]
    while now[0] < 100.0:
        with pytest.raises(StoreError):
            store.last()
        now[0] += 1.0
    assert asked == [0.0, 40.0, 80.0]
    store.close()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[tuple[str, str, Path]]:
    """Our own way in: the nearest thing to an InfluxDB 2 that can be had here."""
    data = tmp_path / "farm"
    tokens = Tokens(data / TOKENS, lambda: T0)
    token = tokens.add("store", ["write"])
    tokens.close()
    application = Door(data, "home", "UTC", lambda: T0 + 60.0)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", token, data
    server.should_exit = True
    thread.join(10.0)
    application.close()


def test_influxdb_client_carries_lines_and_refusals(door: tuple[str, str, Path], tmp_path: Path) -> None:
    url, token, data = door
    refused: list[tuple[str, str]] = []
    settings = InfluxSettings(url=url, token=token, bucket="farm", batch=50)
    store = InfluxStore(settings, tmp_path, lambda *why: refused.append(why))
    good = [Point(series=AIR, at=T0 + i / 10.0, value=i / 7.0, received_at=T0 + 1.0) for i in range(200)]
    early = Point(series=AIR, at=5.0, value=1.0, received_at=T0)  # of 1970
    store.write([*good[:77], early, *good[77:]])
    assert store.waiting() == 0
    assert len(refused) == 1 and refused[0][0].endswith(" 5000") and "since 2000" in refused[0][1]
    store.close()
    farm = open_store(data / "store", read_only=True)
    samples = farm.read(AIR, T0, T0 + 100.0)
    assert farm.series() == [AIR]
    farm.close()
    assert samples.value.tolist() == [point.value for point in good]


def test_a_wrong_token_makes_lines_wait_and_not_be_refused(door: tuple[str, str, Path], tmp_path: Path) -> None:
    url, _, _ = door
    refused: list[tuple[str, str]] = []
    store = InfluxStore(InfluxSettings(url=url, token="wrong"), tmp_path, lambda *why: refused.append(why))
    store.write([Point(series=AIR, at=T0, value=1.0, received_at=T0)])
    assert (store.waiting(), refused) == (1, [])
    store.close()


@pytest.mark.parametrize("kind", ["influxdb", "victoria"])
def test_blocks_go_out_and_come_in(kind: str, outside: Callable[[str, Path], InfluxStore], tmp_path: Path) -> None:
    store = outside(kind, tmp_path)
    names = (AIR, Series("farm", "", 'c\'2\\x "q" = ,', "co2"))
    block = Block(
        names=names,
        series=np.array([0, 1, 0], np.int32),
        at=np.array([T0 * 1000 + 60_001, T0 * 1000, T0 * 1000], np.int64),
        value=np.array([2.5, 500.0, 1.25]),
        delay=np.array([3000, -2000, 0], np.int64),
        quality=np.array([0, 32, 1], np.uint8),
    )
    assert store.write_block(block) == 3
    found = store.block(names, T0, T0 + 61.0)
    assert found.series.tolist() == [0, 0, 1]
    assert (found.at - round(T0 * 1000)).tolist() == [0, 60_001, 0]
    assert found.value.tolist() == [1.25, 2.5, 500.0]
    assert found.delay.tolist() == [0, 3000, -2000]
    assert found.quality.tolist() == [1, 0, 32]
    assert set(store.series()) == set(names) and store.count() == 3
    assert store.last([names[1]])[names[1]].quality == Quality.LATE
    assert store.waiting() == 0
    store.close()


def test_a_name_cannot_end_a_text_of_a_question() -> None:
    assert quote("a' OR '1'='1") == r"'a\' OR \'1\'=\'1'"
    assert quote("\\' --") == r"'\\\' --'"


def batch(count: int, first: int = 0) -> Batch:
    points = [
        Point(series=AIR, at=T0 + first + i, value=float(first + i), received_at=T0 + first + i) for i in range(count)
    ]
    topic = Topic(site="farm", zone="zone-1", device="climate-1", kind=Kind.STATE)
    entry = Entry(topic=topic, payload=State(at=T0 + first, status="online"), received_at=T0 + first)
    return Batch(points=points, entries=[entry], messages=count)


def test_a_farm_file_chooses_the_server_and_an_outage_loses_nothing(victoria: str, tmp_path: Path) -> None:
    text = default_farm_text().replace('kind = "embedded" ', 'kind = "influx" ')
    for key, value in (("url", victoria), ("org", "any"), ("bucket", "any"), ("query", "promql")):
        text, count = re.subn(rf'(?m)^{key} = "(influxql)?"(?= )|^{key} = ""$', f'{key} = "{value}"', text)
        assert count in (1, 2), key  # [mqtt] has a url too
    text = text.replace(f'url = "{victoria}"', 'url = ""', 1)
    known = parse_farm(text).store
    away = open_archive(tmp_path, replace(known, url=f"http://127.0.0.1:{free_port()}"), {})
    assert isinstance(away, OutsideArchive)
    done = away.commit(batch(300))
    assert (done.points, done.entries) == (300, 1)  # and may be acknowledged
    away.close()
    archive = open_archive(tmp_path, known, {})
    assert isinstance(archive, OutsideArchive)
    archive.commit(batch(300, first=300))
    assert archive.outside.waiting() == 0
    urllib3.request("GET", f"{victoria}/internal/force_flush")
    assert archive.read(AIR, T0, T0 + 1000.0).value.tolist() == [float(i) for i in range(600)]
    assert archive.counters().points == 600 and len(archive.entries(Kind.STATE)) == 2
    reader = open_archive(tmp_path, known, {}, read_only=True)
    assert reader.last([AIR])[AIR].value == 599.0
    reader.close()
    archive.close()


def test_a_store_moves_to_a_server_by_command(
    victoria: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = Series("farm", "zone-1", f"mover-{free_port()}", "co2")
    source = open_store(tmp_path / "farm" / "store")
    source.write(
        [Point(series=device, at=T0 + 60.0 * i, value=float(i), received_at=T0 + 60.0 * i) for i in range(5000)]
    )
    source.close()
    (tmp_path / "there").mkdir()
    store = f'kind = "influx"\nurl = "{victoria}"\norg = "any"\nbucket = "any"\nquery = "promql"'
    text = default_farm_text()
    (tmp_path / "there" / "farm.toml").write_text(text[: text.index("[store]")] + f"[store]\n{store}\n")
    with pytest.raises(SystemExit) as stop:
        main(["store", "migrate", str(tmp_path / "there"), "--data", str(tmp_path / "farm"), "--json"])
    assert stop.value.code == 0, capsys.readouterr()
    assert json.loads(capsys.readouterr().out)["read"] == 5000
    urllib3.request("GET", f"{victoria}/internal/force_flush")
    known = parse_farm((tmp_path / "there" / "farm.toml").read_text()).store
    moved = open_archive(tmp_path / "there" / "store", known, {}, read_only=True)
    assert moved.read(device, T0, T0 + 1e6).value.tolist() == [float(i) for i in range(5000)]
    moved.close()


def test_a_server_that_is_away_is_said_to_be_asked_again_after_the_time_that_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 20.0, 30.0])  # asked, silent for 20 s, asked by the next reader
    settings = InfluxSettings(url="http://127.0.0.1:1", bucket="farm")
    store = InfluxStore(settings, tmp_path, lambda *_: None, monotonic=lambda: next(clock, 30.0))

    def away() -> int:
        raise OutsideError("timed out", lasting=False)

    monkeypatch.setattr(store._reading, "count", away)
    with pytest.raises(StoreError, match="timed out"):
        store.count()
    with pytest.raises(StoreError, match=r"asked again in 50\.0 s"):
        store.count()
    store.close()


def test_a_line_that_the_server_refuses_is_a_dead_letter(door: tuple[str, str, Path], tmp_path: Path) -> None:
    url, token, _ = door
    archive = OutsideArchive(tmp_path, InfluxSettings(url=url, token=token, bucket="farm"), read_only=False)
    early = Point(series=AIR, at=5.0, value=1.0, received_at=T0)
    archive.commit(Batch(points=[early, Point(series=AIR, at=T0, value=2.0, received_at=T0)]))
    (letter,) = archive.dead_letters()
    assert (letter.topic, letter.reason) == ("store:influx", "bad_value") and letter.payload.endswith(b" 5000")
    assert archive.outside.waiting() == 0
    archive.close()
