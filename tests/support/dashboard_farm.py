"""A whole farm behind the dashboard without a simulator, for tests and for those who write pages.

`PYTHONPATH=. .venv/bin/python tests/support/dashboard_farm.py --port 8899` serves it. Accounts: viewer, grower, admin;
the password of each is in PASSWORDS. The real store, ingest, brain and records run here over an in-memory broker; the
robot is a pretend one, and the past days are made up.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import math
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import cv2
import httpx
import numpy as np
import uvicorn

from dashboard.alarms import BrainAlarms
from dashboard.app import create_app
from dashboard.audit import Audit
from dashboard.auth import Accounts, Role
from dashboard.commands import Commands
from dashboard.pretend import STAGES, PretendRobot, PretendSettings
from dashboard.reader import Reader
from dashboard.serve import listen
from dashboard.services import Services
from dashboard.timers import ClockTimers
from dashboard.view import FarmView
from robot.arms import load_arm
from robot.arms.urdf import to_urdf
from telemetry.brain.alarm_watch import AlarmWatch
from telemetry.brain.alarms import Alarms, Condition, Finding
from telemetry.brain.node import Brain, BrainSettings
from telemetry.farm import Farm, parse_farm
from telemetry.ingest import Ingest, IngestSettings
from telemetry.messages import Event, Kind, MetricInfo, Topic
from telemetry.messages.tables import metrics
from telemetry.mqtt.device import Address, DevicePublisher, Identity
from telemetry.mqtt.memory import MemoryBroker
from telemetry.records.records import Records
from telemetry.store import Point, Quality, Series
from telemetry.store.embedded import open_store
from telemetry.store.journal import Batch, Entry

T = TypeVar("T")
PASSWORDS = {"viewer": "viewer-berries", "grower": "grower-berries", "admin": "admin-berries"}
FARM = """
[site]
id = "yangcunqiao"
name = "杨村桥 Yangcunqiao"
latitude = 29.47
longitude = 119.28

[[zones]]
id = "tunnel-1"
name = "一号棚 Tunnel 1"

[[zones]]
id = "tunnel-2"
name = "二号棚 Tunnel 2"

[[beds]]
id = "bed-1"
zone = "tunnel-1"
length = 7.2

[[beds]]
id = "bed-2"
zone = "tunnel-1"
length = 7.2

[[beds]]
id = "bed-3"
zone = "tunnel-2"
length = 4.8

[[devices]]
id = "climate-1"
zone = "tunnel-1"
interval = 60.0
metrics = ["air_temperature", "relative_humidity", "co2", "global_radiation", "ppfd"]

[[devices]]
id = "substrate-1"
zone = "tunnel-1"
interval = 300.0
metrics = ["soil_temperature", "substrate_moisture", "substrate_ec"]

[[devices]]
id = "climate-2"
zone = "tunnel-2"
interval = 60.0
metrics = ["air_temperature", "relative_humidity"]

[[devices]]
id = "wetness-2"
zone = "tunnel-2"
interval = 300.0
metrics = ["leaf_wetness"]

[[robots]]
id = "berry-1"
zone = "tunnel-1"
bed = "bed-1"
side = "a"

[program]
revisit_hours = 0.5
"""
SILENT_DEVICE, SILENT_S = "climate-2", 9000.0
"""This one fell silent so long before now [s]."""
NEVER_DEVICE = "wetness-2"
GAP = (30.0 * 3600.0, 26.5 * 3600.0)
"""Nothing was measured between these ages [s]."""


class Wall:
    """Wall time as the farm's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class LoopScheduler:
    """Carries an in-memory broker's deliveries on the running event loop."""

    def post(self, callback: Callable[[], None], *, delay: float = 0.0) -> object:
        return asyncio.get_running_loop().call_later(delay, callback)


