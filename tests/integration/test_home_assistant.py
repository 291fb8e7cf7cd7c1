"""Home Assistant's discovery: a device's birth makes its sensors appear there, and a new birth takes old ones away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sim.lockstep import Lockstep
from telemetry.ingest import Ingest, IngestSettings
from telemetry.messages import Birth, Kind, MetricInfo, Topic
from telemetry.messages.home_assistant import discovery
from telemetry.messages.tables import metrics
from telemetry.messages.wire import encode
from telemetry.mqtt.device import Address
from telemetry.mqtt.memory import MemoryBroker
from telemetry.store.embedded import open_store

T0 = 1_780_000_000.0
TOPIC = Topic(site="farm", zone="z1", device="climate-1", kind=Kind.BIRTH)


def birth(*names: str, unit: str = "Cel") -> Birth:
    info = MetricInfo(unit=unit, minimum=-20.0, maximum=60.0, interval=60.0)
    return Birth(at=T0, boot="b", model="box", firmware="1.2", metrics=dict.fromkeys(names, info))


def configs(made: Birth, topic: Topic = TOPIC) -> dict[str, Any]:
    found = discovery(topic, made, metrics(), prefix="homeassistant")
    return {name: json.loads(payload) for name, payload in found.items()}


def test_configuration_says_what_home_assistant_needs() -> None:
    ((name, config),) = configs(birth("air_temperature")).items()
    assert name == "homeassistant/sensor/farm_z1_climate-1/air_temperature/config"
    assert config["state_topic"] == "gh/1/farm/z1/climate-1/data"
    assert config["availability_topic"] == "gh/1/farm/z1/climate-1/state"
    assert (config["unit_of_measurement"], config["device_class"]) == ("°C", "temperature")
    assert (config["unique_id"], config["expire_after"]) == ("farm_z1_climate-1_air_temperature", 180)
    assert config["device"]["identifiers"] == ["farm_z1_climate-1"]
    assert config["value_template"].startswith("{{ value_json.m['air_temperature'] if value_json is mapping")


def test_a_class_is_only_given_with_a_unit_it_knows() -> None:
    ((_, config),) = configs(birth("air_temperature", unit="mV")).items()
    assert "device_class" not in config
    assert config["unit_of_measurement"] == "mV"


def test_every_metric_of_the_farm_has_a_configuration_and_names_of_other_scripts_stay_apart() -> None:
    assert len(configs(birth(*metrics()))) == len(metrics())
    others = [Topic(site="farm", zone="z", device=name, kind=Kind.BIRTH) for name in ("甲", "乙", "a.b", "a_b")]
    assert len({name for topic in others for name in configs(birth("co2"), topic)}) == 4


def test_ingest_announces_births_takes_back_what_is_gone_and_can_be_told_not_to(tmp_path: Path) -> None:
    time, store = Lockstep(T0), open_store(tmp_path)
    broker = MemoryBroker(time)
    seen: dict[str, bytes] = {}
    broker.client("home").subscribe("homeassistant/#", lambda m: seen.update({m.topic: m.payload}))
    device = broker.client("device")
    settings = IngestSettings(
        address=Address(site="farm", zone="farm", device="ingest"), boot="i", discovery="homeassistant"
    )
    Ingest(broker.client("ingest", manual_ack=True), store, time, time, settings)
    time.run(seconds=1.0)
    for made in (birth("air_temperature", "co2"), birth("co2")):
        device.publish(str(TOPIC), encode(made), qos=1, retain=True)
        time.run(seconds=1.0)
    own = {name.split("/")[3]: payload for name, payload in seen.items() if "climate-1" in name}
    assert own["air_temperature"] == b""
    assert json.loads(own["co2"])["name"] == "CO2"
    store.close()
