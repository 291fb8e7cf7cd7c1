"""Capsule world: how far the arm is from gutter, plants, carriage, floor and itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.collision_one import Pairs, Point, nearest
from robot.kinematics.many import link_frames_many
from robot.motion import Trajectory

Array = npt.NDArray[np.float64]
CHECK_STEP = 0.024  # between checked instants of a trajectory [s]; 12 mm at the tool's top speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box along the world's axes [m].

    Attributes:
        carried: moves with the rail; given at rail position 0. The arm's base is not checked against it.
        tool_allowed: the tool may be inside, the arm's links may not (the plants' keep-out, the punnet).
    """

    minimum: tuple[float, float, float]
    maximum: tuple[float, float, float]
    carried: bool = False
    tool_allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacles:
    """What the arm must not touch: boxes and the floor's height [m]."""

    boxes: tuple[Box, ...] = ()
    floor: float = 0.0


def carriage(arm: ArmDescription) -> tuple[Box, ...]:
    """Return the boxes that ride with the arm: the punnet with its walls (the tool may enter) and the deck below."""
    x, y, z = arm.punnet.position.tolist()
    a, b, height = arm.punnet.inner.tolist()
    wall, base = 0.005, arm.rail.base.tolist()
    return (
        Box(
            minimum=(x - a / 2 - wall, y - b / 2 - wall, z - wall),
            maximum=(x + a / 2 + wall, y + b / 2 + wall, z + height),
            carried=True,
            tool_allowed=True,
        ),
        Box(
            minimum=(base[0] - 0.15, min(base[1] - 0.12, y - b / 2), 0.0),
            maximum=(x + a / 2, base[1] + 0.12, min(z, base[2]) - wall),
            carried=True,
        ),
    )


