"""Measure MQTT messages stored per second with none lost, next to a bare paho subscriber that stores nothing.

`python -m telemetry.ingest.bench --json`. One broker, one publisher, one subscriber, each a process; QoS 1, a
persistent session, 5 metrics a message. `live`: all at once. `drain`: the broker is full before the subscriber comes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from telemetry.ingest.wall import Ingester
from telemetry.messages import Data
from telemetry.messages.wire import encode
from telemetry.mqtt.broker import start_broker
from telemetry.mqtt.network import NetworkClient, NetworkSettings
from telemetry.store.embedded import open_store

HOST = "127.0.0.1"
METRICS = ("air_temperature", "relative_humidity", "co2", "ppfd", "substrate_moisture")
DEVICES = 50
EPOCH = 1_780_000_000.0
LIMIT_S = 120.0
LOOK_S = 0.02
"""The store is asked so often whether all is there: counting costs as much as storing some messages [s]."""


def publish(port: int, count: int) -> None:
    """Publish `count` messages as fast as they are acknowledged."""
    client = NetworkClient(HOST, port, "bench-publisher", settings=NetworkSettings(queue_limit=2 * count, window=500))
    while not client.connected:
        client.loop(0.01)
    now = time.time()
    messages = []
    for i in range(count):
        values = {name: 20.0 + (i * 7 + k) % 50 / 10.0 for k, name in enumerate(METRICS)}
        data = Data(at=now - count / 1000.0 + i / 1000.0, seq=i // DEVICES, boot="bench", metrics=values)
        messages.append((f"gh/1/farm/bench/device-{i % DEVICES}/data", encode(data)))
    _tell({"begun": time.monotonic()})
    for topic, payload in messages:
        client.publish(topic, payload, qos=1)
        if client.unacknowledged() >= 1000:
            client.loop(0.01)
    while client.unacknowledged():
        client.loop(0.01)
    client.close()


def store(port: int, count: int, directory: Path) -> None:
    """Store until `count` messages are committed."""
    ingester = Ingester(HOST, port, directory)
    busy = time.process_time()
    _say_ready(lambda: ingester.store.counters().entries > 0, ingester.turn)
    rest = _memory("VmRSS")
    deadline = time.monotonic() + LIMIT_S
    looked = time.monotonic()
    while time.monotonic() < deadline:
        ingester.turn()
        if ingester.node.pending() or time.monotonic() - looked < LOOK_S:
            continue
        looked = time.monotonic()
        if ingester.store.count() >= count * len(METRICS):
            break
    _tell({"ended": time.monotonic(), "cpu_s": time.process_time() - busy})
    _tell({"rest_rss_mb": rest, "rss_mb": _memory("VmHWM")})
    ingester.close()


def bare(port: int, count: int) -> None:
    """Receive until `count` messages came; acknowledged by paho on receipt, nothing is kept."""
    received = 0

    def on_message(client: Client, userdata: Any, message: MQTTMessage) -> None:
        nonlocal received
        received += 1

    client = Client(CallbackAPIVersion.VERSION2, "bench-bare", clean_session=False)
    client.on_message = on_message
    subscribed = False

    def on_subscribe(*_: Any) -> None:
        nonlocal subscribed
        subscribed = True

    client.on_subscribe = on_subscribe
    client.connect(HOST, port)
    client.subscribe("gh/1/+/+/+/data", qos=1)
    busy = time.process_time()
    _say_ready(lambda: subscribed, lambda: client.loop(0.01))
    deadline = time.monotonic() + LIMIT_S
    while received < count and time.monotonic() < deadline:
        client.loop(0.01)
    _tell({"ended": time.monotonic(), "cpu_s": time.process_time() - busy})
    client.disconnect()


def _memory(name: str) -> float:
    """Return a line of this process's status: `VmRSS` is its memory now, `VmHWM` the most it ever was [MB]."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) / 1000.0


def _tell(fact: dict[str, float]) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


def _say_ready(condition: Any, turn: Any) -> None:
    begun = time.monotonic()
    while not condition():
        turn()
    _tell({"ready": begun})


