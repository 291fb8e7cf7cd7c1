"""Where to put the tool for one berry: blade on the peduncle, pads on the shoulder, turned away from neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from robot.arms import Tool
from robot.collision import Box
from robot.pick.push import SWINGS, pushed_back, wall_behind
from robot.pick.target import Target, Vector

Pose = npt.NDArray[np.float64]
"""Homogeneous transform, shape (4, 4)."""

Poses = npt.NDArray[np.float64]
"""Several of them, shape (n, 4, 4)."""

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
        push: how far a finger would push a neighbour back before itself [m]; 0 = none.
        pinned: how far a finger would push a neighbour into what stands behind it [m]; 0 = not.
        walled: how deep a fingertip would reach into the clearance of what stands behind the fruit [m]; 0 = not.
        stems: ids of other berries whose peduncle or flesh may lie under the blade.
        surely: those of them that lie there if every place is as it was seen.
        caught: ids of other berries that would come between the jaws.
    """

    pose: Pose
    opening: float
    yaw: float
    pitch: float
    cost: float
    crowding: float
    stems: tuple[int, ...]
    push: float = 0.0
    pinned: float = 0.0
    walled: float = 0.0
    surely: tuple[int, ...] = ()
    caught: tuple[int, ...] = ()

    def standoff(self, distance: float) -> Pose:
        """Return the pose `distance` [m] back along the approach, shape (4, 4)."""
        back = self.pose.copy()
        back[:3, 3] -= self.pose[:3, 2] * distance
        return back


TURNS: tuple[tuple[float, float], ...] = (
    *((yaw, pitch) for pitch in (0.0, 0.18, 0.36) for yaw in (0.0, 0.22, -0.22, 0.45, -0.45)),
    *((yaw, pitch) for pitch in (0.0, 0.18) for yaw in (0.7, -0.7)),
    (0.0, 0.52),
)
"""(yaw, pitch) that are tried [rad]; level and straight first."""

Fit = tuple[float, float, float]

FITS: tuple[Fit, ...] = (
    (0.012, 0.0, 0.0),
    (0.009, 0.0, 0.002),
    (0.009, 0.004, 0.004),
    (0.009, -0.004, 0.004),
    (0.006, 0.0, 0.006),
)
"""Room on each side of the berry while approaching, shift to the right, cost [m]; fruit looks up to 5 mm narrower."""

PUSH_COST = 2.0
"""Of each metre that a neighbour is pushed back further than there is room for: it is squeezed or torn off."""

WALL_COST, WALL_ROOM = 0.1, 0.003
"""Of a way on which a fingertip comes nearer to a wall than by the second [m]."""

CAUGHT_COST = 0.03
"""Of a neighbour between the jaws [m]: more than any push aside."""

GRAZE = 0.003
"""Neighbours hang this far from where they were seen [m]."""

CAGE, LIFT_MAX = 0.09, 0.03
"""Fruit so far before the held one is in its way back; the held one is lifted at most so much [m]."""

LOWER = 0.15
"""Of its length lower hangs fruit that the held one can be lifted over; what hangs higher swings up before it."""

WAY_OUT_MAX = 0.12
"""The longest straight way back out of the crop [m]."""

SURE, DOUBT = 0.002, 0.008
"""The blade's way is minded this much wider than the closed jaws [m]: always, and while there is another choice."""

THICK = 0.6
"""The middle share of a fruit's length."""

BLADE_MARGIN = 0.004
"""The cut point is kept this far inside the blade's reach [m]."""

SAME, NEIGHBOUR = 0.022, 0.16
"""Two tracks nearer than the one are one fruit; fruit further than the other is not in the tool's way [m]."""

INSIDE = 0.75
"""So are tracks whose distance is less than this share of the one at which their skins touch."""

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


def grasps(target: Target, neighbours: Sequence[Target], tool: Tool, walls: Sequence[Box] = ()) -> list[Grasp]:
    """Return the ways to take `target`, best first.

    Args:
        neighbours: all other berries known near it.
        walls: what stands behind the fruit, such as the gutter.
    """
    near = [n for n in neighbours if n.id != target.id and _distance(n, target) < NEIGHBOUR and not _one(n, target)]
    beside = [(n, wall_behind(n, walls)) for n in near]
    ways = [(turn, fit) for turn in TURNS for fit in (FITS if near else FITS[:1])]
    found = [_grasp(target, beside, tool, way, walls) for way in ways]
    return sorted(found, key=lambda g: g.cost)


