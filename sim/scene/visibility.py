"""How much of a berry can be seen from the aisle, drawn in software from outlines: no graphics library is needed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from sim.scene import shapes
from sim.scene.leaves import LeafSpec
from sim.scene.plants import BerrySpec

Array = npt.NDArray[np.float64]

VIEW_DISTANCE = 0.35
"""From where on the aisle side the visible share is measured [m]."""

PIXELS_PER_RADIAN = 900.0
WINDOW = 240
"""Pixels across the picture in which one berry is drawn: 26 cm at the viewing distance."""

SUBPIXEL = 3


class Foliage:
    """Hanging leaves as triangles. `triangles`: of all, shape (n, 3, 3); `owner`: index of each one's leaf, shape (n,).

    Upright leaves stand above the bed, where they hide no fruit.
    """

    def __init__(self, leaves: Sequence[LeafSpec]) -> None:
        parts, owners = [np.zeros((0, 3, 3))], [np.zeros(0, dtype=np.int64)]
        for index, leaf in enumerate(leaves):
            if not leaf.droops:
                continue
            mesh = shapes.plant((leaf,))
            parts.append(mesh.vertices[mesh.faces])
            owners.append(np.full(len(mesh.faces), index))
        self.triangles: Array = np.concatenate(parts)
        self.owner: npt.NDArray[np.int64] = np.concatenate(owners)

    def near(self, center: Array) -> Array:
        """Return the triangles between the aisle and a place in the world, shape (m, 3, 3)."""
        offset = self.triangles.mean(axis=1) - center
        close = (np.abs(offset[:, 0]) < 0.12) & (np.abs(offset[:, 2]) < 0.12)
        return np.asarray(self.triangles[close & (offset[:, 1] < 0.0) & (offset[:, 1] > -0.3)], dtype=np.float64)


def visible_share(berry: BerrySpec, others: Sequence[BerrySpec], triangles: Array) -> float:
    """Return the share of the berry's outline that nothing covers, seen from straight in front, 0-1.

    Args:
        others: berries that may hang in front of it.
        triangles: of leaves in the world [m], shape (n, 3, 3), as `Foliage.near` gives them.
    """
    eye = berry.center - np.array([0.0, VIEW_DISTANCE, 0.0])
    mine = _outline(berry, eye)
    picture = np.zeros((WINDOW, WINDOW), dtype=np.uint8)
    cv2.fillConvexPoly(picture, mine, 1, shift=SUBPIXEL)
    whole = int(picture.sum())
    for other in others:
        if other is not berry and other.center[1] < berry.center[1] and math.dist(other.center, berry.center) < 0.15:
            cv2.fillConvexPoly(picture, _outline(other, eye), 0, shift=SUBPIXEL)
    for triangle in triangles:
        cv2.fillConvexPoly(picture, _pixels(triangle, eye), 0, shift=SUBPIXEL)
    return float(picture.sum()) / whole


def _outline(berry: BerrySpec, eye: Array) -> npt.NDArray[np.int32]:
    points = berry.center + _UNIT * [berry.half_width, berry.half_width, berry.half_length]
    return np.asarray(cv2.convexHull(_pixels(points, eye)), dtype=np.int32)


def _pixels(points: Array, eye: Array) -> npt.NDArray[np.int32]:
    local = points - eye
    depth = np.maximum(local[:, 1], 0.02)
    u = 0.5 * WINDOW + PIXELS_PER_RADIAN * local[:, 0] / depth
    v = 0.5 * WINDOW - PIXELS_PER_RADIAN * local[:, 2] / depth
    pixels: npt.NDArray[np.int32] = np.round(np.stack([u, v], axis=1) * 2**SUBPIXEL).astype(np.int32)
    return pixels


_UNIT = shapes.berry(12, 8).vertices
