"""`berrybrain bench faults` and `bench loop` report what was measured; speed is never a pass or fail."""

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
def test_the_loop_is_measured_in_processes_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    figures = bench(capsys, "loop", "--seconds", "0.4")
    assert figures["rate_hz"] == 250.0
    for kind in ("real_time", "ordinary"):
        measured = figures[kind]
        assert 1 <= measured["ticks"] <= 101
        assert sum(measured["late_histogram_us"].values()) == measured["ticks"]
        assert measured["state"] == "RUN"
    granted = figures["real_time"]
    assert (granted["scheduler"] == "SCHED_FIFO") == (not any("SCHED_FIFO" in why for why in granted["refused"]))


@pytest.mark.e2e
def test_a_row_with_faults_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    figures = bench(capsys, "faults", "--runs", "1", "--seed", "2")
    assert (figures["runs"], figures["unsafe"]) == (1, 0)
    assert sum(figures["faults"].values()) >= 1
    assert figures["counted"] <= figures["placed"] <= figures["ripe"]


@pytest.mark.e2e
def test_two_robots_are_measured_against_one(capsys: pytest.CaptureFixture[str]) -> None:
    figures = bench(capsys, "pair", "--berries", "2", "--seed", "3")
    assert (figures["finished"], figures["overlaps"]) == (True, 0)
    assert figures["picked_by_two"] == figures["placed_by_two"] == figures["ripe"] == 2
    assert figures["nearest_m"] > 0.02
