"""Sudden death in real processes: ingesters and brokers are killed, and afterwards every point is there once."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from telemetry.ingest.durability_parts import ingest
from telemetry.messages import Data, Event, Kind
from telemetry.messages.wire import encode
from telemetry.mqtt.broker import Broker, free_port, mosquitto_path, start_broker
from telemetry.mqtt.network import NetworkClient
from telemetry.store import Series
from telemetry.store.embedded import EmbeddedStore, open_store

DEADLINE_S = 60.0
T0 = 1_780_000_000.0
pytestmark = pytest.mark.skipif(
    mosquitto_path() is None, reason="mosquitto is not installed (apt-get install mosquitto)"
)

# One process imports what an ingester needs, and each is forked from it: their starts were most of what this took.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([ingest.__module__])


@contextmanager
def ingesting(plant: Plant) -> Iterator[None]:
    """Run an ingester, and kill it at the end."""
    process = FORKS.Process(target=ingest, args=(plant.directory, plant.port), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


class Plant:
    """One publisher that numbers what it sends, and a reader of the store."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        (directory / "clock").write_text("0", encoding="ascii")
        self.broker: Broker = start_broker(directory / "broker", self.port)
        open_store(directory / "store").close()
        self.reader: EmbeddedStore = open_store(directory / "store", read_only=True)
        self.publisher = NetworkClient("127.0.0.1", self.port, "publisher")
        self.sent = 0

    def run(self, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not until():
            assert time.monotonic() < deadline, f"not in time: {self.reader.counters()}, {self.sent} sent"
            self.publisher.loop(0.005)

    def send(self, count: int) -> None:
        for _ in range(count):
            values = {"air_temperature": 20.0 + self.sent % 10, "co2": 500.0 + self.sent % 7}
            data = Data(at=T0 + self.sent, seq=self.sent, boot="b", metrics=values)
            self.publisher.publish("gh/1/farm/z/d/data", encode(data), qos=1)
            event = Event(at=T0 + self.sent, seq=self.sent, boot="b", type="pick", data={"n": self.sent})
            self.publisher.publish("gh/1/farm/z/d/event", encode(event), qos=1)
            self.sent += 1
            if self.sent % 20 == 0:
                self.publisher.loop(0.0)

    def points(self) -> int:
        return len(self.reader.read(Series("farm", "z", "d", "co2"), 0.0, 2 * T0).at)

    def events(self) -> list[int]:
        entries = self.reader.entries(Kind.EVENT)
        return [entry.payload.data["n"] for entry in entries if isinstance(entry.payload, Event)]

    def run_until_stored(self) -> None:
        """Return as soon as anything more is stored."""
        before = self.points()
        self.run(lambda: self.points() > before)

    def check(self) -> None:
        """Wait until all is stored; nothing is lost, nothing is there twice."""
        self.run(lambda: self.points() >= self.sent and len(self.events()) >= self.sent)
        self.run(lambda: self.reader.counters().messages_lost == 0)
        assert sorted(self.events()) == list(range(self.sent))
        for metric in ("air_temperature", "co2"):
            times = self.reader.read(Series("farm", "z", "d", metric), 0.0, 2 * T0).at
            assert times.tolist() == [T0 + i for i in range(self.sent)]
        assert self.reader.counters().dead_letters == 0

    def close(self) -> None:
        self.publisher.close(timeout=0.0)
        self.reader.close()
        self.broker.close()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path)
    yield made
    made.close()


def test_ingesters_killed_in_the_middle_lose_nothing_and_store_nothing_twice(plant: Plant) -> None:
    with ingesting(plant):
        plant.run(lambda: plant.reader.counters().entries > 0)  # its own birth: it is subscribed
        plant.send(300)
        plant.run(lambda: plant.points() > 50)
    for _ in range(3):
        plant.send(300)
        with ingesting(plant):
            plant.send(300)
            plant.run_until_stored()
    with ingesting(plant):
        plant.check()


def test_broker_killed_in_the_middle_costs_no_point(plant: Plant) -> None:
    with ExitStack() as stack:
        stack.enter_context(ingesting(plant))
        plant.run(lambda: plant.reader.counters().entries > 0)
        written = plant.broker.log_path.parent / "mosquitto.db"
        plant.run(written.exists)
        for _ in range(2):
            plant.send(400)
            plant.broker.kill()
            plant.send(100)
            plant.run(lambda: not plant.publisher.connected)
            plant.broker = start_broker(plant.directory / "broker", plant.port)
            plant.run(lambda: plant.publisher.connected)
        plant.check()


def test_ingester_starts_before_its_broker_and_waits_for_it(plant: Plant) -> None:
    plant.broker.close()
    with ingesting(plant):
        plant.send(50)
        plant.broker = start_broker(plant.directory / "broker", plant.port)
        plant.run(lambda: plant.reader.counters().entries > 0)
        plant.send(50)
        plant.run(lambda: plant.points() >= 50)
