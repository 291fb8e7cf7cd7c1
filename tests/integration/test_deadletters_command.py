"""`berrybrain deadletters`: what was refused is shown with its reason, exported, tried again and forgotten."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from dashboard.cli import main
from telemetry.ingest.intake import DEAD_PAYLOAD_BYTES, Intake, IntakeSettings
from telemetry.messages import Data
from telemetry.messages.wire import MAX_BYTES, encode
from telemetry.store.embedded import EmbeddedStore, open_store

T0 = 1_780_000_000.0
FULL = IntakeSettings(series_limit=2)
GOOD = encode(Data(at=T0, seq=0, boot="b", metrics={"co2": 400.0, "ppfd": 1.0}))
CROWD = encode(Data(at=T0, seq=0, boot="b", metrics={"co2": 500.0}))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A farm that let two series in, and refused a third one, a topic with wildcards and a huge payload."""
    store = open_store(tmp_path / "store")
    intake = Intake(FULL, store.last().values())
    assert intake.take("gh/1/farm/z1/d1/data", GOOD, T0)
    assert not intake.take("gh/1/farm/z1/d2/data", CROWD, T0)
    assert not intake.take("gh/1/farm/z1/#/data", GOOD, T0)
    assert not intake.take("gh/1/farm/z1/d3/data", b"x" * (MAX_BYTES + 1), T0)
    store.commit(intake.batch(4))
    store.close()
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stop:
        main(["dead-letters", *words])
    captured = capsys.readouterr()
    return int(stop.value.code or 0), captured.out + captured.err


def shown(capsys: pytest.CaptureFixture[str], data: Path, *words: str) -> dict[str, Any]:
    code, text = run(capsys, "list", "--data", str(data), "--json", *words)
    assert code == 0
    found: dict[str, Any] = json.loads(text)
    return found


def reading(data: Path) -> EmbeddedStore:
    return open_store(data / "store", read_only=True)


def test_list_shows_each_with_its_reason_and_counts_them(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    report = shown(capsys, data)
    assert report["by_reason"] == {"too_many_series": 1, "bad_topic": 1, "too_large": 1}
    assert [row["reason"] for row in report["letters"]] == ["too_large", "bad_topic", "too_many_series"]
    assert [row["topic"] for row in shown(capsys, data, "--reason", "bad_topic")["letters"]] == ["gh/1/farm/z1/#/data"]
    number = report["letters"][2]["id"]
    code, text = run(capsys, "show", str(number), "--data", str(data))
    assert code == 0
    assert "500.0" in text
    assert "expected at most 2 series" in text


def test_replay_stores_what_is_good_now_and_keeps_the_rest(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    code, text = run(capsys, "replay", "--all", "--json", "--data", str(data))
    assert (code, json.loads(text)) == (0, {"stored": 1, "refused": 2})
    store = reading(data)
    assert {series.device for series in store.last()} == {"d1", "d2"}
    assert next(p for s, p in store.last().items() if s.device == "d2").received_at == T0
    assert [letter.reason for letter in store.dead_letters()] == ["too_large", "bad_topic"]
    assert store.counters().dead_letters == 3  # how many were refused ever
    store.close()


def test_export_holds_the_payload_and_drop_forgets(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    file = data / "dead.jsonl"
    assert run(capsys, "export", str(file), "--all", "--data", str(data))[0] == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert base64.b64decode(rows[0]["payload"]) == CROWD
    assert (len(base64.b64decode(rows[2]["payload"])), rows[2]["size"]) == (DEAD_PAYLOAD_BYTES, MAX_BYTES + 1)
    assert run(capsys, "drop", "--reason", "too_large", str(rows[1]["id"]), "--data", str(data)) == (0, "2 forgotten\n")
    assert [row["reason"] for row in shown(capsys, data)["letters"]] == ["too_many_series"]


def test_wrong_use_is_said_in_a_line(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    assert run(capsys, "drop", "--data", str(data))[0] == 2
    assert run(capsys, "show", "99", "--data", str(data))[0] == 1
    code, text = run(capsys, "list", "--data", str(tmp_path / "none"))
    assert code == 1
    assert "expected a store" in text
    assert not (tmp_path / "none").exists()
