"""Ingest on virtual time with the in-memory broker: what is stored, flagged, refused, and when it is acknowledged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sim.lockstep import Lockstep
from telemetry.ingest import Ingest, IngestSettings
from telemetry.ingest.intake import Intake, IntakeSettings
from telemetry.messages import Ack, AckStatus, Birth, Command, Data, Event, Kind, MetricInfo, Payload, State
from telemetry.messages.wire import MAX_BYTES, encode
from telemetry.mqtt.device import Address, DevicePublisher, Identity
from telemetry.mqtt.memory import MemoryBroker
from telemetry.store import Quality, Series
from telemetry.store.embedded import EmbeddedStore, open_store
from telemetry.store.journal import Batch, Committed, StoreError

T0 = 1_780_000_000.0
SENSOR = Address(site="farm", zone="z1", device="climate-1")
REPORT = Address(site="farm", zone="farm", device="ingest")
AIR = Series("farm", "z1", "climate-1", "air_temperature")


class Farm:
    """A broker, a store and an ingest node on virtual time, and a bare client to speak with."""

    def __init__(self, directory: Path) -> None:
        self.time = Lockstep(T0)
        self.broker = MemoryBroker(self.time)
        self.directory = directory
        self.store = open_store(directory)
        self.device = self.broker.client("device")
        self.start()

    def start(self, store: EmbeddedStore | None = None) -> None:
        client = self.broker.client("ingest", manual_ack=True)
        settings = IngestSettings(address=REPORT, boot="i1", report_s=3600.0)
        self.ingest = Ingest(client, store or self.store, self.time, self.time, settings)
        self.run(1.0)

    def run(self, seconds: float) -> None:
        self.time.run(seconds=seconds)

    def send(self, kind: Kind, payload: bytes, *, device: str = "climate-1") -> None:
        self.device.publish(f"gh/1/farm/z1/{device}/{kind}", payload, qos=1)

    def measure(self, seq: int, value: float, *, at: float | None = None, metric: str = "air_temperature") -> None:
        when = self.time.now() if at is None else at
        self.send(Kind.DATA, encode(Data(at=when, seq=seq, boot="b", metrics={metric: value})))

    def flags(self, series: Series = AIR) -> list[Quality]:
        return [Quality(q) for q in self.store.read(series, 0.0, 2 * T0).quality.tolist()]


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    made = Farm(tmp_path)
    yield made
    made.store.close()


def test_measurements_become_points_with_both_times(farm: Farm) -> None:
    farm.send(
        Kind.DATA,
        encode(Data(at=T0, seq=0, boot="b", metrics={"air_temperature": 21.5, "relative_humidity": 70.0})),
    )
    farm.run(1.0)
    point = farm.store.last()[AIR]
    assert (point.at, point.value, point.quality) == (T0, 21.5, Quality.GOOD)
    assert point.received_at == pytest.approx(T0 + 1.0, abs=0.01)
    assert farm.store.count() == 2


def test_every_other_stored_kind_is_kept_as_an_entry(farm: Farm) -> None:
    payloads: dict[Kind, Payload] = {
        Kind.BIRTH: Birth(at=T0, boot="b", model="m", firmware="1", metrics={}),
        Kind.STATE: State(at=T0, status="online"),
        Kind.EVENT: Event(at=T0, seq=0, boot="b", type="pick", data={"berry": 1}),
        Kind.CMD: Command(id="o", issuer="brain", expires_at=T0 + 60, command="harvest"),
        Kind.ACK: Ack(id="o", at=T0, status=AckStatus.DONE),
    }
    for _ in range(2):
        for kind, payload in payloads.items():
            farm.send(kind, encode(payload))
        farm.run(1.0)
    for kind, payload in payloads.items():
        mine = [e for e in farm.store.entries(kind) if e.topic.device == "climate-1"]
        assert [e.payload for e in mine] == [payload]


def test_live_and_video_are_never_received(farm: Farm) -> None:
    before = farm.store.counters().messages
    farm.device.publish("gh/1/farm/z1/robot/live", b"{}", qos=1)
    farm.device.publish("gh/1/farm/z1/robot/video", b"\xff\xd8", qos=1)
    farm.run(1.0)
    assert farm.store.counters().messages == before


POISON = [
    ("gh/1/farm/z1/d/data", b"{", "bad_json"),
    ("gh/1/farm/z1/d/data", b"", "empty"),
    ("gh/1/farm/z1/d/data", b"x" * (MAX_BYTES + 1), "too_large"),
    ("gh/1/farm/z1/d/data", b'{"ts":1780000000000,"seq":0,"boot":"b","m":{"co2":NaN}}', "not_finite"),
    ("gh/1/farm/z1/d/data", b'{"ts":1780000000,"seq":0,"boot":"b","m":{"co2":1}}', "bad_timestamp"),
    ("gh/1/farm/z1/d/data", b'{"ts":1880000000000,"seq":0,"boot":"b","m":{"co2":1}}', "bad_timestamp"),
    ("gh/1/farm/z1/d/data", b"\xff\xfe", "not_utf8"),
    ("gh/1/farm/z1/d/data", b'{"seq":0,"boot":"b","m":{"co2":1}}', "missing_key"),
    ("gh/1/farm/z1/d'; DROP TABLE point;--/data", b"{}", "bad_topic"),
    ("gh/1/../z1/d/data", b"{}", "bad_topic"),
    ("gh/1//z1/d/event", b"{}", "bad_topic"),
    ("gh/1/farm/z1/d/event", b'{"ts":1780000000000,"seq":0,"boot":"b","type":"x","data":{"a":1e999}}', "not_finite"),
    (
        "gh/1/farm/z1/d/event",
        b'{"ts":1780000000000,"seq":0,"boot":"b","type":"x","data":{"a":"\\ud800"}}',
        "bad_value",
    ),
    (
        "gh/1/farm/z1/d/event",
        b'{"ts":1780000000000,"seq":0,"boot":"b","type":"x","data":{"a":' + b"[" * 500 + b"]" * 500 + b"}}",
        "bad_value",
    ),
]


@pytest.mark.parametrize(("topic", "payload", "reason"), POISON, ids=[f"{i}-{p[2]}" for i, p in enumerate(POISON)])
def test_deadletters_take_poison_with_its_reason_and_what_follows_is_stored(
    farm: Farm, topic: str, payload: bytes, reason: str
) -> None:
    farm.device.publish(topic, payload, qos=1)
    farm.measure(0, 21.0)
    farm.run(1.0)
    (letter,) = farm.store.dead_letters()
    assert (letter.topic, letter.reason, letter.size) == (topic, reason, len(payload))
    assert payload.startswith(letter.payload)
    assert farm.store.last()[AIR].value == 21.0
    # Acknowledged: a restarted ingest does not get it again.
    farm.start()
    assert farm.store.counters().dead_letters == 1


def test_nothing_of_an_array_with_one_bad_measurement_is_stored(farm: Farm) -> None:
    good = {"ts": T0 * 1000, "seq": 0, "boot": "b", "m": {"co2": 1.0}}
    farm.send(Kind.DATA, json.dumps([good, good | {"seq": "x"}]).encode())
    farm.run(1.0)
    assert farm.store.dead_letters()[0].reason == "bad_type"
    assert farm.store.count() == 0


class FailingStore(EmbeddedStore):
    """Refuses commits while `failing`, and notes how many were tried."""

    failing = True
    tried = 0

    def commit(self, batch: Batch) -> Committed:
        self.tried += 1
        if self.failing:
            raise StoreError("store_full", "no space")
        return super().commit(batch)


def test_nothing_is_acknowledged_before_it_is_stored(tmp_path: Path) -> None:
    farm = Farm(tmp_path)
    broken = FailingStore(tmp_path, read_only=False, dead_letter_limit=10)
    farm.start(broken)
    for seq in range(5):
        farm.measure(seq, 20.0 + seq, at=T0 + seq)
    farm.run(3.0)
    assert farm.ingest.pending() >= 5
    assert 2 <= broken.tried <= 5  # it waits between tries
    assert farm.store.count() == 0
    states = _states(farm)
    assert (states[-1].status, states[-1].fault) == ("faulty", "store_full")
    farm.start()  # the broken one is gone without having acknowledged: the broker delivers all again
    assert farm.store.read(AIR, 0.0, 2 * T0).value.tolist() == [20.0, 21.0, 22.0, 23.0, 24.0]
    assert farm.store.counters().points_duplicated == 0
    broken.close()
    farm.store.close()


def test_ingest_goes_on_by_itself_when_the_store_does(tmp_path: Path) -> None:
    farm = Farm(tmp_path)
    store = FailingStore(tmp_path, read_only=False, dead_letter_limit=10)
    farm.start(store)
    farm.measure(0, 20.0)
    farm.run(3.0)
    store.failing = False
    farm.run(3.0)
    assert farm.store.count() == 1
    assert farm.ingest.pending() == 0
    assert _states(farm)[-1].status == "online"
    store.close()
    farm.store.close()


def test_messages_without_acknowledgement_do_not_fill_the_memory_while_the_store_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.ingest.node.MAX_WAITING", 6)
    farm = Farm(tmp_path)
    store = FailingStore(tmp_path, read_only=False, dead_letter_limit=10)
    farm.start(store)
    for seq in range(20):
        data = Data(at=T0 + seq, seq=seq, boot="b", metrics={"air_temperature": 20.0})
        farm.device.publish("gh/1/farm/z1/climate-1/data", encode(data), qos=0)
    farm.run(3.0)
    assert farm.ingest.pending() == 6
    farm.measure(20, 20.0, at=T0 + 20.0)  # of QoS 1: the broker would keep it, so it is never let go
    farm.run(3.0)
    assert farm.ingest.pending() == 7
    store.failing = False
    farm.run(3.0)
    assert farm.store.read(AIR, 0.0, 2 * T0).at[-1] == T0 + 20.0
    store.close()
    farm.store.close()


def _states(farm: Farm) -> list[State]:
    watcher = farm.broker.client("watcher", clean=True)
    seen: list[bytes] = []
    watcher.subscribe(REPORT.topic(Kind.STATE), lambda message: seen.append(message.payload))
    farm.run(0.1)
    content = [json.loads(payload) for payload in seen]
    return [State(at=c["ts"] / 1000, status=c["status"], fault=c["fault"]) for c in content]


def test_value_outside_its_range_is_kept_and_flagged(farm: Farm) -> None:
    farm.measure(0, 85.0)
    farm.run(1.0)
    assert farm.store.last()[AIR].value == 85.0
    assert farm.flags() == [Quality.RANGE]


def test_range_of_the_device_birth_counts_for_metrics_the_table_does_not_know(farm: Farm) -> None:
    info = MetricInfo(unit="mm", minimum=0.0, maximum=5.0, interval=1.0)
    farm.send(Kind.BIRTH, encode(Birth(at=T0, boot="b", model="m", firmware="", metrics={"fruit_size": info})))
    for seq, value in enumerate((4.0, 6.0)):
        farm.measure(seq, value, metric="fruit_size")
        farm.run(1.0)
    assert farm.flags(Series("farm", "z1", "climate-1", "fruit_size")) == [Quality.GOOD, Quality.RANGE]


def test_jump_is_flagged_and_the_return_is_not(farm: Farm) -> None:
    for seq, value in enumerate((20.0, 20.5, 40.0, 20.6)):
        farm.measure(seq, value)
        farm.run(10.0)
    assert farm.flags() == [Quality.GOOD, Quality.GOOD, Quality.RATE, Quality.GOOD]


def test_slow_change_between_rare_values_is_no_jump(farm: Farm) -> None:
    farm.measure(0, 15.0)
    farm.run(3600.0)
    farm.measure(1, 30.0)
    farm.run(1.0)
    assert farm.flags() == [Quality.GOOD, Quality.GOOD]


def test_value_that_never_changes_is_flagged_as_stuck_until_it_moves(farm: Farm) -> None:
    for seq, value in enumerate((20.0, 20.0, 20.0, 20.1)):
        farm.measure(seq, value)
        farm.run(4 * 3600.0)
    assert farm.flags() == [Quality.GOOD, Quality.GOOD, Quality.STUCK, Quality.GOOD]


def test_late_and_ahead_are_flagged_and_device_time_stays(farm: Farm) -> None:
    now = farm.time.now()
    farm.measure(0, 20.0, at=now - 3600.0)
    farm.measure(1, 20.0, at=now + 300.0)
    payload = Data(at=now - 10.0, seq=2, boot="b", metrics={"air_temperature": 20.0}, historical=True)
    farm.send(Kind.DATA, encode(payload))
    farm.run(1.0)
    samples = farm.store.read(AIR, 0.0, 2 * T0)
    assert samples.at == pytest.approx([now - 3600.0, now - 10.0, now + 300.0], abs=1e-3)
    assert farm.flags() == [Quality.LATE, Quality.LATE, Quality.SKEW]


def test_number_used_twice_with_another_time_is_flagged(farm: Farm) -> None:
    farm.measure(7, 20.0, at=T0)
    farm.measure(7, 20.1, at=T0 + 1)
    farm.run(1.0)
    assert farm.flags() == [Quality.GOOD, Quality.DUPLICATE]


def test_same_message_twice_is_stored_once_and_counted(farm: Farm) -> None:
    for _ in range(3):
        farm.measure(0, 20.0, at=T0)
    farm.run(1.0)
    counters = farm.store.counters()
    assert (counters.points, counters.points_duplicated, counters.messages_repeated) == (1, 2, 2)


def test_missing_numbers_are_counted_as_lost(farm: Farm) -> None:
    for seq in (0, 1, 5):
        farm.measure(seq, 20.0, at=T0 + seq)
    farm.run(1.0)
    assert farm.store.counters().messages_lost == 3


def test_counters_are_reported_as_data_like_any_other_device(farm: Farm) -> None:
    farm.measure(0, 20.0)
    farm.device.publish("gh/1/farm/z1/d/data", b"{", qos=1)
    farm.run(3600.0 + 10.0)
    last = {series.metric: point.value for series, point in farm.store.last().items() if series.device == "ingest"}
    assert last["points_stored"] >= 1.0
    assert last["dead_letters"] == 1.0
    assert last["messages_lost"] == 0.0
    births = [e.payload for e in farm.store.entries(Kind.BIRTH) if e.topic.device == "ingest"]
    assert isinstance(births[0], Birth)
    assert set(last) == set(births[0].metrics)


def test_measurements_of_an_outage_arrive_afterwards_marked_and_complete(farm: Farm) -> None:
    metrics: dict[str, MetricInfo] = {}
    identity = Identity(boot="b", model="m", firmware="1", metrics=metrics)
    publisher = DevicePublisher(farm.broker.client("climate-1"), SENSOR, farm.time, identity)
    farm.run(1.0)
    publisher.data({"air_temperature": 20.0})
    farm.run(1.0)
    farm.broker.stop()
    values = _while_away(farm, publisher, 450)
    farm.broker.start()
    farm.run(5.0)
    samples = farm.store.read(AIR, 0.0, 2 * T0)
    assert samples.value.tolist() == [20.0, *values]
    assert [bool(q & Quality.LATE) for q in samples.quality.tolist()] == [False] + [True] * 450
    assert farm.store.counters().messages_lost == 0


def _while_away(farm: Farm, publisher: DevicePublisher, count: int) -> Sequence[float]:
    values = [20.0 + i / 100.0 for i in range(count)]
    for value in values:
        publisher.data({"air_temperature": value})
        farm.run(1.0)
    return values


@pytest.mark.parametrize(
    "ms", [0, 1_780_000_000, 9_214_646_400_000, 1_780_000_000_000_000], ids=["1970", "s", "2262", "us"]
)
def test_times_of_other_ages_and_units_are_named_and_counted(farm: Farm, ms: int) -> None:
    payload = {"ts": ms, "seq": 0, "boot": "b", "m": {"co2": 1.0}}
    farm.send(Kind.DATA, json.dumps(payload).encode())
    farm.run(1.0)
    assert farm.store.counters().by_reason == {"bad_timestamp": 1}


def test_device_that_makes_up_names_is_limited_and_said_and_the_others_go_on(tmp_path: Path) -> None:
    farm = Farm(tmp_path)
    farm.measure(0, 20.0)
    farm.run(1.0)
    client = farm.broker.client("ingest", manual_ack=True)
    intake = IntakeSettings(new_series_per_hour=20)
    settings = IngestSettings(address=REPORT, boot="i2", report_s=3600.0, intake=intake)
    farm.ingest = Ingest(client, farm.store, farm.time, farm.time, settings)
    farm.run(1.0)
    for seq in range(300):
        farm.measure(seq, 1.0, metric=f"made_up_{seq}")
    farm.measure(1, 21.0)
    farm.run(5.0)
    assert farm.store.counters().by_reason["too_many_series"] >= 280
    assert farm.store.last()[AIR].value == 21.0
    assert len([series for series in farm.store.series() if series.metric.startswith("made_up")]) <= 20
    assert (_states(farm)[-1].status, _states(farm)[-1].fault) == ("faulty", "too_many_series")
    farm.run(3700.0)
    farm.measure(2, 1.0, metric="one_more")
    farm.measure(3, 21.5)
    farm.run(1.0)
    assert _states(farm)[-1].status == "online"
    assert Series("farm", "z1", "climate-1", "one_more") in farm.store.last()
    farm.store.close()


@pytest.mark.parametrize("kind", [Kind.STATE, Kind.EVENT, Kind.ACK])
def test_made_up_devices_are_limited_whatever_they_say(kind: Kind) -> None:
    intake = Intake(IntakeSettings(new_series_per_hour=20), [])
    said: dict[Kind, Payload] = {
        Kind.STATE: State(at=T0, status="online"),
        Kind.EVENT: Event(at=T0, seq=0, boot="b", type="pick", data={}),
        Kind.ACK: Ack(id="1", status=AckStatus.DONE, at=T0),
    }
    taken = [intake.take(f"gh/1/farm/z/d{i}/{kind}", encode(said[kind]), T0) for i in range(64)]
    assert taken == [True] * 20 + [False] * 44
    assert intake.take(f"gh/1/farm/z/d7/{kind}", encode(said[kind]), T0)  # who is known is heard
    assert {letter.reason for letter in intake.batch(65).dead_letters} == {"too_many_series"}


def test_the_longest_topic_there_can_be_is_kept_cut(tmp_path: Path) -> None:
    intake = Intake(IntakeSettings(), [])
    topic = f"gh/1/{'x' * (65_535 - 14)}/z/d/data"
    assert not intake.take(topic, b"{}", T0)
    store = open_store(tmp_path)
    store.commit(intake.batch(1))
    (letter,) = store.dead_letters()
    store.close()
    assert (letter.reason, len(letter.topic)) == ("bad_topic", 1024) and len(letter.detail) < 300


def test_old_reading_sent_as_if_it_were_new_is_stale(farm: Farm) -> None:
    info = MetricInfo(unit="Cel", minimum=-20.0, maximum=60.0, interval=15.0)
    metrics = {"air_temperature": info}
    farm.send(Kind.BIRTH, encode(Birth(at=T0, boot="b", model="m", firmware="", metrics=metrics)))
    farm.run(1.0)
    now = farm.time.now()
    farm.measure(0, 20.0, at=now - 40.0)
    farm.measure(1, 20.1, at=now - 50.0)
    late = Data(at=now - 60.0, seq=2, boot="b", metrics={"air_temperature": 20.0}, historical=True)
    farm.send(Kind.DATA, encode(late))
    farm.run(1.0)
    assert farm.flags() == [Quality.LATE, Quality.STALE, Quality.GOOD]
