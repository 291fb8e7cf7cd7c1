"""A stranger's payload of ten megabytes becomes a dead letter, and what comes behind it is stored."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from telemetry.ingest.intake import DEAD_PAYLOAD_BYTES
from telemetry.ingest.wall import Ingester
from telemetry.messages import Data
from telemetry.messages.wire import encode
from telemetry.mqtt.broker import mosquitto_path, start_broker

DEADLINE_S = 30.0
TOPIC = "gh/1/farm/z/d/data"
TEN_MB = 10 * 1024 * 1024


@pytest.mark.skipif(mosquitto_path() is None, reason="mosquitto is not installed (apt-get install mosquitto)")
def test_payload_of_ten_megabytes_is_refused_with_its_size_and_the_rest_goes_on(tmp_path: Path) -> None:
    broker = start_broker(tmp_path / "broker", 0)
    ingester = Ingester(broker.host, broker.port, tmp_path / "store")
    deadline = time.monotonic() + DEADLINE_S

    def turn_until(stored: int, refused: int) -> None:
        while (ingester.store.count(), ingester.store.counters().dead_letters) != (stored, refused):
            assert time.monotonic() < deadline, (ingester.store.count(), ingester.store.counters())
            ingester.turn()

    while not ingester.store.counters().entries:  # its own birth: it is subscribed
        assert time.monotonic() < deadline
        ingester.turn()
    stranger = Client(CallbackAPIVersion.VERSION2, "stranger")
    stranger.connect(broker.host, broker.port)
    stranger.loop_start()
    stranger.publish(TOPIC, b"x" * TEN_MB, qos=1)
    stranger.publish(TOPIC, encode(Data(at=time.time(), seq=0, boot="b", metrics={"co2": 500.0})), qos=1)
    turn_until(1, 1)
    (letter,) = ingester.store.dead_letters(limit=9)
    assert (letter.reason, letter.size, len(letter.payload)) == ("too_large", TEN_MB, DEAD_PAYLOAD_BYTES)
    stranger.disconnect()
    stranger.loop_stop()
    ingester.close()
    broker.close()
