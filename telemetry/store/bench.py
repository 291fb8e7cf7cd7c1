"""Measure the embedded store: writing, reading over its tiers, bytes a point, memory. Used by `berrybrain bench query`.

The reference set: 1000 series, a value a minute, quantised, a daily wave with noise; arrival 0 to 5 s after it was
measured. Days are sealed as they end, so that all lies as it does on a farm: the newest hours hot, the rest sealed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from telemetry.clock import Timers
from telemetry.store import Block, Quality, Series
from telemetry.store.embedded import open_store
from telemetry.store.keeper import Keeper, KeeperSettings
from telemetry.store.segments import segments

SERIES = 1000
STEP_S = 60
BATCH = 50_000
"""Points in one transaction."""
MOST_STEPS = 1440
MANY_STEPS = 5000
"""Fewer points have fewer series, not fewer days: some must be sealed."""
EPOCH = 1_780_012_800
"""Midnight UTC."""
REPEATS = 9
MONTH_S = 30 * 86400.0
OTHER = """
import sys, time
from pathlib import Path
from telemetry.store.embedded import open_store
store = open_store(Path(sys.argv[1]), read_only=True)
print(store.count(), flush=True)
"""


class _Clock:
    """Time of the data: it stands still between batches."""

    def __init__(self) -> None:
        self.at = float(EPOCH)

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class _NoTimers(Timers):
    """The bench calls the keeper itself."""

    def every(self, period: float, callback: Callable[[], None]) -> None:
        pass


class Reference:
    """The reference set, made in blocks in the order of time."""

    def __init__(self, seed: int = 1) -> None:
        self._rng = np.random.default_rng(seed)
        self.names = tuple(
            Series("farm", f"zone-{i // 100}", f"device-{i // 5}", f"metric_{i % 5}") for i in range(SERIES)
        )
        self._level = self._rng.uniform(10.0, 80.0, SERIES)
        self._wave = self._rng.uniform(2.0, 8.0, SERIES)
        self._phase = self._rng.uniform(0.0, 2.0 * np.pi, SERIES)

    def block(self, first: int, steps: int, series: int = SERIES) -> Block:
        """Return `steps` values of each series from step `first`."""
        step = first + np.arange(steps)
        at = (EPOCH + step * STEP_S).astype(np.int64) * 1000
        wave = np.sin(step * (2.0 * np.pi * STEP_S / 86400.0) + self._phase[:series, None])
        value = self._level[:series, None] + self._wave[:series, None] * wave
        value = np.round(value + self._rng.normal(0.0, 0.1, value.shape), 1)
        delay = self._rng.choice([0, 1000, 2000, 5000], value.size, p=[0.7, 0.2, 0.08, 0.02])
        return Block(
            names=self.names[:series],
            series=np.repeat(np.arange(series, dtype=np.int32), steps),
            at=np.tile(at, series),
            value=value.ravel(),
            delay=delay.astype(np.int64),
            quality=np.zeros(value.size, np.uint8),
        )


def bench(directory: Path, points: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Fill an empty store with `points` of the reference set and measure it; figures in ms are medians."""
    series = min(SERIES, max(1, points // MANY_STEPS))
    length = min(MOST_STEPS, max(1, BATCH // series))
    store, clock, reference = open_store(directory), _Clock(), Reference()
    keeper = Keeper(store, clock, _NoTimers(), KeeperSettings())
    steps = -(-points // series)
    writing = sealing = computing = 0.0
    slowest = 0.0
    repeated = 0
    for number, first in enumerate(range(0, steps, length)):
        block = reference.block(first, min(length, steps - first), series)
        began, busy = time.perf_counter(), time.process_time()
        new = store.write_block(block)
        took = time.perf_counter() - began
        computing += time.process_time() - busy
        writing, slowest = writing + took, max(slowest, took)
        if new != len(block):
            raise ValueError(f"expected {len(block)} new points, got {new}")
        if number % 20 == 0:
            repeated += len(block) - store.write_block(block)  # the same again: nothing of it is new
        clock.at = float(EPOCH + (first + len(block) // series) * STEP_S)
        began = time.perf_counter()
        keeper.turn()
        keeper.finish()
        sealing += time.perf_counter() - began
        if number % 20 == 0:
            say(f"{(first + length) * series / 1e6:8.1f} M points, {sealing:6.1f} s of sealing")
    seen = subprocess.run([sys.executable, "-c", OTHER, str(directory)], capture_output=True, text=True, check=True)
    files = segments(store.connection, None, -(2**52), 2**52)
    kinds = {kind: sum(file.bytes for file in files if file.kind == kind) for kind in ("raw", "minute", "rollup")}
    sealed = sum(file.rows for file in files if file.kind == "raw")
    keeper.close()
    store.close()
    return {
        "points": store_count(directory),
        "seen_by_another_process": int(seen.stdout),
        "repeated_and_ignored": repeated,
        "series": series,
        "write_points_per_s": round(points / writing),
        "write_points_per_cpu_s": round(points / computing),
        "slowest_write_ms": round(slowest * 1e3, 1),
        "seal_points_per_s": round(sealed / sealing) if sealed else 0,
        "sealed_points": sealed,
        "bytes_per_point": round(kinds["raw"] / sealed, 3) if sealed else 0.0,
        "bytes_per_point_with_rollups": round(sum(kinds.values()) / sealed, 3) if sealed else 0.0,
        "write_rss_mb": _rss_mb(),
        **_read_apart(directory),
    }


def store_count(directory: Path) -> int:
    store = open_store(directory, read_only=True)
    try:
        return store.count()
    finally:
        store.close()


def _read_apart(directory: Path) -> dict[str, Any]:
    """Measure the reads in a process of their own, so that its memory is a reader's."""
    code = "import sys, json; from pathlib import Path; from telemetry.store.bench import reads; "
    code += "print(json.dumps(reads(Path(sys.argv[1]))))"
    done = subprocess.run([sys.executable, "-c", code, str(directory)], capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def reads(directory: Path) -> dict[str, Any]:
    """Return how long the usual reads take."""
    store = open_store(directory, read_only=True)
    names = store.series()
    newest = max(point.at for point in store.last().values())
    rng = np.random.default_rng(2)
    hour = newest // 3600.0 * 3600.0
    span = min(MONTH_S, max(3600.0, hour - EPOCH))

    def one() -> Series:
        return names[int(rng.integers(len(names)))]

    def day(begin: float) -> int:
        return len(store.summary(one(), begin, begin + 86400.0, step=60.0, without=Quality.GOOD).start)

    begins = rng.uniform(EPOCH, max(EPOCH + 1.0, newest - 2 * 86400.0), REPEATS * 3) // 60.0 * 60.0
    wanted = iter(begins.tolist())
    figures = {
        **_median_ms("last", lambda: store.last(names)),
        **_median_ms("day", lambda: day(next(wanted)), repeats=REPEATS * 2),
        **_median_ms("day_newest", lambda: day(newest - 86400.0)),
        **_median_ms("month", lambda: store.buckets(None, hour - span, hour, step=3600.0)),
        **_median_ms("month_one", lambda: store.buckets([one()], hour - span, hour, step=3600.0)),
        "month_rows": len(store.buckets(None, hour - span, hour, step=3600.0).start),
        "rss_mb": _rss_mb(),
    }
    store.close()
    return figures


def _median_ms(name: str, read: Callable[[], object], repeats: int = REPEATS) -> dict[str, float]:
    """Return how long a read takes, and how much of that is computing: a busy machine shows in the first only."""
    read()
    times, busy = [], []
    for _ in range(repeats):
        began, computed = time.perf_counter(), time.process_time()
        read()
        times.append(time.perf_counter() - began)
        busy.append(time.process_time() - computed)
    return {f"{name}_ms": round(median(times) * 1e3, 2), f"{name}_cpu_ms": round(median(busy) * 1e3, 2)}


def _rss_mb() -> float:
    """Return the most memory that this process has had [MB]; the kernel's other figure begins with the parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1e3, 1)
