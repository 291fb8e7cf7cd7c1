"""The bench of ingest runs in real processes and accounts for every message; its figures are not judged here."""

from __future__ import annotations

import pytest

from telemetry.ingest.bench import bench
from telemetry.mqtt.broker import mosquitto_path


@pytest.mark.skipif(mosquitto_path() is None, reason="mosquitto is not installed (apt-get install mosquitto)")
def test_bench_stores_every_message_and_reports_its_ratio_to_a_bare_subscriber() -> None:
    figures = bench(300, 1)
    for key in ("lost", "duplicated", "dead_letters", "sequence_gaps"):
        assert figures[key] == 0, key
    for mode in ("", "drain_"):
        stored, bare = figures[f"{mode}msgs_per_s"], figures[f"{mode}bare_per_s"]
        assert stored > 0
        assert figures[f"{mode}cpu_us"] > 0.0 and figures[f"{mode}bare_cpu_us"] > 0.0
        assert figures[f"{mode}msgs_ratio"] == pytest.approx(stored / bare, abs=0.01)
    assert 10.0 < figures["rest_rss_mb"] <= figures["rss_mb"]
