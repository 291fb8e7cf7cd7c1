"""The air of a tunnel as physics: heat, vapour and CO2 balances after Vanthoor 2011, reduced to nine states.

One step solves the vapour balance, then all temperatures together, both backward Euler with this step's coefficients:
stable at 60 s with the sides rolled up, and what flows in and out equals what is stored to rounding.
"""

from __future__ import annotations

from sim.climate.model import grower, initial_state, relative_humidity, step
from sim.climate.state import LATENT, MG_PER_PPM, ClimateSettings, ClimateState, Controls, Flows

__all__ = [
    "LATENT",
    "MG_PER_PPM",
    "ClimateSettings",
    "ClimateState",
    "Controls",
    "Flows",
    "grower",
    "initial_state",
    "relative_humidity",
    "step",
]
