"""The outbox: what was kept is there until it is confirmed, once, and a full one lets the oldest measurements go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.lockstep import Lockstep
from telemetry.messages import Data, Event, Kind, MetricInfo
from telemetry.messages.wire import decode
from telemetry.mqtt import Message
from telemetry.mqtt.device import Address, DevicePublisher, Identity
from telemetry.mqtt.memory import MemoryBroker
from telemetry.mqtt.outbox import KNOWN, OVERHEAD, Outbox, OutboxError, outbox_status

T0 = 1_780_000_000.0
ADDRESS = Address(site="farm", zone="z1", device="robot-1")
METRICS = {"co2": MetricInfo(unit="[ppm]", minimum=0.0, maximum=5000.0, interval=1.0)}


def test_records_stay_in_order_until_they_are_removed() -> None:
    outbox = Outbox(":memory:")
    numbers = [outbox.append(Kind.DATA, b"%d" % n) for n in range(5)]
    outbox.remove(numbers[:2])
    assert len(outbox) == 3
    outbox.append(Kind.EVENT, b"5")
    assert [record.body for record in outbox.after(0, limit=10)] == [b"2", b"3", b"4", b"5"]
    assert [record.body for record in outbox.after(numbers[3], limit=1)] == [b"4"]


def test_known_key_is_kept_once_and_changes_no_note() -> None:
    outbox = Outbox(":memory:")
    assert outbox.append(Kind.EVENT, b"a", key="pick:1", notes={"punnet": "1"}) > 0
    assert outbox.append(Kind.EVENT, b"a", key="pick:1", notes={"punnet": "2"}) == 0
    assert (len(outbox), outbox.note("punnet"), outbox.note("none", "-")) == (1, "1", "-")


def test_keys_are_remembered_after_their_records_are_gone_up_to_a_limit() -> None:
    outbox = Outbox(":memory:")
    for n in range(KNOWN + 1):
        outbox.remove([outbox.append(Kind.EVENT, b"x", key=str(n))])
    assert outbox.append(Kind.EVENT, b"x", key=str(KNOWN)) == 0
    assert outbox.append(Kind.EVENT, b"x", key="0") > 0


def test_full_outbox_lets_the_oldest_measurements_go_then_the_oldest_events() -> None:
    outbox = Outbox(":memory:", limit_bytes=10 * (1 + OVERHEAD))
    outbox.append(Kind.EVENT, b"e")
    for n in range(15):
        outbox.append(Kind.DATA, b"%x" % n)
    bodies = [record.body for record in outbox.after(0, limit=100)]
    assert bodies == [b"e", *(b"%x" % n for n in range(6, 15))]
    assert outbox.dropped == 6
    for n in range(12):
        outbox.append(Kind.EVENT, b"%x" % n)
    assert [record.body for record in outbox.after(0, limit=100)] == [b"%x" % n for n in range(2, 12)]
    with pytest.raises(OutboxError, match="at most"):
        outbox.append(Kind.DATA, b"x" * 1000)


class Farm:
    """A device with an outbox on an in-memory broker, and a watcher who notes every message."""

    def __init__(self) -> None:
        self.time = Lockstep(T0)
        self.broker = MemoryBroker(self.time, delay=0.01)
        self.outbox = Outbox(":memory:")
        self.seen: list[Message] = []
        self.broker.client("watcher").subscribe("gh/1/+/+/+/+", self.seen.append)
        self.run()

    def run(self, seconds: float = 1.0) -> None:
        self.time.post(lambda: None, delay=seconds)
        self.time.run(seconds=seconds)

    def device(self, boot: str) -> DevicePublisher:
        identity = Identity(boot=boot, model="m", firmware="", metrics=METRICS)
        publisher = DevicePublisher(self.broker.client("robot-1"), ADDRESS, self.time, identity, outbox=self.outbox)
        self.run()
        return publisher

    def payloads(self, kind: Kind) -> list[Data | Event]:
        topic = ADDRESS.topic(kind)
        found = [item for m in self.seen if m.topic == topic for item in decode(kind, m.payload)]
        return [item for item in found if isinstance(item, Data | Event)]


def test_live_records_go_out_one_by_one_and_leave_the_outbox_when_confirmed() -> None:
    farm = Farm()
    device = farm.device("b1")
    device.data({"co2": 400.0})
    assert device.event("pick", {"n": 1}, key="k")
    assert not device.event("pick", {"n": 1}, key="k")
    assert len(farm.outbox) == 2
    farm.run()
    (data,), (event,) = farm.payloads(Kind.DATA), farm.payloads(Kind.EVENT)
    assert isinstance(data, Data)
    assert (data.boot, data.seq, data.historical, event.boot, event.seq) == ("b1", 0, False, "b1", 0)
    assert (len(farm.outbox), device.waiting()) == (0, 0)


def test_what_a_killed_device_had_not_sent_is_sent_by_the_next_one_with_its_old_numbers_as_history() -> None:
    farm = Farm()
    device = farm.device("b1")
    farm.broker.cut("robot-1")
    for n in range(450):
        device.data({"co2": 400.0 + n})
    device.event("pick", {"n": 1})
    assert device.waiting() == 451
    farm.device("b2").data({"co2": 1.0})  # the first one is gone without a word
    farm.run(2.0)
    data = [item for item in farm.payloads(Kind.DATA) if isinstance(item, Data)]
    assert [(item.boot, item.seq) for item in data] == [*(("b1", n) for n in range(450)), ("b2", 0)]
    assert [item.historical for item in data] == [True] * 450 + [False]
    arrays = [m for m in farm.seen if m.topic == ADDRESS.topic(Kind.DATA) and m.payload.startswith(b"[")]
    assert [len(json.loads(m.payload)) for m in arrays] == [200, 200, 50]
    assert [(item.boot, item.seq) for item in farm.payloads(Kind.EVENT)] == [("b1", 0)]
    assert len(farm.outbox) == 0


def test_a_short_cut_sends_nothing_twice_and_the_outage_as_history() -> None:
    farm = Farm()
    device = farm.device("b1")
    device.data({"co2": 1.0})
    farm.run()
    farm.broker.cut("robot-1")
    device.data({"co2": 2.0})
    farm.broker.restore("robot-1")
    farm.run()
    device.data({"co2": 3.0})
    farm.run()
    data = [item for item in farm.payloads(Kind.DATA) if isinstance(item, Data)]
    assert [(item.seq, item.historical) for item in data] == [(0, False), (1, True), (2, False)]
    assert len(farm.outbox) == 0


def test_full_disk_lets_the_oldest_measurements_go_and_says_so_when_there_is_nothing_to_let_go(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite3", power_safe=False)
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count = {pages + 20}")  # SQLite answers as it does on a full disk
    with pytest.raises(OutboxError, match="nothing to let go"):
        outbox.append(Kind.EVENT, b"x" * 200_000)
    numbers = [outbox.append(Kind.DATA, bytes(1000)) for _ in range(300)]
    assert all(numbers)
    assert 20 < len(outbox) < 100
    assert outbox.dropped == 300 - len(outbox)
    assert outbox.after(0, limit=1000)[-1].id == numbers[-1]
    outbox.close()
    assert outbox_status(tmp_path / "outbox.sqlite3").dropped > 200


def test_what_is_confirmed_goes_before_anything_that_waits_and_is_not_called_dropped(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite3", limit_bytes=3 * (1 + OVERHEAD), power_safe=False)
    numbers = [outbox.append(Kind.DATA, b"%d" % n) for n in range(3)]
    outbox.remove(numbers[1:2])
    outbox.append(Kind.DATA, b"3")
    assert ([record.body for record in outbox.after(0, limit=9)], outbox.dropped) == ([b"0", b"2", b"3"], 0)
    outbox.remove(numbers[2:])
    outbox.close()
    again = Outbox(tmp_path / "outbox.sqlite3")
    assert ([record.body for record in again.after(0, limit=9)], len(again)) == ([b"0", b"3"], 2)
    again.close()


def test_what_a_full_disk_undoes_is_not_taken_for_done(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite3", power_safe=False)
    outbox.remove([outbox.append(Kind.EVENT, b"confirmed")])
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutboxError):
        outbox.append(Kind.DATA, b"x" * 200_000)
    outbox.append(Kind.DATA, b"small")
    assert ([record.body for record in outbox.after(0, limit=9)], len(outbox)) == ([b"small"], 1)
    outbox.close()
