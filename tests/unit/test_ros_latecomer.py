"""The order in which a transient-local subscription gets what was kept for it and what is new."""

from __future__ import annotations

from robot.ros.latecomer import PATIENCE, Latecomer
from robot.ros.transport.frame import DATA, HISTORY, PRESENT, Frame

TALKER, OTHER = b"t" * 16, b"o" * 16


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def frame(kind: int, number: int, gid: bytes = TALKER) -> Frame:
    return Frame(kind, gid, number, 1.0)


def numbers(passed: list[tuple[Frame, bytes]]) -> list[int]:
    return [head.sequence for head, _ in passed]


def test_new_messages_wait_for_the_kept_ones_and_each_comes_once() -> None:
    late = Latecomer(Clock())
    assert late.admit(frame(DATA, 3), b"") == [] and late.waits_until is not None
    assert numbers(late.admit(frame(HISTORY, 2), b"")) == [2]
    assert numbers(late.admit(frame(PRESENT, 3), b"")) == [3] and late.waits_until is None
    assert numbers(late.admit(frame(DATA, 4), b"")) == [4]
    assert late.admit(frame(HISTORY, 4), b"") == []


def test_what_waits_for_a_word_that_was_dropped_is_overdue_in_the_end_though_nothing_follows() -> None:
    clock = Clock()
    late = Latecomer(clock)
    late.admit(frame(DATA, 1), b"")
    clock.now += 1.0
    late.admit(frame(DATA, 2), b"")
    late.admit(frame(DATA, 1, OTHER), b"")
    assert late.waits_until == 100.0 + PATIENCE and late.overdue() == []
    clock.now = 100.0 + PATIENCE
    assert numbers(late.overdue()) == [1, 2] and late.waits_until == 101.0 + PATIENCE
    assert numbers(late.admit(frame(DATA, 3), b"")) == [3], "it waits no longer"
    clock.now += 1.0
    assert numbers(late.overdue()) == [1] and late.waits_until is None and late.overdue() == []
