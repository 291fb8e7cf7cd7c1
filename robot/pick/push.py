"""What open jaws do to fruit beside the one they go in for: push it back, aside, or knock it on the way there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from robot.arms import Tool
from robot.collision import Box
from robot.pick.target import Target, Vector

SLIDES = 0.7
"""A finger that meets fruit further than this share of its half width off its middle pushes it aside: beyond the angle
of friction of the pads (0.9, 42 degrees)."""

SWINGS = 0.015
"""Fruit on its stem may be pushed back so far without a strain [m]."""

WALL_NEAR = 0.01
"""Fruit that reaches to within this of a wall's lower edge is stopped by it [m]."""

APART = 0.004
"""The jaws pass fruit at no less than this on the way to a berry [m]."""


def pushed_back(p: Vector, neighbour: Target, tool: Tool, opening: float) -> float:
    """Return how far a finger pushes a neighbour at `p` (tool frame, jaws at the grasp) back before itself [m].

    0 where the fingers pass it, and where they meet it so far from its middle that it gives way to the side or up; its
    stem does not let it go down.
    """
    inner, outer = 0.5 * opening, 0.5 * opening + 2.0 * tool.pad[0]
    beside = max(inner - abs(p[0]), abs(p[0]) - outer, 0.0) / neighbour.radius
    below = max(p[1] - tool.pad[1], 0.0) / (0.5 * neighbour.length)
    above = max(-p[1] - tool.pad[1], 0.0) / (0.5 * neighbour.length)
    off = math.hypot(beside, below, above)
    if off >= 1.0 or math.hypot(beside, above) >= SLIDES:
        return 0.0
    front = float(p[2]) - neighbour.radius * math.sqrt(1.0 - off**2)
    return max(0.0, float(tool.pad[2]) - front)


def wall_behind(neighbour: Target, walls: Sequence[Box]) -> float:
    """Return how far a neighbour is before the wall behind it [m]; infinite where there is none."""
    room = math.inf
    x, y, z = neighbour.position.tolist()
    for wall in walls:
        level = (
            wall.minimum[2] - WALL_NEAR < z + 0.5 * neighbour.length and z - 0.5 * neighbour.length < wall.maximum[2]
        )
        if level and wall.minimum[0] <= x <= wall.maximum[0] and y < wall.minimum[1]:
            room = min(room, max(0.0, wall.minimum[1] - y - neighbour.radius))
    return room


def knocks(way: npt.NDArray[np.float64], berries: Sequence[Target], tool: Tool, opening: float) -> list[int]:
    """Return the ids of the berries that the open jaws would knock against on a way.

    Args:
        way: poses of the tool on it, shape (n, 4, 4).
        opening: of the jaws [m].
    """
    if not berries:
        return []
    places = np.array([berry.position for berry in berries])
    across = np.array([berry.radius + APART for berry in berries])
    along = np.array([0.5 * berry.length + APART for berry in berries])
    p = np.einsum("nji,nbj->nbi", way[:, :3, :3], places[None] - way[:, None, :3, 3])
    dx = np.maximum(0.0, np.abs(p[:, :, 0]) - 0.5 * opening - 2.0 * tool.pad[0]) / across
    dy = np.maximum(0.0, np.abs(p[:, :, 1]) - tool.pad[1]) / along
    behind = tool.finger_length + tool.pad[2]
    dz = np.maximum.reduce([np.zeros_like(dx), p[:, :, 2] - tool.pad[2], -behind - p[:, :, 2]]) / across
    met = (dx**2 + dy**2 + dz**2 < 1.0).any(axis=0)
    return [berry.id for berry, hit in zip(berries, met.tolist(), strict=True) if hit]