def from_where_seen(ways: Sequence[Grasp], target: Target, eye: Vector) -> list[Grasp]:
    """Return ways in the order in which the camera looks at the berry from nearest to where it was seen last.

    What hides a berry from the pre-grasp pose of one of them did not hide it from there.

    Args:
        eye: where the camera is at a pre-grasp pose, in the frame of the tool at the grasp [m], shape (3,).
    """
    along = target.seen_along
    if along is None:
        return sorted(ways, key=lambda way: -way.pitch)  # what hides it hangs above: look from below
    there = eye / np.linalg.norm(eye)
    return sorted(ways, key=lambda way: -float(along @ (way.pose[:3, :3] @ there)))


def _one(a: Target, b: Target) -> bool:
    """Return whether two tracks are one fruit: so near, or so deep in each other, that two could not hang there."""
    x, y, z = (a.position - b.position).tolist()
    apart = math.hypot(math.hypot(x, y) / (a.radius + b.radius), 2.0 * z / (a.length + b.length))
    return _distance(a, b) <= SAME or apart < INSIDE


def _distance(a: Target, b: Target) -> float:
    return float(np.linalg.norm(a.position - b.position))


def _grasp(
    target: Target,
    beside: Sequence[tuple[Target, float]],
    tool: Tool,
    way: tuple[tuple[float, float], Fit],
    walls: Sequence[Box],
) -> Grasp:
    """Return one way (turn, fit); `beside` are the neighbours, each with how far it is before a wall [m]."""
    near = [n for n, _ in beside]
    (yaw, pitch), (room, aside, price) = way
    pose = grasp_at(target, tool, yaw, pitch)
    pose[:3, 3] += pose[:3, 0] * aside
    opening = min(tool.opening_max, target.diameter + 2.0 * room)
    local = [pose[:3, :3].T @ (n.position - pose[:3, 3]) for n in near]
    crowding = [_finger_overlap(p, n, tool, opening) for p, n in zip(local, near, strict=True)]
    pushes = [pushed_back(p, n, tool, opening) for p, n in zip(local, near, strict=True)]
    squeezed = sum(max(0.0, push - min(SWINGS, room)) for push, (_, room) in zip(pushes, beside, strict=True))
    pinned = max((push - room for push, (_, room) in zip(pushes, beside, strict=True) if push > 0.0), default=0.0)
    caught = tuple(n.id for p, n in zip(local, near, strict=True) if _caught(p, n, tool, opening))
    up = pose[:3, :3].T @ np.array([0.0, 0.0, 1.0])
    cut, surely = (
        tuple(
            n.id
            for p, n in zip(local, near, strict=True)
            if _stem_under_blade(p, n, up, width, tool)
            or _flesh_under_blade(p, n, width, tool)
            or (n.id in caught and _level_with_blade(p, n, tool))
        )
        for width in (target.radius + DOUBT, target.radius + SURE)
    )
    cost = sum(crowding) + CAUGHT_COST * len(caught) + 0.05 * len(cut) + TURN_COST * (abs(yaw) + abs(pitch)) + price
    walled = _into_walls(pose, tool, opening, walls)
    cost += PUSH_COST * squeezed + (WALL_COST if walled > 0.0 else 0.0)
    return Grasp(
        pose=pose,
        opening=opening,
        yaw=yaw,
        pitch=pitch,
        cost=cost,
        crowding=max(crowding, default=0.0),
        stems=cut,
        push=max(pushes, default=0.0),
        pinned=max(0.0, pinned),
        walled=walled,
        surely=surely,
        caught=caught,
    )


def lift_over(target: Target, neighbours: Sequence[Target], grasp: Grasp) -> float:
    """Return how far held fruit must rise to pass over what hangs before it in the jaws' way back [m], 0 when clear.

    Fruit between the fingers and the held one is dragged along until its stem tears.
    """
    turn = grasp.pose[:3, :3]
    held = turn.T @ (target.position - grasp.pose[:3, 3])
    lift = 0.0
    for other in neighbours:
        if other.id == target.id or _one(other, target):
            continue
        p = turn.T @ (other.position - grasp.pose[:3, 3]) - held
        beside = abs(p[0]) > 0.8 * (target.radius + other.radius)
        if beside or not -CAGE < p[2] < -0.3 * target.radius or p[1] < LOWER * other.length:
            continue
        lift = max(lift, 0.5 * (target.length + other.length) - float(p[1]) + GRAZE)
    return min(lift, LIFT_MAX)


