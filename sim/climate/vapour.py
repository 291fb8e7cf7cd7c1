"""The vapour balance of one step: leaves transpire, the cold cover condenses, wind carries away (Vanthoor 2011)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.climate.state import (
    GAMMA,
    KELVIN,
    LATENT,
    MG_PER_PPM,
    RHO_CP,
    VAPOUR_GAS,
    ClimateSettings,
    ClimateState,
    saturation,
)
from sim.weather import Outdoor


@dataclass(frozen=True, slots=True, kw_only=True)
class Moisture:
    """Vapour pressure after the step [Pa] and the step's flows [kg/m2/s]; `fog`: what exceeded saturation."""

    vapour: float
    transpiration: float
    condensation: float
    fog: float
    ventilation: float
    stored: float


def balance(
    state: ClimateState,
    outdoor: Outdoor,
    settings: ClimateSettings,
    *,
    dt: float,
    air: float,
    cover: float,
    light: float,
) -> Moisture:
    """Advance the vapour pressure, backward Euler; what exceeds saturation becomes free water.

    Args:
        state: before the step.
        outdoor: weather.
        settings: the tunnel.
        dt: [s].
        air: exchange with outside [m3/m2/s].
        cover: heat transfer from the air to the cover [W/m2/K]; vapour follows it.
        light: global radiation taken by the leaves [W/m2].
    """
    capacity = VAPOUR_GAS * settings.height / (state.air_degc + KELVIN)
    leaf = leaf_conductance(state, light, settings.leaf_area_index)
    at_leaf, at_cover = saturation(state.canopy_degc), saturation(state.cover_degc)
    condense = 6.4e-9 * cover if state.vapour > at_cover else 0.0
    out = air * VAPOUR_GAS / (state.air_degc + KELVIN)
    outdoor_vapour = saturation(outdoor.air_degc) * outdoor.rh_pct / 100.0
    incoming = air * VAPOUR_GAS * outdoor_vapour / (outdoor.air_degc + KELVIN)
    source = capacity / dt * state.vapour + leaf * at_leaf + condense * at_cover + incoming
    vapour = source / (capacity / dt + leaf + condense + out)
    highest = saturation(state.air_degc)
    return Moisture(
        vapour=min(vapour, highest),
        transpiration=leaf * (at_leaf - vapour),
        condensation=condense * (vapour - at_cover),
        fog=max(0.0, capacity * (vapour - highest) / dt),
        ventilation=incoming - out * vapour,
        stored=capacity * (min(vapour, highest) - state.vapour) / dt,
    )


def leaf_conductance(state: ClimateState, absorbed: float, lai: float) -> float:
    """Return transpiration per pressure difference [kg/m2/s/Pa] (Stanghellini 1987, as in Vanthoor 2011 ch. 8)."""
    day = 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, absorbed - 5.0))))
    ppm = state.co2 / MG_PER_PPM
    deficit = max(0.0, saturation(state.canopy_degc) - state.vapour)
    by_co2 = min(1.5, 1.0 + (6.1e-7 * day + 1.1e-11 * (1.0 - day)) * (ppm - 200.0) ** 2)
    by_deficit = min(5.8, 1.0 + (4.3e-6 * day + 5.2e-6 * (1.0 - day)) * deficit**2)
    stomata = 82.0 * (absorbed + 4.3) / (absorbed + 0.54) * by_co2 * by_deficit
    dry = min(1.0, max(0.1, (state.water - 0.10) / 0.15))
    return dry * 2.0 * RHO_CP * lai / (LATENT * GAMMA * (275.0 + stomata))
