"""`berrybrain store ingest`: one more ingester beside those of a farm, in this machine or on another one."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.cli.errors import Misuse, Problem
from dashboard.cli.options import data_option

if TYPE_CHECKING:
    from telemetry.mqtt.network import NetworkSettings

FLUSH_S = 5.0
"""How often lines that a server outside has not taken are tried again, when nothing new arrives [s]."""
LEAVE_S = 15.0
"""How long the broker may take to answer a member that leaves [s]."""


@click.command(name="ingest")
@data_option("State folder of this ingester: each has its own, or all that run on one machine share the farm's.")
@click.option("--farm", "path", type=click.Path(path_type=Path), help="Farm file; else as for berrybrain demo.")
@click.option("--name", default="ingest-2", show_default=True, help="Its own, and the same after a restart.")
@click.option("--leave", is_flag=True, help="Have the broker forget NAME, which has ended for good, and end.")
def command(data: Path, path: Path | None, name: str, leave: bool) -> None:
    """Store what arrives over MQTT until ended. Where [mqtt] share is set, ingesters share the measurements."""
    import os

    from dashboard.cli.known_broker import address, credentials
    from dashboard.cli.settings import find_farm
    from telemetry.farm import parse_farm
    from telemetry.ingest import IngestSettings
    from telemetry.ingest.shares import Shares
    from telemetry.ingest.wall import Ingester
    from telemetry.messages.wire import LEVEL
    from telemetry.mqtt.device import Address
    from telemetry.store.journal import StoreError
    from telemetry.store.opening import open_archive

    farm = parse_farm(find_farm(path, data)[0])
    if not farm.mqtt.url:
        raise Misuse("[mqtt] url: expected the broker that all ingesters reach, like mqtt://host:1883")
    if not LEVEL.fullmatch(name):
        raise Misuse(f"--name: expected letters, digits, _ . -, at most 64, got {name!r}")
    host, port = address(farm.mqtt)
    if leave:
        forget(host, port, f"berrybrain-{name}", credentials(farm.mqtt))
        click.echo(f"{name} has left {host}:{port}: its share goes to the others, what waited for it is let go")
        return
    try:
        store = open_archive(data / "store", farm.store, os.environ)
    except StoreError as error:
        raise Problem(error.detail) from error
    shares = Shares(store.directory, name, farm.mqtt.share)
    settings = IngestSettings(
        address=Address(site=farm.site.id, zone=farm.zones[0].id, device=name),
        boot=f"{time.time_ns():x}",
        discovery=farm.mqtt.discovery,
        sparkplug=farm.mqtt.sparkplug,
        share=farm.mqtt.share,
        left=shares.left,
    )
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _: ended.append(got))
    network = credentials(farm.mqtt)
    ingester = Ingester(
        host, port, data / "store", client_id=f"berrybrain-{name}", store=store, settings=settings, network=network
    )
    ingester.client.on_connect(shares.settle)
    if farm.store.kind == "influx":
        from telemetry.store.influx.archive import OutsideArchive

        assert isinstance(store, OutsideArchive)
        ingester.timers.every(FLUSH_S, store.flush)
    what = f"its part of the group {farm.mqtt.share}" if farm.mqtt.share else "all that arrives"
    click.echo(f"{name} stores {what} at {host}:{port} in {farm.store.url or data / 'store'}")
    while not ended:
        ingester.turn()
    ingester.close()


def forget(host: str, port: int, client_id: str, network: NetworkSettings) -> None:
    """Connect once without a session, so that the broker drops the one it keeps under this id.

    Raises:
        Problem: no broker answered.
    """
    from telemetry.mqtt.network import NetworkClient

    client = NetworkClient(host, port, client_id, clean=True, settings=network)
    deadline = time.monotonic() + LEAVE_S
    while not client.connected and time.monotonic() < deadline:
        client.loop(0.1)
    left = client.connected
    client.close()
    if not left:
        raise Problem(f"no broker answered at {host}:{port} within {LEAVE_S:.0f} s: {client_id} is still a member")