class World:
    """Distances between one arm's capsules and a set of obstacles.

    Links next to each other are not looked at: their shapes meet in the joint, and its limits keep the rest apart.

    Args:
        arm: the arm's description.
        obstacles: boxes and floor; `carriage(arm)` gives the ones that ride along.
    """

    def __init__(self, arm: ArmDescription, obstacles: Obstacles) -> None:
        self._arm = arm
        self._floor = obstacles.floor
        capsules = arm.arm.capsules
        self._link = np.array([c.link for c in capsules])
        ends = np.array([[c.start, c.end] for c in capsules])
        self._ends = np.concatenate([ends, np.ones((len(capsules), 2, 1))], axis=2)
        self._radius = np.array([c.radius for c in capsules])
        first, second = np.triu_indices(len(capsules), 1)
        apart = self._vary(first, second) & (np.abs(self._link[second] - self._link[first]) > 1)
        self._first, self._second = first[apart], second[apart]
        self._pair_radius = self._radius[self._first] + self._radius[self._second]
        boxes = obstacles.boxes
        self._low = np.array([b.minimum for b in boxes]).reshape(-1, 3)
        self._high = np.array([b.maximum for b in boxes]).reshape(-1, 3)
        self._carried = np.array([b.carried for b in boxes], dtype=bool)
        ignored = [
            [(b.tool_allowed and c.link == arm.tool_link) or (b.carried and c.link == 0) for b in boxes]
            for c in capsules
        ]
        self._box_capsule, self._box = np.nonzero(~np.array(ignored, dtype=bool).reshape(len(capsules), len(boxes)))
        self._pairs = Pairs(
            capsules=tuple((c.link, _point(c.start), _point(c.end), float(c.radius)) for c in capsules),
            selves=tuple(zip(self._first.tolist(), self._second.tolist(), strict=True)),
            boxes=tuple((b.minimum, b.maximum, b.carried) for b in boxes),
            near=tuple(zip(self._box_capsule.tolist(), self._box.tolist(), strict=True)),
            grounded=tuple(i for i, c in enumerate(capsules) if c.link > 0),
            floor=obstacles.floor,
        )

    def _segments(self, q: Array) -> tuple[Array, Array]:
        """Return the capsules' ends for joint vectors of shape (m, 7), shape (m, capsules, 3) each."""
        frames = link_frames_many(self._arm, q)[:, self._link]
        points: Array = np.einsum("mcij,cej->mcei", frames[:, :, :3], self._ends)
        return points[:, :, 0], points[:, :, 1]

    def _vary(self, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        """Tell which pairs of capsules can come nearer; the others are held where they are by what joins them."""
        start, end = self._segments(
            np.array([np.sin(np.arange(self._arm.size) + shift) for shift in np.linspace(0.0, 2.0, 5)])
        )
        distances = segment_distance(start[:, first], end[:, first], start[:, second], end[:, second])
        spread: npt.NDArray[np.bool_] = np.ptp(distances, axis=0) > 1e-4
        return spread

    def clearance(self, q: Array) -> float:
        """Return the smallest distance between the arm and anything [m]; negative when they overlap.

        Args:
            q: joint vector, shape (7,).
        """
        return nearest(self._arm, self._pairs, q.tolist())

    def clearances(self, q: Array) -> Array:
        """Return the clearance of each of many joint vectors [m], shape (m,) from (m, 7); cheaper than one by one."""
        start, end = self._segments(q)
        height = np.minimum(start[:, :, 2], end[:, :, 2]) - self._radius
        smallest: Array = height[:, self._link > 0].min(axis=1) - self._floor
        if len(self._first):
            i, j = self._first, self._second
            gaps = segment_distance(start[:, i], end[:, i], start[:, j], end[:, j]) - self._pair_radius
            smallest = np.minimum(smallest, gaps.min(axis=1))
        if len(self._box):
            shift = np.zeros((len(q), len(self._box), 3))
            shift[:, :, 0] = q[:, :1] * self._carried[self._box]
            i = self._box_capsule
            low, high = self._low[self._box] + shift, self._high[self._box] + shift
            gaps = box_distance(start[:, i], end[:, i], low, high) - self._radius[i]
            smallest = np.minimum(smallest, gaps.min(axis=1))
        return smallest

    def check(self, trajectory: Trajectory) -> float:
        """Return the smallest clearance along a trajectory [m], looked at every CHECK_STEP and at its end."""
        n = max(1, int(np.ceil(trajectory.duration / CHECK_STEP)))
        q, _, _ = trajectory.sample_many(np.linspace(0.0, trajectory.duration, n + 1))
        return float(self.clearances(q).min())


def segment_distance(p0: Array, p1: Array, q0: Array, q1: Array) -> Array:
    """Return the distances between segments p0-p1 and q0-q1 [m], shape (...) from (..., 3).

    Ericson, Real-Time Collision Detection (2005), 5.1.9.
    """
    u, v, w = p1 - p0, q1 - q0, p0 - q0
    a, b, c = _dot(u, u), _dot(u, v), _dot(v, v)
    d, e = _dot(u, w), _dot(v, w)
    denominator = a * c - b * b
    skew = denominator > 1e-12
    s = np.where(skew, np.clip((b * e - c * d) / np.where(skew, denominator, 1.0), 0.0, 1.0), 0.0)
    t = (b * s + e) / np.maximum(c, 1e-12)
    clipped = np.clip(t, 0.0, 1.0)
    s = np.where(t == clipped, s, np.clip((b * clipped - d) / np.maximum(a, 1e-12), 0.0, 1.0))
    gap = w + u * s[..., None] - v * clipped[..., None]
    return np.sqrt(_dot(gap, gap))


def box_distance(p0: Array, p1: Array, low: Array, high: Array) -> Array:
    """Return the distances between segments and boxes along the axes [m], shape (...) from (..., 3); 0 inside.

    The squared distance along the segment is convex and piecewise quadratic, with breaks where the segment crosses a
    plane of the box: the zero of its piecewise linear derivative is found exactly between two breaks.
    """
    u = p1 - p0
    step = np.where(np.abs(u) > 1e-12, u, 1e-12)
    breaks = np.concatenate([(low - p0) / step, (high - p0) / step], axis=-1)
    t = np.zeros((*u.shape[:-1], 8))
    t[..., 1:7] = np.sort(np.clip(breaks, 0.0, 1.0), axis=-1)
    t[..., 7] = 1.0
    points = p0[..., None, :] + t[..., None] * u[..., None, :]
    outside = points - np.clip(points, low[..., None, :], high[..., None, :])
    slope = np.einsum("...ki,...i->...k", outside, u)
    k = np.minimum((slope < 0.0).sum(axis=-1), 7)[..., None]  # first break whose slope is not negative
    j = np.maximum(k - 1, 0)
    at_k, at_j = np.take_along_axis(slope, k, axis=-1), np.take_along_axis(slope, j, axis=-1)
    t_k, t_j = np.take_along_axis(t, k, axis=-1), np.take_along_axis(t, j, axis=-1)
    rise = at_k - at_j
    share = np.where(rise > 1e-15, -at_j / np.where(rise > 1e-15, rise, 1.0), 0.0)
    nearest = p0 + (t_j + np.clip(share, 0.0, 1.0) * (t_k - t_j)) * u
    gap = nearest - np.clip(nearest, low, high)
    return np.sqrt(_dot(gap, gap))


def _point(values: Array) -> Point:
    x, y, z = values.tolist()
    return x, y, z


def _dot(a: Array, b: Array) -> Array:
    product: Array = np.einsum("...i,...i->...", a, b)
    return product
