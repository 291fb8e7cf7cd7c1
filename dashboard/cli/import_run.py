"""Carry an import into the store: over the farm's broker where one runs, else over one that is started for it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dashboard.cli.errors import Misuse

if TYPE_CHECKING:
    from telemetry.farm import Farm
    from telemetry.importer.understand import Understood

SETTLE_S = 15.0
"""Longest time without a new value in the store before the rest counts as missing [s]."""
TRY_S = 2.0
TURN_S = 0.005
NAME = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is imported where."""

    file: Path
    data: Path
    farm: Farm
    zone: str
    device: str
    mqtt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the store holds afterwards: `points` new, `known` from before, `missing` of those sent, `flagged` of all."""

    points: int
    known: int
    missing: int
    flagged: int
    messages: int
    seconds: float
    broker: str


def device_name(device: str | None, file: Path) -> str:
    """Return the device's name.

    Raises:
        Misuse: the name cannot be part of a topic.
    """
    if device is None:
        words = re.sub(r"[^a-z0-9]+", " ", f"{file.absolute().parent.name} {file.stem}".lower()).split()
        while len(words) > 1 and len("-".join(words)) > NAME:
            words.pop(0)
        return f"import-{'-'.join(words)[:NAME].strip('-') or 'file'}"
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9_-]{0,58}[a-z0-9])?", device):
        raise Misuse(f"--device: expected lower-case letters, digits, - and _, got {device!r}")
    return device


def zone_of(farm: Farm, zone: str | None) -> str:
    """Return the zone; the first where none is named. Raises `Misuse` for one that the farm has not."""
    names = [known.id for known in farm.zones]
    if zone is not None and zone not in names:
        raise Misuse(f"--zone: expected one of {', '.join(names)}, got {zone!r}")
    return zone or names[0]


def instant(text: str | None, timezone: str) -> float | None:
    """Return an instant given on the command line [UTC epoch s]. Raises `Misuse` when it, or the zone, is none."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Misuse(f"--timezone: expected a name such as Asia/Shanghai, got {timezone!r}") from None
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Misuse(f"--start: expected a time such as 2009-10-20T00:00, got {text!r}") from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).timestamp()


def save_mapping(order: Order, found: Understood) -> Path:
    """Write what the columns are beside the data, for the next import."""
    from telemetry.importer.mapping import to_toml

    path = order.data / "import" / f"{order.device}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_toml(found.columns, source=order.file.name), encoding="utf-8")
    return path


def replay(order: Order, found: Understood) -> Stored:
    """Send everything and wait until it is in the store.

    Raises:
        ReplayError, MqttError: the broker does not take it.
    """
    from telemetry.importer.replay import Replay, Target
    from telemetry.ingest.wall import WallClock
    from telemetry.messages.tables import metrics
    from telemetry.mqtt.network import NetworkClient
    from telemetry.store.opening import open_archive

    began = time.monotonic()
    with ExitStack() as stack:
        host, port, broker, turn_ingest = _broker(order, stack)
        store = open_archive(order.data / "store", order.farm.store, os.environ)  # made here when a farm has none yet
        stack.callback(store.close)
        before = _count(store, order, found)
        client = NetworkClient(host, port, f"berrybrain-{found.boot}", clean=True)
        stack.callback(client.close)

        def turn() -> None:
            client.loop(TURN_S)
            turn_ingest()

        target = Target(site=order.farm.site.id, zone=order.zone, boot=found.boot)
        run = Replay(client, WallClock(), metrics(), target, found.reading)
        run.run(turn)
        expected = found.reading.counts.points
        after = _wait(lambda: _count(store, order, found), turn, expected)
        new = after[0] - before[0]
        return Stored(
            points=new,
            known=min(before[0], expected),
            missing=max(0, expected - after[0]),
            flagged=after[1],
            messages=run.messages,
            seconds=time.monotonic() - began,
            broker=broker,
        )


def _broker(order: Order, stack: ExitStack) -> tuple[str, int, str, Callable[[], None]]:
    """Return host and port of a broker, its name, and what drives the ingest that belongs to it."""
    from dashboard.cli.dashboard import _broker as split
    from telemetry.ingest.wall import Ingester
    from telemetry.mqtt.broker import start_broker
    from telemetry.mqtt.probe import Probe
    from telemetry.store.opening import open_archive

    mqtt = order.farm.mqtt
    if order.mqtt or mqtt.url or mqtt.port:
        host, port = split(order.mqtt or mqtt.url, mqtt.port)
        probe = Probe(host, port, time.monotonic() + TRY_S)
        open_now = probe.wait(TRY_S)
        probe.close()
        if open_now:
            return host, port, f"{host}:{port}", lambda: None
        if order.mqtt or mqtt.url:
            raise Misuse(f"nothing answers at {host}:{port}: start the broker, or leave out --mqtt to start one here")
    started = start_broker(order.data / "import" / "broker", 0)
    stack.callback(started.close)
    store = open_archive(order.data / "store", order.farm.store, os.environ)
    ingester = Ingester(
        started.host, started.port, order.data / "store", client_id="berrybrain-import-ingest", store=store
    )
    stack.callback(ingester.close)
    return started.host, started.port, f"a {started.name} started for it", ingester.turn


def _count(store: object, order: Order, found: Understood) -> tuple[int, int]:
    """Return how many of the file's instants the store holds, and how many of those are flagged."""
    import numpy as np

    from telemetry.store import Quality, Series
    from telemetry.store.embedded import EmbeddedStore

    assert isinstance(store, EmbeddedStore)
    bad = int(Quality.RANGE | Quality.RATE | Quality.STUCK)
    held = flagged = 0
    for device, rows in found.reading.devices.items():
        wanted: dict[str, list[float]] = {}
        for at, values in rows:
            for metric in values:
                wanted.setdefault(metric, []).append(round(at * 1000.0))
        for metric, instants in wanted.items():
            series = Series(order.farm.site.id, order.zone, device, metric)
            samples = store.read(series, found.reading.start, found.reading.end + 1.0)
            mine = np.isin(np.round(samples.at * 1000.0), np.array(instants))
            held += int(mine.sum())
            flagged += int(((samples.quality & bad) != 0)[mine].sum())
    return held, flagged


def _wait(count: Callable[[], tuple[int, int]], turn: Callable[[], None], expected: int) -> tuple[int, int]:
    """Drive everything until all is stored, or nothing has come for a while."""
    now = count()
    changed = looked = time.monotonic()
    while now[0] < expected and time.monotonic() - changed < SETTLE_S:
        turn()
        if time.monotonic() - looked < 0.5:
            continue
        before, now, looked = now, count(), time.monotonic()
        if now != before:
            changed = looked
    return now
