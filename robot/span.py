"""How far a machine reaches along its rail: as it stands, along a way, and while it picks at a place of the row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.collision import carriage
from robot.kinematics import solve
from robot.kinematics.many import link_frames_many

Array = npt.NDArray[np.float64]
Stretch = tuple[float, float]

FLESH = 0.09
"""Radius of the thickest link and of the open jaws [m]."""

TURNED = (0.0, 0.7, -0.7)
"""Turns about the vertical from which fruit is approached, the furthest ones [rad]."""

DEPTHS, HEIGHTS = (0.43, 0.56), (0.83, 1.02)
"""Where the tool works: world y from before the crop to among the fruit, and z, lowest and highest [m]."""

ASIDE = 0.11
"""So far from where a berry was seen the tool may stand along the row before it goes in, turned, from afar [m]."""

FAMILY = 2.4
"""Joints further than this from the posture belong to another way to stand [rad]."""


def body(arm: ArmDescription) -> Stretch:
    """Return from where to where the carriage with deck and punnet is, from the rail's position [m]."""
    boxes = carriage(arm)
    return min(box.minimum[0] for box in boxes), max(box.maximum[0] for box in boxes)


def extent(arm: ArmDescription, q: Array) -> Stretch:
    """Return from where to where a machine is along the row by its joints, shape (7,) [m]."""
    return extents(arm, q[np.newaxis])


def extents(arm: ArmDescription, q: Array) -> Stretch:
    """Return from where to where a machine comes along the row with any of many joint vectors, shape (m, 7) [m]."""
    links, (low, high) = link_frames_many(arm, q)[:, :, 0, 3], body(arm)
    return (
        float(min(links.min() - FLESH, q[:, 0].min() + low)),
        float(max(links.max() + FLESH, q[:, 0].max() + high)),
    )


def fences(arm: ArmDescription, low: float, high: float) -> tuple[Stretch, Stretch]:
    """Return between which places the tool [m], and between which positions the rail [m], keep to a stretch of the row.

    What is in between, the arm, is within the stretch then, but for a wrist beside a tool that is turned.
    """
    begin, end = body(arm)
    return (low + FLESH, high - FLESH), (low - begin, high - end)


def around_fruit(arm: ArmDescription) -> Stretch:
    """Return how far a machine that picks at a place of the row reaches behind it and beyond it at most [m].

    Raises:
        ValueError: the posture reaches none of the places where fruit hangs.
    """
    rail, posture = arm.rail, arm.posture
    at = min(max(0.0, rail.position_min), rail.position_max)
    home = np.array([at, *posture.joints])
    goal = np.eye(4)
    goal[0, 3] = at + float(rail.base[0]) + posture.ahead
    ends = []
    for turn in TURNED:
        c, s = np.cos(turn), np.sin(turn)
        goal[:3, :3] = np.array([[c, 0.0, s], [-s, 0.0, c], [0.0, -1.0, 0.0]])
        for goal[1, 3] in DEPTHS:
            for goal[2, 3] in HEIGHTS:
                ends += [q for q in solve(arm, goal, home, rail=at) if np.abs(q - home).max() < FAMILY][:1]
    if not ends:
        raise ValueError(f"expected a posture of {arm.name} that reaches the fruit, got {posture.joints.tolist()} rad")
    begin, end = extents(arm, np.array(ends))
    return float(goal[0, 3]) - begin + ASIDE, end - float(goal[0, 3]) + ASIDE
