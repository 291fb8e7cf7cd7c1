"""Kill every part at random moments while a device measures, and account for each point: `berrybrain bench durability`.

Kills are SIGKILL. Besides them the ingester's disk is full once (a limit on file sizes), the clock of device and
ingester steps an hour ahead and back, and the network between both and the broker is cut. Midnight falls into the run,
so that a day is sealed under it. A kill is not a power cut: what the kernel has taken is on the disk afterwards.
"""

from __future__ import annotations

import logging
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from telemetry.ingest.durability_parts import ADDRESS, HOST, METRIC, Ledger
from telemetry.mqtt.broker import Broker, free_port, start_broker
from telemetry.mqtt.outbox import Outbox
from telemetry.store import Quality, Series
from telemetry.store.embedded import EmbeddedStore, open_store

log = logging.getLogger(__name__)

DAY_S = 86400.0
HOUR_S = 3600.0
MOST_NAMED = 20
"""So many lost points are named in the log."""
DRAIN_S = 120.0
START_S = 2.0
"""About what the device takes to its first measurement."""
VICTIMS = ("ingest", "broker", "keep", "publish")
SERIES = Series(ADDRESS.site, ADDRESS.zone, ADDRESS.device, METRIC)


@dataclass(slots=True)
class _Farm:
    """The processes of one run."""

    folder: Path
    port: int = field(default_factory=free_port)
    broker: Broker | None = None
    parts: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)

    def start(self, name: str) -> None:
        if name == "broker":
            self.broker = start_broker(self.folder / "broker", self.port)
            return
        port = self.port if name == "forward" else int((self.folder / "proxy").read_text(encoding="ascii"))
        command = [sys.executable, "-m", "telemetry.ingest.durability_parts", name, str(self.folder), str(port)]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.parts[name] = subprocess.Popen(command, stderr=log)

    def kill(self, name: str) -> None:
        if name == "broker":
            assert self.broker is not None
            self.broker.kill()
        else:
            self.parts[name].kill()
            self.parts[name].wait()
        self.kills[name] += 1

    def step_clock(self, offset: float) -> None:
        part = self.folder / "clock.part"
        part.write_text(str(offset), encoding="ascii")
        part.replace(self.folder / "clock")

    def close(self) -> None:
        for process in self.parts.values():
            process.kill()
            process.wait()
        if self.broker is not None:
            self.broker.close()


def bench(rounds: int, seed: int) -> dict[str, Any]:
    """Run it and return the figures.

    Raises:
        TimeoutError: something did not begin or end in time; says what.
    """
    with tempfile.TemporaryDirectory(prefix="berrybrain-durability-") as name:
        farm = _Farm(folder=Path(name))
        try:
            return _run(farm, rounds, random.Random(seed)) | {"rounds": rounds, "seed": seed}
        finally:
            farm.close()


def _run(farm: _Farm, rounds: int, chance: random.Random) -> dict[str, Any]:
    farm.step_clock(0.0)
    (farm.folder / "proxy").write_text(str(free_port()), encoding="ascii")
    open_store(farm.folder / "store").close()
    for name in ("broker", "forward", "ingest", "keep"):
        farm.start(name)
    store = open_store(farm.folder / "store", read_only=True)
    # A broker acknowledges and drops what nobody has ever subscribed to: ingest hears its own birth when it has.
    _until(lambda: store.counters().messages > 0, 30.0, "the ingester's subscription")
    # A session that the broker has not written yet is forgotten when it is killed; on a busy machine its file is older.
    known_at, state = time.time(), farm.folder / "broker" / "mosquitto.db"
    _until(lambda: state.exists() and state.stat().st_mtime > known_at, 30.0, "the broker's writing of its state")
    before_midnight = DAY_S - time.time() % DAY_S - START_S - 0.4 * rounds
    farm.step_clock(before_midnight)
    farm.start("publish")
    _until(lambda: bool(_values(store)), 30.0, "the first point")
    other = dict(zip(_thirds(rounds), (_fill_disk, _cut_network, _step), strict=False))
    for number in range(rounds):
        time.sleep(chance.uniform(0.2, 0.9))
        victim = VICTIMS[number % len(VICTIMS)] if number < len(VICTIMS) else chance.choice(VICTIMS)
        farm.kill(victim)
        time.sleep(chance.uniform(0.0, 0.4))
        farm.start(victim)
        if number in other:
            other[number](farm, chance, before_midnight)
    (farm.folder / "stop").touch()
    farm.parts["publish"].wait(DRAIN_S)
    taken = Ledger(farm.folder / "ledger").taken()
    # What was kept just before a kill is stored too without being taken: counting would end the wait too early.
    _until(lambda: not taken.keys() - _values(store), DRAIN_S, "all points in the store", fail=False)
    return _account(farm, store, taken)


def _thirds(rounds: int) -> list[int]:
    return sorted({rounds * part // 4 for part in (1, 2, 3)})


def _fill_disk(farm: _Farm, chance: random.Random, offset: float) -> None:
    """Let no file of the ingester grow for a while."""
    pid = farm.parts["ingest"].pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (64 * 1024, hard))
    time.sleep(1.5)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    farm.kills["disk_full"] += 1


def _cut_network(farm: _Farm, chance: random.Random, offset: float) -> None:
    farm.kill("forward")
    time.sleep(chance.uniform(0.5, 1.5))
    farm.start("forward")


def _step(farm: _Farm, chance: random.Random, offset: float) -> None:
    for step in (HOUR_S, -HOUR_S, 0.0):
        farm.step_clock(offset + step)
        time.sleep(1.0)
    farm.kills["clock_steps"] += 3


def _values(store: EmbeddedStore) -> set[int]:
    return {int(value) for value in store.read(SERIES, 0.0, float("inf")).value}


def _account(farm: _Farm, store: EmbeddedStore, taken: dict[int, float]) -> dict[str, Any]:
    samples = store.read(SERIES, 0.0, float("inf"))
    values = [int(value) for value in samples.value]
    outbox = Outbox(farm.folder / "outbox.sqlite3")
    waiting, dropped = len(outbox), outbox.dropped
    outbox.close()
    counters, other = store.counters(), {"disk_full", "clock_steps", "forward"}
    lost = sorted(taken.keys() - set(values))
    for number in lost[:MOST_NAMED]:
        beside = samples.value[abs(samples.at - taken[number]) < 0.0005].tolist()
        log.error("number %d of %.3f s is not stored; at its time there are %s", number, taken[number], beside)
    figures = {
        "published": len(taken),
        "acked": len(taken) - waiting - dropped,
        "stored": len(taken) - len(lost),
        "lost": len(lost),
        "duplicated": len(values) - len(set(values)),
        "kills": sum(count for name, count in farm.kills.items() if name not in other),
        "killed": {name: farm.kills[name] for name in VICTIMS},
        "network_cuts": farm.kills["forward"],
        "disk_full": farm.kills["disk_full"],
        "clock_steps": farm.kills["clock_steps"],
        "sequence_gaps": counters.messages_lost,
        "received_again": counters.points_duplicated,
        "late": int(((samples.quality & int(Quality.LATE)) > 0).sum()),
        "dead_letters": counters.dead_letters,
    }
    store.close()
    return figures


def _until(condition: Callable[[], bool], seconds: float, what: str, *, fail: bool = True) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            if fail:
                raise TimeoutError(f"waited {seconds:.0f} s for {what}; the host is {HOST}")
            return
        time.sleep(0.05)
