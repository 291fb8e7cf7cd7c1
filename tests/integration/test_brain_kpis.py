"""KPIs come from stored measurements, and what is not known is called unknown with its reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from telemetry.agronomy import disease, humidity
from telemetry.brain.health import Health, farm_health
from telemetry.brain.kpi_table import KPIS
from telemetry.brain.kpis import KpiValue, midnight, zone_kpis
from telemetry.farm import default_farm_text, parse_farm
from telemetry.messages.tables import metrics
from telemetry.store import Point, Quality, Series
from telemetry.store.embedded import EmbeddedStore, open_store

FARM = parse_farm(default_farm_text())
MIDNIGHT = 1775059200.0  # 2026-04-02 00:00 in Hangzhou
HOUR = 3600.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def record(
    store: EmbeddedStore,
    metric: str,
    start: float,
    end: float,
    value: Callable[[float], float] | float,
    *,
    device: str = "climate-1",
    interval: float = 60.0,
    quality: Quality = Quality.GOOD,
) -> None:
    series = Series("yangcunqiao", "tunnel-1", device, metric)
    times = [start + n * interval for n in range(int((end - start) / interval))]
    store.write(
        [
            Point(
                series=series,
                at=at,
                value=value(at) if callable(value) else value,
                received_at=at + 0.2,
                quality=quality,
            )
            for at in times
        ]
    )


def kpi(store: EmbeddedStore, key: str, now: float) -> KpiValue:
    return next(value for value in zone_kpis(store, FARM, "tunnel-1", now) if value.key == key)


def test_day_began_at_local_midnight() -> None:
    assert midnight(FARM, MIDNIGHT + 5.0 * HOUR) == MIDNIGHT


def test_vpd_and_dew_point_are_those_of_the_equations(store: EmbeddedStore) -> None:
    now = MIDNIGHT + HOUR
    record(store, "air_temperature", now - 600.0, now, 20.0)
    record(store, "relative_humidity", now - 600.0, now, 50.0)
    assert kpi(store, "vpd", now).value == pytest.approx(1.169, abs=1e-3)
    assert kpi(store, "dew_point", now).value == pytest.approx(9.27, abs=0.02)
    assert kpi(store, "vpd", now).source == "climate-1"


def test_vpd_is_averaged_after_it_is_computed(store: EmbeddedStore) -> None:
    now = MIDNIGHT + HOUR
    record(store, "air_temperature", now - 120.0, now, lambda at: 10.0 if at < now - 60.0 else 30.0)
    record(store, "relative_humidity", now - 120.0, now, 50.0)
    expected = 0.5 * (humidity.air_vpd(10.0, 50.0) + humidity.air_vpd(30.0, 50.0))
    assert kpi(store, "vpd", now).value == pytest.approx(expected)


def test_stale_measurement_makes_vpd_unknown_and_says_since_when(store: EmbeddedStore) -> None:
    now = MIDNIGHT + HOUR
    for metric in ("air_temperature", "relative_humidity"):
        record(store, metric, now - 1200.0, now - 600.0, 20.0)
    value = kpi(store, "vpd", now)
    assert not value.known
    assert value.value is None
    assert "no good data" in value.reason_en
    assert value.reason_zh


def test_one_missing_input_makes_vpd_unknown_and_leaves_the_others(store: EmbeddedStore) -> None:
    now = MIDNIGHT + 2 * HOUR
    record(store, "air_temperature", MIDNIGHT, now, 15.0)
    assert not kpi(store, "vpd", now).known
    assert kpi(store, "gdd", now).known


def test_flagged_points_do_not_enter_a_kpi(store: EmbeddedStore) -> None:
    now = MIDNIGHT + HOUR
    record(store, "relative_humidity", now - 600.0, now, 50.0)
    record(store, "air_temperature", now - 600.0, now, 55.0, quality=Quality.STUCK)
    assert not kpi(store, "vpd", now).known


def test_daily_light_sums_since_midnight(store: EmbeddedStore) -> None:
    now = MIDNIGHT + 12 * HOUR
    record(store, "ppfd", MIDNIGHT - 6 * HOUR, now, lambda at: 300.0 if at >= MIDNIGHT + 6 * HOUR else 0.0)
    value = kpi(store, "dli", now)
    assert value.value == pytest.approx(300.0 * 6 * HOUR / 1e6, rel=0.01)
    assert value.coverage == pytest.approx(1.0, abs=0.01)


def test_hole_in_the_day_makes_its_light_unknown(store: EmbeddedStore) -> None:
    now = MIDNIGHT + 10 * HOUR
    record(store, "ppfd", MIDNIGHT, MIDNIGHT + 4 * HOUR, 100.0)
    record(store, "ppfd", MIDNIGHT + 6 * HOUR, now, 100.0)
    value = kpi(store, "dli", now)
    assert not value.known
    assert value.coverage == pytest.approx(0.8, abs=0.01)
    assert "only 80% of the window has data" in value.reason_en


def test_degree_days_and_mean_temperature_of_a_day(store: EmbeddedStore) -> None:
    now = MIDNIGHT + 24 * HOUR - 60.0
    record(store, "air_temperature", MIDNIGHT - HOUR, now, lambda at: 10.0 if at < MIDNIGHT + 12 * HOUR else 20.0)
    assert kpi(store, "gdd", now).value == pytest.approx(15.0, rel=0.01)
    assert kpi(store, "air_temperature_24h", now).value == pytest.approx(15.0, rel=0.01)


def test_wet_night_raises_botrytis_as_bulger_says(store: EmbeddedStore) -> None:
    now = MIDNIGHT + 24 * HOUR
    record(store, "air_temperature", MIDNIGHT, now, 20.0)
    record(store, "relative_humidity", MIDNIGHT, now, lambda at: 97.0 if at < MIDNIGHT + 12 * HOUR else 60.0)
    assert kpi(store, "wet_hours", now).value == pytest.approx(12.0)
    assert kpi(store, "botrytis", now).value == pytest.approx(disease.botrytis(12.0, 20.0))


def test_dry_day_has_no_botrytis_risk(store: EmbeddedStore) -> None:
    now = MIDNIGHT + 24 * HOUR
    record(store, "air_temperature", MIDNIGHT, now, 20.0)
    record(store, "relative_humidity", MIDNIGHT, now, 60.0)
    assert kpi(store, "botrytis", now).value == 0.0


def test_empty_store_knows_nothing_and_says_so_for_every_kpi(store: EmbeddedStore) -> None:
    values = zone_kpis(store, FARM, "tunnel-1", MIDNIGHT)
    assert [value.key for value in values] == [row.key for row in KPIS]
    assert not any(value.known for value in values)
    assert all(value.reason_zh and value.reason_en for value in values)


def test_zone_without_a_device_names_what_is_missing(store: EmbeddedStore) -> None:
    value = zone_kpis(store, FARM, "tunnel-2", MIDNIGHT)[0]
    assert value.reason_en == "no device of this zone measures air_temperature, relative_humidity"


def test_every_kpi_is_a_metric_of_the_farm_with_the_same_unit() -> None:
    known = metrics()
    assert {row.key: row.unit for row in KPIS} == {row.key: known[row.key].unit for row in KPIS}


def test_health_tells_fresh_late_silent_and_never_apart(store: EmbeddedStore) -> None:
    now = MIDNIGHT + HOUR

    def health() -> dict[str, Health]:
        return {h.device: h.health for h in farm_health(store, FARM, now)}

    assert health() == {"climate-1": Health.NEVER, "substrate-1": Health.NEVER}
    for metric in FARM.devices[0].metrics:
        record(store, metric, now - 1800.0, now - 900.0, 1.0)
    for metric in FARM.devices[1].metrics:
        record(store, metric, now - 3000.0, now - 900.0, 1.0, device="substrate-1", interval=300.0)
    assert health() == {"climate-1": Health.SILENT, "substrate-1": Health.STALE}
    for metric in FARM.devices[0].metrics:
        record(store, metric, now - 120.0, now, 2.0)
    assert health()["climate-1"] is Health.OK


def test_device_whose_one_metric_stopped_is_stale_and_names_it(store: EmbeddedStore) -> None:
    now = MIDNIGHT + HOUR
    for metric in FARM.devices[0].metrics:
        stop = now - 900.0 if metric == "co2" else now
        record(store, metric, now - 1800.0, stop, 400.0, quality=Quality.RANGE if metric == "ppfd" else Quality.GOOD)
    climate = farm_health(store, FARM, now)[0]
    assert climate.health is Health.STALE
    assert climate.missing == ("co2",)
    assert climate.flagged == ("ppfd",)
    assert math.isclose(climate.last_at, now - 60.0)
