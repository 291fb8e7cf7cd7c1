"""How often a subscription that keeps all messages says how far it has come."""

from __future__ import annotations

from robot.ros.flow import PATIENCE, STEP, WORD_EVERY, Inflow

TALKER = bytes(16)


class Taking:
    """An inflow with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 50.0
        self.told: list[int] = []
        self.inflow = Inflow(lambda _, sequence: self.told.append(sequence), lambda: self.now)

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
