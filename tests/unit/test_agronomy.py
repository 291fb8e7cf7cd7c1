"""The agronomy equations repeat the numbers of their sources."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.agronomy import disease, humidity, light, thermal


@pytest.mark.parametrize(
    ("air_degc", "kpa"), [(1.0, 0.657), (10.0, 1.228), (15.0, 1.705), (20.0, 2.338), (24.5, 3.075), (40.0, 7.376)]
)
def test_saturation_pressure_repeats_fao56_table(air_degc: float, kpa: float) -> None:
    assert humidity.saturation_vapour_pressure(air_degc) == pytest.approx(kpa, abs=1e-3)


def test_actual_vapour_pressure_repeats_fao56_example_5() -> None:
    mean = (humidity.vapour_pressure(18.0, 82.0) + humidity.vapour_pressure(25.0, 54.0)) / 2.0
    assert mean == pytest.approx(1.70, abs=0.005)


def test_slope_repeats_fao56_table() -> None:
    assert humidity.saturation_slope(25.0) == pytest.approx(0.189, abs=5e-4)


def test_vpd_at_20_degrees_and_half_saturated_is_half_the_saturation_pressure() -> None:
    assert humidity.air_vpd(20.0, 50.0) == pytest.approx(1.169, abs=1e-3)


def test_dew_falls_on_a_leaf_colder_than_the_dew_point() -> None:
    assert humidity.leaf_vpd(20.0, 80.0, 15.0) < 0.0 < humidity.leaf_vpd(20.0, 80.0, 22.0)


def test_dew_point_repeats_the_known_value_at_20_degrees_half_saturated() -> None:
    assert humidity.dew_point(20.0, 50.0) == pytest.approx(9.26, abs=0.02)


@given(air_degc=st.floats(-5.0, 45.0), rh_pct=st.floats(5.0, 100.0))
def test_air_cooled_to_its_dew_point_is_saturated(air_degc: float, rh_pct: float) -> None:
    dew = humidity.dew_point(air_degc, rh_pct)
    vapour = humidity.vapour_pressure(air_degc, rh_pct)
    assert humidity.saturation_vapour_pressure(dew) == pytest.approx(vapour)


@given(air_degc=st.floats(-5.0, 45.0), rh_pct=st.floats(1.0, 100.0))
def test_relative_humidity_undoes_vapour_pressure(air_degc: float, rh_pct: float) -> None:
    assert humidity.relative_humidity(air_degc, humidity.vapour_pressure(air_degc, rh_pct)) == pytest.approx(rh_pct)


def test_dew_point_of_perfectly_dry_air_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0 %"):
        humidity.dew_point(20.0, 0.0)


def test_saturated_air_at_20_degrees_holds_17_grams() -> None:
    assert humidity.absolute_humidity(20.0, 100.0) == pytest.approx(17.3, abs=0.05)


def test_daily_light_of_a_constant_200_umol_for_12_hours() -> None:
    assert light.light_integral([200.0] * 720, 60.0) == pytest.approx(8.64)


def test_january_outdoor_light_integral_repeats_the_typical_year() -> None:
    assert light.ppfd_from_global(7.3e6 / 86400.0) * 86400.0 / 1e6 == pytest.approx(14.9, abs=0.05)


def test_degree_days_count_hours_not_the_daily_mean() -> None:
    day = [0.0] * 12 + [20.0] * 12
    assert thermal.degree_days(day, 3600.0, base=5.0, upper=30.0) == pytest.approx(7.5)
    assert thermal.degree_days([10.0] * 24, 3600.0, base=5.0, upper=30.0) == pytest.approx(5.0)


def test_degree_days_stop_rising_above_the_upper_limit() -> None:
    assert thermal.degree_days([40.0] * 24, 3600.0, base=0.0, upper=25.0) == pytest.approx(25.0)


@pytest.mark.parametrize(("mean_degc", "days"), [(10.0, 60.0), (15.0, 40.0), (20.0, 30.0), (25.0, 24.0)])
def test_ripening_takes_the_days_of_the_reference(mean_degc: float, days: float) -> None:
    assert thermal.ripening_days(mean_degc) == pytest.approx(days, abs=3.0)


def test_nothing_ripens_at_frost_or_at_40_degrees() -> None:
    assert math.isinf(thermal.ripening_days(0.0))
    assert math.isinf(thermal.ripening_days(40.0))


@pytest.mark.parametrize(("mean_degc", "days"), [(12.0, 8.0), (20.0, 5.0), (25.0, 4.0)])
def test_pick_window_repeats_the_reference(mean_degc: float, days: float) -> None:
    assert thermal.pick_window_days(mean_degc) == pytest.approx(days, abs=0.3)


@pytest.mark.parametrize(
    ("age", "stage"),
    [(0.05, "flower"), (0.3, "green"), (0.7, "white"), (0.85, "turning"), (1.0, "ripe"), (1.1, "overripe")],
)
def test_stage_follows_thermal_age(age: float, stage: str) -> None:
    assert thermal.stage(age) == stage


def test_redness_crosses_10_and_90_percent_where_the_reference_says() -> None:
    assert thermal.redness(0.78) == pytest.approx(0.10)
    assert thermal.redness(0.94) == pytest.approx(0.90)


@given(younger=st.floats(0.0, 1.2), by=st.floats(1e-3, 0.3))
def test_berries_never_lose_mass_while_they_grow(younger: float, by: float) -> None:
    assert thermal.mass_share(younger) < thermal.mass_share(younger + by)
    assert thermal.mass_share(1.0) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("degc", "hours", "index"),
    [(20, 8, 0.14), (20, 12, 0.37), (20, 16, 0.67), (20, 24, 0.96), (10, 24, 0.52), (30, 24, 0.38)],
)
def test_botrytis_repeats_bulger_1987(degc: float, hours: float, index: float) -> None:
    assert disease.botrytis(hours, degc) == pytest.approx(index, abs=0.01)


@pytest.mark.parametrize(
    ("degc", "hours", "index"), [(25, 8, 0.18), (25, 13, 0.47), (25, 24, 0.95), (20, 24, 0.78), (15, 24, 0.24)]
)
def test_anthracnose_repeats_wilson_1990(degc: float, hours: float, index: float) -> None:
    assert disease.anthracnose(hours, degc) == pytest.approx(index, abs=0.01)


def test_anthracnose_needs_warmth() -> None:
    assert disease.anthracnose(40.0, 6.0) == 0.0


def test_wet_period_lasts_through_four_dry_hours_and_ends_at_five() -> None:
    wet = [True, *[False] * 3, True, *[False] * 4, True]
    assert [p.hours for p in disease.wet_periods(wet, [20.0] * len(wet))] == [2, 1]


def test_wet_period_temperature_counts_wet_hours_only() -> None:
    period = disease.wet_periods([True, False, True], [10.0, 30.0, 20.0])[0]
    assert (period.hours, period.mean_degc, period.last) == (2, 15.0, 2)


def test_wetness_rules_follow_humidity_and_dew_point() -> None:
    assert disease.wet_by_humidity(90.0)
    assert not disease.wet_by_humidity(89.9)
    assert disease.wet_by_depression(15.0, 95.0)
    assert not disease.wet_by_depression(15.0, 70.0)


@pytest.mark.parametrize(("index", "level"), [(0.49, "low"), (0.5, "moderate"), (0.7, "high")])
def test_botrytis_levels_have_the_advisory_system_limits(index: float, level: str) -> None:
    assert disease.HAZARDS[0].level(index) == level
