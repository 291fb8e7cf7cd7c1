"""Benches report figures; a pass or fail is only on what must never happen."""

from __future__ import annotations

import json
from pathlib import Path
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
    assert figures["lost"] == figures["duplicated"] == figures["dead_letters"] == 0
    assert figures["msgs_per_s"] > 0


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
    figures = bench(capsys, "vision", "--count", "6", "--scenes", "2")
    assert figures["pictures"] == 6
    assert figures["labelled_ripe"] > 0
    assert 0.0 <= figures["ap50_ripe"] <= 1.0


RATES = {"first_attempt", "success", "damaged", "damaged_half_threshold", "unripe_picked", "neighbours_lost"}


def test_picking_is_measured_by_difficulty(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    scene = tmp_path / "two.json"
    berries = [{"position": [0.15 + 0.3 * k, 0.05, 0.2], "ripeness": 0.95} for k in range(2)]
    scene.write_text(json.dumps({"format": 1, "bed": {"length": 0.6}, "berries": berries}), encoding="utf-8")
    figures = bench(capsys, "pick", "--seed", "3", "--scene", str(scene))
    classes = ["isolated", "partly_hidden", "cluster", "enclosed", "overall"]
    assert list(figures) == [*classes, "rtf", "tier", "seed", "camera_hz"]
    for name in classes:
        assert set(figures[name]) == {"n", "seconds_per_berry", "reasons"} | RATES
        for rate in RATES:
            assert figures[name][rate] is None or 0.0 <= figures[name][rate] <= 1.0
    overall = figures["overall"]
    assert overall["n"] == figures["isolated"]["n"] == 2
    assert sum(overall["reasons"].values()) == round(2 * (1.0 - overall["success"]))
    assert (figures["seed"], figures["tier"]) == (3, "mujoco")
    assert figures["camera_hz"] >= 10.0


def test_a_scene_file_with_a_slip_is_refused_by_its_key(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    scene = tmp_path / "slip.toml"
    scene.write_text("format = 1\n[[berries]]\nposition = [0.1, 0.05, 0.2]\nripness = 1.0\n", encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        main(["bench", "pick", "--scene", str(scene)])
    assert stop.value.code == 2
    assert "slip.toml: berries[0].ripness: unknown key" in capsys.readouterr().err


def test_bench_dashboard_measures_pages_viewers_and_stops(capsys: pytest.CaptureFixture[str]) -> None:
    figures = bench(capsys, "dashboard", "--seconds", "3", "--stops", "5", "--watch", "3")
    assert 20.0 < figures["first_load_kb"] <= 250.0
    assert figures["stops_unconfirmed"] == 0
    assert 0.0 < figures["stop_ms_p99"] < 1000.0
    assert figures["api_p99_ms"] > 0.0
    assert 0.0 < figures["mb_per_hour_no_video"] < 10.0
    assert figures["cpu_5_viewers_pct"] > 0.0 and figures["viewer_fps"] > 1.0
