"""Timers on a clock that someone else moves."""

from __future__ import annotations

import pytest

from dashboard.timers import ClockTimers


class HandClock:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.time = 10.0

    def now(self) -> float:
        return 1_800_000_000.0 + self.time

    def monotonic(self) -> float:
        return self.time


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def advance(clock: HandClock, timers: ClockTimers, *steps: float) -> None:
    for step in steps:
        clock.time += step
        timers.run_due()


def test_callbacks_run_in_order_of_time_and_then_of_posting(clock: HandClock) -> None:
    timers, seen = ClockTimers(clock), list[str]()
    timers.post(lambda: seen.append("late"), delay=2.0)
    timers.post(lambda: seen.append("first"), delay=1.0)
    timers.post(lambda: seen.append("second"), delay=1.0)
    advance(clock, timers, 0.9)
    assert seen == []
    advance(clock, timers, 5.0)
    assert seen == ["first", "second", "late"]


def test_a_cancelled_callback_does_not_run(clock: HandClock) -> None:
    timers, seen = ClockTimers(clock), list[str]()
    timers.post(lambda: seen.append("never"), delay=1.0).cancel()
    assert timers.next_due() is None
    advance(clock, timers, 2.0)
    assert seen == []


def test_a_period_keeps_its_grid_and_missed_calls_are_not_made_up(clock: HandClock) -> None:
    timers, seen = ClockTimers(clock), list[float]()
    timers.every(0.5, lambda: seen.append(clock.time))
    advance(clock, timers, 0.5, 0.25, 0.25, 3.1, 0.3, 0.1)
    assert seen == pytest.approx([10.5, 11.0, 14.1, 14.5])


def test_what_a_callback_posts_for_now_waits_for_the_next_turn(clock: HandClock) -> None:
    timers, seen = ClockTimers(clock), list[int]()

    def again() -> None:
        seen.append(len(seen))
        timers.post(again)

    timers.post(again)
    assert [timers.run_due(), timers.run_due()] == [1, 1]
    assert seen == [0, 1]


def test_a_period_of_nothing_is_refused(clock: HandClock) -> None:
    with pytest.raises(ValueError, match="expected a period > 0 s, got 0"):
        ClockTimers(clock).every(0.0, lambda: None)
