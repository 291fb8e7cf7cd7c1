"""The durability bench, short: every part is killed once, and every point is stored once."""

from __future__ import annotations

from pathlib import Path

import pytest

from telemetry.ingest.durability import VICTIMS, bench
from telemetry.ingest.durability_parts import Ledger
from telemetry.messages import Data, Kind
from telemetry.messages.wire import decode, encode
from telemetry.mqtt.broker import mosquitto_path

NOW = 1_795_392_016.0895
"""Half a millisecond: this and the instant 1 ms later are the same one on the wire, rounded to even."""


@pytest.mark.skipif(mosquitto_path() is None, reason="mosquitto is not installed (apt-get install mosquitto)")
def test_kills_a_full_disk_a_cut_network_and_a_wrong_clock_lose_no_point_and_store_none_twice() -> None:
    figures = bench(4, 1)
    assert figures["published"] > 50
    assert figures["killed"] == dict.fromkeys(VICTIMS, 1)
    assert (figures["network_cuts"], figures["disk_full"], figures["clock_steps"]) == (1, 1, 3)
    for name in ("lost", "duplicated", "sequence_gaps", "dead_letters"):
        assert figures[name] == 0, figures
    assert figures["stored"] == figures["acked"] == figures["published"]


def on_the_wire(at: float, number: int) -> float:
    (data,) = decode(Kind.DATA, encode(Data(at=at, seq=number, boot="b", metrics={"co2": 1.0})))
    assert isinstance(data, Data)
    return data.at


def test_the_bench_never_measures_twice_at_one_instant_of_the_wire(tmp_path: Path) -> None:
    """A series holds one value a millisecond: a second one would be missed although nothing of the farm lost it."""
    told: dict[int, float] = {}
    for clock in (NOW, NOW + 3600.0, NOW - 3600.0, NOW + 0.3):  # a delay each, a clock stepped, and a restart
        ledger = Ledger(tmp_path / "ledger")
        for _ in range(500):
            number, at = ledger.begin(clock)
            assert abs(at - clock) < 1.5
            told[number] = on_the_wire(at, number)
            if number % 100:
                ledger.take(number)
    assert len(told) == len(set(told.values())) == 2000
    taken = Ledger(tmp_path / "ledger").taken()
    assert taken == {number: at for number, at in told.items() if number % 100}
