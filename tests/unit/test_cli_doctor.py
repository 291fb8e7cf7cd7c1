"""`berrybrain doctor` finds what is wrong with a machine and says what to do."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from dashboard.cli import checkup, main
from dashboard.cli.checkup import CHECKS, Place
from telemetry.messages import Kind
from telemetry.mqtt import broker
from telemetry.mqtt.outbox import OVERHEAD, Outbox


def finding(name: str, place: Place) -> tuple[str, str, str]:
    return CHECKS[name](place)


def test_a_healthy_machine_is_reported_row_by_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(CHECKS, "rendering", lambda _: ("ok", "egl renders", ""))
    with pytest.raises(SystemExit) as stop:
        main(["doctor", "--json", "--data", str(tmp_path)])
    report = json.loads(capsys.readouterr().out)
    assert stop.value.code == 0
    assert report["ok"] is True
    assert [row["name"] for row in report["checks"]] == list(CHECKS)
    assert {row["status"] for row in report["checks"]} <= {"ok", "warn"}


def test_a_wrong_farm_file_is_bad_and_ends_with_exit_code_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(CHECKS, "rendering", lambda _: ("ok", "egl renders", ""))
    farm = tmp_path / "farm.toml"
    farm.write_text("[site]\nid = 'a'\nlatitude = 30.0\nlongitude = 120.0\nlattitude = 30.0\n")
    with pytest.raises(SystemExit) as stop:
        main(["doctor", "--farm", str(farm)])
    out = capsys.readouterr().out
    assert stop.value.code == 1
    assert "lattitude" in out
    assert f"→ correct {farm}" in out


def test_a_taken_port_is_reported(tmp_path: Path) -> None:
    from telemetry.farm import default_farm_text

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        farm = tmp_path / "farm.toml"
        farm.write_text(default_farm_text().replace("port = 1883", f"port = {port}"))
        status, detail, remedy = finding("ports", Place(farm=farm))
    assert status == "warn"
    assert str(port) in detail
    assert "[mqtt] port" in remedy


def test_without_mosquitto_the_broker_is_labelled_not_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "mosquitto_path", lambda: None)
    status, detail, remedy = finding("broker", Place())
    assert status == "warn"
    assert "not durable" in detail
    assert remedy == "sudo apt-get install mosquitto"


def test_a_renderer_that_cannot_start_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "RENDER", "raise SystemExit('no display')")
    status, detail, remedy = finding("rendering", Place())
    assert status == "bad"
    assert "no display" in detail
    assert "apt-get install" in remedy


def test_a_data_folder_that_is_not_there_yet_is_judged_by_its_parent(tmp_path: Path) -> None:
    status, detail, _ = finding("disk", Place(data=tmp_path / "farm" / "data"))
    assert status in {"ok", "warn"}
    assert str(tmp_path) in detail


def test_dead_letters_are_counted_by_reason(tmp_path: Path) -> None:
    from telemetry.store.embedded import open_store
    from telemetry.store.journal import Batch, DeadLetter

    store = open_store(tmp_path / "store")
    letter = DeadLetter(topic="gh/1/a/b/c/data", payload=b"{", size=1, reason="bad_json", detail="cut short", at=1e9)
    store.commit(Batch(dead_letters=[letter, letter], messages=5))
    store.close()
    status, detail, remedy = finding("dead letters", Place(data=tmp_path))
    assert status == "warn"
    assert "2 refused of 5 messages: 2 bad_json" in detail
    assert "gh/1/a/b/c/data: cut short" in remedy
    assert finding("dead letters", Place(data=tmp_path / "elsewhere"))[0] == "warn"
    assert finding("dead letters", Place())[0] == "ok"


def test_outboxes_tell_what_waits_was_dropped_and_was_refused(tmp_path: Path) -> None:
    assert finding("outboxes", Place())[0] == finding("outboxes", Place(data=tmp_path))[0] == "ok"
    outbox = Outbox(tmp_path / "outbox" / "robot-1.sqlite3", limit_bytes=3 * (1 + OVERHEAD))
    outbox.append(Kind.DATA, b"1")
    assert finding("outboxes", Place(data=tmp_path))[:2] == ("ok", "robot-1 1 wait, 0 dropped, 0 refused")
    for _ in range(4):
        outbox.append(Kind.DATA, b"1")
    assert finding("outboxes", Place(data=tmp_path))[:2] == ("warn", "robot-1 3 wait, 2 dropped, 0 refused")
    outbox.refuse(2)
    outbox.refuse(1)
    status, detail, remedy = finding("outboxes", Place(data=tmp_path))
    assert (status, detail) == ("warn", "robot-1 3 wait, 2 dropped, 3 refused")
    assert "broker list" in remedy
    outbox.close()
    (tmp_path / "outbox" / "other.sqlite3").write_bytes(b"strawberry" * 1000)
    assert finding("outboxes", Place(data=tmp_path))[0] == "bad"


def test_a_server_outside_tells_whether_it_answers_and_what_waits_for_it(tmp_path: Path) -> None:
    from telemetry.farm import default_farm_text
    from telemetry.store.influx.queue import Queue
    from telemetry.store.influx.store import FILE

    assert finding("series server", Place(data=tmp_path))[:2] == ("ok", "none is used")
    assert not (tmp_path / "store").exists()  # looking makes nothing
    queue = Queue(tmp_path / "store" / FILE, 10_000)
    queue.add(["a value=1 1", "a value=2 2"])
    queue.close()
    status, detail, remedy = finding("series server", Place(data=tmp_path))
    assert status == "warn" and "2 points" in detail and "name the server" in remedy
    with socket.socket() as silent:  # bound, and nobody listens
        silent.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        text = default_farm_text()
        store = f'kind = "influx"\nurl = "{url}"\norg = "any"\nbucket = "any"\nquery = "promql"\n'
        (tmp_path / "farm.toml").write_text(text[: text.index("[store]")] + "[store]\n" + store, encoding="utf-8")
        status, detail, remedy = finding("series server", Place(data=tmp_path))
    assert status == "bad" and f"{url} does not answer; 2 points" in detail and "sent then" in remedy
    (tmp_path / "store" / FILE).write_bytes(b"strawberry" * 1000)
    assert finding("series server", Place(data=tmp_path))[0] == "bad"