def way_out(target: Target, neighbours: Sequence[Target], grasp: Grasp, tool: Tool, least: float) -> float:
    """Return how far straight back held fruit must come before it may go down [m]: past what hangs before and below it.

    Args:
        least: it comes back at least so far [m].
    """
    turn = grasp.pose[:3, :3]
    width = 0.5 * grasp.opening + 2.0 * tool.pad[0]
    far = least
    for other in neighbours:
        if other.id == target.id or _one(other, target):
            continue
        p = turn.T @ (other.position - target.position)
        if abs(p[0]) < width + other.radius and p[1] > 0.0 and -WAY_OUT_MAX < p[2] < -0.5 * target.radius:
            far = max(far, float(-p[2]) + other.radius + max(target.radius, tool.pad[2]) + GRAZE)
    return min(far, WAY_OUT_MAX)


def _into_walls(pose: Pose, tool: Tool, opening: float, walls: Sequence[Box]) -> float:
    """Return how deep a corner of the open fingers' tips reaches into a wall at the grasp [m]."""
    if not walls:
        return 0.0
    wide, high, tip = 0.5 * opening + 2.0 * tool.pad[0], tool.pad[1], tool.pad[2]
    corners = np.array([[x, y, tip] for x in (-wide, wide) for y in (-high, high)]) @ pose[:3, :3].T + pose[:3, 3]
    deep = 0.0
    for wall in walls:
        inside = np.minimum(corners - np.array(wall.minimum), np.array(wall.maximum) - corners).min(axis=1)
        deep = max(deep, float(inside.max()) + WALL_ROOM)
    return deep


def _finger_overlap(p: Vector, neighbour: Target, tool: Tool, opening: float) -> float:
    """Return how deep a neighbour at `p` (tool frame) reaches into what the jaw sweeps on a straight approach [m]."""
    r = neighbour.radius
    behind_tip = tool.pad[2] + r - p[2]
    vertical = tool.pad[1] + neighbour.length / 2.0 - abs(p[1])
    lateral = opening / 2.0 + 2.0 * tool.pad[0] + r - abs(p[0])
    return max(0.0, float(min(behind_tip, vertical, lateral)))


def _caught(p: Vector, neighbour: Target, tool: Tool, opening: float) -> bool:
    """Return whether a neighbour comes between the jaws: its middle is not beyond a finger's, which pushes it out."""
    reached = p[2] - neighbour.radius < tool.pad[2]
    level = abs(p[1]) < tool.pad[1] + neighbour.length / 2.0 - GRAZE
    return bool(reached and level and abs(p[0]) < opening / 2.0 + tool.pad[0] + GRAZE)


def _stem_under_blade(p: Vector, neighbour: Target, up: Vector, width: float, tool: Tool) -> bool:
    """Return whether the neighbour hangs lower and its peduncle rises through the blade's way, `width` to each side."""
    top = p + up * (neighbour.length / 2.0)
    if top[1] < -tool.blade_offset - GRAZE or up[1] > -0.5:
        return False
    at = top + up * ((-tool.blade_offset - top[1]) / up[1])
    inside = tool.blade_reach[0] - GRAZE < at[2] < tool.blade_reach[1] + GRAZE
    return bool(inside and abs(at[0]) < width)


def _level_with_blade(p: Vector, neighbour: Target, tool: Tool) -> bool:
    """Return whether the blade passes at the height of the neighbour's thick: between the jaws it comes under it."""
    return abs(-tool.blade_offset - float(p[1])) < THICK * 0.5 * neighbour.length


def _flesh_under_blade(p: Vector, neighbour: Target, width: float, tool: Tool) -> bool:
    """Return whether the blade meets the neighbour's flesh over the closed jaws, `width` to each side."""
    height = abs(-tool.blade_offset - p[1]) / (neighbour.length / 2.0 + GRAZE)
    if height >= 1.0 or abs(p[0]) > width:
        return False
    front = p[2] - neighbour.radius * math.sqrt(1.0 - height**2)
    return bool(tool.blade_reach[0] - neighbour.radius < front < tool.blade_reach[1] + GRAZE)
