"""A history keeps its extremes, leaves gaps open and rejected values out; a table of it runs no formula."""

from __future__ import annotations

import csv
import io

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.history import FORMULA, STEPS, as_measured, in_buckets, safe_cell, step_for, to_csv
from telemetry.store import Quality, Samples, Series, Summary

START = 1_790_000_400.0


def samples(at: npt.NDArray[np.float64], value: npt.NDArray[np.float64], bad: tuple[int, ...] = ()) -> Samples:
    quality = np.zeros(len(at), np.uint8)
    quality[list(bad)] = int(Quality.RANGE)
    return Samples(series=Series("s", "z", "d", "m"), at=at, value=value, quality=quality)


def every(interval: float, n: int) -> npt.NDArray[np.float64]:
    return START + interval * np.arange(n)


def test_a_short_span_is_shown_as_it_was_measured() -> None:
    assert step_for(START, START + 3600.0, 600, 60.0) == 0.0
    at = every(60.0, 60)
    told = as_measured(samples(at, np.arange(60.0)), START, START + 3600.0, interval=60.0)
    assert told.at.tolist() == at.tolist()
    assert told.gaps == ()


def test_a_month_of_minutes_becomes_about_as_many_points_as_asked_for() -> None:
    step = step_for(START, START + 30 * 86400.0, 600, 60.0)
    assert step == 7200.0
    assert 30 * 86400.0 / step <= 600
    assert step_for(0.0, 1e12, 1, 60.0) == STEPS[-1]


def test_a_rejected_value_bends_no_curve_and_is_listed_apart() -> None:
    at, value = every(60.0, 10), np.full(10, 15.0)
    value[3] = 85.0
    told = as_measured(samples(at, value, bad=(3,)), START, START + 600.0, interval=60.0)
    assert np.nanmax(told.high) == 15.0
    assert told.rejected == ((at[3], 85.0, int(Quality.RANGE)),)
    assert told.json()["mean"][3] is None


def test_a_bucket_stands_at_its_middle_and_one_without_good_values_is_empty_not_zero() -> None:
    start = np.array([START, START + 600.0])
    nan = float("nan")
    summary = Summary(
        start=start,
        first_at=start,
        last_at=start + 540.0,
        mean=np.array([4.5, nan]),
        low=np.array([0.0, nan]),
        high=np.array([9.0, nan]),
        quality=np.array([0, 1], np.uint8),
        left_out=samples(start[1:], np.array([85.0]), bad=(0,)),
    )
    told = in_buckets(summary, START, START + 1200.0, step=600.0, interval=60.0)
    assert told.json() == {
        "step": 600.0,
        "at": [START + 300.0, START + 900.0],
        "mean": [4.5, None],
        "min": [0.0, None],
        "max": [9.0, None],
        "quality": [0, 1],
        "gaps": [],
        "rejected": [[START + 600.0, 85.0, 1]],
    }


def test_gaps_are_told_with_their_times_at_both_ends_too() -> None:
    at = np.concatenate((every(60.0, 5) + 600.0, every(60.0, 5) + 3000.0))
    told = as_measured(samples(at, np.ones(10)), START, START + 7200.0, interval=60.0)
    assert told.gaps == (
        (START, START + 600.0),
        (START + 840.0, START + 3000.0),
        (START + 3240.0, START + 7200.0),
    )


def test_nothing_measured_is_one_gap_and_no_points() -> None:
    told = as_measured(samples(np.array([]), np.array([])), START, START + 3600.0, interval=60.0)
    assert told.json()["at"] == []
    assert told.gaps == ((START, START + 3600.0),)


@pytest.mark.parametrize("cell", ['=HYPERLINK("http://x","y")', "+1+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(cell: str) -> None:
    assert safe_cell(cell).startswith("'")


@given(st.text(max_size=30))
def test_no_text_cell_of_a_table_begins_like_a_formula(name: str) -> None:
    one = Samples(
        series=Series("s", name, name, name),
        at=np.array([START]),
        value=np.array([-3.2]),
        quality=np.zeros(1, np.uint8),
    )
    text = "".join(to_csv(one, name, "Asia/Shanghai"))
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 2
    assert not any(cell.startswith(FORMULA) for cell in rows[1][:6])
    assert float(rows[1][6]) == -3.2
