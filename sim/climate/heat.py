"""The heat balance of one step: conductances between six nodes and to what is outside, then one linear solve."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.climate.state import KELVIN, RHO_CP, ClimateSettings, ClimateState
from sim.weather import Outdoor

SIGMA = 5.67e-8
SOIL, SUBSTRATE, AIR, CANOPY, COVER, FLOOR = range(6)  # those with one neighbour first: elimination stays sparse
SOIL_DEEP = 2.0 / (0.3 / 0.85 + 1.28 / 0.85)
"""Conductance from the soil's layer to the ground below [W/m2/K]: 0.3 and 1.28 m thick, 0.85 W/m/K."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmth:
    """Temperatures after the step by node [degC] and flows into the greenhouse [W/m2]."""

    degc: tuple[float, ...]
    outside: float
    ground: float
    stored: float


def capacities(settings: ClimateSettings) -> tuple[float, ...]:
    """Return the nodes' heat capacities [J/m2/K]: 0.3 m of soil, wet substrate, air, leaves, film, 2 cm of floor."""
    s = settings
    return (
        1.73e6 * 0.3,
        3.5e6 * s.substrate_depth,
        RHO_CP * s.height,
        1200.0 * s.leaf_area_index,
        500.0 * s.cover_area,
        4.0e4,
    )


def temperatures(state: ClimateState) -> tuple[float, ...]:
    """Return the temperatures of the nodes [degC]."""
    return (
        state.soil_degc,
        state.substrate_degc,
        state.air_degc,
        state.canopy_degc,
        state.cover_degc,
        state.floor_degc,
    )


def cover_conductance(state: ClimateState, settings: ClimateSettings, loss: float) -> float:
    """Return the convection from the air to the cover [W/m2/K]; `loss` is below 1 with the inner film drawn."""
    return loss * settings.cover_area * max(0.5, 1.86 * math.pow(abs(state.air_degc - state.cover_degc), 0.33))


def balance(
    state: ClimateState,
    outdoor: Outdoor,
    settings: ClimateSettings,
    sources: dict[int, float],
    *,
    dt: float,
    air: float,
    loss: float,
) -> Warmth:
    """Advance all temperatures, backward Euler with this step's coefficients.

    Args:
        state: before the step.
        outdoor: weather.
        settings: the tunnel.
        sources: heat released in a node [W/m2].
        dt: [s].
        air: exchange with outside [m3/m2/s].
        loss: factor on what passes the cover from inside; below 1 with the inner film drawn.
    """
    lai = settings.leaf_area_index
    g = [[0.0] * 6 for _ in range(6)]
    q = [sources.get(node, 0.0) for node in range(6)]
    rise = state.floor_degc - state.air_degc
    shade = 1.0 - math.exp(-0.94 * lai)
    radiate = 4.0 * SIGMA * (0.5 * (state.canopy_degc + state.cover_degc) + KELVIN) ** 3
    _join(g, AIR, CANOPY, 10.0 * lai)
    _join(g, AIR, FLOOR, max(0.5, 1.7 * abs(rise) ** 0.33 if rise > 0.0 else 1.3 * abs(rise) ** 0.25))
    _join(g, AIR, COVER, cover_conductance(state, settings, loss))
    _join(g, AIR, SUBSTRATE, 8.0)
    _join(g, FLOOR, SOIL, 2.0 / (0.02 / 1.7 + 0.3 / 0.85))
    _join(g, CANOPY, COVER, loss * radiate * shade * settings.fir_emissivity)
    _join(g, FLOOR, COVER, loss * radiate * (1.0 - shade) * settings.fir_emissivity)
    _join(g, CANOPY, FLOOR, radiate * shade * 0.9)
    through_film = loss * radiate * 0.9 * settings.fir_transmission
    outside = (
        (AIR, RHO_CP * air, outdoor.air_degc),
        (COVER, settings.cover_area * (2.8 + 1.2 * outdoor.wind), outdoor.air_degc),
        (COVER, 0.7 * settings.cover_area * radiate * settings.fir_emissivity, outdoor.sky_degc),
        (CANOPY, through_film * shade, outdoor.sky_degc),
        (FLOOR, through_film * (1.0 - shade), outdoor.sky_degc),
    )
    for node, conductance, degc in (*outside, (SOIL, SOIL_DEEP, settings.deep_soil_degc)):
        g[node][node] += conductance
        q[node] += conductance * degc
    heat, before = capacities(settings), temperatures(state)
    for node in range(6):
        g[node][node] += heat[node] / dt
        q[node] += heat[node] / dt * before[node]
    after = _solve(g, q)
    return Warmth(
        degc=tuple(after),
        outside=sum(conductance * (degc - after[node]) for node, conductance, degc in outside),
        ground=SOIL_DEEP * (settings.deep_soil_degc - after[SOIL]),
        stored=sum(c * (new - old) for c, new, old in zip(heat, after, before, strict=True)) / dt,
    )


def _join(g: list[list[float]], a: int, b: int, conductance: float) -> None:
    g[a][a] += conductance
    g[b][b] += conductance
    g[a][b] -= conductance
    g[b][a] -= conductance


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve by elimination, in place; without pivots, as the diagonal dominates. Faster than NumPy at this size."""
    n = len(right)
    for k in range(n):
        pivot_row, pivot = matrix[k], matrix[k][k]
        for i in range(k + 1, n):
            row = matrix[i]
            if row[k] != 0.0:
                factor = row[k] / pivot
                for j in range(k + 1, n):
                    row[j] -= factor * pivot_row[j]
                right[i] -= factor * right[k]
    for k in range(n - 1, -1, -1):
        row = matrix[k]
        right[k] = (right[k] - sum(row[j] * right[j] for j in range(k + 1, n))) / row[k]
    return right
