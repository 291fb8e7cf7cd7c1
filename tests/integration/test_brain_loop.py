"""The farm's loop in one process: sensors to KPIs, counts to orders, orders to lots, all over encoded messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from sim.greenhouse import Greenhouse, GreenhouseSettings
from sim.lockstep import Lockstep
from sim.sensors import Fault, FaultKind
from telemetry.brain.node import Brain, BrainSettings
from telemetry.brain.orders import OrderStatus
from telemetry.farm import Farm, default_farm_text, parse_farm
from telemetry.ingest import Ingest, IngestSettings
from telemetry.messages import AckStatus, Command, Kind, MetricInfo, State
from telemetry.messages.tables import metrics
from telemetry.messages.wire import encode
from telemetry.mqtt.commands import CommandInbox, Reply
from telemetry.mqtt.device import Address, DevicePublisher, Identity
from telemetry.mqtt.memory import MemoryBroker
from telemetry.records import Records
from telemetry.store import Series
from telemetry.store.embedded import EmbeddedStore, open_store
from telemetry.store.journal import Archive, StoreError

EPOCH = 1775059200.0  # 2026-04-02 00:00 in Hangzhou
HARVEST_SECONDS = 30.0


class FakeRobot:
    """Answers work orders as the gateway does; `berries` ripe ones wait in every segment."""

    def __init__(self, farm: Farm, broker: MemoryBroker, clock: Lockstep, berries: int = 3) -> None:
        robot = farm.robots[0]
        self.address = Address(site=farm.site.id, zone=robot.zone, device=robot.id)
        self.client = broker.client(robot.id)
        self._clock = clock
        self.berries = berries
        self.fails = False
        self.commands: list[Command] = []
        self._berry = 0
        self.publisher = DevicePublisher(
            self.client, self.address, clock, Identity(boot="r1", model="fake", firmware="", metrics={})
        )
        CommandInbox(self.client, self.address, clock, {"harvest": self._harvest})

    def _harvest(self, command: Command, reply: Reply) -> None:
        self.commands.append(command)
        reply(AckStatus.ACCEPTED, "")
        self._clock.post(lambda: self._finish(command, reply), delay=HARVEST_SECONDS)

    def _finish(self, command: Command, reply: Reply) -> None:
        if self.fails:
            self.publisher.event("order", {"order_id": command.id, "status": "failed", "fault": "eyes_lost"})
            reply(AckStatus.FAILED, "eyes_lost")
            return
        picked = 0
        for segment in command.arguments["segments"]:
            place = {"order_id": command.id, "bed": "bed-1", "side": "a", "segment": segment}
            self.publisher.event("count", place | {"ripe": self.berries, "in_window": self.berries, "ripe_mass": 0.05})
            for _ in range(min(self.berries, int(command.arguments["quota"]) - picked)):
                self._berry += 1
                picked += 1
                outcome = {"berry_id": self._berry, "result": "ok", "ripeness": 0.9, "mass": 0.018, "punnet": "p1"}
                self.publisher.event("pick", place | outcome)
        self.publisher.event("order", {"order_id": command.id, "status": "done", "picked": picked, "placed": picked})
        reply(AckStatus.DONE, "")


class Gate:
    """Passes everything on to the store; `shut`, it fails as a full disk does."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store
        self.shut = False

    def __getattr__(self, name: str) -> Any:
        if self.shut:
            raise StoreError("store_failed", "disk I/O error")
        return getattr(self._store, name)


