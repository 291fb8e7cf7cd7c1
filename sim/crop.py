"""Berries that ripen by thermal time: a seeded crop whose stages follow from when its trusses flowered."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from telemetry.agronomy import thermal

TRUSS_INTERVAL = 400.0
"""Degree days between the trusses of a crown (4-5 leaves)."""
FLOWERS = ((0, 0.0, 1.0), (1, 60.0, 0.72), (1, 60.0, 0.72), *((2, 110.0, 0.48),) * 4)
"""Of a truss: order (0 = primary), degree days after the primary opens, ripe mass as a share of the primary's."""
PRIMARY_MASS = 0.030
"""Ripe mass of a primary berry [kg]; berries spread log-normally around it."""
MASS_SPREAD = 0.30
LOST_AGE = 1.25
"""At this thermal age an unpicked berry is rotten and gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fruit:
    """One berry as it is now: `age` is thermal time as a share of the time to ripe; SI units."""

    id: int
    plant: int
    truss: int
    order: int
    age: float
    stage: str
    redness: float
    mass: float
    diameter: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flower:
    id: int
    plant: int
    truss: int
    order: int
    opens: float  # thermal time [degC d]
    ripens: float  # degree days from opening to ripe
    mass: float


class Crop:
    """Plants in full bearing.

    Args:
        plants: number of plants.
        seed: of flowering dates, ripening sums and sizes.
        trusses: per plant over the season, starting two truss intervals before now.
    """

    def __init__(self, *, plants: int, seed: int, trusses: int = 6) -> None:
        rng = np.random.default_rng([seed, plants])
        self._time = 0.0
        self._picked: set[int] = set()
        self._flowers: list[_Flower] = []
        for plant in range(plants):
            first = -rng.uniform(2.0, 3.0) * TRUSS_INTERVAL
            for truss in range(trusses):
                opens = first + truss * TRUSS_INTERVAL + rng.normal(0.0, 30.0)
                for order, delay, share in FLOWERS:
                    self._flowers.append(
                        _Flower(
                            id=len(self._flowers),
                            plant=plant,
                            truss=truss,
                            order=order,
                            opens=opens + delay + rng.normal(0.0, 15.0),
                            ripens=rng.normal(thermal.RIPE_DEGREE_DAYS, thermal.RIPE_SPREAD),
                            mass=PRIMARY_MASS * share * float(np.exp(rng.normal(0.0, MASS_SPREAD))),
                        )
                    )

    def advance(self, fruit_degc: float, seconds: float) -> None:
        """Let the berries develop for `seconds` at a fruit temperature [degC]."""
        self._time += thermal.ripening_rate(fruit_degc) * seconds / 86400.0

    def pick(self, fruit_id: int) -> None:
        """Take one berry off its plant. Raises `ValueError` when it is not there."""
        known = 0 <= fruit_id < len(self._flowers) and fruit_id not in self._picked
        if not known or not 0.0 <= self._age(self._flowers[fruit_id]) < LOST_AGE:
            raise ValueError(f"berry {fruit_id} is not on a plant")
        self._picked.add(fruit_id)

    def fruit(self) -> list[Fruit]:
        """Return every flower and berry on the plants now."""
        return [self._now(f) for f in self._flowers if f.id not in self._picked and 0.0 <= self._age(f) < LOST_AGE]

    def _age(self, flower: _Flower) -> float:
        return (self._time - flower.opens) / flower.ripens

    def _now(self, flower: _Flower) -> Fruit:
        age = self._age(flower)
        mass = flower.mass * thermal.mass_share(age)
        return Fruit(
            id=flower.id,
            plant=flower.plant,
            truss=flower.truss,
            order=flower.order,
            age=age,
            stage=thermal.stage(age),
            redness=thermal.redness(age),
            mass=mass,
            diameter=diameter_of(mass),
        )


def diameter_of(mass: float) -> float:
    """Return the largest diameter [m] of a conical berry of `mass` [kg]: 33 mm at 20 g."""
    return 0.0122 * math.cbrt(1000.0 * mass)
