"""Where to put the tool for one berry: blade on the peduncle, pads on the shoulder, turned away from neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from robot.arms import Tool
from robot.pick.target import Target, Vector

Pose = npt.NDArray[np.float64]
"""Homogeneous transform, shape (4, 4)."""

LEVEL = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""Level tool that looks at the plants: tool x = world x, tool y = down, tool z = world y (columns are tool axes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grasp:
    """One way to take a berry.

    Attributes:
        pose: tool in the world when the jaws close, shape (4, 4).
        opening: of the jaws during the approach [m].
        yaw: turned about world z, + towards +x [rad].
        pitch: + looks up, that is, comes from below [rad].
        cost: [m] of interference with neighbours, plus a little for every turn; lowest first.
        crowding: deepest interference of a finger with a neighbour [m]; 0 = clear.
        stems: ids of other berries whose peduncle would lie under the blade.
    """

    pose: Pose
    opening: float
    yaw: float
    pitch: float
    cost: float
    crowding: float
    stems: tuple[int, ...]

    def standoff(self, distance: float) -> Pose:
        """Return the pose `distance` [m] back along the approach, shape (4, 4)."""
        back = self.pose.copy()
        back[:3, 3] -= self.pose[:3, 2] * distance
        return back


TURNS: tuple[tuple[float, float], ...] = tuple(
    (yaw, pitch) for pitch in (0.0, 0.18, 0.36) for yaw in (0.0, 0.22, -0.22, 0.45, -0.45)
)
"""(yaw, pitch) that are tried [rad]; level and straight first."""

OPENING_MARGIN = 0.012
"""Room on each side of the berry while approaching [m]: fruit looks up to 5 mm narrower than it is, and is 2 mm off."""

BLADE_MARGIN = 0.004
"""The cut point is kept this far inside the blade's reach [m]."""

SAME, NEIGHBOUR = 0.022, 0.16
"""Two tracks nearer than the one are one fruit; fruit further than the other is not in the tool's way [m]."""

TURN_COST = 0.002
"""Cost of one radian [m]: a turn is only taken when it avoids something."""


def rotation(yaw: float, pitch: float) -> npt.NDArray[np.float64]:
    """Return the tool's orientation for an approach turned by `yaw` and `pitch` [rad], shape (3, 3)."""
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    z = np.array([sy * cp, cy * cp, sp])
    x = np.array([cy, -sy, 0.0])
    return np.column_stack([x, np.cross(z, x), z])


def grasp_at(target: Target, tool: Tool, yaw: float, pitch: float) -> Pose:
    """Return the tool's pose with the berry between the pads and the cut point in the blade's plane, shape (4, 4)."""
    turn = rotation(yaw, pitch)
    centre, cut = turn.T @ target.position, turn.T @ target.cut_point()
    low, high = tool.blade_reach[0] + BLADE_MARGIN, tool.blade_reach[1] - BLADE_MARGIN
    depth = centre[2]
    depth = min(max(depth, cut[2] - high), cut[2] - low)
    origin = np.array([0.7 * centre[0] + 0.3 * cut[0], cut[1] + tool.blade_offset, depth])
    pose = np.eye(4)
    pose[:3, :3] = turn
    pose[:3, 3] = turn @ origin
    return pose


def grasps(target: Target, neighbours: Sequence[Target], tool: Tool) -> list[Grasp]:
    """Return the ways to take `target`, best first. `neighbours` are all other berries known near it."""
    near = [n for n in neighbours if n.id != target.id and SAME < _distance(n, target) < NEIGHBOUR]
    wide = min(tool.opening_max, target.diameter + 2.0 * OPENING_MARGIN)
    narrow = min(tool.opening_max, target.diameter + 1.4 * OPENING_MARGIN)
    found = [_grasp(target, near, tool, turn, opening) for turn in TURNS for opening in (wide, narrow)]
    return sorted(found, key=lambda g: g.cost)


def _distance(a: Target, b: Target) -> float:
    return float(np.linalg.norm(a.position - b.position))


def _grasp(target: Target, near: Sequence[Target], tool: Tool, turn: tuple[float, float], opening: float) -> Grasp:
    yaw, pitch = turn
    pose = grasp_at(target, tool, yaw, pitch)
    local = [pose[:3, :3].T @ (n.position - pose[:3, 3]) for n in near]
    crowding = [_finger_overlap(p, n, tool, opening) for p, n in zip(local, near, strict=True)]
    stems = tuple(n.id for p, n in zip(local, near, strict=True) if _stem_under_blade(p, n, pose, target, tool))
    tight = 0.002 if opening < target.diameter + 1.7 * OPENING_MARGIN else 0.0
    cost = sum(crowding) + 0.01 * len(stems) + TURN_COST * (abs(yaw) + abs(pitch)) + tight
    return Grasp(
        pose=pose, opening=opening, yaw=yaw, pitch=pitch, cost=cost, crowding=max(crowding, default=0.0), stems=stems
    )


def _finger_overlap(p: Vector, neighbour: Target, tool: Tool, opening: float) -> float:
    """Return how deep a neighbour at `p` (tool frame) reaches into what the jaw sweeps on a straight approach [m]."""
    r = neighbour.radius
    behind_tip = tool.pad[2] + r - p[2]
    vertical = tool.pad[1] + neighbour.length / 2.0 - abs(p[1])
    lateral = opening / 2.0 + 2.0 * tool.pad[0] + r - abs(p[0])
    return max(0.0, float(min(behind_tip, vertical, lateral)))


def _stem_under_blade(p: Vector, neighbour: Target, pose: Pose, target: Target, tool: Tool) -> bool:
    """Return whether the neighbour hangs lower with its peduncle rising through the closed jaws' blade area."""
    up = pose[:3, :3].T @ np.array([0.0, 0.0, 1.0])
    top = p + up * (neighbour.length / 2.0)
    if top[1] < -tool.blade_offset or up[1] > -0.5:
        return False
    at = top + up * ((-tool.blade_offset - top[1]) / up[1])
    inside = tool.blade_reach[0] < at[2] < tool.blade_reach[1]
    return bool(inside and abs(at[0]) < target.radius)