class World:
    """A whole farm in lock-step."""

    def __init__(self, directory: Path, farm: Farm, faults: tuple[Fault, ...] = ()) -> None:
        self.farm = farm
        self.directory = directory
        self.lockstep = Lockstep(EPOCH)
        self.broker = MemoryBroker(self.lockstep)
        self.store: EmbeddedStore = open_store(directory / "store")
        self.ingest = Ingest(
            self.broker.client("ingest", manual_ack=True),
            self.store,
            self.lockstep,
            self.lockstep,
            IngestSettings(address=Address(site=farm.site.id, zone="farm", device="ingest"), boot="i1"),
        )
        self.gate = Gate(self.store)
        self.brain = self.start_brain("b1")
        self.robot = FakeRobot(farm, self.broker, self.lockstep)
        self.records = Records(self.store, directory / "records", timezone=farm.site.timezone)
        self.lockstep.every(5.0, lambda: self.records.update() and None)
        self.greenhouse = Greenhouse(
            {device.id: self._publisher(device.id, device.zone) for device in farm.devices},
            self.lockstep,
            self.lockstep,
            GreenhouseSettings(farm=farm, seed=1, faults=faults),
        )

    def start_brain(self, boot: str, since: float = 0.0) -> Brain:
        client = self.broker.client("brain")
        settings = BrainSettings(farm=self.farm, boot=boot, since=since)
        return Brain(client, cast(Archive, self.gate), self.lockstep, self.lockstep, settings)

    def close(self) -> None:
        self.records.close()
        self.store.close()

    def _publisher(self, device: str, zone: str) -> DevicePublisher:
        table = metrics()
        known = next(d for d in self.farm.devices if d.id == device)
        rows = {
            m: MetricInfo(
                unit=table[m].unit, minimum=table[m].minimum, maximum=table[m].maximum, interval=known.interval
            )
            for m in known.metrics
        }
        identity = Identity(boot="d1", model="simulated", firmware="", metrics=rows)
        address = Address(site=self.farm.site.id, zone=zone, device=device)
        return DevicePublisher(self.broker.client(device), address, self.lockstep, identity)

    def series(self, metric: str, device: str) -> list[float]:
        name = Series(self.farm.site.id, "tunnel-1", device, metric)
        return [float(v) for v in self.store.read(name, 0.0, 1e12).value]

    def brain_state(self) -> State:
        states = [e.payload for e in self.store.entries(Kind.STATE) if e.topic.device == "brain"]
        assert isinstance(states[-1], State)
        return states[-1]


FARM = parse_farm(default_farm_text())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, FARM)
    yield made
    made.close()


def test_unvisited_bed_is_ordered_harvested_and_becomes_a_lot(world: World) -> None:
    world.lockstep.run(seconds=120.0)
    assert [order.status for order in world.brain.orders] == [OrderStatus.DONE]
    assert [command.arguments["segments"] for command in world.robot.commands] == [[0, 1, 2, 3]]
    (lot,) = world.records.lots()
    assert (lot.berries, lot.segments, lot.robot) == (12, (0, 1, 2, 3), "berry-1")
    assert world.records.verify() == 4 + 12 + 1
    plan = world.brain.plans["berry-1"]
    assert plan.order is None
    assert all(entry.ripe == 0 for entry in plan.entries)


def test_segments_are_harvested_again_after_the_revisit_time_and_not_before(tmp_path: Path) -> None:
    farm = replace(FARM, program=replace(FARM.program, revisit_hours=1.0))
    world = World(tmp_path, farm)
    world.lockstep.run(seconds=3500.0)
    assert len(world.robot.commands) == 1
    world.lockstep.run(seconds=300.0)
    assert len(world.robot.commands) == 2
    world.close()


def test_count_from_a_walk_through_calls_the_robot(world: World) -> None:
    world.robot.berries = 0
    world.lockstep.run(seconds=120.0)
    assert len(world.robot.commands) == 1
    world.robot.publisher.event("count", {"order_id": "", "bed": "bed-1", "side": "a", "segment": 2, "in_window": 5})
    world.lockstep.run(seconds=3600.0)
    assert [command.arguments["segments"] for command in world.robot.commands] == [[0, 1, 2, 3], [2]]


