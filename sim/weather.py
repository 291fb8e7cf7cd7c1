"""Seeded synthetic weather like Jiande's: any instant can be asked for, and the same seed gives the same season.

Monthly means are those of the Shanghai typical year (CSWD), October to May; June to September are defaults chosen here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import numpy as np

from sim.sun import clear_sky_radiation, solar_elevation
from telemetry.agronomy.humidity import dew_point, relative_humidity, saturation_vapour_pressure

DAY = 86400.0
INLAND_DEGC = 0.5
"""Jiande lies inland of Shanghai: this much warmer on average [K]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Mean air temperature [degC], relative humidity [%], wind [m/s] and share of the clear sky's radiation."""

    air_degc: float
    rh_pct: float
    wind: float
    clearness: float


MONTHS = tuple(
    Month(air_degc=t, rh_pct=rh, wind=wind, clearness=k)
    for t, rh, wind, k in (
        (4.5, 77, 3.1, 0.50),
        (6.3, 72, 3.3, 0.60),
        (9.9, 79, 3.5, 0.45),
        (15.3, 74, 3.4, 0.53),
        (20.6, 77, 3.2, 0.57),
        (24.4, 82, 2.9, 0.46),
        (29.0, 78, 3.1, 0.58),
        (28.6, 79, 3.2, 0.58),
        (24.5, 78, 3.2, 0.53),
        (18.9, 74, 3.4, 0.60),
        (13.6, 68, 2.7, 0.57),
        (7.4, 67, 2.8, 0.65),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdoor:
    """Weather at one instant: W/m2 of global radiation, wind [m/s], effective sky temperature [degC]."""

    at: float
    air_degc: float
    rh_pct: float
    global_radiation: float
    wind: float
    sky_degc: float
    co2_ppm: float = 420.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A named event laid over the season: `cooling` [K] reached after a day; `clearness` replaces that of its days."""

    start_at: float
    duration_s: float
    cooling: float = 0.0
    clearness: float | None = None


def cold_wave(start_at: float) -> Spell:
    """Return a cold wave: 8 K colder within 24 h, for three days, under a clear sky."""
    return Spell(start_at=start_at, duration_s=3.0 * DAY, cooling=8.0, clearness=0.85)


def overcast_week(start_at: float) -> Spell:
    """Return "lian yin": seven days without sun, the common disaster of Zhejiang's winters."""
    return Spell(start_at=start_at, duration_s=7.0 * DAY, clearness=0.15)


class Weather:
    """Weather of one place as a function of time.

    Args:
        latitude: [deg].
        longitude: [deg]; also sets the local solar day.
        seed: of the daily anomalies.
        spells: events laid over the season.
    """

    def __init__(self, *, latitude: float, longitude: float, seed: int, spells: Sequence[Spell] = ()) -> None:
        self._latitude = latitude
        self._longitude = longitude
        self._seed = seed
        self._spells = tuple(spells)
        self._noise = cache(self._draw)

    def at(self, instant: float) -> Outdoor:
        """Return the weather at `instant`, UTC epoch [s]."""
        solar = instant + self._longitude / 360.0 * DAY
        day = math.floor(solar / DAY)
        hour = (solar / DAY - day) * 24.0
        month = _month_at(instant)
        clearness = self._clearness(day, month, instant)
        mean_degc = month.air_degc + INLAND_DEGC + self._blend(0, solar) * 3.0 - self._cooling(instant)
        amplitude = 1.5 + 5.0 * clearness
        air_degc = mean_degc + amplitude * math.cos(2.0 * math.pi * (hour - 14.0) / 24.0)
        rh_mean = min(97.0, max(40.0, month.rh_pct + 20.0 * (month.clearness - clearness)))
        dew_degc = dew_point(mean_degc, rh_mean)
        rh_pct = min(99.0, relative_humidity(air_degc, saturation_vapour_pressure(dew_degc)))
        gust = math.exp(0.4 * self._blend(2, solar) - 0.08)
        wind = month.wind * gust * (1.0 + 0.3 * math.cos(2.0 * math.pi * (hour - 15.0) / 24.0))
        radiation = clearness * clear_sky_radiation(solar_elevation(instant, self._latitude, self._longitude))
        clear_sky_k = 0.0552 * (air_degc + 273.15) ** 1.5  # Swinbank 1963
        sky_degc = clear_sky_k + (1.0 - min(1.0, clearness)) * (air_degc + 273.15 - clear_sky_k) - 273.15
        return Outdoor(
            at=instant, air_degc=air_degc, rh_pct=rh_pct, global_radiation=radiation, wind=wind, sky_degc=sky_degc
        )

    def _draw(self, day: int) -> tuple[float, float, float]:
        """Return three AR(1) standard normals of a day: temperature, cloud, wind; their memories differ."""
        values = []
        for column, phi in enumerate((0.7, 0.5, 0.4)):
            shocks = [np.random.default_rng([self._seed, day - lag, column]).standard_normal() for lag in range(24)]
            values.append(math.sqrt(1.0 - phi * phi) * sum(phi**lag * shock for lag, shock in enumerate(shocks)))
        return values[0], values[1], values[2]

    def _blend(self, column: int, solar: float) -> float:
        """Return a daily anomaly, going smoothly from noon to noon."""
        position = solar / DAY - 0.5
        day = math.floor(position)
        share = position - day
        return self._noise(day)[column] * (1.0 - share) + self._noise(day + 1)[column] * share

    def _clearness(self, day: int, month: Month, instant: float) -> float:
        """Return the day's share of the clear sky's radiation: wet and dry days mixed to the month's mean."""
        for spell in self._spells:
            if spell.clearness is not None and spell.start_at <= instant < spell.start_at + spell.duration_s:
                return spell.clearness
        wet_share = min(0.9, max(0.05, (0.80 - month.clearness) / (0.80 - 0.28)))
        rank = 0.5 * (1.0 + math.erf(self._noise(day)[1] / math.sqrt(2.0)))
        if rank < wet_share:
            return 0.16 + 0.24 * rank / wet_share
        return 0.70 + 0.20 * (rank - wet_share) / (1.0 - wet_share)

    def _cooling(self, instant: float) -> float:
        total = 0.0
        for spell in self._spells:
            since = instant - spell.start_at
            total += spell.cooling * min(1.0, max(0.0, since / DAY), max(0.0, 1.0 - (since - spell.duration_s) / DAY))
        return total


def _month_at(instant: float) -> Month:
    """Return the climate interpolated between the middles of two months."""
    when = datetime.fromtimestamp(instant, UTC)
    position = when.month - 1 + (when.day - 15.5) / 30.4
    low = math.floor(position)
    share = position - low
    a, b = MONTHS[low % 12], MONTHS[(low + 1) % 12]
    return Month(
        air_degc=a.air_degc + share * (b.air_degc - a.air_degc),
        rh_pct=a.rh_pct + share * (b.rh_pct - a.rh_pct),
        wind=a.wind + share * (b.wind - a.wind),
        clearness=a.clearness + share * (b.clearness - a.clearness),
    )
