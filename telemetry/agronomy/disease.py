"""Weather favourability of fruit rots: hours of leaf wetness and the infection they allow. Never an incidence."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from telemetry.agronomy.humidity import dew_point

WET_RH_PCT = 90.0
"""An hour is wet at or above (Sentelhas et al. 2008)."""
WET_DEPRESSION = 2.0
"""An hour is wet when air is closer than this to its dew point [K]."""
DRY_HOURS_END = 4
"""A wet period ends after this many dry hours (Strawberry Advisory System)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WetPeriod:
    """`hours` wet [h], `mean_degc` while wet, `last`: index of the last wet hour."""

    hours: int
    mean_degc: float
    last: int


def wet_by_humidity(rh_pct: float) -> bool:
    """Tell whether an hour is wet by its relative humidity."""
    return rh_pct >= WET_RH_PCT


def wet_by_depression(air_degc: float, rh_pct: float) -> bool:
    """Tell whether an hour is wet by how near the air is to its dew point."""
    return air_degc - dew_point(air_degc, rh_pct) < WET_DEPRESSION


def wet_periods(wet: Sequence[bool], air_degc: Sequence[float]) -> list[WetPeriod]:
    """Group hours into wet periods; `wet` and `air_degc` are hourly and of equal length, oldest first."""
    periods: list[list[int]] = []
    for hour, is_wet in enumerate(wet):
        if not is_wet:
            continue
        if periods and hour - periods[-1][-1] <= DRY_HOURS_END:
            periods[-1].append(hour)
        else:
            periods.append([hour])
    return [WetPeriod(hours=len(p), mean_degc=sum(air_degc[h] for h in p) / len(p), last=p[-1]) for p in periods]


def botrytis(wet_hours: float, wet_degc: float) -> float:
    """Return the share of flowers that Botrytis can infect, 0-1 (Bulger, Ellis and Madden 1987).

    Args:
        wet_hours: length of the wet period [h]; taken as at most 32.
        wet_degc: mean temperature while wet [degC].
    """
    w, t = min(wet_hours, 32.0), wet_degc
    return _logistic(-4.268 - 0.0901 * w + 0.0294 * w * t - 2.35e-5 * w * t**3)


def anthracnose(wet_hours: float, wet_degc: float) -> float:
    """Return the share of fruit that Colletotrichum can infect, 0-1 (Wilson, Madden and Ellis 1990).

    Args:
        wet_hours: length of the wet period [h]; taken as at most 51.
        wet_degc: mean temperature while wet [degC]; none outside 7-35, below 10 taken as 10 (the fit turns up there).
    """
    if not 7.0 <= wet_degc <= 35.0:
        return 0.0
    w, t = min(wet_hours, 51.0), max(wet_degc, 10.0)
    return _logistic(-3.70 + 0.33 * w - 0.069 * w * t + 0.005 * w * t**2 - 9.3e-5 * w * t**3)


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """One disease: its infection function and the indices from which favourability is moderate and high."""

    key: str
    index: Callable[[float, float], float]
    moderate: float
    high: float

    def level(self, index: float) -> str:
        """Return low, moderate or high."""
        return "high" if index >= self.high else "moderate" if index >= self.moderate else "low"


HAZARDS = (
    Hazard(key="botrytis", index=botrytis, moderate=0.50, high=0.70),
    Hazard(key="anthracnose", index=anthracnose, moderate=0.15, high=0.50),
)
