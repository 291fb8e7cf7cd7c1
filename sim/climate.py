"""The air of a tunnel as physics: heat, vapour and CO2 balances after Vanthoor 2011, reduced to nine states.

One step solves the vapour balance, then all temperatures together, both backward Euler with this step's coefficients:
stable at 60 s with the sides rolled up, and what flows in and out equals what is stored to rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sim.weather import Outdoor
from telemetry.agronomy.humidity import saturation_vapour_pressure

SIGMA = 5.67e-8
RHO_CP = 1.2 * 1005.0  # air [J/m3/K]
LATENT = 2.45e6  # [J/kg]
GAMMA = 65.8  # psychrometric constant [Pa/K]
VAPOUR_GAS = 18.0 / 8314.0  # molar mass of water / gas constant [kg K/J]
MG_PER_PPM = 1.0 / 0.554  # CO2 [mg/m3 per ppm]
KELVIN = 273.15
AIR, CANOPY, COVER, FLOOR, SOIL, SUBSTRATE = range(6)


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


def initial_state(outdoor: Outdoor, settings: ClimateSettings) -> ClimateState:
    """Return a plausible start: everything 2 K above outdoor air, the soil between it and the deep soil."""
    air = outdoor.air_degc + 2.0
    return ClimateState(
        air_degc=air,
        canopy_degc=air,
        cover_degc=outdoor.air_degc + 1.0,
        floor_degc=air,
        soil_degc=0.5 * (air + settings.deep_soil_degc),
        substrate_degc=air,
        vapour=_saturation(air) * min(0.9, outdoor.rh_pct / 100.0),
        co2=outdoor.co2_ppm * MG_PER_PPM,
        water=0.55,
        wetness=0.0,
    )


def grower(state: ClimateState, outdoor: Outdoor) -> Controls:
    """Return what a careful grower does: sides rolled up from 22 to 28 degC, inner film drawn on cold nights."""
    vent = min(1.0, max(0.0, (state.air_degc - 22.0) / 6.0))
    daylight = outdoor.global_radiation > 20.0
    if daylight and state.vapour > 0.88 * _saturation(state.air_degc) and state.air_degc > 12.0:
        vent = max(vent, 0.08)
    film = 1.0 if not daylight and outdoor.air_degc < 12.0 else 0.0
    heating = 60.0 * min(1.0, max(0.0, (3.0 - state.air_degc) / 2.0))
    irrigation = 0.4 / 60.0 if daylight and state.water < 0.50 else 0.0
    return Controls(vent=vent, film=film, heating=heating, irrigation=irrigation)


def step(
    state: ClimateState, outdoor: Outdoor, controls: Controls, settings: ClimateSettings, dt: float
) -> tuple[ClimateState, Flows]:
    """Advance the climate by `dt` seconds (60 or less) and return the new state and this step's flows."""
    s, lai = settings, settings.leaf_area_index
    loss = 1.0 - (1.0 - s.film_factor) * controls.film
    exchange = s.leak * max(outdoor.wind, 0.25)
    exchange += s.discharge * controls.vent * s.side_area * outdoor.wind / 2.0 * math.sqrt(s.wind_pressure)
    inside = s.light_transmission * outdoor.global_radiation
    par_taken, nir_taken = 0.93 * (1.0 - math.exp(-0.7 * lai)), 0.65 * (1.0 - math.exp(-0.27 * lai))
    sun_canopy = 0.9 * inside * 0.5 * (par_taken + nir_taken)
    sun_floor = 0.75 * 0.9 * inside * 0.5 * (math.exp(-0.7 * lai) + math.exp(-0.27 * lai))
    sun_air, sun_cover = 0.1 * inside, s.cover_absorption * outdoor.global_radiation
    cover_air = loss * s.cover_area * max(0.5, 1.86 * abs(state.air_degc - state.cover_degc) ** 0.33)

    # Vapour: transpiration, condensation on the cover, ventilation; what exceeds saturation becomes free water.
    capacity = VAPOUR_GAS * s.height / (state.air_degc + KELVIN)
    leaf = _leaf_conductance(state, sun_canopy, lai)
    canopy_sat, cover_sat = _saturation(state.canopy_degc), _saturation(state.cover_degc)
    condense = 6.4e-9 * cover_air if state.vapour > cover_sat else 0.0
    vent_in = exchange * VAPOUR_GAS / (state.air_degc + KELVIN)
    outdoor_vapour = _saturation(outdoor.air_degc) * outdoor.rh_pct / 100.0
    vent_source = exchange * VAPOUR_GAS * outdoor_vapour / (outdoor.air_degc + KELVIN)
    source = capacity / dt * state.vapour + leaf * canopy_sat + condense * cover_sat + vent_source
    vapour = source / (capacity / dt + leaf + condense + vent_in)
    transpiration = leaf * (canopy_sat - vapour)
    condensation = condense * (vapour - cover_sat)
    ventilation = vent_source - vent_in * vapour
    saturated = _saturation(state.air_degc)
    fog = max(0.0, capacity * (vapour - saturated) / dt)
    vapour = min(vapour, saturated)

    # Temperatures: conductances between nodes and to fixed temperatures outside, then one linear solve.
    g = np.zeros((6, 6))
    q = np.zeros(6)
    _join(g, AIR, CANOPY, 10.0 * lai)
    rise = state.floor_degc - state.air_degc
    _join(g, AIR, FLOOR, max(0.5, 1.7 * abs(rise) ** 0.33 if rise > 0.0 else 1.3 * abs(rise) ** 0.25))
    _join(g, AIR, COVER, cover_air)
    _join(g, AIR, SUBSTRATE, 8.0)
    _join(g, FLOOR, SOIL, 2.0 / (0.02 / 1.7 + 0.3 / 0.85))
    shade = 1.0 - math.exp(-0.94 * lai)
    radiate = 4.0 * SIGMA * (0.5 * (state.canopy_degc + state.cover_degc) + KELVIN) ** 3
    _join(g, CANOPY, COVER, loss * radiate * shade * s.fir_emissivity)
    _join(g, FLOOR, COVER, loss * radiate * (1.0 - shade) * s.fir_emissivity)
    _join(g, CANOPY, FLOOR, radiate * shade * 0.9)
    soil_deep = 2.0 / (0.3 / 0.85 + 1.28 / 0.85)
    cover_out = s.cover_area * (2.8 + 1.2 * outdoor.wind)
    cover_sky = 0.7 * s.cover_area * radiate * s.fir_emissivity
    through_film = loss * radiate * 0.9 * s.fir_transmission
    ties = (
        (AIR, RHO_CP * exchange, outdoor.air_degc),
        (COVER, cover_out, outdoor.air_degc),
        (COVER, cover_sky, outdoor.sky_degc),
        (CANOPY, through_film * shade, outdoor.sky_degc),
        (FLOOR, through_film * (1.0 - shade), outdoor.sky_degc),
        (SOIL, soil_deep, s.deep_soil_degc),
    )
    for node, conductance, fixed in ties:
        g[node, node] += conductance
        q[node] += conductance * fixed
    heat = np.array([RHO_CP * s.height, 1200.0 * lai, 500.0 * s.cover_area, 4.0e4, 5.2e5, 3.5e6 * s.substrate_depth])
    q[AIR] += sun_air + controls.heating + LATENT * fog
    q[CANOPY] += sun_canopy - LATENT * transpiration
    q[COVER] += sun_cover + LATENT * condensation
    q[FLOOR] += sun_floor
    before = np.array(
        [state.air_degc, state.canopy_degc, state.cover_degc, state.floor_degc, state.soil_degc, state.substrate_degc]
    )
    after = np.linalg.solve(g + np.diag(heat / dt), q + heat / dt * before)

    par = 0.5 * inside
    uptake = 0.012 * par * par_taken  # [mg/m2/s] at most, by light
    fixing = uptake * 0.0015 / (uptake + 0.0015 * state.co2) if uptake > 0.0 else 0.0  # [m/s]
    respiration = 0.06 * 2.0 ** ((state.canopy_degc - 20.0) / 10.0) * lai / 1.5
    fresh = exchange * outdoor.co2_ppm * MG_PER_PPM
    co2 = (s.height / dt * state.co2 + respiration + fresh) / (s.height / dt + fixing + exchange)
    water = state.water + (controls.irrigation - max(0.0, transpiration)) * dt / (1000.0 * s.substrate_depth)
    drying = 5.0e-9 * max(0.0, saturated - vapour)
    wetness = max(0.0, min(0.5, state.wetness + (fog + 0.1 * condensation - drying) * dt))

    outside = sum(c * (fixed - float(after[node])) for node, c, fixed in ties if node != SOIL)
    flows = Flows(
        sun=sun_air + sun_canopy + sun_cover + sun_floor,
        heating=controls.heating,
        outside=outside,
        ground=soil_deep * (s.deep_soil_degc - float(after[SOIL])),
        latent=LATENT * (fog + condensation - transpiration),
        stored_heat=float(heat @ (after - before)) / dt,
        transpiration=transpiration,
        condensation=condensation + fog,
        ventilation_vapour=ventilation,
        stored_vapour=capacity * (vapour - state.vapour) / dt,
        par=par,
    )
    air, canopy, cover, floor, soil, substrate = (float(t) for t in after)
    new = ClimateState(
        air_degc=air,
        canopy_degc=canopy,
        cover_degc=cover,
        floor_degc=floor,
        soil_degc=soil,
        substrate_degc=substrate,
        vapour=min(vapour, _saturation(air)),
        co2=co2,
        water=min(0.65, max(0.10, water)),
        wetness=wetness,
    )
    return new, flows