def _child(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "telemetry.ingest.bench", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _read(child: subprocess.Popen[str], key: str) -> float:
    return _read_all(child, key)[key]


def _read_all(child: subprocess.Popen[str], key: str) -> dict[str, float]:
    assert child.stdout is not None
    line = child.stdout.readline()
    if not line:
        raise RuntimeError(f"expected {key!r} from {child.args!r}, got nothing: it ended with {child.wait()}")
    return {name: float(value) for name, value in json.loads(line).items()}


def measure(kind: str, mode: str, count: int, directory: Path) -> tuple[float, float, dict[str, float]]:
    """Return messages a second of one run, CPU time of the subscriber for one [us], and what is stored, in what memory.

    Args:
        kind: `store` or `bare`.
        mode: `live` or `drain`.
    """
    broker = start_broker(directory / "broker", 0)
    common = ["--port", str(broker.port), "--count", str(count), "--directory", str(directory / "store")]
    try:
        subscriber = _child("--role", kind, *common)
        _read(subscriber, "ready")
        if mode == "drain":
            subscriber.kill()
            subscriber.wait()
        publisher = _child("--role", "publish", *common)
        begun = _read(publisher, "begun")
        if mode == "drain":
            publisher.wait()
            subscriber = _child("--role", kind, *common)
            begun = _read(subscriber, "ready")
        ended = _read_all(subscriber, "ended")
        rate = count / (ended["ended"] - begun)
        memory = _read_all(subscriber, "rss_mb") if kind == "store" else {}
        publisher.wait()
        subscriber.wait()
    finally:
        broker.close()
    facts = {**_stored(directory / "store", count), **memory} if kind == "store" else {}
    return rate, ended["cpu_s"] / count * 1e6, facts


def _stored(directory: Path, count: int) -> dict[str, float]:
    archive = open_store(directory, read_only=True)
    counters = archive.counters()
    times = [archive.read(series, 0.0, float("inf")).at for series in archive.series() if series.zone == "bench"]
    archive.close()
    points, different = sum(map(len, times)), sum(len(np.unique(at)) for at in times)
    return {
        "lost": count * len(METRICS) - different,
        "duplicated": points - different,
        "received_again": counters.points_duplicated,
        "dead_letters": counters.dead_letters,
        "sequence_gaps": counters.messages_lost,
    }


def bench(count: int, repeats: int) -> dict[str, Any]:
    """Run every case `repeats` times, in turn; report medians, the ratio of those of live runs, and the most memory."""
    rates: dict[tuple[str, str], list[float]] = {}
    busy: dict[tuple[str, str], list[float]] = {}
    kept: list[dict[str, float]] = []
    for _ in range(repeats):
        for mode in ("live", "drain"):
            for kind in ("bare", "store"):
                with tempfile.TemporaryDirectory() as directory:
                    rate, cpu_us, facts = measure(kind, mode, count, Path(directory))
                busy.setdefault((mode, kind), []).append(cpu_us)
                rates.setdefault((mode, kind), []).append(rate)
                kept += [facts] if facts else []
    figures: dict[str, Any] = {"bench": "ingest", "messages": count, "metrics": len(METRICS), "repeats": repeats}
    for mode, prefix in (("live", ""), ("drain", "drain_")):
        bare_rate, stored = (median(rates[mode, kind]) for kind in ("bare", "store"))
        figures |= {f"{prefix}bare_per_s": round(bare_rate), f"{prefix}msgs_per_s": round(stored)}
        figures[f"{prefix}msgs_ratio"] = round(stored / bare_rate, 3)
        # On a busy machine rates of two runs differ by more than the programs do: what each message costs does not.
        for kind, name in (("bare", "bare_cpu_us"), ("store", "cpu_us")):
            figures[f"{prefix}{name}"] = round(median(busy[mode, kind]), 1)
    for name in ("lost", "duplicated", "received_again", "dead_letters", "sequence_gaps"):
        figures[name] = int(sum(facts[name] for facts in kept))
    for name in ("rest_rss_mb", "rss_mb"):
        figures[name] = round(max(facts[name] for facts in kept), 1)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--count", type=int, default=10_000, help="messages in a run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--role", choices=("publish", "store", "bare"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role == "publish":
        publish(arguments.port, arguments.count)
    elif arguments.role == "store":
        store(arguments.port, arguments.count, arguments.directory)
    elif arguments.role == "bare":
        bare(arguments.port, arguments.count)
    else:
        figures = bench(arguments.count, arguments.repeats)
        text = json.dumps(figures) if arguments.json else "\n".join(f"{k:<24} {v}" for k, v in figures.items())
        sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
