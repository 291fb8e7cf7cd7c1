"""What one rendered scene looks like: kind of culture, sizes, colours and leaves, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.scene.settings import SceneSettings, StageShares

CULTURES = ("gutter", "film", "soil", "open")
"""Table-top gutter; ridge under plastic film; ridge of soil or straw; nothing right behind the fruit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One scene's draw; lengths in metres, colours 0-1.

    Attributes:
        culture: one of `CULTURES`.
        plain: fruit and leaves painted as in the robot's cell rather than in the richer way.
        tilt: standard deviation of a fruit's lean from the vertical [rad].
        behind: distance from the fruit to what stands behind it.
    """

    bed: SceneSettings
    culture: str
    plain: bool
    tilt: float
    behind: float
    ground: tuple[float, float, float]
    leaf: tuple[float, float, float]
    stem: tuple[float, float, float]
    shine: float
    flowers: int


def draw_look(rng: np.random.Generator, culture: str | None = None) -> Look:
    """Draw a scene's look, of one culture where it is named."""
    drawn = str(rng.choice(CULTURES, p=[0.45, 0.25, 0.12, 0.18]))
    culture = culture or drawn
    shares = rng.dirichlet([3.0, 2.0, 2.0, 4.0])
    length = float(rng.uniform(0.5, 0.9))
    berries = int(length * rng.uniform(14, 52))
    low = float(rng.uniform(0.16, 0.30)) if culture in {"gutter", "open"} else float(rng.uniform(0.10, 0.2))
    bed = SceneSettings(
        origin=0.0,
        length=length,
        berries=max(4, berries),
        plants_per_m=float(rng.uniform(3.0, 8.0)),
        cluster_rate=float(rng.choice([0.1, 0.3, 0.6, 0.9])),
        leaf_occlusion=float(rng.choice([0.0, 0.15, 0.3, 0.5])),
        fruit_front=(0.022, float(rng.uniform(0.06, 0.11))),
        fruit_below=(0.05, low),
        shares=StageShares(**dict(zip(("green", "white", "turning", "ripe"), _whole(shares), strict=True))),
    )
    shade = float(rng.uniform(0.05, 0.2))
    grounds = {
        "gutter": (0.93, 0.93, 0.91) if rng.random() < 0.7 else (0.25, 0.26, 0.27),
        "film": (shade, shade, shade * 1.05) if rng.random() < 0.7 else (0.82, 0.83, 0.85),
        "soil": (0.36, 0.27, 0.19) if rng.random() < 0.6 else (0.72, 0.62, 0.38),
        "open": (0.5, 0.5, 0.5),
    }
    red, green, blue = grounds[culture]
    green_leaf = rng.uniform(0.28, 0.5)
    return Look(
        bed=bed,
        culture=culture,
        plain=bool(rng.random() < 0.2),
        tilt=float(rng.uniform(0.05, 0.25)),
        behind=float(rng.uniform(0.0, 0.02)),
        ground=(red, green, blue),
        leaf=(green_leaf * rng.uniform(0.35, 0.72), green_leaf, green_leaf * rng.uniform(0.2, 0.55)),
        stem=(float(rng.uniform(0.35, 0.62)), float(rng.uniform(0.5, 0.72)), float(rng.uniform(0.18, 0.4))),
        shine=float(rng.uniform(0.1, 0.6)),
        flowers=int(rng.integers(0, 5)),
    )


def _whole(shares: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    """Return shares that add up to exactly 1 in floating point."""
    first = [round(float(s), 3) for s in shares[:-1]]
    return [*first, 1.0 - sum(first)]
