"""The alarms' node over a real store: what devices send and do not send becomes alarms, also across a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sim.lockstep import Lockstep
from telemetry.brain.alarm_watch import AlarmWatch
from telemetry.brain.alarms import Alarms
from telemetry.farm import default_farm_text, parse_farm
from telemetry.messages import Birth, Event, Kind, Payload, State, Topic
from telemetry.store import Point, Quality, Series
from telemetry.store.embedded import EmbeddedStore, open_store
from telemetry.store.journal import Batch, Entry, StoreError

EPOCH = 1775059200.0
FARM = parse_farm(default_farm_text())
SITE, ZONE = FARM.site.id, "tunnel-1"
GOOD = {
    "climate-1": {
        "air_temperature": 10.0,
        "relative_humidity": 70.0,
        "co2": 420.0,
        "global_radiation": 0.0,
        "ppfd": 0.0,
    },
    "substrate-1": {"soil_temperature": 15.0, "substrate_moisture": 50.0, "substrate_ec": 1.4},
}


class Farmhouse:
    """A store, its alarms and their node in lock-step; every device speaks unless it is told not to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Lockstep(EPOCH)
        self.store: EmbeddedStore = open_store(folder / "store")
        self.values: dict[str, dict[str, float]] = {device: dict(values) for device, values in GOOD.items()}
        self.quality = Quality.GOOD
        self.mute: set[str] = set()
        self._seq = 0
        for device in FARM.devices:
            self._speak(device.id, device.interval)
        self._speak("ingest", 60.0)
        self.start()

    def start(self) -> None:
        """Start the alarms' node, once more after `self.alarms.close()`."""
        self.alarms = Alarms(self.folder)
        self.watch = AlarmWatch(self.store, self.alarms, self.clock, _Silent(), FARM)

    def run(self, seconds: float) -> None:
        """Let time pass, looking every 2 s as the node's timer does."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.clock.run(seconds=min(2.0, end - self.clock.now()))
            self.watch.update()

    def tell(self, device: str, kind: Kind, payload: Payload) -> None:
        topic = Topic(site=SITE, zone=ZONE, device=device, kind=kind)
        self.store.commit(Batch(entries=[Entry(topic=topic, payload=payload, received_at=self.clock.now())]))

    def state(self, device: str, *causes: str, status: str = "idle", fault: str = "") -> None:
        detail: dict[str, Any] = {"causes": list(causes)} if causes else {}
        self.tell(device, Kind.STATE, State(at=self.clock.now(), status=status, fault=fault, detail=detail))

    def fault(self, device: str, fault: str, *, active: bool) -> None:
        self._seq += 1
        data = {"fault": fault, "active": active}
        event = Event(at=self.clock.now(), seq=self._seq, boot="r1", type="fault", data=data)
        self.tell(device, Kind.EVENT, event)

    def faults(self) -> dict[str, bool]:
        """Return the open alarms: fault to whether it lasts."""
        return {row["fault"]: row["active"] for row in self.alarms.active()}

    def row(self, fault: str) -> Mapping[str, Any]:
        (row,) = [row for row in self.alarms.all() if row["fault"] == fault]
        return row

    def close(self) -> None:
        self.alarms.close()
        self.store.close()

    def _speak(self, device: str, interval: float) -> None:
        def send() -> None:
            if device not in self.mute:
                now = self.clock.now()
                values = self.values.get(device, {"points_stored": now})
                self.store.write(
                    [
                        Point(
                            series=Series(SITE, ZONE, device, metric),
                            at=now,
                            value=value,
                            received_at=now + 0.01,
                            quality=self.quality,
                        )
                        for metric, value in values.items()
                    ]
                )

        send()
        self.clock.every(interval, send)


class _Silent:
    """Timers that never fire: the test calls the node itself."""

    def every(self, period: float, callback: object) -> None:
        pass


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Farmhouse]:
    house = Farmhouse(tmp_path)
    yield house
    house.close()


def test_a_farm_in_order_has_no_alarm(house: Farmhouse) -> None:
    house.run(2400.0)
    assert house.alarms.all() == []


def test_cold_air_is_an_alarm_after_its_delay_and_is_cleared_beyond_the_hysteresis(house: Farmhouse) -> None:
    house.run(120.0)
    house.values["climate-1"]["air_temperature"] = 4.0
    house.run(840.0)
    assert house.faults() == {}, "not yet 15 minutes"
    house.run(120.0)
    assert house.faults() == {"air_cold": True}
    row = house.row("air_cold")
    assert (row["value"], row["limit"], row["metric"]) == (4.0, 5.0, "air_temperature")
    assert row["place"] == {"zone": ZONE, "device": "climate-1"}
    house.values["climate-1"]["air_temperature"] = 5.5
    house.run(900.0)
    assert house.faults() == {"air_cold": True}, "within the hysteresis"
    house.values["climate-1"]["air_temperature"] = 6.5
    house.run(420.0)
    assert house.faults() == {"air_cold": False}, "cleared, and nobody has seen it"


def test_a_restart_neither_repeats_an_alarm_nor_forgets_how_long_it_was_cold(house: Farmhouse) -> None:
    house.values["climate-1"]["air_temperature"] = 4.0
    house.run(600.0)
    house.alarms.close()
    house.start()
    house.run(400.0)
    assert house.faults() == {"air_cold": True}, "ten minutes before the restart count"
    before = house.row("air_cold")
    house.alarms.close()
    house.start()
    house.run(60.0)
    assert house.row("air_cold") == before
    house.alarms.close()
    house.values["climate-1"]["air_temperature"] = 15.0
    house.clock.run(seconds=1200.0)
    house.start()
    house.run(10.0)
    assert house.faults() == {"air_cold": False}, "it warmed up while nobody looked"


def test_a_fast_fall_of_the_temperature_is_an_alarm_at_once(house: Farmhouse) -> None:
    house.run(1800.0)
    house.values["climate-1"]["air_temperature"] = 1.5
    house.run(62.0)
    assert house.faults() == {"air_falls": True}
    assert house.row("air_falls")["value"] == -8.5


def test_flagged_values_are_alarms_and_not_held_against_the_limits(house: Farmhouse) -> None:
    house.run(60.0)
    house.mute.add("substrate-1")
    house.values["climate-1"] = {"air_temperature": -80.0}
    house.quality = Quality.RANGE
    house.run(60.0)
    assert house.faults() == {"value_out_of_range": True}


def test_messages_that_are_lost_in_numbers_are_an_alarm_and_a_few_are_not(house: Farmhouse) -> None:
    house.values["ingest"] = {"messages_lost": 3.0}
    house.run(600.0)
    house.values["ingest"] = {"messages_lost": 20.0}
    house.run(600.0)
    assert house.faults() == {}
    house.values["ingest"] = {"messages_lost": 60.0}
    house.run(62.0)
    assert house.faults() == {"messages_lost": True}
    house.run(1200.0)
    assert house.faults() == {"messages_lost": False}, "no more are lost"


def test_values_of_long_ago_raise_nothing_and_those_of_an_outage_count(house: Farmhouse) -> None:
    def write(device: str, start: float, minutes: int) -> None:
        series = Series(SITE, ZONE, device, "air_temperature")
        now = house.clock.now()
        points = [
            Point(series=series, at=start + 60.0 * i, value=1.0, received_at=now, quality=Quality.LATE)
            for i in range(minutes)
        ]
        house.store.write(points)

    house.run(60.0)
    write("imported", EPOCH - 3e7, 600)
    house.run(60.0)
    assert house.faults() == {}, "a file from another year"
    house.mute.add("climate-1")
    house.run(1800.0)
    write("climate-1", EPOCH + 180.0, 29)
    house.run(4.0)
    assert house.faults()["air_frost"] is True, "it froze while the network was away"


def test_a_device_is_silent_after_three_intervals_and_speaks_again(house: Farmhouse) -> None:
    house.run(120.0)
    house.mute.add("climate-1")
    house.run(170.0)
    assert house.faults() == {}
    house.run(20.0)
    assert house.faults() == {"device_silent": True}
    assert house.row("device_silent")["args"]["last_at"] == pytest.approx(EPOCH + 120.0, abs=1.0)
    house.alarms.close()
    house.start()
    house.run(120.0)
    assert house.faults() == {"device_silent": True}, "a restart is no word from it"
    house.mute.clear()
    house.run(62.0)
    assert house.faults() == {"device_silent": False}


def test_a_value_that_stays_away_while_its_device_speaks_is_named(house: Farmhouse) -> None:
    house.run(60.0)
    del house.values["climate-1"]["co2"]
    house.run(300.0)
    assert house.faults() == {"value_stale": True}
    assert house.row("value_stale")["metric"] == "co2"


def test_when_nothing_at_all_is_stored_one_alarm_says_so(house: Farmhouse) -> None:
    house.run(60.0)
    house.mute |= {"climate-1", "substrate-1", "ingest"}
    house.run(3600.0)
    assert house.faults() == {"ingest_lost": True}


def test_a_robots_fault_is_one_alarm_from_event_and_state_and_stays_unseen_when_it_clears(house: Farmhouse) -> None:
    house.watch.update()
    house.fault("berry-1", "eyes_lost", active=True)
    house.state("berry-1", "eyes_lost", fault="eyes_lost")
    house.fault("berry-1", "eyes_lost", active=False)
    house.state("berry-1")
    house.watch.update()
    assert house.faults() == {"eyes_lost": False}
    assert house.row("eyes_lost")["times"] == 1
    house.watch.update()
    assert house.row("eyes_lost")["times"] == 1


def test_programs_that_start_one_after_the_other_are_no_alarm_unless_one_stays_away(house: Farmhouse) -> None:
    house.watch.update()
    house.tell("berry-1", Kind.BIRTH, Birth(at=house.clock.now(), boot="r1", model="", firmware="", metrics={}))
    house.state("berry-1", "eyes_lost", "picker_lost", "estop_input", fault="eyes_lost")
    house.run(6.0)
    assert house.faults() == {"estop_input": True}, "what is not a program that starts is told at once"
    house.state("berry-1", "picker_lost", fault="picker_lost")
    house.run(14.0)
    assert house.faults() == {"estop_input": False, "picker_lost": True}, "the eyes came in time"
    house.state("berry-1", "eyes_lost", fault="eyes_lost")
    house.run(2.0)
    assert house.faults() == {"estop_input": False, "picker_lost": False, "eyes_lost": True}, "later it is one at once"


def test_the_state_alone_tells_which_faults_a_robot_has(house: Farmhouse) -> None:
    house.state("berry-1", "estop_input", "door_open", fault="estop_input")
    house.watch.update()
    assert house.faults() == {"estop_input": True, "door_open": True}
    house.state("berry-1", "door_open", fault="door_open")
    house.watch.update()
    assert house.faults() == {"estop_input": False, "door_open": True}
    house.clock.run(seconds=1.0)
    house.state("berry-1", status="offline")
    house.watch.update()
    assert house.faults() == {"estop_input": False, "door_open": False}, "switched off in order"


def test_a_device_that_went_without_a_word_is_offline_and_not_silent_as_well(house: Farmhouse) -> None:
    house.run(60.0)
    house.mute.add("climate-1")
    house.state("climate-1", status="offline", fault="device_offline")
    house.run(600.0)
    assert house.faults() == {"device_offline": True}


def test_the_first_brain_of_a_farm_raises_only_what_is_still_so(tmp_path: Path) -> None:
    house = Farmhouse(tmp_path)
    house.fault("berry-1", "collision", active=True)
    house.fault("berry-1", "collision", active=False)
    house.fault("berry-1", "door_open", active=True)
    house.watch.update()
    assert house.faults() == {"door_open": True}
    house.alarms.close()
    house.fault("berry-1", "collision", active=True)
    house.fault("berry-1", "collision", active=False)
    house.start()
    house.watch.update()
    assert house.faults() == {"door_open": True, "collision": False}, "what happened while it was away is told"
    house.close()


def test_a_fault_nobody_knows_is_shown_as_such_with_its_name(house: Farmhouse) -> None:
    house.fault("berry-1", "<script>", active=True)
    house.watch.update()
    assert house.faults() == {"unknown_fault": True}
    assert house.row("unknown_fault")["args"] == {"key": "<script>"}
    for number in range(50):
        house.fault("berry-1", f"nonsense_{number}", active=True)
    house.watch.update()
    assert len(house.alarms.all()) == 1, "one device cannot flood the list"
    house.state("berry-1")
    house.watch.update()
    assert house.faults() == {"unknown_fault": False}


def test_alarms_wait_while_their_file_cannot_be_written(house: Farmhouse, monkeypatch: pytest.MonkeyPatch) -> None:
    from telemetry.brain.alarms import AlarmsError

    settle = house.alarms.settle

    def fails(*_: Any, **__: Any) -> int:
        raise AlarmsError("disk I/O error")

    house.fault("berry-1", "door_open", active=True)
    monkeypatch.setattr(house.alarms, "settle", fails)
    house.watch.update()
    assert house.faults() == {}
    monkeypatch.setattr(house.alarms, "settle", settle)
    house.watch.update()
    assert house.faults() == {"door_open": True}


def test_a_time_series_server_that_is_away_keeps_back_no_fault_and_is_an_alarm_itself(
    house: Farmhouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> dict[Series, Point]:
        raise StoreError("store_failed", "no answer")

    house.run(60.0)
    with monkeypatch.context() as patched:
        patched.setattr(house.store, "last", away)
        house.run(10.0)
        assert house.faults() == {}  # a server that is started again is no alarm
        house.state("berry-1", "arm_fault_power", status="holding")
        house.run(4.0)
        assert len(house.faults()) == 1 and "store_away" not in house.faults()
        house.run(40.0)
        assert house.faults()["store_away"] and len(house.faults()) == 2
        house.alarms.close()
        house.start()  # also across a restart
        house.run(4.0)
        assert house.row("store_away")["active"]
    house.run(4.0)
    assert not house.row("store_away")["active"]
    assert house.row("store_away")["times"] == 1
