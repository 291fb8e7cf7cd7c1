"""What the climate model knows: the tunnel's geometry, its state, the grower's controls, and the flows of a step."""

from __future__ import annotations

from dataclasses import dataclass

from telemetry.agronomy.humidity import saturation_vapour_pressure

RHO_CP = 1.2 * 1005.0  # air [J/m3/K]
LATENT = 2.45e6  # [J/kg]
GAMMA = 65.8  # psychrometric constant [Pa/K]
VAPOUR_GAS = 18.0 / 8314.0  # molar mass of water / gas constant [kg K/J]
MG_PER_PPM = 1.0 / 0.554  # CO2 [mg/m3 per ppm]
KELVIN = 273.15


@dataclass(frozen=True, slots=True, kw_only=True)
class ClimateSettings:
    """Geometry and materials; defaults: single-span film tunnel of 8 m in Zhejiang (areas per floor area)."""

    height: float = 2.4  # air volume per floor area [m]
    cover_area: float = 1.5
    light_transmission: float = 0.65  # two films
    cover_absorption: float = 0.05
    fir_emissivity: float = 0.65  # polyethylene, between dry and wet
    fir_transmission: float = 0.25
    side_area: float = 0.22  # both rolled-up sides
    discharge: float = 0.75
    wind_pressure: float = 0.09
    leak: float = 3.0e-4  # [m/s] of air per [m/s] of wind
    film_factor: float = 0.6  # heat loss with the inner film drawn, per film
    leaf_area_index: float = 1.5
    substrate_depth: float = 0.03  # volume of the gutters' substrate per floor area [m]
    deep_soil_degc: float = 17.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClimateState:
    """Temperatures [degC], vapour pressure [Pa], CO2 [mg/m3], substrate water content [m3/m3], free water [kg/m2]."""

    air_degc: float
    canopy_degc: float
    cover_degc: float
    floor_degc: float
    soil_degc: float
    substrate_degc: float
    vapour: float
    co2: float
    water: float
    wetness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """What the grower does: `vent` and `film` 0-1, `heating` [W/m2], `irrigation` [kg/m2/s]."""

    vent: float = 0.0
    film: float = 0.0
    heating: float = 0.0
    irrigation: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Means over one step, positive into the greenhouse: heat [W/m2], vapour [kg/m2/s]."""

    sun: float
    heating: float
    outside: float  # convection, long wave and ventilation, sensible
    ground: float
    latent: float  # released minus taken up
    stored_heat: float
    transpiration: float
    condensation: float
    ventilation_vapour: float
    stored_vapour: float
    par: float  # inside, above the crop


def saturation(degc: float) -> float:
    """Return the saturation vapour pressure [Pa]."""
    return 1000.0 * saturation_vapour_pressure(degc)