def weather(metric: str, at: float) -> float:
    """Return a made-up value at an instant [UTC epoch s]; mornings are cold, noons bright."""
    day = 2.0 * math.pi * ((at / 86400.0 + 8.0 / 24.0) % 1.0)
    sun = max(0.0, -math.cos(day))
    wave = math.sin(at / 5000.0) + 0.4 * math.sin(at / 777.0)
    match metric:
        case "air_temperature":
            return 13.0 - 6.0 * math.cos(day - 0.5) + wave
        case "relative_humidity":
            return min(99.0, 78.0 + 15.0 * math.cos(day - 0.5) + 2.0 * wave)
        case "co2":
            return 520.0 - 120.0 * sun + 8.0 * wave
        case "global_radiation":
            return max(0.0, 620.0 * sun + 25.0 * wave * sun)
        case "ppfd":
            return max(0.0, 1150.0 * sun + 40.0 * wave * sun)
        case "soil_temperature":
            return 14.0 - 1.5 * math.cos(day - 1.2)
        case "substrate_moisture":
            return 62.0 + 5.0 * math.sin(at / 4000.0)
        case _:
            return 1.4 + 0.1 * math.sin(at / 20000.0)


def seed(data: Path, farm: Farm, now: float, days: float) -> None:
    """Lay down the past: measurements with a gap and two impossible values, counts, picks, punnets, orders."""
    store = open_store(data / "store")
    site = farm.site.id
    for device in farm.devices:
        if device.id == NEVER_DEVICE:
            continue
        until = now - (SILENT_S if device.id == SILENT_DEVICE else device.interval)
        for metric in device.metrics:
            series = Series(site, device.zone, device.id, metric)
            points = []
            at = now - days * 86400.0
            while at <= until:
                if not GAP[1] < now - at < GAP[0]:
                    points.append(Point(series=series, at=at, value=round(weather(metric, at), 3), received_at=at))
                at += device.interval
            store.commit(Batch(points=points, messages=len(points)))
    odd = Series(site, "tunnel-1", "climate-1", "air_temperature")
    for age in (7200.5, 40000.5):
        at = now - age
        store.write([Point(series=odd, at=at, value=85.0, received_at=at, quality=Quality.RANGE)])
    entries: list[Entry] = []
    draw = random.Random(7)
    for day in range(max(1, int(days)), 0, -1):
        entries += _harvest(farm, now - day * 86400.0 + 3600.0, draw, boot=f"seed-{day}")
    entries += _harvest(farm, now - 5400.0, draw, boot="seed-0")
    store.commit(Batch(entries=entries, messages=len(entries)))
    store.close()


def _harvest(farm: Farm, start: float, draw: random.Random, boot: str) -> list[Entry]:
    topic = Topic(site=farm.site.id, zone="tunnel-1", device="berry-1", kind=Kind.EVENT)
    entries: list[Entry] = []
    at, order, berry = start, f"seed-order-{boot}", 0

    def add(kind: str, data: dict[str, Any]) -> None:
        event = Event(at=at, seq=len(entries), boot=boot, type=kind, data=data)
        entries.append(Entry(topic=topic, payload=event, received_at=at))

    add("order", {"order_id": order, "status": "started", "picked": 0, "placed": 0, "attempted": 0, "fault": ""})
    for bed in farm.beds:
        for segment in range(bed.segments if bed.zone == "tunnel-1" else 2):
            at += 20.0
            numbers = {stage: draw.randrange(0, 14) for stage in STAGES[:4]}
            ripe = draw.randrange(0, 9)
            where = {"order_id": order, "bed": bed.id, "side": "a", "segment": segment}
            rest = {"ripe": ripe, "overripe": draw.randrange(0, 2), "in_window": ripe, "ripe_mass": 0.018 * ripe}
            add("count", where | numbers | rest)
            for _ in range(ripe if bed.id == "bed-1" else 0):
                at += draw.uniform(6.0, 10.0)
                berry += 1
                ok = draw.random() < 0.88
                result = "ok" if ok else draw.choice(("unreachable", "slipped", "collision_risk", "lost_target"))
                pick = where | {"berry_id": berry, "x": 0.6 * segment + 0.3, "y": 0.62, "z": 0.9}
                pick |= {"ripeness": round(draw.uniform(0.8, 1.0), 2), "stage": "ripe", "diameter": 0.031}
                pick |= {"result": result, "attempt": 1, "seconds": round(draw.uniform(6.0, 10.0), 2)}
                pick |= {"peak_force": 0.62, "mass": round(draw.uniform(0.012, 0.03), 4)}
                pick |= {"punnet": f"{boot}-{berry // 24}" if ok else ""}
                add("pick", pick)
                if berry % 24 == 23:
                    punnet = {"punnet": f"{boot}-{berry // 24}", "berries": 20, "mass": 0.4, "closed": True}
                    add("punnet", punnet)
    add(
        "order",
        {"order_id": order, "status": "done", "picked": berry, "placed": berry, "attempted": berry, "fault": ""},
    )
    return entries


