"""The processes that the durability bench kills: a device with an outbox, ingester, keeper of the store, network.

`python -m telemetry.ingest.durability_parts ROLE …`; started by `durability`, ended by SIGKILL.
"""

from __future__ import annotations

import logging
import mmap
import select
import socket
import sys
import time
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
METRIC = "serial_number"
ADDRESS = Address(site="farm", zone="bench", device="device")
RATE = 200.0
"""Measurements per second."""


class Ledger:
    """What the device took, in memory that survives the process: `begun` before it is kept, `taken` after."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(8 + MOST))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8 + MOST)

    def begin(self) -> int:
        """Return a number that was never given."""
        number = int.from_bytes(self._map[:8], "big")
        self._map[:8] = (number + 1).to_bytes(8, "big")
        return number

    def take(self, number: int) -> None:
        self._map[8 + number] = 1

    def taken(self) -> set[int]:
        return {number for number, byte in enumerate(self._map[8 : 8 + int.from_bytes(self._map[:8], "big")]) if byte}


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
    due, at = time.monotonic(), 0.0
    while not (folder / "stop").exists() or len(outbox):
        client.loop(0.002)
        while due < time.monotonic() and not (folder / "stop").exists():
            due += 1.0 / RATE
            number, now = ledger.begin(), clock.now()
            # A series holds one value a millisecond: measurements that are made up after a delay lie beside each other.
            at = at + 0.001 if -0.001 < at - now < 60.0 else now
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
