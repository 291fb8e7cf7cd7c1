"""Benches report figures; a pass or fail is only on what must never happen."""

from __future__ import annotations

import json

import pytest

from dashboard.cli import main


def bench(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, float]:
    with pytest.raises(SystemExit) as stop:
        main(["bench", *words, "--json"])
    assert stop.value.code == 0
    figures: dict[str, float] = json.loads(capsys.readouterr().out)
    return figures


@pytest.mark.e2e
def test_nothing_is_lost_when_the_ingester_is_killed_half_way(capsys: pytest.CaptureFixture[str]) -> None:
    figures = bench(capsys, "ingest", "--messages", "6000")
    assert figures["ingester_killed"] == 1
    assert figures["points_stored"] == figures["points"] == 30000
    assert figures["points_lost"] == 0
    assert figures["dead_letters"] == 0
    assert figures["messages_per_s"] > 0.0


@pytest.mark.e2e
def test_the_bus_is_measured_beside_bare_pyzmq(capsys: pytest.CaptureFixture[str]) -> None:
    figures = bench(capsys, "bus")
    for size in ("64B", "image"):
        measured = figures[f"rtt_{size}_us"] / figures[f"rtt_{size}_bare_us"]
        assert figures[f"rtt_{size}_ratio"] == pytest.approx(measured, rel=0.01)


def test_a_folder_without_labelled_pictures_is_told(capsys: pytest.CaptureFixture[str], tmp_path: object) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["bench", "vision", "--pictures", str(tmp_path)])
    assert stop.value.code == 1
    assert "images,labels" in capsys.readouterr().err
