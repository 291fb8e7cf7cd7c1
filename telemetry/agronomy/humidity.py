"""Water vapour in air: saturation pressure, deficit, dew point, absolute humidity."""

from __future__ import annotations

import math


def saturation_vapour_pressure(air_degc: float) -> float:
    """Return the saturation vapour pressure over water [kPa] (FAO Irrigation and Drainage Paper 56, eq. 11)."""
    return 0.6108 * math.exp(17.27 * air_degc / (air_degc + 237.3))


def saturation_slope(air_degc: float) -> float:
    """Return the slope of the saturation vapour pressure curve [kPa/K] (FAO-56, eq. 13)."""
    return 4098.0 * saturation_vapour_pressure(air_degc) / (air_degc + 237.3) ** 2


def vapour_pressure(air_degc: float, rh_pct: float) -> float:
    """Return the actual vapour pressure [kPa] (FAO-56, eq. 10 solved for it)."""
    return saturation_vapour_pressure(air_degc) * rh_pct / 100.0


def relative_humidity(air_degc: float, vapour_kpa: float) -> float:
    """Return the relative humidity [%] of air that holds `vapour_kpa`."""
    return 100.0 * vapour_kpa / saturation_vapour_pressure(air_degc)


def air_vpd(air_degc: float, rh_pct: float) -> float:
    """Return the vapour pressure deficit of the air [kPa]. Average deficits, never the deficit of averages."""
    return saturation_vapour_pressure(air_degc) - vapour_pressure(air_degc, rh_pct)


def leaf_vpd(air_degc: float, rh_pct: float, leaf_degc: float) -> float:
    """Return the deficit between a leaf of `leaf_degc` and the air [kPa]; negative when dew falls on the leaf."""
    return saturation_vapour_pressure(leaf_degc) - vapour_pressure(air_degc, rh_pct)


def dew_point(air_degc: float, rh_pct: float) -> float:
    """Return the dew point [degC]: FAO-56, eq. 11 solved for the temperature at which the air is saturated.

    Raises:
        ValueError: `rh_pct` is not above 0.
    """
    if not rh_pct > 0.0:
        raise ValueError(f"rh_pct must be above 0 %, got {rh_pct}")
    g = math.log(vapour_pressure(air_degc, rh_pct) / 0.6108)
    return 237.3 * g / (17.27 - g)


def absolute_humidity(air_degc: float, rh_pct: float) -> float:
    """Return the vapour density [g/m3] (ideal gas, 2.16679 g K/J)."""
    return 2.16679 * 1000.0 * vapour_pressure(air_degc, rh_pct) / (air_degc + 273.15)
