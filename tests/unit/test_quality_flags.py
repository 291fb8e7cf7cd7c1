"""Flags of values that arrive in another order than they were measured."""

from __future__ import annotations

import pytest

from telemetry.ingest.quality import Columns, Flagger
from telemetry.messages import Data, Kind, Topic
from telemetry.messages.tables import Metric
from telemetry.store import Quality

TOPIC = Topic(site="farm", zone="z", device="d", kind=Kind.DATA)
METRIC = Metric(key="x", unit="1", minimum=0.0, maximum=100.0, rate=1.0, stuck=300.0, zh="", en="")
T0 = 1_780_000_000.0


def flags(*values: tuple[float, float]) -> list[Quality]:
    """Return the flags of (seconds after T0, value), in the order of their arrival."""
    flagger, columns = Flagger({"x": METRIC}, late_s=1e9, skew_s=1e9), Columns()
    for seq, (at, value) in enumerate(values):
        flagger.take(TOPIC, Data(at=T0 + at, seq=seq, boot="b", metrics={"x": value}), T0 + at, columns)
    return [Quality(each) for each in columns.quality]


def test_older_value_is_held_against_the_range_only_and_is_no_measure_for_what_follows() -> None:
    assert flags((600, 20.0), (0, 50.0), (-60, 500.0), (660, 20.5)) == [
        Quality.GOOD,
        Quality.GOOD,
        Quality.RANGE,
        Quality.GOOD,
    ]


def test_older_value_does_not_wake_a_sensor_that_is_stuck() -> None:
    assert flags((0, 20.0), (200, 20.0), (100, 21.0), (400, 20.0))[-1] == Quality.STUCK


@pytest.mark.parametrize(("minutes", "flag"), [(10.0, Quality.GOOD), (9.0, Quality.RATE)])
def test_change_is_held_against_the_time_it_took(minutes: float, flag: Quality) -> None:
    assert flags((0, 20.0), (60.0 * minutes, 30.0)) == [Quality.GOOD, flag]
