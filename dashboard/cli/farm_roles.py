"""The processes on the farm's side of a run: broker, ingest, brain, greenhouse."""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

from dashboard.cli.host import Host, boot
from dashboard.cli.settings import RunSettings

log = logging.getLogger(__name__)

STORE_S = 15.0
"""Longest wait for the store at start [s]."""
FLUSH_S = 5.0
"""How often lines that a server outside has not taken are tried again, when nothing new arrives [s]."""
KEEPER_NICE = 10
KEEPER_PAUSE_S = 0.2
"""It listens to nobody: its loop looks at its timers this often, wall time [s]."""
RECORDS_S = 2.0
"""How often the farm log takes in what is new [s]."""


def broker(settings: RunSettings, name: str, slot: int | None) -> None:
    """Run the MQTT broker as this process's child until one of them is ended."""
    from telemetry.mqtt import MqttError
    from telemetry.mqtt.broker import start_broker

    try:
        running = start_broker(Path(settings.data) / "broker", settings.port)
    except MqttError as error:
        sys.exit(str(error))
    asked = False

    def end(*_: object) -> None:
        nonlocal asked
        asked = True
        running.process.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    code = running.process.wait()
    if not asked:
        sys.exit(f"{running.name} ended with code {code}")


def ingest(settings: RunSettings, name: str, slot: int | None) -> None:
    """Store what arrives over MQTT, acknowledged after commit."""
    from telemetry.ingest import Ingest, IngestSettings
    from telemetry.ingest.receive import ReceivingLink
    from telemetry.ingest.shares import Shares
    from telemetry.mqtt.device import Address, offline_will
    from telemetry.store.opening import open_archive

    host = Host(settings, name, slot=slot)
    address = Address(site=host.farm.site.id, zone=host.farm.zones[0].id, device=name)
    will = offline_will(address, host.clock)
    client = host.mqtt(f"berrybrain-{name}", will=will, manual_ack=True, open_link=ReceivingLink)
    store = open_archive(Path(settings.data) / "store", host.farm.store, os.environ)
    if host.farm.store.kind == "influx":
        from telemetry.store.influx.archive import OutsideArchive

        assert isinstance(store, OutsideArchive)
        host.timers.every(FLUSH_S, store.flush)
    shares = Shares(store.directory, name, host.farm.mqtt.share)
    ingest_settings = IngestSettings(
        address=address,
        boot=boot(),
        discovery=host.farm.mqtt.discovery,
        sparkplug=host.farm.mqtt.sparkplug,
        share=host.farm.mqtt.share,
        left=shares.left,
    )
    node = Ingest(client, store, host.clock, host.timers, ingest_settings)
    client.on_connect(shares.settle)
    host.at_end(store.close)
    host.at_end(node.close)
    host.run()


def greenhouse(settings: RunSettings, name: str, slot: int | None) -> None:
    """Simulate weather, climate and sensor boxes; each box publishes as a device of its own."""
    from sim.greenhouse import Greenhouse, GreenhouseSettings

    host = Host(settings, name, slot=slot)
    publishers = {}
    for device in host.farm.devices:
        metrics = {metric: info(metric, device.interval) for metric in device.metrics}
        publishers[device.id] = device_publisher(host, device.zone, device.id, device.model, metrics)
    Greenhouse(publishers, host.clock, host.timers, GreenhouseSettings(farm=host.farm, seed=settings.seed))
    host.run()


def brain(settings: RunSettings, name: str, slot: int | None) -> None:
    """Plan, order, raise alarms and keep the records."""
    from telemetry.brain.alarm_watch import AlarmWatch
    from telemetry.brain.alarms import Alarms
    from telemetry.brain.node import DEVICE, Brain, BrainSettings
    from telemetry.mqtt.device import Address, offline_will
    from telemetry.records.records import Records
    from telemetry.store.opening import open_archive

    host = Host(settings, name, slot=slot)
    folder = Path(settings.data) / "store"
    wait_for(folder)
    address = Address(site=host.farm.site.id, zone=host.farm.zones[0].id, device=DEVICE)
    client = host.mqtt(f"berrybrain-{name}", will=offline_will(address, host.clock))
    archive = open_archive(folder, host.farm.store, os.environ, read_only=True)
    # The simulated beds are new in each run: what was seen in earlier ones, or in a simulated past, is not there now.
    brain_settings = BrainSettings(farm=host.farm, boot=boot(), since=settings.epoch)
    node = Brain(client, archive, host.clock, host.timers, brain_settings)
    alarms = Alarms(Path(settings.data))
    AlarmWatch(archive, alarms, host.clock, host.timers, host.farm)
    records = Records(archive, Path(settings.data) / "records", timezone=host.farm.site.timezone)

    def update() -> None:
        while records.update():
            pass

    host.timers.every(RECORDS_S, update)
    host.at_end(archive.close)
    host.at_end(records.close)
    host.at_end(alarms.close)
    host.at_end(update)
    host.at_end(node.close)
    host.run()


def keeper(settings: RunSettings, name: str, slot: int | None) -> None:
    """Seal days, keep roll-ups, let go what is old: beside ingest, which never waits for it longer than a slice."""
    from telemetry.store.embedded import open_store
    from telemetry.store.keeper import Keeper, KeeperSettings
    from telemetry.store.retention import Limits

    host = Host(settings, name, slot=slot)
    folder = Path(settings.data) / "store"
    wait_for(folder)
    os.nice(KEEPER_NICE)
    known = host.farm.store
    limits = Limits(raw_days=known.raw_days, minute_days=known.minute_days, disk_bytes=round(known.disk_gb * 1e9))
    store = open_store(folder)
    node = Keeper(store, host.clock, host.timers, KeeperSettings(limits=limits))
    host.at_end(store.close)
    host.at_end(node.close)
    host.each_turn(lambda: _pause(KEEPER_PAUSE_S))
    host.run()


def _pause(seconds: float) -> None:
    select.select([], [], [], seconds)


def wait_for(store: Path) -> None:
    """Wait until ingest has made the store.

    Raises:
        SystemExit: it has not within a time that is enough for it.
    """
    from telemetry.store.embedded import open_store
    from telemetry.store.journal import StoreError

    deadline = time.monotonic() + STORE_S
    while True:
        try:
            open_store(store, read_only=True).close()
            return
        except StoreError as error:
            if time.monotonic() > deadline:
                sys.exit(f"no store in {store} after {STORE_S:.0f} s: {error}")
        _pause(0.05)


def device_publisher(host: Host, zone: str, device: str, model: str, metrics: dict[str, Any]) -> Any:
    """Return a publisher with an MQTT client of its own, so that the broker notices when this device alone is gone."""
    from telemetry.mqtt.device import Address, DevicePublisher, Identity, offline_will

    address = Address(site=host.farm.site.id, zone=zone, device=device)
    client = host.mqtt(f"berrybrain-{device}", will=offline_will(address, host.clock))
    identity = Identity(boot=boot(), model=model, firmware="", metrics=metrics)
    # A simulated sensor box need not outlive a power cut, and a real one does not share its disk with five others.
    outbox = host.outbox(address, power_safe=False)
    publisher = DevicePublisher(client, address, host.clock, identity, outbox=outbox)
    host.at_end(publisher.close)
    return publisher


def info(metric: str, interval: float) -> Any:
    """Return what a device announces of a metric at birth, from the farm's metric table."""
    from telemetry.messages import MetricInfo
    from telemetry.messages.tables import metrics

    row = metrics()[metric]
    return MetricInfo(unit=row.unit, minimum=row.minimum, maximum=row.maximum, interval=interval)
