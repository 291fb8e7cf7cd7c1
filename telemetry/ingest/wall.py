"""An ingester on wall time, for the bench and for tests that kill it; the command hosts the same node."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from telemetry.clock import Clock
from telemetry.ingest.node import Ingest, IngestSettings
from telemetry.ingest.receive import ReceivingLink
from telemetry.mqtt.device import Address, offline_will
from telemetry.mqtt.network import NetworkClient, NetworkSettings
from telemetry.store.embedded import EmbeddedStore, open_store

ADDRESS = Address(site="farm", zone="farm", device="ingest")


class WallClock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class WallTimers:
    """Periodic callbacks, run by `run_due`."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, Callable[[], None]]] = []
        self._due: list[float] = []

    def every(self, period: float, callback: Callable[[], None]) -> None:
        self._entries.append((period, callback))
        self._due.append(time.monotonic() + period)

    def run_due(self) -> None:
        now = time.monotonic()
        for i, (period, callback) in enumerate(self._entries):
            if now >= self._due[i]:
                self._due[i] = now + period
                callback()


class Ingester:
    """Client, store and node of one ingesting process.

    Args:
        directory: of the store.
        client_id: the broker's session belongs to it; the same after a restart.
        clock: wall time where none is given.
        store: what it writes to; the embedded store in `directory` where none is given. It is closed in the end.
        settings: of the node, and where it stands.
        network: what the client needs to be let in.
    """

    def __init__(
        self,
        host: str,
        port: int,
        directory: Path,
        *,
        client_id: str = "berrybrain-ingest",
        clock: Clock | None = None,
        store: EmbeddedStore | None = None,
        settings: IngestSettings | None = None,
        network: NetworkSettings | None = None,
    ) -> None:
        clock = clock or WallClock()
        settings = settings or IngestSettings(address=ADDRESS, boot=f"{time.time_ns():x}")
        self.store = store or open_store(directory)
        self.client = NetworkClient(
            host,
            port,
            client_id,
            will=offline_will(settings.address, clock),
            manual_ack=True,
            settings=network or NetworkSettings(),
            open_link=ReceivingLink,
        )
        self.timers = WallTimers()
        self.node = Ingest(self.client, self.store, clock, self.timers, settings)

    def turn(self) -> None:
        """Drive everything once."""
        self.client.loop(0.01)
        self.timers.run_due()

    def close(self) -> None:
        self.node.close()
        self.client.close()
        self.store.close()