def _seed_alarms(alarms: Alarms, now: float) -> None:
    """Two devices are silent, one value was impossible and is again possible, unseen."""
    silent = [Condition("device_silent", "tunnel-2", device) for device in (SILENT_DEVICE, NEVER_DEVICE)]
    odd = Condition("value_out_of_range", "tunnel-1", "climate-1", "air_temperature")
    args = {"value": 85.0, "limit": 60.0, "unit": "Cel"}
    alarms.settle([Finding(condition=c, active=True, at=now - SILENT_S) for c in silent])
    alarms.settle([Finding(condition=odd, active=True, at=now - 7200.0, args=args)])
    alarms.settle([Finding(condition=odd, active=False, at=now - 7100.0)])


def picture(number: int) -> bytes:
    """Return a moving picture of red berries on green, 640 by 480, as JPEG."""
    image = np.full((480, 640, 3), (60, 110, 60), np.uint8)
    noise = np.random.default_rng(number % 8).integers(0, 40, (60, 80, 3), dtype=np.uint8)
    image += cv2.resize(noise, (640, 480))
    for i in range(6):
        x, y = 80 + 100 * i, 240 + round(60 * math.sin(0.1 * number + i))
        cv2.circle(image, (x, y), 26, (40, 30, 200 - 12 * i), -1)
    cv2.putText(image, f"pretend {number}", (12, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


@dataclass
class Beds:
    """The running farm: what tests reach for."""

    services: Services
    broker: MemoryBroker
    robot: PretendRobot
    brain: Brain
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    closers: list[Callable[[], None]] = field(default_factory=list)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for close in reversed(self.closers):
            close()


async def build(data: Path, *, days: float = 2.0, editing: bool = False, pick_period: float = 8.0) -> Beds:
    """Seed a farm in `data` and start it on the running loop."""
    clock = Wall()
    farm = parse_farm(FARM, name="dashboard_farm")
    if not (data / "store").exists():  # else it was killed, and goes on
        seed(data, farm, clock.now(), days)
    broker = MemoryBroker(LoopScheduler())
    timers = ClockTimers(clock)
    boot = f"dev{time.time_ns()}"
    store = open_store(data / "store")
    archive = open_store(data / "store", read_only=True)
    site, zone = farm.site.id, farm.zones[0].id
    ingest_address = Address(site=site, zone=zone, device="ingest")
    ingest = Ingest(
        broker.client("ingest", manual_ack=True),
        store,
        clock,
        timers,
        IngestSettings(address=ingest_address, boot=boot),
    )
    brain = Brain(broker.client("brain"), archive, clock, timers, BrainSettings(farm=farm, boot=boot))
    alarms = Alarms(data)
    _seed_alarms(alarms, clock.now())
    AlarmWatch(archive, alarms, clock, timers, farm)
    book = BrainAlarms(data, clock.now)
    records = Records(archive, data / "records", timezone=farm.site.timezone)
    robot = PretendRobot(
        broker.client("berry-1"),
        clock,
        timers,
        PretendSettings(
            address=Address(site=site, zone=zone, device="berry-1"),
            boot=boot,
            frames=picture,
            pick_period=pick_period,
            urdf=to_urdf(load_arm("ur3e")),
        ),
    )
    for device in farm.devices:
        if device.id not in (SILENT_DEVICE, NEVER_DEVICE):
            _sensor(broker, clock, timers, Address(site=site, zone=device.zone, device=device.id), device)
    client = broker.client("dashboard")
    view, commands = FarmView(client, farm, clock), Commands(client, clock, site)
    accounts = Accounts(data / "accounts.sqlite", time.time)
    for name in PASSWORDS.keys() - accounts.names().keys():
        accounts.add(name, Role[name.upper()], PASSWORDS[name])
    audit, reader = Audit(data / "audit.jsonl", time.time), Reader(data, farm.site.timezone)
    services = Services(
        farm=farm,
        clock=clock,
        view=view,
        commands=commands,
        accounts=accounts,
        audit=audit,
        reader=reader,
        alarms=book,
        editing=editing,
    )
    while records.update():
        pass
    timers.every(2.0, lambda: records.update() and None)
    brain.publish_kpis()
    beds = Beds(services=services, broker=broker, robot=robot, brain=brain)

    async def turn() -> None:
        while True:
            timers.run_due()
            await asyncio.sleep(0.02)

    beds.tasks.append(asyncio.get_running_loop().create_task(turn()))
    beds.closers = [
        store.close,
        archive.close,
        records.close,
        alarms.close,
        book.close,
        accounts.close,
        audit.close,
        reader.close,
        ingest.flush,
    ]
    return beds


def _sensor(broker: MemoryBroker, clock: Wall, timers: ClockTimers, address: Address, device: Any) -> None:
    table = metrics()
    known = {
        m: MetricInfo(unit=table[m].unit, minimum=table[m].minimum, maximum=table[m].maximum, interval=device.interval)
        for m in device.metrics
    }
    identity = Identity(boot=f"dev{time.time_ns()}", model="pretend", firmware="", metrics=known)
    publisher = DevicePublisher(broker.client(device.id), address, clock, identity)

    def send() -> None:
        publisher.data({metric: round(weather(metric, clock.now()), 3) for metric in device.metrics})

    timers.post(send, delay=0.5)
    timers.every(device.interval, send)


class Site:
    """The farm served from a thread of its own on a free port, for tests that are plain functions.

    Args:
        data: an empty folder.
        options: of `build`.
    """

    def __init__(self, data: Path, **options: Any) -> None:
        self.beds: Beds
        self._data, self._options = data, options
        self._sessions: dict[str, tuple[str, str]] = {}
        self._loop = asyncio.new_event_loop()
        self._served = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not self._served.wait(60.0) or self._failure is not None:
            raise RuntimeError("the farm did not start") from self._failure

    def call(self, function: Callable[[], T]) -> T:
        """Run `function` where the farm runs and return what it returns."""

        async def inside() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(10.0)

    @contextmanager
    def login(self, name: str, *, anew: bool = False) -> Iterator[httpx.Client]:
        """Give a signed-in client that sends its token along; sessions are kept and used again unless `anew`."""
        with httpx.Client(base_url=self.url, timeout=20.0) as client:
            if anew or name not in self._sessions:
                answer = client.post("/api/v1/login", json={"name": name, "password": PASSWORDS[name]})
                assert answer.status_code == 200, answer.text
                session = (client.cookies["bb_session"], answer.json()["csrf"])
                if anew:
                    client.headers["x-csrf"] = session[1]
                    yield client
                    return
                self._sessions[name] = session
            key, csrf = self._sessions[name]
            client.cookies.set("bb_session", key, domain="127.0.0.1")
            client.headers["x-csrf"] = csrf
            yield client

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(20.0)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            self._failure = error
            self._served.set()
            raise

    async def _serve(self) -> None:
        self.beds = await build(self._data, **self._options)
        listener = listen("127.0.0.1", 0)
        self.host = f"127.0.0.1:{listener.getsockname()[1]}"
        self.url = f"http://{self.host}"
        self.app = create_app(self.beds.services)
        config = uvicorn.Config(self.app, log_config=None, ws_per_message_deflate=False, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._loop.call_later(0.05, self._served.set)
        await self._server.serve(sockets=[listener])
        await self.beds.close()


async def serve(port: int, days: float, data: Path) -> None:
    beds = await build(data, days=days, editing=True)
    config = uvicorn.Config(
        create_app(beds.services), host="127.0.0.1", port=port, log_level="warning", ws_per_message_deflate=False
    )
    print(f"http://127.0.0.1:{port}/  accounts: {PASSWORDS}", flush=True)
    try:
        await uvicorn.Server(config).serve()
    finally:
        await beds.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--days", type=float, default=5.0)
    parser.add_argument("--data", type=Path, help="keep the farm's data here, and go on with what is there")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="berrybrain-pages-") as folder:
        asyncio.run(serve(arguments.port, arguments.days, arguments.data or Path(folder)))


if __name__ == "__main__":
    main()
