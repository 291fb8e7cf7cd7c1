"""The processes that the durability bench kills: a device with an outbox, ingester, keeper of the store, network.

`python -m telemetry.ingest.durability_parts ROLE …`; started by `durability`, ended by SIGKILL.
"""

from __future__ import annotations

import logging
import mmap
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from telemetry.ingest.wall import Ingester, WallTimers
from telemetry.messages import MetricInfo
from telemetry.mqtt.device import Address, DevicePublisher, Identity, offline_will
from telemetry.mqtt.network import NetworkClient
from telemetry.mqtt.outbox import Outbox
from telemetry.store.embedded import open_store
from telemetry.store.keeper import Keeper, KeeperSettings

HOST = "127.0.0.1"
MOST = 1_000_000
HEAD, LINE = struct.Struct("<q"), struct.Struct("<qb")
"""Of a ledger: how many numbers were begun; of each its instant [ms], and whether it was taken."""
METRIC = "serial_number"
ADDRESS = Address(site="farm", zone="bench", device="device")
RATE = 200.0
"""Measurements per second."""


class Ledger:
    """What the device took, in memory that survives the process: `begin` before it is kept, `take` after.

    A series holds one value a millisecond, and a second one is dropped as a repetition. No two numbers therefore get
    the same instant: not when many are made up after a delay, not after a restart, not when the clock is stepped back.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(HEAD.size + MOST * LINE.size)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._used = {at for at, _ in self._lines()}

    def begin(self, now: float) -> tuple[int, float]:
        """Return a number and an instant near `now` [UTC epoch s] that were never given."""
        number = self._count()
        at = round(now * 1000.0)
        while at in self._used:
            at += 1
        self._used.add(at)
        self._map[self._place(number) : self._place(number + 1)] = LINE.pack(at, 0)
        self._map[: HEAD.size] = HEAD.pack(number + 1)  # in one step, whenever the process is killed
        return number, at / 1000.0

    def take(self, number: int) -> None:
        self._map[self._place(number + 1) - 1] = 1

    def taken(self) -> dict[int, float]:
        """Return the numbers that were taken, each with its instant [UTC epoch s]."""
        return {number: at / 1000.0 for number, (at, taken) in enumerate(self._lines()) if taken}

    def _count(self) -> int:
        return int(HEAD.unpack_from(self._map)[0])

    def _place(self, number: int) -> int:
        return HEAD.size + number * LINE.size

    def _lines(self) -> Iterator[tuple[int, int]]:
        return LINE.iter_unpack(self._map[HEAD.size : self._place(self._count())])


class SteppedClock:
    """Wall time and an offset from a file, which the bench steps as a wrong time server does."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> float:
        return time.time() + float(self._path.read_text(encoding="ascii") or "0")

    def monotonic(self) -> float:
        return time.monotonic()


def publish(folder: Path, port: int) -> None:
    """Measure at a steady rate until told to stop; then send what waits and end."""
    clock = SteppedClock(folder / "clock")
    ledger = Ledger(folder / "ledger")
    outbox = Outbox(folder / "outbox.sqlite3", power_safe=False)
    client = NetworkClient(HOST, port, "bench-device", will=offline_will(ADDRESS, clock))
    info = MetricInfo(unit="1", minimum=0.0, maximum=float(MOST), interval=0.0)
    identity = Identity(boot=f"{time.time_ns():x}", model="bench", firmware="", metrics={METRIC: info})
    device = DevicePublisher(client, ADDRESS, clock, identity, outbox=outbox)
    due = time.monotonic()
    while not (folder / "stop").exists() or len(outbox):
        client.loop(0.002)
        while due < time.monotonic() and not (folder / "stop").exists():
            due += 1.0 / RATE
            number, at = ledger.begin(clock.now())
            device.data({METRIC: float(number)}, at=at)
            ledger.take(number)
    outbox.close()


def ingest(folder: Path, port: int) -> None:
    """Store what arrives."""
    ingester = Ingester(HOST, port, folder / "store", clock=SteppedClock(folder / "clock"))
    while True:
        ingester.turn()


def keep(folder: Path, port: int) -> None:
    """Roll up and seal beside the ingester."""
    timers = WallTimers()
    Keeper(
        open_store(folder / "store"),
        SteppedClock(folder / "clock"),
        timers,
        KeeperSettings(turn_s=0.2, grace_s=0.5, late_s=1.0),
    )
    while True:
        timers.run_due()
        select.select([], [], [], 0.02)


def forward(folder: Path, port: int) -> None:
    """Be the network: carry bytes between `proxy` (a port in a file) and the broker; dies as a cable is pulled."""
    listener = socket.create_server((HOST, int((folder / "proxy").read_text(encoding="ascii"))))
    peers: dict[socket.socket, socket.socket] = {}
    while True:
        for ready in select.select([listener, *peers], [], [])[0]:
            if ready is listener:
                _connect(listener, port, peers)
            elif ready in peers:
                _carry(ready, peers)


def _connect(listener: socket.socket, port: int, peers: dict[socket.socket, socket.socket]) -> None:
    near = listener.accept()[0]
    try:
        far = socket.create_connection((HOST, port), timeout=5.0)
    except OSError:
        near.close()
        return
    peers[near], peers[far] = far, near


def _carry(ready: socket.socket, peers: dict[socket.socket, socket.socket]) -> None:
    other = peers[ready]
    try:
        data = ready.recv(65536)
        other.sendall(data)
    except OSError:
        data = b""
    if not data:
        for end in (ready, other):
            peers.pop(end, None)
            end.close()


ROLES = {"publish": publish, "ingest": ingest, "keep": keep, "forward": forward}

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    ROLES[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
