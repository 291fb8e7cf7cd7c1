"""How often a subscription that keeps all messages says how far it has come."""

from __future__ import annotations

from collections.abc import Callable

from robot.ros.flow import PATIENCE, REPEATS, STEP, WORD_EVERY, Inflow

TALKER = bytes(16)


class Taking:
    """An inflow with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 50.0
        self.told: list[int] = []
        self.later: list[tuple[Callable[[], None], float]] = []
        self.inflow = Inflow(
            lambda _, sequence: self.told.append(sequence),
            lambda: self.now,
            lambda call, delay: self.later.append((call, delay)),
            b"elsewhere",
        )

    def take(self, count: int, every: float) -> None:
        for sequence in range(1, count + 1):
            self.inflow.took(TALKER, sequence)
            self.now += every


def test_a_fast_subscription_says_a_word_every_hundred_messages() -> None:
    taking = Taking()
    taking.take(3 * STEP, every=0.0)
    assert taking.told == [STEP, 2 * STEP, 3 * STEP]


def test_a_slow_subscription_says_a_word_long_before_the_publisher_loses_patience() -> None:
    taking = Taking()
    taking.take(9, every=0.4 * WORD_EVERY)
    assert taking.told == [4, 7] and PATIENCE > 2 * WORD_EVERY


def test_a_word_after_the_step_starts_the_second_anew() -> None:
    taking = Taking()
    taking.take(STEP, every=0.0)
    taking.now += 0.9 * WORD_EVERY
    taking.inflow.took(TALKER, STEP + 1)
    assert taking.told == [STEP]
    taking.now += 0.1 * WORD_EVERY
    taking.inflow.took(TALKER, STEP + 2)
    assert taking.told == [STEP, STEP + 2]


def pass_time(taking: Taking) -> None:
    (call, delay), *taking.later = taking.later
    taking.now += delay
    call()


def test_the_last_word_is_said_again_in_case_it_was_dropped_and_then_no_more() -> None:
    taking = Taking()
    taking.take(STEP + 7, every=0.0)
    taking.told.clear()
    while taking.later:
        pass_time(taking)
    assert taking.told == [STEP + 7] * REPEATS and REPEATS * WORD_EVERY < PATIENCE


def test_new_messages_are_said_again_as_often() -> None:
    taking = Taking()
    taking.inflow.took(TALKER, 1)
    pass_time(taking)
    taking.inflow.took(TALKER, 2)
    taking.told.clear()
    while taking.later:
        pass_time(taking)
    assert taking.told == [2] * REPEATS


def test_publishers_that_have_gone_or_are_here_get_no_more_words() -> None:
    taking = Taking()
    taking.inflow.took(TALKER, 1)
    taking.inflow.took(b"elsewhere-not" + bytes(3), 1)
    taking.inflow.forget(TALKER)
    taking.told.clear()
    while taking.later:
        pass_time(taking)
    assert taking.told == []
