"""The table of KPIs: from which measurements, over which time, by which equation. Adding one adds a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from telemetry.agronomy import disease, humidity, light, thermal

Columns = Mapping[str, npt.NDArray[np.float64]]


class Window(StrEnum):
    NOW = "now"  # the last samples, while they are fresh
    TODAY = "today"  # since midnight at the farm
    DAY = "24h"  # the last 24 hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One row. `compute` takes good simultaneous samples, oldest first, and the seconds each stands for.

    Columns are the inputs, and `hour`: whole hours since the window began.
    """

    key: str
    unit: str
    window: Window
    inputs: tuple[str, ...]
    compute: Callable[[Columns, float], float]
    method: str
    zh: str
    en: str


def _mean_of(function: Callable[[float, float], float]) -> Callable[[Columns, float], float]:
    """Compute for each sample, then average: the VPD of averages is not the average VPD."""

    def compute(columns: Columns, _: float) -> float:
        pairs = zip(columns["air_temperature"], columns["relative_humidity"], strict=True)
        return float(np.mean([function(float(t), max(1.0, float(rh))) for t, rh in pairs]))

    return compute


def _mean(metric: str) -> Callable[[Columns, float], float]:
    return lambda columns, _: float(np.mean(columns[metric]))


def _hourly(columns: Columns) -> tuple[list[float], list[float]]:
    """Return hourly means of temperature and humidity; hours without a sample are left out."""
    hours = [columns["hour"] == hour for hour in np.unique(columns["hour"])]
    return (
        [float(np.mean(columns["air_temperature"][hour])) for hour in hours],
        [float(np.mean(columns["relative_humidity"][hour])) for hour in hours],
    )


def _wet_hours(columns: Columns, step_s: float) -> float:
    return float(np.count_nonzero(columns["relative_humidity"] >= disease.WET_RH_PCT)) * step_s / 3600.0


def _botrytis(columns: Columns, _: float) -> float:
    temperature, rh = _hourly(columns)
    periods = disease.wet_periods([disease.wet_by_humidity(value) for value in rh], temperature)
    return max((disease.botrytis(period.hours, period.mean_degc) for period in periods), default=0.0)


AIR = ("air_temperature", "relative_humidity")
KPIS: tuple[Kpi, ...] = (
    Kpi(
        key="vpd",
        unit="kPa",
        window=Window.NOW,
        inputs=AIR,
        compute=_mean_of(humidity.air_vpd),
        method="FAO-56",
        zh="饱和水汽压差",
        en="VPD",
    ),
    Kpi(
        key="dew_point",
        unit="Cel",
        window=Window.NOW,
        inputs=AIR,
        compute=_mean_of(humidity.dew_point),
        method="FAO-56, inverted",
        zh="露点",
        en="Dew point",
    ),
    Kpi(
        key="dli",
        unit="mol/m2",
        window=Window.TODAY,
        inputs=("ppfd",),
        compute=lambda columns, step_s: light.light_integral([float(v) for v in columns["ppfd"]], step_s),
        method="sum of PPFD since midnight",
        zh="今日光照累积",
        en="Daily light integral, today so far",
    ),
    Kpi(
        key="gdd",
        unit="K.d",
        window=Window.TODAY,
        inputs=("air_temperature",),
        compute=lambda columns, step_s: thermal.degree_days(
            [float(v) for v in columns["air_temperature"]], step_s, base=0.0, upper=25.0
        ),
        method="base 0, upper 25 degC, since midnight",
        zh="今日积温",
        en="Growing degree days, today so far",
    ),
    Kpi(
        key="air_temperature_24h",
        unit="Cel",
        window=Window.DAY,
        inputs=("air_temperature",),
        compute=_mean("air_temperature"),
        method="mean",
        zh="24 小时平均气温",
        en="Mean air temperature, 24 h",
    ),
    Kpi(
        key="wet_hours",
        unit="h",
        window=Window.DAY,
        inputs=AIR,
        compute=_wet_hours,
        method="relative humidity at or above 90 %",
        zh="24 小时叶面湿润",
        en="Wet hours, 24 h",
    ),
    Kpi(
        key="botrytis",
        unit="1",
        window=Window.DAY,
        inputs=AIR,
        compute=_botrytis,
        method="Bulger 1987; wetness by relative humidity",
        zh="灰霉病天气指数",
        en="Botrytis favourability, 24 h",
    ),
)
