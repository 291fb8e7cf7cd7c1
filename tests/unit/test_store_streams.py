"""Gaps are counted exactly, in any order of arrival."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telemetry.store.streams import MAX_GAPS, RESTART, Stream


def missing(stream: Stream) -> set[int]:
    return {number for first, last in stream.gaps.items() for number in range(first, last + 1)}


@given(st.lists(st.integers(0, 60)))
def test_what_is_missing_is_every_number_between_the_first_and_the_newest_that_did_not_come(numbers: list[int]) -> None:
    stream = Stream(0)
    repeated = stream.add(numbers)
    assert stream.following == max(numbers, default=-1) + 1
    assert missing(stream) == set(range(stream.following)) - set(numbers)
    assert repeated == len(numbers) - len(set(numbers))


def test_a_device_that_starts_over_at_a_far_number_has_lost_nothing() -> None:
    stream = Stream(5)
    stream.add([5, 5 + 2 * RESTART, 6 + 2 * RESTART])
    assert missing(stream) == set()


def test_a_device_with_endless_gaps_is_still_counted_with_bounded_memory() -> None:
    stream = Stream(0)
    stream.add(range(0, 6 * MAX_GAPS, 3))
    assert len(stream.gaps) == MAX_GAPS
    assert stream.lost + len(missing(stream)) == 2 * (2 * MAX_GAPS - 1)
