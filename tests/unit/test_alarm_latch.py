"""The alarm's state machine and its table: delay, hysteresis and unknown, walked through exhaustively."""

from __future__ import annotations

import itertools
import math

import pytest

from telemetry.brain.alarm_rules import FLAGS, LIMITS, Latch, Rule, Side
from telemetry.messages.tables import faults, metrics

VERDICTS = (True, False, None)


def reference(verdicts: tuple[bool | None, ...], *, delay: float, release: float) -> list[bool]:
    """Say it another way: the alarm turns when every known verdict for long enough disagrees with it."""
    active, history, states = False, [], []
    for at, bad in enumerate(verdicts):
        if bad is not None:
            history.append((at, bad))
        wait = release if active else delay
        agreeing = max((i for i, (_, verdict) in enumerate(history) if verdict is active), default=-1)
        run = history[agreeing + 1 :]
        if bad is not None and run and at - run[0][0] >= wait:
            active, history = not active, [(at, not active)]
        states.append(active)
    return states


@pytest.mark.parametrize("delay", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("release", [0.0, 1.0, 3.0])
def test_latch_agrees_with_its_definition_on_every_sequence_of_seven_verdicts(delay: float, release: float) -> None:
    for verdicts in itertools.product(VERDICTS, repeat=7):
        latch = Latch()
        got = [latch.step(bad, float(at), delay=delay, release=release) for at, bad in enumerate(verdicts)]
        assert got == reference(verdicts, delay=delay, release=release), verdicts


def test_unknown_neither_raises_nor_clears() -> None:
    for active in (False, True):
        latch = Latch(active=active)
        assert all(latch.step(None, at, delay=0.0, release=0.0) is active for at in (0.0, 1e6))


@pytest.mark.parametrize(
    ("side", "bad", "between", "good"),
    [(Side.LOW, 1.9, 2.5, 3.0), (Side.HIGH, 2.1, 1.5, 1.0), (Side.RISE, 2.1, 1.5, 1.0), (Side.FALL, -2.1, -1.5, -1.0)],
)
def test_a_value_is_bad_beyond_the_limit_and_good_only_inside_the_hysteresis(
    side: Side, bad: float, between: float, good: float
) -> None:
    rule = Rule(fault="air_cold", metric="air_temperature", side=side, limit=2.0, hysteresis=1.0, delay=0.0)
    assert rule.judge(bad) is True
    assert rule.judge(between) is None
    assert rule.judge(good) is False
    assert rule.judge(2.0 if side is not Side.FALL else -2.0) is None, "the limit itself is not bad"


def test_every_row_names_a_known_fault_and_a_known_metric_inside_whose_range_its_limit_lies() -> None:
    table, known = faults(), metrics()
    for rule in LIMITS:
        assert rule.fault in table, rule
        metric = known[rule.metric]
        if not rule.is_rate:
            assert metric.minimum < rule.limit < metric.maximum, rule
        assert (rule.window > 0.0) == rule.is_rate, rule
        assert rule.hysteresis > 0.0 and rule.limit > 0.0 and math.isfinite(rule.memory), rule
    assert len({(rule.fault, rule.metric) for rule in LIMITS}) == len(LIMITS), "one alarm per fault and metric"
    assert all(rule.fault in table for rule in FLAGS)
