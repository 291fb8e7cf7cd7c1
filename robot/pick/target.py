"""A berry as the picking skill knows it: in world coordinates, with the instant it was last seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

FRUIT_DENSITY = 920.0
"""Mean density of a strawberry with its hollow [kg/m^3]; assumption, to be calibrated against a scale."""

FRUIT_FILL = 0.80
"""Volume of a strawberry as a share of the ellipsoid with its width and length: a cone with round shoulders."""

STEM_ABOVE_CALYX = 0.005
"""Where to cut: this far above the calyx [m], so that the pads below the blade meet the fruit near its widest place."""

SHORT, SHORT_FROM, SHORT_MAX = 0.018, 0.95, 0.008
"""Fruit of which less than the second share is seen ends higher than it looks, by the first times what is missing, at
most the third [m]: measured on 300 looks at rendered fruit, 2 mm at 0.85 seen, 3.4 mm at 0.65 and up to 10 mm.
More than the mean is added, for a cut too low goes through the flesh and one too high only leaves a longer stem."""

BELOW_PEDUNCLE, PEDUNCLE_SHIFT = 0.005, 0.003
"""A peduncle is cut this far below the point that was seen on it; that may move the cut at most so much [m]."""


HIDDEN, GROWN_MAX = 0.90, 0.008
"""Fruit of which less is seen may be larger than it looks; it is taken to be longer by so much at most [m]."""

SMALL = 0.8
"""Ripe fruit is hardly shorter than this share of what fruit of the same row measures in the middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One tracked berry in the world frame (x along the bed, y towards the plants, z up).

    Attributes:
        id: stable while the berry is tracked.
        position: centre of the fruit [m], shape (3,).
        diameter: largest width [m].
        length: from tip to calyx [m].
        axis: unit vector from tip to calyx, shape (3,).
        peduncle: where to cut [m], shape (3,); None when not seen.
        ripeness: 0-1.
        stage: as in `vision.types.Stage`.
        visible: estimated share of the fruit that is not hidden, 0-1.
        seen_at: exposure of the last frame it was seen in, UTC epoch [s].
        sightings: in how many frames it was seen.
        seen_along: unit vector from it to the eye that saw it last, shape (3,); None when not told.
    """

    id: int
    position: Vector
    diameter: float
    length: float
    axis: Vector
    ripeness: float
    stage: str
    seen_at: float
    peduncle: Vector | None = None
    visible: float = 1.0
    sightings: int = 1
    score: float = 1.0
    seen_along: Vector | None = None

    @property
    def radius(self) -> float:
        return self.diameter / 2.0

    def cut_point(self) -> Vector:
        """Return where to cut [m], shape (3,): straight above the calyx, corrected a little by the peduncle seen.

        Fruit hangs straight down whatever its outline looks like behind a leaf, so the axis seen is not used.
        """
        offset = np.array([0.0, 0.0, self.length / 2.0 + STEM_ABOVE_CALYX])
        if self.peduncle is not None:
            seen = self.peduncle - self.position - [0.0, 0.0, BELOW_PEDUNCLE]
            offset += np.clip(0.5 * (seen - offset), -PEDUNCLE_SHIFT, PEDUNCLE_SHIFT)
        offset[2] += min(SHORT_MAX, SHORT * max(0.0, SHORT_FROM - self.visible))
        cut: Vector = self.position + offset
        return cut

    def completed(self, other: Target) -> Target:
        """Return this look at a half hidden berry with the size that another look showed, grown upwards.

        What hides fruit hangs over its shoulder; a cut over the part that was seen would go through the flesh.
        """
        grown = self._grown(other.length, other.diameter)
        return self if grown is self else replace(grown, visible=max(self.visible, other.visible))

    def not_below(self, length: float) -> Target:
        """Return this look at a half hidden berry, grown upwards to a share of what fruit here measures.

        Args:
            length: of the fruit around that is seen whole [m].
        """
        return self._grown(SMALL * length, SMALL * length * self.diameter / self.length)

    def _grown(self, length: float, diameter: float) -> Target:
        """Return the berry grown upwards towards a size [m]; itself where it is seen whole or is as large."""
        grown = min(length - self.length, GROWN_MAX)
        if self.visible >= HIDDEN or grown <= 0.0:
            return self
        return replace(
            self,
            position=self.position + np.array([0.0, 0.0, 0.5 * grown]),
            length=self.length + grown,
            diameter=max(self.diameter, min(diameter, self.diameter + GROWN_MAX)),
        )

    def mass(self) -> float:
        """Return the mass estimated from the size [kg]."""
        return FRUIT_DENSITY * FRUIT_FILL * math.pi / 6.0 * self.diameter**2 * self.length
