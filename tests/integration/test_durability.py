"""The durability bench, short: every part is killed once, and every point is stored once."""

from __future__ import annotations

import pytest

from telemetry.ingest.durability import VICTIMS, bench
from telemetry.mqtt.broker import mosquitto_path


@pytest.mark.skipif(mosquitto_path() is None, reason="mosquitto is not installed (apt-get install mosquitto)")
def test_kills_a_full_disk_a_cut_network_and_a_wrong_clock_lose_no_point_and_store_none_twice() -> None:
    figures = bench(4, 1)
    assert figures["published"] > 50
    assert figures["killed"] == dict.fromkeys(VICTIMS, 1)
    assert (figures["network_cuts"], figures["disk_full"], figures["clock_steps"]) == (1, 1, 3)
    for name in ("lost", "duplicated", "sequence_gaps", "dead_letters"):
        assert figures[name] == 0, figures
    assert figures["stored"] == figures["acked"] == figures["published"]