def relative_humidity(state: ClimateState) -> float:
    """Return the relative humidity of the air [%]."""
    return 100.0 * state.vapour / _saturation(state.air_degc)


def _saturation(degc: float) -> float:
    return 1000.0 * saturation_vapour_pressure(degc)


def _leaf_conductance(state: ClimateState, absorbed: float, lai: float) -> float:
    """Return transpiration per pressure difference [kg/m2/s/Pa] (Stanghellini 1987, as in Vanthoor 2011 ch. 8)."""
    day = 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, absorbed - 5.0))))
    ppm = state.co2 / MG_PER_PPM
    deficit = max(0.0, _saturation(state.canopy_degc) - state.vapour)
    by_co2 = min(1.5, 1.0 + (6.1e-7 * day + 1.1e-11 * (1.0 - day)) * (ppm - 200.0) ** 2)
    by_deficit = min(5.8, 1.0 + (4.3e-6 * day + 5.2e-6 * (1.0 - day)) * deficit**2)
    stomata = 82.0 * (absorbed + 4.3) / (absorbed + 0.54) * by_co2 * by_deficit
    dry = min(1.0, max(0.1, (state.water - 0.10) / 0.15))
    return dry * 2.0 * RHO_CP * lai / (LATENT * GAMMA * (275.0 + stomata))


def _join(g: np.ndarray[tuple[int, ...], np.dtype[np.float64]], a: int, b: int, conductance: float) -> None:
    g[a, a] += conductance
    g[b, b] += conductance
    g[a, b] -= conductance
    g[b, a] -= conductance
