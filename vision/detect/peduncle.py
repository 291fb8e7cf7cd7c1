"""Find a berry's axis and the point on its peduncle where the cut is wanted, in the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def axis_of(outline: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
    """Return centre [px], unit vector from tip to calyx, and length along it [px] of a fruit's outline.

    The fruit hangs, so of the two ends of its long axis the upper one carries the calyx; a nearly round outline has no
    axis of its own and is taken as hanging straight down.

    Args:
        outline: contour [px], x right, y down, shape (n, 2).
    """
    hull = outline
    centre = (hull.min(axis=0) + hull.max(axis=0)) / 2
    spread = np.cov((hull - hull.mean(axis=0)).T) + 1e-6 * np.eye(2)
    values, vectors = np.linalg.eigh(spread)
    long_axis = vectors[:, 1]
    if long_axis[1] > 0:
        long_axis = -long_axis
    roundness = float(np.sqrt(values[0] / values[1]))
    weight = np.clip((0.9 - roundness) / 0.2, 0.0, 1.0) * (abs(long_axis[1]) > 0.5)
    axis = weight * long_axis + (1 - weight) * np.array([0.0, -1.0])
    axis /= np.linalg.norm(axis)
    along = (outline - centre) @ axis
    return centre, axis, float(along.max() - along.min())