def test_a_plan_that_is_asked_for_is_told_at_once_even_when_it_is_the_same(world: World) -> None:
    world.lockstep.run(seconds=130.0)
    before, now = world.brain_state(), world.lockstep.now()
    address = Address(site=FARM.site.id, zone="tunnel-1", device="brain")
    asked = Command(id="ask-1", issuer="anna", expires_at=now + 10.0, command="plan")
    world.broker.client("page").publish(str(address.topic(Kind.CMD)), encode(asked), qos=1)
    world.lockstep.run(seconds=1.0)
    after = world.brain_state()
    assert after.detail["orders"] == before.detail["orders"]
    assert now <= after.at <= now + 1.0


def test_sensors_become_kpis_through_broker_ingest_and_store(world: World) -> None:
    world.lockstep.run(seconds=3 * 3600.0 + 1.0)
    assert len(world.series("air_temperature", "climate-1")) == 181
    vpd = world.series("vpd", "brain")
    assert len(vpd) >= 178
    assert all(0.0 <= value < 3.0 for value in vpd)
    assert world.series("gdd", "brain")[-1] > 0.0
    counters = world.store.counters()
    assert (counters.dead_letters, counters.messages_lost) == (0, 0)


def test_broken_sensor_makes_the_kpi_unknown_and_the_state_says_why(tmp_path: Path) -> None:
    fault = Fault(
        kind=FaultKind.NAN, device="climate-1", metric="relative_humidity", start_at=EPOCH + 1200.0, duration_s=1e6
    )
    world = World(tmp_path, FARM, (fault,))
    world.lockstep.run(seconds=3600.0)
    assert 15 <= len(world.series("vpd", "brain")) <= 24
    unknown = {row["key"]: row["en"] for row in world.brain_state().detail["unknown"]}
    assert "climate-1" in unknown["vpd"]
    assert "gdd" not in unknown
    (ill,) = world.brain_state().detail["health"]
    assert (ill["device"], ill["health"]) == ("climate-1", "stale")
    world.close()


def test_order_without_answer_is_sent_again_with_the_same_id_until_it_is_taken(world: World) -> None:
    world.robot.client.close()
    world.lockstep.run(seconds=45.0)
    (order,) = world.brain.orders
    assert order.status is OrderStatus.SENT
    sent = world.broker.published
    world.lockstep.run(seconds=10.0)
    assert world.broker.published > sent
    robot = world.robot = FakeRobot(world.farm, world.broker, world.lockstep)
    world.lockstep.run(seconds=120.0)
    assert [command.id for command in robot.commands] == [order.command.id]
    assert order.status is OrderStatus.DONE


def test_acknowledged_order_is_never_sent_again(world: World) -> None:
    arrived: list[str] = []
    spy = world.broker.client("spy")
    spy.subscribe(world.robot.address.topic(Kind.CMD), lambda message: arrived.append(message.topic))
    world.lockstep.run(seconds=600.0)
    assert len(arrived) == 1


def test_failed_order_is_tried_again_after_a_pause(world: World) -> None:
    world.robot.fails = True
    world.lockstep.run(seconds=60.0)
    assert [order.status for order in world.brain.orders] == [OrderStatus.FAILED]
    assert next(iter(world.brain.orders)).reason == "eyes_lost"
    world.robot.fails = False
    world.lockstep.run(seconds=180.0)
    assert [order.status for order in world.brain.orders] == [OrderStatus.FAILED, OrderStatus.DONE]


def test_order_nobody_takes_expires_and_another_follows(world: World) -> None:
    world.robot.client.close()
    world.lockstep.run(seconds=1805.0)
    assert next(iter(world.brain.orders)).status is OrderStatus.EXPIRED
    world.lockstep.run(seconds=100.0)
    assert len(list(world.brain.orders)) == 2
    robot = FakeRobot(world.farm, world.broker, world.lockstep)
    world.lockstep.run(seconds=100.0)
    expired, done = world.brain.orders
    assert (expired.status, done.status) == (OrderStatus.EXPIRED, OrderStatus.DONE)
    assert [command.id for command in robot.commands] == [done.command.id]


