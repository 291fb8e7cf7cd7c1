"""Attempts to connect become rare while they fail, and quick again after a connection that lasted."""

from __future__ import annotations

import pytest

from telemetry.mqtt.retry import STABLE_S, Retry


def test_pauses_double_up_to_the_longest() -> None:
    retry = Retry(0.1, 1.0)
    assert retry.left(0.0) == 0.0
    pauses = []
    for _ in range(6):
        retry.failed(0.0)
        pauses.append(retry.left(0.0))
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0])
    assert retry.left(2.0) == 0.0


def test_connection_that_lasted_makes_the_next_attempt_quick_and_a_short_one_does_not() -> None:
    retry = Retry(0.1, 10.0)
    for _ in range(4):
        retry.failed(0.0)
    retry.begun(10.0)
    retry.ended(10.0 + STABLE_S / 2)
    assert retry.short_lives == 1
    assert retry.left(10.0 + STABLE_S / 2) == pytest.approx(1.6)
    retry.begun(100.0)
    retry.ended(100.0 + STABLE_S)
    assert retry.short_lives == 0
    assert retry.left(100.0 + STABLE_S) == pytest.approx(0.1)
