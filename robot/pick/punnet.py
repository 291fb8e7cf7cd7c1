"""Where in the punnet the next berry goes: a grid of places in layers, laid down from little height."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from robot.arms import Punnet
from robot.pick.grasp import Pose
from robot.pick.target import Target

GRIPPED_ABOVE = 0.010
"""The tool's origin is this far below the calyx [m]: fruit that swings in the jaws hangs its length less this lower."""

CLEARANCE = 0.022
"""Below hanging fruit when the jaws open [m]: the pads stay above fruit that has rolled there; 20 g fall with 4 mJ."""

RELEASE_MARGIN = 0.010
"""The jaws open only this much more than the berry's width, so that they do not push the ones that lie there [m]."""

OVER_WALL = 0.018
"""The tool passes this much above the punnet's walls [m], so that pads and fruit clear them."""

WALL_ROOM = 0.004
"""Between hanging fruit and the top of the punnet's walls on the way in [m]."""

LOWERED = 0.03
"""The last way down is straight, and at least so long [m]."""

MAX_DROP = 0.05
"""A 20 g berry dropped 10 cm may bruise (0.02 J, Ferreira 2008); half of that is allowed [m]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePattern:
    """Places in the punnet on the carriage."""

    shape: Punnet

    def place(self, index: int) -> tuple[float, float, int]:
        """Return x, y in the punnet [m] from its centre, and the layer, of the `index`-th berry.

        Rows are filled from the far side (+y) back, so that the tool comes over empty places; the second layer lies in
        the gaps.
        """
        if not 0 <= index < self.shape.capacity:
            raise ValueError(
                f"place must be 0..{self.shape.capacity - 1}, got {index}: close the punnet and begin a new one"
            )
        columns, rows = self.shape.places
        layer, cell = divmod(index, columns * rows)
        row, column = divmod(cell, columns)
        pitch_x, pitch_y = self.shape.inner[0] / columns, self.shape.inner[1] / rows
        shift = 0.25 * (layer % 2)
        x = (column - (columns - 1) / 2.0 + (shift if column < columns - 1 else -shift)) * pitch_x
        y = ((rows - 1) / 2.0 - row) * pitch_y
        return x, y, layer

    def release_height(self, index: int, target: Target) -> float:
        """Return the height of the tool's origin above the punnet's floor at release [m]."""
        return _hanging(target) + 1.6 * target.radius * self.place(index)[2] + CLEARANCE

    def over_wall(self, target: Target) -> float:
        """Return how high above the punnet's walls the tool passes with the fruit that hangs from it [m]."""
        return max(OVER_WALL, _hanging(target) + WALL_ROOM)

    def height_over_wall(self, index: int, target: Target) -> float:
        """Return how far above the place of release the fruit is lowered from [m]: there it clears the walls."""
        clear = float(self.shape.inner[2]) + self.over_wall(target)
        return max(LOWERED, clear - self.release_height(index, target))

    def pose(self, index: int, target: Target, rail: float, *, tilt: float, above: float = 0.0) -> Pose:
        """Return the tool's pose in the world for laying the berry down, shape (4, 4).

        Args:
            rail: where the carriage stands [m].
            tilt: of the approach axis below the horizontal [rad]; pi/2 = straight down.
            above: added height [m], for the way in and out.
        """
        x, y, _ = self.place(index)
        z = np.array([0.0, math.cos(tilt), -math.sin(tilt)])
        axis_x = np.array([1.0, 0.0, 0.0])
        pose = np.eye(4)
        pose[:3, :3] = np.column_stack([axis_x, np.cross(z, axis_x), z])
        offset = np.array([rail + x, y, self.release_height(index, target) + above])
        pose[:3, 3] = self.shape.position + offset
        return pose


def _hanging(target: Target) -> float:
    """Return how far below the tool's origin the held fruit ends [m]."""
    return max(target.radius, target.length - GRIPPED_ABOVE)
