"""One step of a tunnel's climate, its start, and the grower who works its sides."""

from __future__ import annotations

import math

from sim.climate import heat, vapour
from sim.climate.heat import AIR, CANOPY, COVER, FLOOR
from sim.climate.state import LATENT, MG_PER_PPM, ClimateSettings, ClimateState, Controls, Flows, saturation
from sim.weather import Outdoor


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
        vapour=saturation(air) * min(0.9, outdoor.rh_pct / 100.0),
        co2=outdoor.co2_ppm * MG_PER_PPM,
        water=0.55,
        wetness=0.0,
    )


def grower(state: ClimateState, outdoor: Outdoor) -> Controls:
    """Return what a careful grower does: sides rolled up from 22 to 28 degC, inner film drawn on cold nights."""
    vent = min(1.0, max(0.0, (state.air_degc - 22.0) / 6.0))
    daylight = outdoor.global_radiation > 20.0
    if daylight and state.vapour > 0.88 * saturation(state.air_degc) and state.air_degc > 12.0:
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
    air = s.leak * max(outdoor.wind, 0.25)
    air += s.discharge * controls.vent * s.side_area * outdoor.wind / 2.0 * math.sqrt(s.wind_pressure)
    inside = s.light_transmission * outdoor.global_radiation
    par, par_taken = 0.5 * inside, 0.93 * (1.0 - math.exp(-0.7 * lai))
    sun = {
        AIR: 0.1 * inside,
        CANOPY: 0.9 * par * (par_taken + 0.65 * (1.0 - math.exp(-0.27 * lai))),
        COVER: s.cover_absorption * outdoor.global_radiation,
        FLOOR: 0.75 * 0.9 * par * (math.exp(-0.7 * lai) + math.exp(-0.27 * lai)),
    }
    cover = heat.cover_conductance(state, s, loss)
    moisture = vapour.balance(state, outdoor, s, dt=dt, air=air, cover=cover, light=sun[CANOPY])
    sources = {
        AIR: sun[AIR] + controls.heating + LATENT * moisture.fog,
        CANOPY: sun[CANOPY] - LATENT * moisture.transpiration,
        COVER: sun[COVER] + LATENT * moisture.condensation,
        FLOOR: sun[FLOOR],
    }
    warmth = heat.balance(state, outdoor, s, sources, dt=dt, air=air, loss=loss)
    water = state.water + (controls.irrigation - max(0.0, moisture.transpiration)) * dt / (1000.0 * s.substrate_depth)
    drying = 5.0e-9 * max(0.0, saturation(state.air_degc) - moisture.vapour)
    wetting = moisture.fog + 0.1 * moisture.condensation  # a tenth of what the cover condenses drips on leaves
    soil_degc, substrate_degc, air_degc, canopy_degc, cover_degc, floor_degc = warmth.degc
    new = ClimateState(
        air_degc=air_degc,
        canopy_degc=canopy_degc,
        cover_degc=cover_degc,
        floor_degc=floor_degc,
        soil_degc=soil_degc,
        substrate_degc=substrate_degc,
        vapour=moisture.vapour,
        co2=_co2(state, outdoor, s, dt=dt, air=air, uptake=0.012 * par * par_taken),
        water=min(0.65, max(0.10, water)),
        wetness=max(0.0, min(0.5, state.wetness + (wetting - drying) * dt)),
    )
    flows = Flows(
        sun=sum(sun.values()),
        heating=controls.heating,
        outside=warmth.outside,
        ground=warmth.ground,
        latent=LATENT * (moisture.fog + moisture.condensation - moisture.transpiration),
        stored_heat=warmth.stored,
        transpiration=moisture.transpiration,
        condensation=moisture.condensation + moisture.fog,
        ventilation_vapour=moisture.ventilation,
        stored_vapour=moisture.stored,
        par=par,
    )
    return new, flows


def relative_humidity(state: ClimateState) -> float:
    """Return the relative humidity of the air [%]; just cooled air above saturation counts as saturated."""
    return min(100.0, 100.0 * state.vapour / saturation(state.air_degc))


def _co2(
    state: ClimateState, outdoor: Outdoor, settings: ClimateSettings, *, dt: float, air: float, uptake: float
) -> float:
    """Return the CO2 after the step [mg/m3]: `uptake` is what light allows [mg/m2/s], saturating with CO2."""
    fixing = uptake * 0.0015 / (uptake + 0.0015 * state.co2) if uptake > 0.0 else 0.0  # [m/s]
    respiration = 0.06 * math.pow(2.0, (state.canopy_degc - 20.0) / 10.0) * settings.leaf_area_index / 1.5
    fresh = air * outdoor.co2_ppm * MG_PER_PPM
    return (settings.height / dt * state.co2 + respiration + fresh) / (settings.height / dt + fixing + air)
