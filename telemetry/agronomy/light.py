"""Light for plants: photon flux from radiation and the daily light integral."""

from __future__ import annotations

from collections.abc import Sequence

UMOL_PER_JOULE_GLOBAL = 2.04
"""Photons of 400-700 nm per joule of global radiation [umol/J]: PAR share 0.446 x 4.57 umol/J (McCree 1972)."""


def ppfd_from_global(global_radiation: float) -> float:
    """Return the photon flux density [umol/m2/s] of global radiation [W/m2]."""
    return UMOL_PER_JOULE_GLOBAL * global_radiation


def light_integral(ppfd: Sequence[float], step_s: float) -> float:
    """Return the light sum [mol/m2] of photon flux means [umol/m2/s], one per `step_s`; a day's sum is the DLI."""
    return sum(ppfd) * step_s / 1e6
