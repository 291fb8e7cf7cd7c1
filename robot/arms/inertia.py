"""Where the mass of a link sits: one rule for URDF and MJCF, since makers publish masses but rarely inertia."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms.description import ArmDescription

Array = npt.NDArray[np.float64]
LEAST = 0.045  # radius of the ball a short link weighs like [m]; assumption
SHARE = 0.4  # of a long link's length; assumption
TOOL_RADIUS = 0.05  # [m]; assumption


def link_mass(arm: ArmDescription, link: int) -> tuple[float, Array, float]:
    """Return mass [kg], its centre in the DH frame [m], shape (3,), and the moment about each axis there [kg m^2].

    A link weighs like a ball in the middle of its first capsule.

    Args:
        link: 1..n for the arm's links, n + 1 for the tool.
    """
    if link == arm.tool_link:
        mass = arm.tool.mass
        return mass, arm.tool.center_of_mass, 0.4 * mass * TOOL_RADIUS**2
    mass = float(arm.arm.mass[link - 1])
    mine = [capsule for capsule in arm.arm.capsules if capsule.link == link]
    if not mine:
        return mass, np.zeros(3), 0.4 * mass * LEAST**2
    length = float(np.linalg.norm(mine[0].end - mine[0].start))
    radius = max(LEAST, SHARE * length)
    return mass, 0.5 * (mine[0].start + mine[0].end), 0.4 * mass * radius**2
