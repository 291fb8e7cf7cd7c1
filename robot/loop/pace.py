"""Runs a tick at a fixed rate on absolute deadlines, never two at once, and keeps figures of how late it was."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

EDGES_US: tuple[int, ...] = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
"""Upper ends of the histogram's bins [us]; one more bin is for what is later."""


class PaceStats:
    """Lateness of wake-ups and length of ticks, in arrays allocated once.

    Args:
        ticks: how many the exact percentiles reach back.
    """

    def __init__(self, ticks: int) -> None:
        self.histogram = [0] * (len(EDGES_US) + 1)
        self.count = self.overruns = self.skipped = 0
        self.latest_ns = 0
        self._late: npt.NDArray[np.int64] = np.zeros(ticks, dtype=np.int64)
        self._took: npt.NDArray[np.int64] = np.zeros(ticks, dtype=np.int64)

    def add(self, late_ns: int, took_ns: int) -> None:
        """Note one tick."""
        k = self.count % len(self._late)
        self._late[k], self._took[k] = late_ns, took_ns
        self.count += 1
        self.latest_ns = max(self.latest_ns, late_ns)
        late_us, i = late_ns // 1000, 0
        while i < len(EDGES_US) and late_us >= EDGES_US[i]:
            i += 1
        self.histogram[i] += 1

    def figures(self) -> dict[str, object]:
        """Return counts, percentiles and the histogram; not from inside the loop."""
        kept = min(self.count, len(self._late))
        if not kept:
            raise ValueError("expected at least one tick before figures are asked for, got none")
        late, took = self._late[:kept] / 1e3, self._took[:kept] / 1e3
        labels = [*(f"<{edge}" for edge in EDGES_US), f">={EDGES_US[-1]}"]
        return {
            "ticks": self.count,
            "overruns": self.overruns,
            "skipped": self.skipped,
            "late_us": _summary(late) | {"max": round(self.latest_ns / 1e3, 1)},
            "tick_us": _summary(took),
            "late_histogram_us": dict(zip(labels, self.histogram, strict=True)),
        }


def _summary(values: npt.NDArray[np.float64]) -> dict[str, float]:
    p50, p99 = np.percentile(values, [50, 99])
    return {"p50": round(float(p50), 1), "p99": round(float(p99), 1), "max": round(float(values.max()), 1)}


def pace(
    tick: Callable[[], None],
    *,
    period: float,
    until: Callable[[], bool],
    stats: PaceStats,
    sleep_until: Callable[[int], None],
    clock_ns: Callable[[], int] = time.monotonic_ns,
) -> None:
    """Call `tick` every `period` [s] until `until()`.

    A tick that ends after the next one was due is an overrun; ticks that were missed are skipped, never made up for.

    Args:
        sleep_until: returns at that instant of `clock_ns`.
    """
    step = round(period * 1e9)
    due = clock_ns() + step
    while not until():
        sleep_until(due)
        began = clock_ns()
        tick()
        ended = clock_ns()
        stats.add(max(0, began - due), ended - began)
        due += step
        if ended > due:
            missed = (ended - due) // step + 1
            stats.overruns += 1
            stats.skipped += missed
            due += missed * step
