"""The clearance of one joint vector, for the control loop: pairs that cannot be the nearest are left out.

Written with plain floats: what is left after a look at the boxes around the capsules is less than array overhead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from robot.arms import ArmDescription
from robot.kinematics.chain import frame_rows

Point = tuple[float, float, float]
Segment = tuple[Point, Point]
Bounds = tuple[float, float, float, float, float, float]
TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """What is looked at: capsules by their link and ends, and which of them against which and against which box.

    Attributes:
        capsules: link, ends in its frame, radius [m].
        selves: two capsules' indices.
        boxes: low and high corner [m], and whether it rides with the rail.
        near: a capsule's and a box's index.
        grounded: capsules that must not touch the floor.
        floor: its height [m].
    """

    capsules: tuple[tuple[int, Point, Point, float], ...]
    selves: tuple[tuple[int, int], ...]
    boxes: tuple[tuple[Point, Point, bool], ...]
    near: tuple[tuple[int, int], ...]
    grounded: tuple[int, ...]
    floor: float


def nearest(arm: ArmDescription, pairs: Pairs, q: Sequence[float]) -> float:
    """Return the smallest distance between the arm and anything [m]; negative when they overlap."""
    rows = list(frame_rows(arm, q))
    segments = [(_place(rows[link], start), _place(rows[link], end)) for link, start, end, _ in pairs.capsules]
    around = [_around(segment) for segment in segments]
    radius = [capsule[3] for capsule in pairs.capsules]
    best = min((around[i][2] - radius[i] for i in pairs.grounded), default=float("inf")) - pairs.floor
    boxes = []
    for (x0, y0, z0), (x1, y1, z1), carried in pairs.boxes:
        shift = q[0] if carried else 0.0
        boxes.append((x0 + shift, y0, z0, x1 + shift, y1, z1))
    todo = []
    for i, j in pairs.selves:
        gap = _apart(around[i], around[j]) - radius[i] - radius[j]
        if gap < best:
            todo.append((gap, i, j, True))
    for i, j in pairs.near:
        gap = _apart(around[i], boxes[j]) - radius[i]
        if gap < best:
            todo.append((gap, i, j, False))
    todo.sort()
    for gap, i, j, itself in todo:
        if gap >= best:
            break  # nor can any that follows be nearer
        if itself:
            best = min(best, between_segments(segments[i], segments[j]) - radius[i] - radius[j])
        else:
            best = min(best, to_box(segments[i], boxes[j]) - radius[i])
    return best


def between_segments(one: Segment, other: Segment) -> float:
    """Return the distance between two segments [m]. Ericson, Real-Time Collision Detection (2005), 5.1.9."""
    (px, py, pz), (p1x, p1y, p1z) = one
    (rx, ry, rz), (r1x, r1y, r1z) = other
    ux, uy, uz, vx, vy, vz = p1x - px, p1y - py, p1z - pz, r1x - rx, r1y - ry, r1z - rz
    wx, wy, wz = px - rx, py - ry, pz - rz
    a, b, c = ux * ux + uy * uy + uz * uz, ux * vx + uy * vy + uz * vz, vx * vx + vy * vy + vz * vz
    d, e = ux * wx + uy * wy + uz * wz, vx * wx + vy * wy + vz * wz
    skew = a * c - b * b
    s = _share((b * e - c * d) / skew) if skew > TINY else 0.0
    t = (b * s + e) / max(c, TINY)
    if not 0.0 <= t <= 1.0:
        t = _share(t)
        s = _share((b * t - d) / max(a, TINY))
    gx, gy, gz = wx + ux * s - vx * t, wy + uy * s - vy * t, wz + uz * s - vz * t
    return sqrt(gx * gx + gy * gy + gz * gz)


def to_box(segment: Segment, box: Bounds) -> float:
    """Return the distance between a segment and a box along the axes [m]; 0 inside.

    The slope of the squared distance along the segment is piecewise linear and never falls, with breaks where the
    segment crosses a plane of the box: its zero is found exactly between two breaks.
    """
    p, end = segment
    u = end[0] - p[0], end[1] - p[1], end[2] - p[2]
    low, high = box[:3], box[3:]
    breaks = [_share((plane[i] - p[i]) / u[i]) for i in range(3) if abs(u[i]) > TINY for plane in (low, high)]
    before, slope_before, t = 0.0, 0.0, 1.0
    for at in (0.0, *sorted(breaks), 1.0):
        slope = 0.0
        for i in range(3):
            slope += _beyond(p[i] + at * u[i], low[i], high[i]) * u[i]
        if slope >= 0.0:
            t = before - slope_before * (at - before) / (slope - slope_before) if at > 0.0 else 0.0
            break
        before, slope_before = at, slope
    x, y, z = (_beyond(p[i] + t * u[i], low[i], high[i]) for i in range(3))
    return sqrt(x * x + y * y + z * z)


def _beyond(x: float, low: float, high: float) -> float:
    return x - high if x > high else min(x - low, 0.0)


def _share(t: float) -> float:
    return min(max(t, 0.0), 1.0)


def _place(row: Sequence[float], point: Point) -> Point:
    """Return a point of a frame in the world; `row` is the frame as x axis, y axis, z axis, origin."""
    x, y, z = point
    a0, a1, a2, b0, b1, b2, c0, c1, c2, px, py, pz = row
    return px + x * a0 + y * b0 + z * c0, py + x * a1 + y * b1 + z * c1, pz + x * a2 + y * b2 + z * c2


def _around(segment: Segment) -> Bounds:
    """Return the box along the axes around a segment: three lows, three highs."""
    (ax, ay, az), (bx, by, bz) = segment
    return min(ax, bx), min(ay, by), min(az, bz), max(ax, bx), max(ay, by), max(az, bz)


def _apart(one: Bounds, other: Bounds) -> float:
    """Return how far two boxes along the axes are from each other [m]; what is in them is not nearer."""
    x = max(one[0] - other[3], other[0] - one[3], 0.0)
    y = max(one[1] - other[4], other[1] - one[4], 0.0)
    z = max(one[2] - other[5], other[2] - one[5], 0.0)
    return sqrt(x * x + y * y + z * z)
