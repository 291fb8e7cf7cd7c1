"""The loop's pace on a pretend clock: absolute deadlines, missed ticks skipped, figures counted."""

from __future__ import annotations

import gc
import time

import pytest

from robot.loop.bench import measure
from robot.loop.pace import EDGES_US, PaceStats, pace
from robot.loop.realtime import AbsoluteSleep

MS = 1_000_000


class Pretend:
    """A clock in ns; the sleeper wakes `late` ns after the instant it was told, each tick takes `lasts` ns in turn."""

    def __init__(self, lasts: list[int], late: int = 0) -> None:
        self.time, self.late, self.lasts = 1000 * MS, late, lasts
        self.began: list[int] = []

    def clock(self) -> int:
        return self.time

    def sleep_until(self, at: int) -> None:
        self.time = max(self.time, at + self.late)

    def tick(self) -> None:
        self.began.append(self.time)
        self.time += self.lasts[len(self.began) - 1]

    def run(self) -> PaceStats:
        stats = PaceStats(len(self.lasts))
        pace(
            self.tick,
            period=0.004,
            until=lambda: len(self.began) == len(self.lasts),
            stats=stats,
            sleep_until=self.sleep_until,
            clock_ns=self.clock,
        )
        return stats


def test_ticks_come_on_a_grid_that_does_not_drift() -> None:
    world = Pretend([MS] * 100, late=70_000)
    figures = world.run().figures()
    assert world.began == [1004 * MS + 70_000 + 4 * MS * k for k in range(100)]
    assert (figures["ticks"], figures["overruns"], figures["skipped"]) == (100, 0, 0)
    assert figures["late_us"] == {"p50": 70.0, "p99": 70.0, "max": 70.0}
    assert figures["tick_us"] == {"p50": 1000.0, "p99": 1000.0, "max": 1000.0}
    assert figures["late_histogram_us"]["<100"] == 100  # type: ignore[index]


def test_a_tick_that_takes_too_long_is_never_made_up_for_by_a_burst() -> None:
    world = Pretend([MS, 17 * MS, MS, MS])
    figures = world.run().figures()
    assert world.began == [1004 * MS, 1008 * MS, 1028 * MS, 1032 * MS]
    assert (figures["overruns"], figures["skipped"]) == (1, 4)


@pytest.mark.parametrize(("late_us", "bin_"), [(0, "<10"), (9, "<10"), (10, "<20"), (99_999, "<100000")])
def test_lateness_falls_into_its_bin(late_us: int, bin_: str) -> None:
    stats = PaceStats(4)
    stats.add(late_us * 1000, 0)
    assert stats.figures()["late_histogram_us"][bin_] == 1  # type: ignore[index]


def test_what_is_later_than_all_bins_is_counted_too_and_the_ring_keeps_the_newest() -> None:
    stats = PaceStats(2)
    for late_ms in (200, 1, 1):
        stats.add(late_ms * MS, 0)
    figures = stats.figures()
    assert figures["late_histogram_us"][f">={EDGES_US[-1]}"] == 1  # type: ignore[index]
    assert figures["late_us"] == {"p50": 1000.0, "p99": 1000.0, "max": 200_000.0}


def test_figures_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one tick"):
        PaceStats(1).figures()


def test_the_sleeper_does_not_wake_early() -> None:
    until = time.monotonic_ns() + 3 * MS
    AbsoluteSleep().until(until)
    assert time.monotonic_ns() >= until
    AbsoluteSleep().until(until)  # long gone


def test_the_loop_runs_at_its_pace_in_an_ordinary_process() -> None:
    try:
        figures = measure(0.3, 100.0, real_time=False)
    finally:
        gc.unfreeze()
        gc.enable()
    assert 1 <= figures["ticks"] <= 31
    assert sum(figures["late_histogram_us"].values()) == figures["ticks"]
    assert (figures["scheduler"], figures["memory_locked"], figures["refused"]) == ("SCHED_OTHER", False, [])
    assert (figures["rejected"], figures["state"]) == (0, "RUN")
