"""Messages per second from MQTT into the store, with the ingester killed on the way and nothing lost."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from dashboard import shared_clock
from dashboard.cli.errors import Problem
from dashboard.cli.prepare import HOST, answers, pause
from dashboard.cli.roles import program
from dashboard.cli.run import START_S
from dashboard.cli.settings import FARM, RunSettings
from dashboard.shared_clock import LeadingClock
from dashboard.supervise import Supervisor

DEVICES = 20
METRICS = ("air_temperature", "relative_humidity", "co2", "ppfd", "global_radiation")
GIVE_UP_S = 30.0


def measure(messages: int, *, kill: bool) -> dict[str, Any]:
    """Publish `messages` at QoS 1 to a broker of its own and wait until the store holds every point.

    Args:
        messages: how many; each carries five values.
        kill: end the ingester with SIGKILL when about half is stored.

    Raises:
        Problem: broker or ingester did not start.
    """
    with tempfile.TemporaryDirectory(prefix="berrybrain-bench-") as folder:
        data = Path(folder)
        with Supervisor(logs=data / "log", monotonic=time.monotonic) as supervisor:
            settings = _prepare(data, supervisor.run)
            path = settings.write()
            supervisor.start(program("broker", path))
            deadline = time.monotonic() + START_S
            while not answers(settings.port):
                supervisor.poll()
                if time.monotonic() > deadline:
                    raise Problem(f"the broker does not answer:\n{supervisor.tail('broker')}")
            supervisor.start(program("ingest", path))
            return _measure(messages, kill, settings, supervisor)


def _prepare(data: Path, run: Path) -> RunSettings:
    from telemetry.farm import default_farm_text
    from telemetry.mqtt.broker import free_port

    (run / FARM).write_text(default_farm_text(), encoding="utf-8")
    settings = RunSettings(
        run=str(run),
        data=str(data),
        farm=str(run / FARM),
        robot="berry-1",
        host=HOST,
        port=free_port(),
        seed=0,
        epoch=float(round(time.time())),
        rate=1.0,
    )
    shared_clock.create(settings.clock, epoch=settings.epoch)
    return settings


def _measure(messages: int, kill: bool, settings: RunSettings, supervisor: Supervisor) -> dict[str, Any]:
    from telemetry.mqtt.paho import PahoClient
    from telemetry.store.embedded import open_store

    clock = LeadingClock(settings.clock)
    began = time.monotonic()
    client = PahoClient(settings.host, settings.port, "berrybrain-bench", clean=True)
    open_store(Path(settings.data) / "store").close()
    store = open_store(Path(settings.data) / "store", read_only=True)

    def turn() -> int:
        clock.advance(time.monotonic() - began)
        supervisor.poll()
        return store.counters().points

    while not client.connected or not supervisor.tail("ingest").count("connected"):
        client.loop(0.02)
        turn()
    wanted = messages * len(METRICS)
    start = progress_at = time.monotonic()
    sent = stored = looked_at = 0
    killed = not kill
    while stored < wanted and time.monotonic() - progress_at < GIVE_UP_S:
        while sent < messages and client.unacknowledged() < 2000:
            client.publish(*_message(settings, sent), qos=1)
            sent += 1
        client.loop(0.0 if sent < messages else 0.01)
        if (now := int(time.monotonic() * 10)) != looked_at:
            looked_at = now
            last, stored = stored, turn()
            if stored != last:
                progress_at = time.monotonic()
            if not killed and stored > wanted // 2:
                os.kill(supervisor.pids()["ingest"], signal.SIGKILL)
                killed = True
        if sent == messages and stored < wanted:
            pause(0.005)
    seconds = time.monotonic() - start
    counters = store.counters()
    client.close()
    store.close()
    clock.close()
    return {
        "messages": messages,
        "points": wanted,
        "seconds": round(seconds, 3),
        "messages_per_s": round(messages / seconds, 1),
        "points_per_s": round(stored / seconds, 1),
        "points_stored": stored,
        "points_lost": wanted - stored,
        "points_duplicated": counters.points_duplicated,
        "dead_letters": counters.dead_letters,
        "ingester_killed": supervisor.restarts["ingest"],
    }


def _message(settings: RunSettings, index: int) -> tuple[str, bytes]:
    """Return topic and payload number `index`: the devices take turns, each a millisecond after its last."""
    device, seq = index % DEVICES, index // DEVICES
    at = round(settings.epoch * 1000.0) + seq
    values = {metric: round(20.0 + (index * 7 % 50) / 10.0, 1) for metric in METRICS}
    payload = {"ts": at, "seq": seq, "boot": "bench", "m": values}
    return f"gh/1/bench/zone/device-{device}/data", json.dumps(payload, separators=(",", ":")).encode()
