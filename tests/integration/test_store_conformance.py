"""What every store keeps to; another store joins by one more row in `OPENERS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.store import REJECTED, Block, Point, Quality, Series, Store
from telemetry.store.embedded import EmbeddedStore, open_store
from telemetry.store.seal import Sealer

T0 = 1_780_000_000.0
AIR = Series("farm", "zone-1", "climate-1", "air_temperature")
CO2 = Series("farm", "zone-1", "climate-1", "co2")


class Sealed(EmbeddedStore):
    """Seals everything after each write: what is true of the hot tier is true of sealed days."""

    def write(self, points: Sequence[Point]) -> int:
        return self._sealed(super().write(points))

    def write_block(self, block: Block) -> int:
        return self._sealed(super().write_block(block))

    def _sealed(self, new: int) -> int:
        sealer = Sealer(self)
        for day in sealer.days():
            sealer.seal(day, 0.0)
        while sealer.drain():
            pass
        return new


def sealed(directory: Path) -> Store:
    return Sealed(directory, read_only=False, dead_letter_limit=10)


OPENERS: dict[str, Callable[[Path], Store]] = {"embedded": open_store, "sealed": sealed}
OUTSIDE = ("influxdb", "victoria")
"""Real servers. What they do otherwise is said by the markers `first_stays` and `exact`."""


@pytest.fixture(params=[*OPENERS, *OUTSIDE])
def store(request: pytest.FixtureRequest, tmp_path: Path, outside: Callable[[str, Path], Store]) -> Iterator[Store]:
    name = str(request.param)
    if name in OUTSIDE and request.node.get_closest_marker("first_stays"):
        pytest.skip("a server lets the last value for a time replace the first, and does not tell how many were new")
    if name == "victoria" and request.node.get_closest_marker("exact"):
        pytest.skip("VictoriaMetrics keeps 15 digits")
    opened = OPENERS[name](tmp_path) if name in OPENERS else outside(name, tmp_path)
    yield opened
    opened.close()


def point(series: Series, at: float, value: float, *, delay: float = 0.5, quality: Quality = Quality.GOOD) -> Point:
    return Point(series=series, at=at, value=value, received_at=at + delay, quality=quality)


def test_empty_store_answers_with_nothing(store: Store) -> None:
    assert store.count() == 0
    assert store.series() == []
    assert store.last() == {}
    assert store.last([AIR]) == {}
    assert store.write([]) == 0
    for step in (None, 60.0):
        samples = store.read(AIR, T0, T0 + 1e6, step=step)
        assert samples.series == AIR
        assert len(samples.at) == len(samples.value) == len(samples.quality) == 0


@pytest.mark.exact
def test_points_come_back_as_written_oldest_first(store: Store) -> None:
    written = [point(AIR, T0 + t, 20.0 + t / 7.0, quality=Quality(int(t) % 4)) for t in (120.0, 0.0, 60.001)]
    assert store.write(written) == 3
    samples = store.read(AIR, T0, T0 + 1000.0)
    order = [written[i] for i in (1, 2, 0)]
    assert samples.at == pytest.approx([p.at for p in order], abs=5e-4)
    assert samples.value.tolist() == [p.value for p in order]
    assert samples.quality.tolist() == [int(p.quality) for p in order]
    assert [column.dtype.name for column in (samples.at, samples.value, samples.quality)] == [
        "float64",
        "float64",
        "uint8",
    ]
    assert store.count() == 3


def test_read_includes_its_start_and_excludes_its_end(store: Store) -> None:
    store.write([point(AIR, T0 + t, t) for t in range(5)])
    assert store.read(AIR, T0 + 1, T0 + 3).value.tolist() == [1.0, 2.0]
    assert store.read(AIR, T0 + 3, T0 + 1).value.tolist() == []
    assert store.read(AIR, float("-inf"), float("inf")).value.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.first_stays
def test_repeated_key_is_ignored_and_the_first_value_stays(store: Store) -> None:
    assert store.write([point(AIR, T0, 20.0), point(AIR, T0, 30.0)]) == 1
    assert store.write([point(AIR, T0, 40.0), point(CO2, T0, 500.0)]) == 1
    assert store.read(AIR, T0, T0 + 1).value.tolist() == [20.0]
    assert store.last()[AIR].value == 20.0
    assert store.count() == 2


def test_last_is_the_newest_by_device_time_whatever_the_order_of_arrival(store: Store) -> None:
    store.write([point(AIR, T0 + 60, 21.0, quality=Quality.RANGE), point(CO2, T0, 500.0)])
    store.write([point(AIR, T0 + 30, 19.0)])
    assert store.last([AIR]) == {AIR: point(AIR, T0 + 60, 21.0, quality=Quality.RANGE)}
    assert set(store.last()) == {AIR, CO2}
    assert store.last([CO2, Series("x", "y", "z", "w")]) == {CO2: point(CO2, T0, 500.0)}


def test_series_lists_each_name_once_in_any_script(store: Store) -> None:
    other = Series("莓园", "一号棚", "气候", "air_temperature")
    store.write([point(AIR, T0, 1.0), point(other, T0, 2.0), point(AIR, T0 + 1, 1.0)])
    assert store.series() == sorted([AIR, other])


def test_step_gives_the_mean_of_each_bucket_that_has_points_and_all_its_flags(store: Store) -> None:
    start = T0 - T0 % 60.0
    store.write(
        [
            point(AIR, start, 1.0),
            point(AIR, start + 59.999, 3.0, quality=Quality.LATE),
            point(AIR, start + 30.0, 5.0, quality=Quality.RATE),
            point(AIR, start + 180.0, 7.0),
        ]
    )
    samples = store.read(AIR, start, start + 600.0, step=60.0)
    assert samples.at.tolist() == [start, start + 180.0]
    assert samples.value.tolist() == [3.0, 7.0]
    assert samples.quality.tolist() == [int(Quality.LATE | Quality.RATE), 0]


def test_a_summary_has_extremes_and_leaves_out_what_it_was_asked_to(store: Store) -> None:
    start = T0 - T0 % 60.0
    store.write(
        [
            point(AIR, start + 1.0, 1.0),
            point(AIR, start + 30.0, 85.0, quality=Quality.RANGE),
            point(AIR, start + 59.999, 3.0, quality=Quality.LATE),
            point(AIR, start + 120.0, 99.0, quality=Quality.RANGE | Quality.LATE),
            point(AIR, start + 180.0, 7.0),
            point(AIR, start + 240.0, 8.0),
        ]
    )
    told = store.summary(AIR, start, start + 240.0, step=60.0, without=Quality.RANGE)
    assert told.start.tolist() == [start, start + 120.0, start + 180.0]
    assert told.first_at.tolist() == pytest.approx([start + 1.0, start + 120.0, start + 180.0])
    assert told.last_at.tolist() == pytest.approx([start + 59.999, start + 120.0, start + 180.0])
    assert told.mean.tolist() == pytest.approx([2.0, float("nan"), 7.0], nan_ok=True)
    assert told.low.tolist() == pytest.approx([1.0, float("nan"), 7.0], nan_ok=True)
    assert told.high.tolist() == pytest.approx([3.0, float("nan"), 7.0], nan_ok=True)
    assert told.quality.tolist() == [int(Quality.RANGE | Quality.LATE), int(Quality.RANGE | Quality.LATE), 0]
    assert told.left_out.value.tolist() == [85.0, 99.0]
    assert store.summary(CO2, start, start + 1e6, step=60.0, without=Quality.GOOD).start.tolist() == []


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(-5000, 5000), max_size=40), st.sampled_from([0.5, 7.0, 60.0, 3600.0]))
def test_a_summary_agrees_with_the_buckets_of_a_read(store: Store, times: set[int], step: float) -> None:
    name = Series("farm", "z", f"d{len(times)}-{sum(times)}-{step}", "m")
    store.write([point(name, T0 + t, t / 3.0, quality=Quality.LATE if t % 3 else Quality.GOOD) for t in times])
    told, read = (
        store.summary(name, T0 - 1e4, T0 + 1e4, step=step, without=Quality.GOOD),
        store.read(name, T0 - 1e4, T0 + 1e4, step=step),
    )
    assert told.start.tolist() == read.at.tolist()
    assert told.mean.tolist() == pytest.approx(read.value.tolist())
    assert told.quality.tolist() == read.quality.tolist()


@pytest.mark.parametrize("step", [0.0, -1.0, float("nan")])
def test_step_that_is_no_duration_is_refused(store: Store, step: float) -> None:
    with pytest.raises(ValueError, match="step"):
        store.read(AIR, T0, T0 + 1, step=step)


@pytest.mark.exact
def test_extreme_values_and_all_flags_survive(store: Store) -> None:
    everything = Quality(0)
    for flag in Quality:
        everything |= flag
    values = [0.0, -0.0, 5e-324, -1.7976931348623157e308, 1e300]
    store.write([point(AIR, T0 + i, value, delay=-86400.0, quality=everything) for i, value in enumerate(values)])
    samples = store.read(AIR, T0, T0 + 10)
    assert samples.value.tolist() == values
    assert set(samples.quality.tolist()) == {int(everything)}
    assert store.last()[AIR].received_at == pytest.approx(T0 + 4 - 86400.0)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(0, 30), st.floats(-1e6, 1e6)), min_size=1, max_size=40),
    st.integers(1, 10),
)
def test_store_agrees_with_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, float]], size: int
) -> None:
    for name, opener in OPENERS.items():
        store = opener(tmp_path_factory.mktemp(name))
        model: dict[tuple[Series, float], float] = {}
        new = 0
        for i in range(0, len(rows), size):
            points = [point((AIR, CO2)[which], T0 + at, value) for which, at, value in rows[i : i + size]]
            new += store.write(points)
            for p in points:
                model.setdefault((p.series, p.at), p.value)
        assert new == store.count() == len(model)
        for series in (AIR, CO2):
            expected = sorted((at, value) for (s, at), value in model.items() if s == series)
            samples = store.read(series, 0.0, T0 * 2)
            assert list(zip(samples.at.tolist(), samples.value.tolist(), strict=True)) == expected
            if expected:
                assert store.last([series])[series].at == expected[-1][0]
        store.close()


def test_many_series_in_buckets_agree_with_the_summary_of_each(store: Store) -> None:
    start = T0 - T0 % 86400.0
    flags = {7: Quality.RANGE, 100: Quality.LATE, 200: Quality.STUCK | Quality.LATE}
    store.write(
        [
            point(series, start + 600.0 * i, i / 7.0 + len(series.metric), quality=flags.get(i, Quality.GOOD))
            for series in (CO2, AIR)
            for i in range(300)
        ]
    )
    for step in (600.0, 3600.0, 7200.0, 86400.0):
        for span in ((start, start + 200_000.0), (start + 1000.0, start + 100_100.0)):
            table = store.buckets(None, *span, step=step)
            assert set(table.names) == {AIR, CO2}
            for place, name in enumerate(table.names):
                told = store.summary(name, *span, step=step, without=REJECTED)
                rows = table.series == place
                assert table.start[rows].tolist() == told.start.tolist()
                assert table.mean[rows] == pytest.approx(told.mean, nan_ok=True)
                assert table.low[rows] == pytest.approx(told.low, nan_ok=True)
                assert table.high[rows] == pytest.approx(told.high, nan_ok=True)
                assert table.quality[rows].tolist() == told.quality.tolist()
                assert int(table.count[rows].sum() + table.left_out[rows].sum()) == len(store.read(name, *span).at)
    only = store.buckets([CO2, Series("x", "y", "z", "w")], start, start + 7200.0, step=3600.0)
    assert [only.names[place] for place in only.series] == [CO2, CO2]


@pytest.mark.first_stays
def test_a_block_goes_in_and_comes_out_by_series_and_time(store: Store) -> None:
    names = (CO2, AIR)
    at = np.array([T0 * 1000 + 60_000, T0 * 1000, T0 * 1000, T0 * 1000], np.int64)
    block = Block(
        names=names,
        series=np.array([1, 1, 0, 0], np.int32),
        at=at,
        value=np.array([2.0, 1.0, 500.0, 501.0]),
        delay=np.array([3000, -2000, 0, 0], np.int64),
        quality=np.array([0, 32, 1, 0], np.uint8),
    )
    assert store.write_block(block) == 3
    assert store.write_block(block) == 0
    assert store.last()[AIR] == point(AIR, T0 + 60.0, 2.0, delay=3.0)
    found = store.block(None, T0, T0 + 61.0)
    assert found.names == (CO2, AIR)  # as they came first
    assert list(zip(found.series.tolist(), (found.at - T0 * 1000).tolist(), strict=True)) == [
        (0, 0),
        (1, 0),
        (1, 60_000),
    ]
    assert found.value.tolist() == [500.0, 1.0, 2.0]
    assert found.delay.tolist() == [0, -2000, 3000]
    assert found.quality.tolist() == [1, 32, 0]
    assert store.block([CO2], T0, T0 + 1.0).value.tolist() == [500.0]
    assert len(store.block([AIR], T0 + 100.0, T0 + 200.0)) == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_no_number_is_refused_with_all_that_came_with_it(store: Store, value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        store.write([point(AIR, T0, 1.0), point(AIR, T0 + 1, value)])
    assert store.count() == 0
    assert store.last() == {}


NASTY = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["'; DROP TABLE point; --", '" OR 1=1', "a'b", "\0", "%", "series IN (1)", "a,b=c d", "'' UNION SELECT", "{source}"]
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.builds(Series, NASTY, NASTY, NASTY, NASTY), min_size=4, max_size=12, unique=True))
def test_any_text_is_a_name_and_only_a_name(tmp_path_factory: pytest.TempPathFactory, names: list[Series]) -> None:
    store = open_store(tmp_path_factory.mktemp("names"))
    store.write([point(name, T0, float(i)) for i, name in enumerate(names)])
    for sealing in (False, True):
        if sealing:
            sealer = Sealer(store)
            sealer.seal(next(iter(sealer.days())), 0.0)
        assert store.series() == sorted(names)
        for i, name in enumerate(names):
            assert store.read(name, T0, T0 + 1).value.tolist() == [float(i)]
            assert store.last([name])[name].value == float(i)
            assert store.buckets([name], T0 - 1, T0 + 1, step=60.0).mean.tolist() == [float(i)]
    store.close()