def test_robot_that_said_offline_gets_no_order(world: World) -> None:
    world.robot.publisher.close()
    world.lockstep.run(seconds=60.0)
    assert list(world.brain.orders) == []
    world.robot.publisher.state("online")
    world.lockstep.run(seconds=60.0)
    assert len(list(world.brain.orders)) == 1


def test_brain_that_starts_again_knows_its_orders_and_sends_none_twice(world: World) -> None:
    world.lockstep.run(seconds=10.0)
    before = [order.command.id for order in world.brain.orders]
    again = world.start_brain("b2")
    world.lockstep.run(seconds=300.0)
    assert [order.command.id for order in again.orders] == before
    assert [order.status for order in again.orders] == [OrderStatus.DONE]
    assert len(world.robot.commands) == 1


def test_new_run_of_a_simulated_greenhouse_forgets_the_harvest_before_it(world: World) -> None:
    world.lockstep.run(seconds=120.0)
    again = world.start_brain("b2", since=world.lockstep.now())
    world.lockstep.run(seconds=120.0)
    assert [command.arguments["segments"] for command in world.robot.commands] == [[0, 1, 2, 3]] * 2
    assert [order.status for order in again.orders] == [OrderStatus.DONE]


def test_brain_waits_while_the_store_fails_and_goes_on_after(world: World) -> None:
    world.gate.shut = True
    world.lockstep.run(seconds=300.0)
    assert list(world.brain.orders) == []
    assert world.series("vpd", "brain") == []
    told = world.brain_state().detail  # nothing is known, and that is said
    assert {row["health"] for row in told["health"]} == {"unknown"}
    here = {device.id for device in FARM.devices if device.zone == "tunnel-1"}
    assert {row["device"] for row in told["health"]} >= here
    assert "vpd" in {row["key"] for row in told["unknown"]}
    assert {row["en"] for row in told["unknown"]} == {"the store does not answer"}
    world.gate.shut = False
    world.lockstep.run(seconds=300.0)
    assert [order.status for order in world.brain.orders] == [OrderStatus.DONE]
    assert len(world.series("vpd", "brain")) >= 4
    assert {row["health"] for row in world.brain_state().detail["health"]} <= {"stale", "silent"}


def test_brain_that_ends_says_offline(world: World) -> None:
    world.lockstep.run(seconds=120.0)
    assert world.brain_state().status == "online"
    assert world.brain_state().detail["plans"][0]["robot"] == "berry-1"
    world.brain.close()
    world.lockstep.run(seconds=1.0)
    assert world.brain_state().status == "offline"


def test_quota_leaves_berries_for_the_next_order(tmp_path: Path) -> None:
    farm = replace(FARM, program=replace(FARM.program, quota=7))
    world = World(tmp_path, farm)
    world.lockstep.run(seconds=300.0)
    assert len(world.robot.commands) >= 2
    assert sum(lot.berries for lot in world.records.lots()) >= 12
    world.close()


def test_trace_of_a_lot_tells_the_climate_of_its_hour(world: World) -> None:
    world.lockstep.run(seconds=1800.0)
    trace = world.records.trace(world.records.lots()[0].id)
    climate = trace["climate"][0]["kpis"]
    assert climate["vpd"]["known"]
    assert climate["air_temperature"]["samples"] >= 30
    assert trace["orders"] == [world.robot.commands[0].id]


def test_same_seed_repeats_the_whole_farm(tmp_path: Path) -> None:
    runs = []
    for name in ("one", "two"):
        world = World(tmp_path / name, FARM)
        world.lockstep.run(seconds=900.0)
        runs.append((world.series("vpd", "brain"), [c.id for c in world.robot.commands], world.records.lots()))
        world.close()
    assert runs[0] == runs[1]
