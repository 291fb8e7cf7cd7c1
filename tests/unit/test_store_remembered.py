"""Sealed buckets in memory: woven together they are what merging makes of them, and room is bounded."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from telemetry.store.remembered import Remembered, between, weave
from telemetry.store.rollup import EMPTY, HOUR, Table, merge


def table(series: list[int], first: int, hours: int, *, seed: int = 1, keep: float = 0.7) -> Table:
    """Return buckets of some of these hours of each series, as they lie in a sealed file."""
    rng = np.random.default_rng(seed)
    chosen = rng.random(len(series) * hours) < keep
    start = np.tile((first + np.arange(hours)) * HOUR, len(series))[chosen]
    count = rng.integers(0, 60, len(start))
    return Table(
        series=np.repeat(np.array(series), hours)[chosen],
        start=start,
        total=np.where(count > 0, rng.normal(0.0, 9.0, len(start)), 0.0),
        low=np.where(count > 0, rng.normal(0.0, 9.0, len(start)), np.inf),
        high=np.where(count > 0, rng.normal(0.0, 9.0, len(start)), -np.inf),
        count=count,
        first=start,
        last=start,
        quality=rng.integers(0, 4, len(start)).astype(np.uint8),
        left_out=60 - count,
    )


def rows(found: Table) -> dict[str, list[float]]:
    return {field.name: getattr(found, field.name).tolist() for field in fields(Table)}


@pytest.mark.parametrize("seed", range(8))
def test_tables_that_follow_each_other_are_woven_as_merging_would(seed: int) -> None:
    parts = [table([1, 2, 5, 9], 100, 30, seed=seed), table([2, 3, 9, 12], 130, 5, seed=seed), EMPTY]
    parts.append(table([1, 12, 700], 140, 9, seed=seed))
    kept = [Remembered().keep("a", HOUR, part) if len(part) else part for part in parts]
    woven = weave(kept[::-1])
    assert woven is not None
    assert rows(woven) == rows(merge(parts, step=HOUR))


def test_tables_that_overlap_in_time_are_left_to_merging() -> None:
    assert weave([table([1], 100, 30, keep=1.0), table([2], 129, 3, keep=1.0)]) is None


def test_columns_of_one_value_are_woven_and_keep_it() -> None:
    alike = [table([1, 2], first, 3, keep=1.0) for first in (0, 3)]
    for part in alike:
        part.quality[:] = 0
        part.left_out[:] = 2
    woven = weave([Remembered().keep("a", HOUR, part) for part in alike])
    assert woven is not None
    assert woven.quality.tolist() == [0] * 12 and woven.left_out.tolist() == [2] * 12


def test_a_span_and_some_series_of_a_table_are_chosen() -> None:
    whole = table([1, 2, 5], 100, 10, keep=1.0)
    some = between(whole, (103 * HOUR, 105 * HOUR), [2, 5, 6])
    assert some.series.tolist() == [2, 2, 5, 5]
    assert (some.start // HOUR).tolist() == [103, 104, 103, 104]
    assert some.first is some.start and some.last is some.start


def test_a_file_that_is_in_another_order_is_put_in_order() -> None:
    shuffled = table([1, 2, 5], 100, 10).where(np.random.default_rng(3).permutation(20))
    kept = Remembered().keep("a", HOUR, shuffled)
    assert rows(kept) == rows(merge([shuffled], step=HOUR))


def test_what_was_not_asked_for_longest_gives_way_to_what_is_new() -> None:
    part = table(list(range(100)), 0, 10, keep=1.0)
    memory = Remembered(most=120_000)  # 53 byte a row: two fit
    for name in ("a", "b"):
        memory.keep(name, HOUR, part)
    assert memory.find("a", HOUR) is not None
    memory.keep("c", HOUR, part)
    assert memory.find("b", HOUR) is None
    assert memory.find("a", HOUR) is not None and memory.find("c", HOUR) is not None
    assert len(Remembered(most=10).keep("a", HOUR, part)) == 1000  # too large to keep, and still answered
