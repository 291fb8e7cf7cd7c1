"""Leaves and flowers of a rendered scene as meshes: toothed, folded leaflets in threes; five white petals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.scene.leaves import LeafSpec
from sim.scene.shapes import Mesh, merge, tube

Array = npt.NDArray[np.float64]


def plant(leaves: tuple[LeafSpec, ...], rng: np.random.Generator) -> Mesh:
    """Return all leaves of one plant as one mesh; texture v < 0.08 is petiole, the rest leaflet."""
    parts: list[Mesh] = []
    for leaf in leaves:
        parts.append(tube(np.array([leaf.root, leaf.bend, leaf.tip]), 0.0013))
        normal = leaf.normal / np.linalg.norm(leaf.normal)
        along = leaf.tip - leaf.bend
        along = along - normal * float(along @ normal)
        along /= np.linalg.norm(along)
        side = np.cross(along, normal)
        for turn, scale in ((0.0, 1.0), (1.2, 0.9), (-1.2, 0.9)):
            heading = np.cos(turn) * along + np.sin(turn) * side
            parts.append(_leaflet(leaf.tip, heading, normal, leaf.size * scale * rng.uniform(0.8, 1.15), rng))
    return merge(parts)


def _leaflet(base: Array, along: Array, normal: Array, size: float, rng: np.random.Generator) -> Mesh:
    """Return one leaflet with a toothed edge, folded along the midrib and bent at the tip, with two sides."""
    rows = 9
    side = np.cross(along, normal)
    fold, bend, twist = rng.uniform(0.05, 0.35), rng.uniform(0.0, 0.45), rng.normal(0.0, 0.15)
    t = np.linspace(0.0, 1.0, rows)
    half = np.sin(np.pi * np.clip(t, 0.02, 0.98) ** 0.75) ** 0.7 * 0.55
    half = half + np.where(np.arange(rows) % 2 == 0, 0.03, -0.03) * (half > 0.1)
    across = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    a = t[:, None] + 0.05 * np.abs(across) * (half[:, None] > 0.1)
    s = half[:, None] * across
    lift = fold * np.abs(s) - bend * t[:, None] ** 2 + twist * s
    points = base + size * (1.15 * a[..., None] * along + s[..., None] * side + lift[..., None] * normal)
    coords = np.stack([0.5 + 0.49 * across * np.ones((rows, 1)), 0.12 + 0.86 * np.clip(a, 0, 1)], axis=-1)
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(4), indexing="ij")
    p = (i * 5 + j).ravel()
    faces = np.concatenate([np.stack([p, p + 1, p + 5], 1), np.stack([p + 1, p + 6, p + 5], 1)])
    n = 5 * rows
    return Mesh(
        vertices=np.vstack([points.reshape(-1, 3), points.reshape(-1, 3) - 2e-4 * normal]),
        faces=np.vstack([faces, faces[:, ::-1] + n]).astype(np.int32),
        texcoords=np.vstack([coords.reshape(-1, 2)] * 2),
    )


def flower(center: Array, facing: Array, size: float, rng: np.random.Generator) -> tuple[Mesh, Mesh]:
    """Return petals and yellow heart of a flower that faces along `facing`; `size` is the radius [m]."""
    n = facing / np.linalg.norm(facing)
    u = np.cross(n, [0.0, 0.0, 1.0])
    u /= np.linalg.norm(u)
    v = np.cross(n, u)
    points: list[Array] = []
    faces: list[tuple[int, int, int]] = []
    for k in range(5):
        angle = 2.0 * np.pi * k / 5 + rng.uniform(-0.1, 0.1)
        along, side = np.cos(angle) * u + np.sin(angle) * v, np.cos(angle) * v - np.sin(angle) * u
        base = len(points)
        outline = [(0.12, -0.1), (0.12, 0.1), (0.6, 0.42), (0.92, 0.3), (1.0, 0.0), (0.92, -0.3), (0.6, -0.42)]
        lift = rng.uniform(-0.1, 0.35)
        points += [center + size * (a * along + b * side + lift * a * a * n) for a, b in outline]
        faces += [(base, base + i, base + i + 1) for i in range(1, 6)]
    petals = _both_sides(np.array(points), np.array(faces, np.int32))
    ring = np.linspace(0.0, 2.0 * np.pi, 10, endpoint=False)
    rim = center + 0.26 * size * (np.cos(ring)[:, None] * u + np.sin(ring)[:, None] * v) + 0.06 * size * n
    dome = np.vstack([center + 0.24 * size * n, rim])
    heart = _both_sides(dome, np.array([(0, 1 + i, 1 + (i + 1) % 10) for i in range(10)], np.int32))
    return petals, heart


def _both_sides(points: Array, faces: npt.NDArray[np.int32]) -> Mesh:
    n = len(points)
    return Mesh(
        vertices=np.vstack([points, points]),
        faces=np.vstack([faces, faces[:, ::-1] + n]).astype(np.int32),
        texcoords=np.zeros((2 * n, 2)),
    )
