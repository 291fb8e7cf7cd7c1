"""Thermal time: growing degree days, and how far a strawberry has ripened."""

from __future__ import annotations

import math
from collections.abc import Sequence

RIPE_DEGREE_DAYS = 600.0
"""Anthesis to fully red, base 0 degC: 24-44 d in Chandler 2004; equal sums of Miura 1994 give a base of 0.5 degC."""
RIPE_SPREAD = 40.0
"""Standard deviation of that sum between berries [degC d]."""
PICK_FROM, PICK_UNTIL = 0.92, 1.08
STAGES: tuple[tuple[float, str], ...] = (
    (0.10, "flower"),
    (0.65, "green"),
    (0.80, "white"),
    (PICK_FROM, "turning"),
    (PICK_UNTIL, "ripe"),
    (math.inf, "overripe"),
)


def degree_days(temperature: Sequence[float], step_s: float, *, base: float, upper: float) -> float:
    """Return growing degree days [degC d]: the mean of max(0, min(T, upper) - base) times the time.

    Args:
        temperature: means of equal steps [degC]; hourly or finer, daily means hide cold nights.
        step_s: length of a step [s].
        base: no development below [degC].
        upper: no faster above [degC].
    """
    return sum(max(0.0, min(t, upper) - base) for t in temperature) * step_s / 86400.0


def ripening_rate(fruit_degc: float) -> float:
    """Return effective degrees [degC] at a fruit temperature: base 0, flat from 25, falling from 30 to none at 40."""
    rate = max(0.0, min(fruit_degc, 25.0))
    return rate * min(1.0, max(0.0, (40.0 - fruit_degc) / 10.0))


def ripening_days(mean_degc: float) -> float:
    """Return days from flower to ripe at a constant temperature [d]; infinite when nothing develops."""
    rate = ripening_rate(mean_degc)
    return RIPE_DEGREE_DAYS / rate if rate > 0.0 else math.inf


def pick_window_days(mean_degc: float) -> float:
    """Return how long a berry stays pickable [d]: the revisit interval must be shorter."""
    return (PICK_UNTIL - PICK_FROM) * ripening_days(mean_degc)


def stage(age: float) -> str:
    """Return the stage of a berry at `age`, its thermal time as a share of the time to ripe."""
    return next(name for limit, name in STAGES if age < limit)


def redness(age: float) -> float:
    """Return the red share of the surface (0-1): logistic, 10 % at age 0.78, 90 % at 0.94."""
    return 1.0 / (1.0 + math.exp(-math.log(9.0) / 0.08 * (age - 0.86)))


def mass_share(age: float) -> float:
    """Return the mass as a share of the ripe berry's: double sigmoid (shape of Miura 1994), 1 at age 1."""

    def raw(x: float) -> float:
        early = 1.0 / (1.0 + math.exp(-(x - 0.20) / 0.07))
        late = 1.0 / (1.0 + math.exp(-(x - 0.72) / 0.10))
        return 0.35 * early + 0.65 * late

    return raw(max(0.0, age)) / raw(1.0)
