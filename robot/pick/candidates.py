"""Which berries are candidates, and in which order: along the bed, in each cluster the outer and lower first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robot.pick.target import Target, Vector

CLUSTER_GAP = 0.02
"""Berries whose surfaces are nearer than this hang in one cluster [m]."""

DOUBT = 0.08
"""Ripeness from afar is uncertain by this much: shade and the side that is seen; thrice as much of hidden fruit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Ripeness that is wanted, both ends included, and the stretch of bed it is wanted from (world x) [m]."""

    ripeness_min: float = 0.80
    ripeness_max: float = 1.0
    start: float = -math.inf
    end: float = math.inf

    def wants(self, target: Target) -> bool:
        return self.covers(target) and self.ripe(target)

    def near(self, target: Target) -> bool:
        """Return whether the ripeness may be inside the window: worth a look from near by."""
        hidden = 1.0 - min(max(target.visible, 0.0), 1.0)
        return self.ripeness_min - DOUBT * (1.0 + 2.0 * hidden) <= target.ripeness <= self.ripeness_max

    def covers(self, target: Target) -> bool:
        return self.start <= float(target.position[0]) < self.end

    def ripe(self, target: Target) -> bool:
        """Return whether the ripeness is inside the window."""
        return self.ripeness_min <= target.ripeness <= self.ripeness_max


def clusters(targets: Sequence[Target], gap: float = CLUSTER_GAP) -> list[list[Target]]:
    """Group berries that hang within `gap` [m] of each other, surface to surface (single linkage)."""
    left = list(targets)
    groups: list[list[Target]] = []
    while left:
        group = [left.pop(0)]
        for member in group:
            near = [t for t in left if _surface_gap(member, t) < gap]
            left = [t for t in left if all(t is not n for n in near)]
            group.extend(near)
        groups.append(group)
    return groups


def order(targets: Sequence[Target], at: Vector, others: Sequence[Target] = ()) -> list[Target]:
    """Return `targets` in picking order for a tool that is at `at` (world [m], shape (3,)).

    Clusters are visited along the bed from the nearer end, which costs least travel. Inside a cluster the berry that is
    nearest the aisle, lowest and least walled in by `others` goes first: taking the outer one opens the cluster (Xiong
    et al. 2020).
    """
    groups = clusters(targets)
    if not groups:
        return []
    centres = [float(np.mean([t.position[0] for t in g])) for g in groups]
    leftwards = abs(max(centres) - at[0]) < abs(min(centres) - at[0])
    ranked = sorted(zip(centres, groups, strict=True), key=lambda item: -item[0] if leftwards else item[0])
    return [t for _, group in ranked for t in sorted(group, key=lambda t: _difficulty(t, [*group, *others]))]


def _difficulty(target: Target, around: Sequence[Target]) -> float:
    """Return a cost [m]: depth behind the front, height, and berries in front of it."""
    ahead = sum(blocks(other, target) for other in around if other is not target)
    return float(target.position[1] + 0.5 * target.position[2]) + 0.03 * ahead


def blocks(other: Target, target: Target, *, half_width: float = 0.02) -> bool:
    """Return whether `other` hangs in the straight way from the aisle to `target`."""
    offset = other.position - target.position
    reach = half_width + other.radius
    return bool(
        offset[1] < -0.3 * target.radius and abs(offset[0]) < reach and abs(offset[2]) < other.length / 2.0 + 0.01
    )


def _surface_gap(a: Target, b: Target) -> float:
    return float(np.linalg.norm(a.position - b.position)) - a.radius - b.radius
