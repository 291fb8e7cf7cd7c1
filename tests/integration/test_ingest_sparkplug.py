"""Sparkplug B through broker and ingest: stored, gaps counted, births asked for after a restart, off by default."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.lockstep import Lockstep
from telemetry.ingest import Ingest, IngestSettings
from telemetry.mqtt.device import Address
from telemetry.mqtt.memory import MemoryBroker
from telemetry.store import Quality, Series
from telemetry.store.embedded import open_store

T0 = 1_780_000_000.0
TIME = bytes.fromhex("0880909282e733")  # the payload's timestamp: T0
BIRTH = TIME + bytes.fromhex("12120a0562645365711880909282e73320085803") + b"\x18\x00"
METRIC = bytes.fromhex("12190a03636f3210021880909282e733200a690000000000c47940")  # co2, alias 2, 412.25


def data(seq: int) -> bytes:
    """Return one value by its alias, `seq` ms after the birth."""
    ms = bytes([0x80 + seq]) + bytes.fromhex("909282e733")
    metric = b"\x10\x02\x18" + ms + b"\x69" + bytes.fromhex("0000000000c47940")
    return b"\x08" + ms + b"\x12" + bytes([len(metric)]) + metric + b"\x18" + bytes([seq])


@pytest.mark.parametrize("group", ["+", "house", ""])
def test_values_are_stored_and_gaps_counted_where_it_is_switched_on(tmp_path: Path, group: str) -> None:
    time, store = Lockstep(T0), open_store(tmp_path)
    broker = MemoryBroker(time)
    edge = broker.client("edge")
    asked: list[str] = []
    edge.subscribe("spBv1.0/+/NCMD/+", lambda message: asked.append(message.topic))

    def ingest(boot: str) -> Ingest:
        settings = IngestSettings(
            address=Address(site="farm", zone="z", device="ingest"), boot=boot, report_s=3600.0, sparkplug=group
        )
        node = Ingest(broker.client("ingest", manual_ack=True), store, time, time, settings)
        time.run(seconds=1.0)
        return node

    ingest("1")
    edge.publish("spBv1.0/house/NBIRTH/node", BIRTH)
    edge.publish("spBv1.0/house/DBIRTH/node/box", TIME + METRIC + b"\x18\x01")
    for seq in (2, 3, 6):
        edge.publish("spBv1.0/house/DDATA/node/box", data(seq))
    edge.publish("spBv1.0/other/NDATA/stranger", data(1))
    time.run(seconds=1.0)
    samples = store.read(Series("farm", "house", "node.box", "co2"), 0.0, 2 * T0)
    if not group:
        assert (len(samples.at), store.counters().dead_letters) == (0, 0)
        return
    assert (samples.at - T0).round(3).tolist() == [0.0, 0.002, 0.003, 0.006]
    assert set(samples.value.tolist()) == {412.25}
    assert set(samples.quality.tolist()) == {int(Quality.GOOD)}
    (gap,) = store.gaps()
    assert (gap.topic.device, gap.first, gap.last) == ("node", 4, 5)
    assert asked == (["spBv1.0/other/NCMD/stranger"] if group == "+" else [])
    assert store.counters().by_reason == ({"missing_key": 1} if group == "+" else {})
    asked.clear()
    ingest("2")
    edge.publish("spBv1.0/house/DDATA/node/box", data(7))
    time.run(seconds=1.0)
    assert asked == ["spBv1.0/house/NCMD/node"]
    store.close()
