"""A program that waits for a processor is told from one that hangs, by what the kernel counts."""

from __future__ import annotations

import os

import pytest

from dashboard.cli.starved import EVERY, SPAN, Waiting, late, waited


class Machine:
    """Two programs, what each has waited so far [s], and a clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pids = {"control": 7, "picker": 9}
        self.counted: dict[int, float | None] = {7: 50.0, 9: 3.0}
        self.waiting = Waiting(lambda: self.pids, lambda: self.now, lambda pid: self.counted[pid])

    def run(self, seconds: float, **shares: float) -> None:
        """Let time pass in which programs wait for these shares of it."""
        for _ in range(round(seconds / EVERY)):
            self.waiting.look()
            self.now += EVERY
            for name, share in shares.items():
                before = self.counted[self.pids[name]]
                assert before is not None
                self.counted[self.pids[name]] = before + share * EVERY
        self.waiting.look()


def test_the_one_that_waited_longest_is_named_with_its_share() -> None:
    machine = Machine()
    machine.run(SPAN, picker=0.7, control=0.3)
    worst = machine.waiting.worst()
    assert worst is not None
    assert worst.name == "picker"
    assert worst.share == pytest.approx(0.7)
    english, chinese = worst.lines()
    assert "picker had no processor for 70 % of the last 5 s" in english
    assert "picker 有 70 %" in chinese


def test_what_is_long_past_counts_no_more_and_little_is_no_reason() -> None:
    machine = Machine()
    machine.run(SPAN, picker=0.9)
    machine.run(2.0 * SPAN, picker=0.1, control=0.15)
    assert machine.waiting.worst() is None


def test_a_program_that_was_started_again_is_not_charged_with_what_its_number_counted_before() -> None:
    machine = Machine()
    machine.run(SPAN)
    machine.pids, machine.counted[11] = {"control": 7, "picker": 11}, 40.0
    machine.run(1.0)
    assert machine.waiting.worst() is None


def test_where_nobody_counts_nothing_is_claimed() -> None:
    machine = Machine()
    machine.counted = {7: None, 9: None}
    machine.run(SPAN)
    assert machine.waiting.worst() is None
    assert waited(2**22 + 1) is None, "no such program"


@pytest.mark.skipif(waited(os.getpid()) is None, reason="this kernel has no /proc/PID/schedstat")
def test_the_kernels_count_only_grows() -> None:
    first = waited(os.getpid())
    again = waited(os.getpid())
    assert first is not None
    assert again is not None
    assert 0.0 <= first <= again


def test_a_busy_computer_is_asked_about_where_it_can_be_the_reason() -> None:
    assert late(["picker_lost"])
    assert late(["not_homed", "loop_overrun"])
    assert not late(["operator_stop"])
    assert not late([])
