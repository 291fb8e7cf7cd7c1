"""The sun stands where pvlib says, and the synthetic weather keeps to the typical year."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from sim.sun import clear_sky_radiation, solar_elevation
from sim.weather import DAY, Weather, cold_wave, overcast_week

JANUARY = 1767196800.0  # 2026-01-01 00:00 in Hangzhou


def weather(seed: int = 7, **kwargs: object) -> Weather:
    return Weather(latitude=29.47, longitude=119.28, seed=seed, **kwargs)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "elevation"),
    [
        (1768449600, 39.313),
        (1774054800, 36.097),
        (1782016200, 81.719),
        (1795334400, 11.802),
        (1775860200, 9.653),
    ],
)
def test_elevation_repeats_pvlib_0_16(at: float, elevation: float) -> None:
    assert math.degrees(solar_elevation(at, 29.47, 119.28)) == pytest.approx(elevation, abs=0.5)


def test_clear_sky_repeats_pvlibs_haurwitz_and_is_dark_at_night() -> None:
    assert clear_sky_radiation(math.radians(39.3134)) == pytest.approx(633.79, rel=1e-3)
    assert clear_sky_radiation(-0.1) == 0.0


def test_same_seed_gives_the_same_weather_and_another_seed_another() -> None:
    at = JANUARY + 100000.0
    assert weather().at(at) == weather().at(at)
    assert weather(8).at(at) != weather().at(at)


@pytest.mark.parametrize(("day", "mean_degc", "megajoule"), [(0, 4.5, 7.3), (90, 15.3, 14.5)])
def test_month_keeps_the_typical_years_temperature_and_light(day: int, mean_degc: float, megajoule: float) -> None:
    seasons = [weather(seed) for seed in range(4)]
    samples = [w.at(JANUARY + (day + d) * DAY + h * 3600.0) for w in seasons for d in range(30) for h in range(24)]
    mean = sum(s.air_degc for s in samples) / len(samples)
    light = sum(s.global_radiation for s in samples) * 3600.0 / 120.0 / 1e6
    assert mean == pytest.approx(mean_degc + 0.5, abs=1.5)
    assert light == pytest.approx(megajoule, rel=0.2)


def test_weather_moves_without_jumps() -> None:
    source = weather()
    hours = [source.at(JANUARY + h * 3600.0) for h in range(240)]
    assert max(abs(b.air_degc - a.air_degc) for a, b in pairwise(hours)) < 4.0
    assert all(5.0 < s.rh_pct <= 99.0 and s.wind > 0.0 and s.sky_degc <= s.air_degc for s in hours)


def test_day_is_warmest_after_noon_and_the_air_driest_then() -> None:
    day = [weather().at(JANUARY + 3 * DAY + h * 3600.0) for h in range(24)]
    assert day.index(max(day, key=lambda s: s.air_degc)) in range(12, 17)
    assert min(day, key=lambda s: s.rh_pct).air_degc > min(day, key=lambda s: s.air_degc).air_degc


def test_cold_wave_takes_eight_degrees_in_a_day() -> None:
    plain, cold = weather(), weather(spells=[cold_wave(JANUARY + 10 * DAY)])
    before = JANUARY + 9.9 * DAY
    within = JANUARY + 11.5 * DAY
    after = JANUARY + 15 * DAY
    assert cold.at(before) == plain.at(before)
    assert cold.at(after) == plain.at(after)
    same_hour = {h: plain.at(within + h * 3600.0).air_degc - cold.at(within + h * 3600.0).air_degc for h in range(24)}
    assert sum(same_hour.values()) / 24.0 == pytest.approx(8.0, abs=0.1)


def test_overcast_week_has_no_sun() -> None:
    spell = weather(spells=[overcast_week(JANUARY + 10 * DAY)])
    noons = [spell.at(JANUARY + (10.5 + d) * DAY).global_radiation for d in range(7)]
    assert 0.0 < max(noons) < 120.0
