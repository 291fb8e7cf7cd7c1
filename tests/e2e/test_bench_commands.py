"""Benches report figures; a pass or fail is only on what must never happen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dashboard.cli import main


def bench(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    with pytest.raises(SystemExit) as stop:
        main(["bench", *words, "--json"])
    assert stop.value.code == 0
    figures: dict[str, Any] = json.loads(capsys.readouterr().out)
    return figures


@pytest.mark.e2e
def test_ingest_is_measured_and_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    figures = bench(capsys, "ingest", "--messages", "300", "--repeats", "1")
    assert figures["messages"] == 300
    assert figures["points_lost"] == figures["dead_letters"] == 0
    assert figures["live_stored_per_s"] > 0


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
    assert "val/images" in capsys.readouterr().err


def test_the_detector_is_measured_on_rendered_pictures_when_none_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    figures = bench(capsys, "vision", "--count", "6")
    assert figures["pictures"] == 6
    assert figures["labelled_ripe"] > 0
    assert 0.0 <= figures["ap50_ripe"] <= 1.0


def test_picking_is_measured_by_difficulty(capsys: pytest.CaptureFixture[str]) -> None:
    figures = bench(capsys, "pick", "--seed", "3", "--berries", "4", "--scenario", "isolated")
    overall, counts = figures["overall"], figures["counts"]
    assert overall["n"] == counts["ripe_present"]
    assert 0.0 <= overall["success"] <= 1.0
    assert counts["placed"] <= counts["picked"] <= counts["ripe_present"]
    assert figures["status"] == ["done"]


def test_bench_dashboard_measures_pages_viewers_and_stops(capsys: pytest.CaptureFixture[str]) -> None:
    figures = bench(capsys, "dashboard", "--seconds", "3", "--stops", "5", "--watch", "3")
    assert 20.0 < figures["first_load_kb"] <= 250.0
    assert figures["stops_unconfirmed"] == 0
    assert 0.0 < figures["stop_ms_p99"] < 1000.0
    assert figures["api_p99_ms"] > 0.0
    assert 0.0 < figures["mb_per_hour_no_video"] < 10.0
    assert figures["cpu_5_viewers_pct"] > 0.0 and figures["viewer_fps"] > 1.0
