"""What a packer asks of a berry: size, mass, colour, shape, and the best class of NY/T 1789-2009 it can still be.

Absent because no data exist to measure them by: defects (bruises, rot, dirt, pests) and firmness; so the class is the
best one possible, never a promise. Size classes of the standard are not known here and not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from vision.types import Berry, Detection, Stage

Array = npt.NDArray[np.float64]


class Grade(StrEnum):
    """Classes of NY/T 1789-2009, and what is below them."""

    EXTRA = "extra"
    FIRST = "first"
    SECOND = "second"
    BELOW = "below"


UNCOLOURED = {Grade.EXTRA: 0.05, Grade.FIRST: 0.10, Grade.SECOND: 0.20}
"""Most uncoloured surface: a tenth in the first class, a fifth in the second (NY/T 1789-2009). The extra class has the
full colour of its cultivar; 0.05 is what can be told from that at all."""

HOLLOW = {Grade.EXTRA: 0.06, Grade.FIRST: 0.10, Grade.SECOND: 0.16}
"""Most deformity. Our reading of the standard's words (regular, slight, some deformity), not its numbers."""

LEAST_VISIBLE = 0.7
"""Share of the fruit that must be seen to judge its shape and class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """One berry for the market.

    Attributes:
        diameter: largest width across the axis [m].
        mass: [kg]; None without the farm's own relation.
        coloured: share of the visible surface with its ripe colour, 0-1.
        deformity: share of the outline's hull that is hollow, 0-1; None when not enough is seen.
        grade: the best class that is still possible; None when not enough is seen.
        flags: `size_prior` (the diameter is a guess), `one_side` (the far side is not seen, always), `defects_unseen`
            (always), `hidden` (too little is seen).
    """

    diameter: float
    mass: float | None
    coloured: float
    deformity: float | None
    grade: Grade | None
    flags: tuple[str, ...]


def quality(berry: Berry, *, mass_per_box: float | None = None) -> Quality:
    """Return what can be said of one berry.

    Args:
        mass_per_box: from `mass_relation` of weighed fruit of the cultivar [kg/m^3].
    """
    d = berry.detection
    seen = d.visible >= LEAST_VISIBLE and not {"cut_off", "hidden"} & set(berry.flags)
    hollow = deformity(d.polygon) if seen and d.polygon is not None else None
    flags = ["one_side", "defects_unseen"]
    flags += ["size_prior"] if "size_prior" in berry.flags else []
    flags += [] if seen else ["hidden"]
    known = mass_per_box is not None and "size_prior" not in berry.flags
    return Quality(
        diameter=berry.diameter,
        mass=mass_per_box * berry.diameter**2 * berry.length if known and mass_per_box is not None else None,
        coloured=d.ripeness,
        deformity=hollow,
        grade=grade_of(d.ripeness, hollow, d.stage) if seen else None,
        flags=tuple(flags),
    )


def grade_in_picture(d: Detection) -> Grade | None:
    """Return the best class still possible by what a picture alone shows; None when too little of the fruit is seen."""
    if d.visible < LEAST_VISIBLE or d.polygon is None or len(d.polygon) < 3:
        return None
    return grade_of(d.ripeness, deformity(d.polygon), d.stage)


def grade_of(coloured: float, hollow: float | None, stage: Stage) -> Grade:
    """Return the best class possible for a coloured share and a deformity, 0-1; overripe fruit has none."""
    if stage == Stage.OVERRIPE:
        return Grade.BELOW
    for grade in (Grade.EXTRA, Grade.FIRST, Grade.SECOND):
        if 1.0 - coloured <= UNCOLOURED[grade] + 1e-9 and (hollow is None or hollow <= HOLLOW[grade]):
            return grade
    return Grade.BELOW


def deformity(outline: Array) -> float:
    """Return how hollow an outline is: 1 - area over the area of its hull; 0 for cones, hearts' clefts more.

    Args:
        outline: shape (n, 2), n >= 3.
    """
    points = np.asarray(outline, np.float32)[:, None, :]
    hull = float(cv2.contourArea(cv2.convexHull(points)))
    return 0.0 if hull <= 0 else float(np.clip(1.0 - cv2.contourArea(points) / hull, 0.0, 1.0))


def mass_relation(diameters: Array, lengths: Array, masses: Array) -> tuple[float, float]:
    """Return mass over diameter squared times length [kg/m^3] of weighed fruit, and the error of one berry as a share.

    No published relation for the cultivars grown here is known to us with its data, so none is built in: thirty fruits
    on a kitchen scale give the farm's own.

    Args:
        diameters, lengths: [m]; masses: [kg], shape (n,).

    Raises:
        ValueError: fewer than ten fruits, or numbers that no berry has.
    """
    d, n, m = (np.asarray(v, np.float64) for v in (diameters, lengths, masses))
    if not (len(d) == len(n) == len(m) >= 10):
        raise ValueError(
            f"expected at least 10 weighed fruits with all three numbers, got {len(d)}, {len(n)}, {len(m)}"
        )
    if not ((d > 0.005) & (d < 0.1) & (n > 0.005) & (n < 0.12) & (m > 0.0005) & (m < 0.15)).all():
        raise ValueError("expected diameters and lengths in metres (0.03) and masses in kilograms (0.018)")
    share = m / (d * d * n)
    middle = float(np.median(share))
    return middle, float(np.std(share / middle, ddof=1))
