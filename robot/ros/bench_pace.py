"""Measure what a slow publisher costs and how soon a newcomer is heard."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from pathlib import Path
from typing import Any

from robot.ros.bench_rates import PATIENCE, STRING, Side, text_message
from robot.ros.interfaces import get_message

HZ, HZ_S = 100.0, 3.0  # of the slow publisher, and how long it is watched [s]
ARRIVALS = 9  # newcomers


def _tick(folder: Path, results: Any) -> None:
    """Publish at a constant pace and tell the share of a core [%] that this took."""
    side = Side(folder, "toy")
    publisher, message = side.node.create_publisher(get_message(STRING), "toy", 10), text_message()
    side.until(lambda: publisher.get_subscription_count() == 1)
    side.node.create_timer(1.0 / HZ, lambda: publisher.publish(message))
    ends = time.monotonic() + HZ_S
    spent, began = time.process_time(), time.monotonic()
    while time.monotonic() < ends:
        side.executor.spin_once(timeout_sec=0.1)
    results.put(100.0 * (time.process_time() - spent) / (time.monotonic() - began))
    side.node.context.shutdown()


def _arrive(folder: Path) -> None:
    """Begin, publish when somebody listens, and end, several times; each message holds the instant of its beginning."""
    for _ in range(ARRIVALS):
        began = time.monotonic()
        side = Side(folder, "newcomer")
        publisher = side.node.create_publisher(get_message(STRING), "arrivals", 10)
        side.node.wait_until(lambda publisher=publisher: publisher.get_subscription_count() == 1, PATIENCE)  # type: ignore[misc]
        publisher.publish(get_message(STRING)(data=str(began)))
        side.node.context.shutdown()


def run(folder: Path) -> dict[str, float]:
    """Measure in a private folder.

    Returns:
        The share of a core that publishing at 100 Hz takes [%], and the median time from a context's beginning to its
        first message at a peer [ms].
    """
    spawn = multiprocessing.get_context("spawn")
    figures: dict[str, float] = {}
    side, took, results = Side(folder, "peer"), list[float](), spawn.Queue()
    kind = get_message(STRING)
    side.node.create_subscription(kind, "arrivals", lambda m: took.append(time.monotonic() - float(m.data)), 10)
    side.node.create_subscription(kind, "toy", lambda _: None, 10)
    processes = [spawn.Process(target=_arrive, args=(folder,), daemon=True)]
    processes.append(spawn.Process(target=_tick, args=(folder, results), daemon=True))
    for process, done in zip(processes, (lambda: len(took) == ARRIVALS, lambda: not results.empty()), strict=True):
        process.start()
        side.until(done)
        process.join(timeout=5.0)
        process.kill()
    figures["discovery_ms"] = round(1000.0 * statistics.median(took), 1)
    figures["cpu_100hz_pct"] = round(results.get(), 2)
    side.node.context.shutdown()
    return figures
