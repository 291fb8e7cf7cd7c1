"""The tunnel's climate conserves heat and vapour, and stays in the ranges growers report."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from sim.climate import (
    MG_PER_PPM,
    ClimateSettings,
    ClimateState,
    Controls,
    Flows,
    grower,
    initial_state,
    relative_humidity,
    step,
)
from sim.climate.heat import capacities, temperatures
from sim.climate.state import VAPOUR_GAS
from sim.sun import clear_sky_radiation, solar_elevation
from sim.weather import DAY, Outdoor, Spell, Weather

JANUARY = 1767196800.0  # 2026-01-01 00:00 in Hangzhou
TUNNEL = ClimateSettings()


def steady(
    *, air_degc: float = 5.0, radiation: float = 0.0, wind: float = 2.0, sky_degc: float = -12.0, rh_pct: float = 75.0
) -> Outdoor:
    return Outdoor(
        at=JANUARY, air_degc=air_degc, rh_pct=rh_pct, global_radiation=radiation, wind=wind, sky_degc=sky_degc
    )


def hold(outdoor: Outdoor, controls: Controls, hours: float) -> tuple[ClimateState, Flows]:
    state = initial_state(outdoor, TUNNEL)
    for _ in range(int(hours * 60.0)):
        state, flows = step(state, outdoor, controls, TUNNEL, 60.0)
    return state, flows


def _dark(outdoor: Outdoor) -> bool:
    return outdoor.global_radiation == 0.0


def season(spells: tuple[Spell, ...], days: int, *, film: bool = True) -> list[tuple[Outdoor, ClimateState, Flows]]:
    weather = Weather(latitude=29.47, longitude=119.28, seed=3, spells=spells)
    state = initial_state(weather.at(JANUARY), TUNNEL)
    rows = []
    for minute in range(days * 1440):
        outdoor = weather.at(JANUARY + minute * 60.0)
        controls = grower(state, outdoor)
        state, flows = step(state, outdoor, controls if film else replace(controls, film=0.0), TUNNEL, 60.0)
        rows.append((outdoor, state, flows))
    return rows


CLEAR = Spell(start_at=JANUARY, duration_s=3.0 * DAY, clearness=0.9)
DULL = Spell(start_at=JANUARY, duration_s=3.0 * DAY, clearness=0.15)


def test_heat_that_flows_is_the_heat_that_is_stored() -> None:
    rows = season((CLEAR,), 2)
    first, last = rows[0][1], rows[-1][1]
    pairs = zip(capacities(TUNNEL), temperatures(first), temperatures(last), strict=True)
    stored = sum(capacity * (after - before) for capacity, before, after in pairs)
    flowed = sum(f.sun + f.heating + f.outside + f.ground + f.latent for _, _, f in rows[1:]) * 60.0
    throughput = sum(f.sun + f.heating for _, _, f in rows[1:]) * 60.0
    assert throughput > 1e6
    assert abs(flowed - stored) < 1e-9 * throughput


def test_vapour_that_flows_is_the_vapour_that_is_stored() -> None:
    def content(state: ClimateState) -> float:
        return VAPOUR_GAS * TUNNEL.height * state.vapour / (state.air_degc + 273.15)

    rows = season((CLEAR,), 2)
    stored = content(rows[-1][1]) - content(rows[0][1])
    flowed = sum(f.transpiration - f.condensation + f.ventilation_vapour for _, _, f in rows[1:]) * 60.0
    throughput = sum(f.transpiration for _, _, f in rows[1:]) * 60.0
    assert throughput > 0.1
    assert abs(flowed - stored) < 1e-3 * throughput


def test_clear_winter_nights_are_some_degrees_warmer_inside_and_more_with_the_inner_film() -> None:
    def night_mean(*, film: bool) -> float:
        night = [state.air_degc - out.air_degc for out, state, _ in season((CLEAR,), 3, film=film)[1440:] if _dark(out)]
        return sum(night) / len(night)

    assert 1.0 < night_mean(film=False) < night_mean(film=True) < 5.0


def test_sunny_winter_day_warms_a_closed_tunnel_up_to_twenty_degrees() -> None:
    outdoor = steady(air_degc=6.0, radiation=500.0)
    state, _ = hold(outdoor, Controls(), 3.0)
    assert 8.0 < state.air_degc - outdoor.air_degc < 22.0


def test_cloudy_day_warms_the_tunnel_little() -> None:
    rows = season((DULL,), 3)[1440:]
    day = [state.air_degc - out.air_degc for out, state, _ in rows if out.global_radiation > 30.0]
    assert 0.5 < sum(day) / len(day) < 4.0


def test_morning_rises_by_degrees_per_hour_as_growers_report() -> None:
    elevation = [solar_elevation(JANUARY + h * 3600.0, 29.47, 119.28) for h in (8.0, 10.0)]
    state, _ = hold(steady(air_degc=3.0), Controls(film=1.0), 12.0)
    start = state.air_degc
    for minute in range(120):
        share = elevation[0] + (elevation[1] - elevation[0]) * minute / 120.0
        outdoor = steady(air_degc=4.0, radiation=0.85 * clear_sky_radiation(share))
        state, _ = step(state, outdoor, Controls(), TUNNEL, 60.0)
    assert 3.0 < (state.air_degc - start) / 2.0 < 8.0


def test_open_sides_in_wind_bring_outdoor_air_without_oscillation() -> None:
    outdoor = steady(air_degc=15.0, radiation=600.0, wind=15.0)
    state = initial_state(outdoor, TUNNEL)
    temperatures = []
    for _ in range(120):
        state, _ = step(state, outdoor, Controls(vent=1.0), TUNNEL, 60.0)
        temperatures.append(state.air_degc)
    assert abs(state.air_degc - 15.0) < 3.0
    assert abs(temperatures[-1] - temperatures[-2]) < 0.01


def test_film_and_heating_keep_a_frosty_night_warmer() -> None:
    frost = steady(air_degc=-5.0, sky_degc=-25.0)
    bare, _ = hold(frost, Controls(), 8.0)
    film, _ = hold(frost, Controls(film=1.0), 8.0)
    heated, _ = hold(frost, Controls(film=1.0, heating=60.0), 8.0)
    assert bare.air_degc < film.air_degc < heated.air_degc


def test_crop_draws_co2_down_by_day_and_gives_it_back_by_night() -> None:
    day, _ = hold(steady(air_degc=12.0, radiation=400.0), Controls(), 4.0)
    night, _ = hold(steady(air_degc=12.0), Controls(), 8.0)
    assert 100.0 < day.co2 / MG_PER_PPM < 380.0 < night.co2 / MG_PER_PPM < 1500.0


def test_humidity_stays_between_dry_and_saturated_and_wet_nights_leave_water() -> None:
    rows = season((DULL,), 3)
    humidity = [relative_humidity(state) for _, state, _ in rows]
    assert min(humidity) > 20.0
    assert max(humidity) <= 100.0 + 1e-9
    assert all(math.isfinite(value) for _, state, _ in rows for value in (state.air_degc, state.co2, state.vapour))


def test_leaves_transpire_more_in_light_than_in_the_dark() -> None:
    _, day = hold(steady(air_degc=15.0, radiation=400.0), Controls(vent=0.2), 3.0)
    _, night = hold(steady(air_degc=15.0), Controls(vent=0.2), 3.0)
    assert day.transpiration > 3.0 * night.transpiration >= 0.0


@pytest.mark.parametrize(("air_degc", "vent"), [(20.0, 0.0), (25.0, 0.5), (35.0, 1.0)])
def test_grower_opens_the_sides_from_22_to_28_degrees(air_degc: float, vent: float) -> None:
    state, _ = hold(steady(), Controls(), 0.1)
    warm = replace(state, air_degc=air_degc)
    assert grower(warm, steady(radiation=300.0)).vent == pytest.approx(vent)
