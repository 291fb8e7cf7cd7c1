"""The ring of shared memory, its writer and readers side by side in one process."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robot.ros.transport.ring import Writer
from robot.ros.transport.shared import DESCRIPTOR, HELD_MAX, LAG_MAX, SLOTS, THRESHOLD, Reader, SharedMemoryError


class Pair:
    """A writer and a few readers that keep what they get."""

    def __init__(self) -> None:
        self.writer = Writer()
        self.readers = {name: Reader() for name in ("one", "two")}

    def put(self, value: int, *peers: str, size: int = THRESHOLD) -> dict[str, bytes]:
        return self.writer.put(bytes([value]) * size, peers)

    def get(self, peer: str, descriptor: bytes) -> memoryview:
        return self.readers[peer].get("writer", memoryview(descriptor))


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.writer.close()


def value_of(view: memoryview) -> int:
    values = np.unique(np.frombuffer(view, np.uint8))
    assert values.size == 1, "torn"
    return int(values[0])


def test_a_slot_is_used_again_only_when_its_view_is_gone(pair: Pair) -> None:
    held = pair.get("one", pair.put(1, "one")["one"])
    for value in range(2, 100):
        assert value_of(pair.get("one", pair.put(value, "one")["one"])) == value
        assert value_of(held) == 1
    slices = held[10:20]
    del held
    for value in range(2, 100):
        pair.get("one", pair.put(value, "one")["one"])
    assert value_of(slices) == 1


def test_a_reader_that_holds_many_gets_copies_and_loses_none(pair: Pair) -> None:
    kept = [pair.get("one", pair.put(value, "one")["one"]) for value in range(SLOTS * 3)]
    assert [value_of(view) for view in kept] == list(range(SLOTS * 3))
    assert sum(isinstance(view.obj, bytes) for view in kept) == SLOTS * 3 - HELD_MAX


def test_a_reader_that_lags_misses_what_others_get(pair: Pair) -> None:
    announced = [pair.put(value, "one", "two") for value in range(LAG_MAX)]
    for descriptors in announced:
        pair.get("one", descriptors["one"])
    assert pair.put(50, "one", "two").keys() == {"one"}
    for descriptors in announced:
        pair.get("two", descriptors["two"])
    assert pair.put(51, "one", "two").keys() == {"one", "two"}


@pytest.mark.parametrize("way", ["take_back", "forget"])
def test_descriptors_that_never_arrive_do_not_block_a_peer(pair: Pair, way: str) -> None:
    for value in range(SLOTS * 2):
        assert "one" in pair.put(value, "one")
        if way == "forget":
            pair.writer.forget("one")
        else:
            pair.writer.take_back("one")
    assert value_of(pair.get("one", pair.put(9, "one")["one"])) == 9


def test_a_view_outlives_its_writer_and_its_reader(pair: Pair) -> None:
    view = pair.get("one", pair.put(7, "one", size=3 * THRESHOLD)["one"])
    pair.writer.close()
    pair.readers["one"].close()
    gc.collect()
    assert value_of(view) == 7


def test_a_descriptor_used_again_or_of_a_gone_writer_is_refused(pair: Pair) -> None:
    first = pair.put(1, "one")["one"]
    pair.get("one", first)
    second = pair.put(2, "one")["one"]
    with pytest.raises(SharedMemoryError, match="was announced"):
        pair.get("one", first)
    assert value_of(pair.get("one", second)) == 2
    pair.writer.close()
    with pytest.raises(SharedMemoryError):
        pair.get("two", second)


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, DESCRIPTOR.size - 1), mask=st.integers(1, 255), cut=st.integers(0, 68))
def test_a_damaged_descriptor_never_reads_outside_the_ring(at: int, mask: int, cut: int) -> None:
    pair = Pair()
    damaged = bytearray(pair.put(1, "one")["one"])
    damaged[at] ^= mask
    try:
        view = pair.get("one", bytes(damaged[:cut] if cut < len(damaged) else damaged))
        assert len(view) <= THRESHOLD
    except SharedMemoryError:
        pass
    finally:
        pair.writer.close()
