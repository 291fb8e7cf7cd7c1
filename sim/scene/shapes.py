"""Triangle meshes of fruit, calyx, leaves and stems: vertices, faces and texture coordinates as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.scene.leaves import LeafSpec
from sim.scene.outline import profile
from sim.scene.plants import Bed

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mesh:
    """Vertices [m], shape (n, 3); faces, shape (m, 3); texture coordinates, shape (n, 2)."""

    vertices: Array
    faces: npt.NDArray[np.int32]
    texcoords: Array


def berry(slices: int = 16, stacks: int = 10) -> Mesh:
    """Return the unit fruit: half width 1, from calyx at z = +1 to tip at z = -1."""
    t = 0.5 * (1.0 - np.cos(np.pi * np.linspace(0.0, 1.0, stacks + 1)))
    angle = np.linspace(0.0, 2.0 * np.pi, slices + 1)
    tt, aa = np.meshgrid(t, angle, indexing="ij")
    r = profile(tt)
    vertices = np.stack([r * np.cos(aa), r * np.sin(aa), 1.0 - 2.0 * tt], axis=-1).reshape(-1, 3)
    texcoords = np.stack([aa / (2.0 * np.pi), tt], axis=-1).reshape(-1, 2)
    faces = []
    for i in range(stacks):
        for j in range(slices):
            a, b = i * (slices + 1) + j, (i + 1) * (slices + 1) + j
            if i > 0:
                faces.append((a, b, a + 1))
            if i < stacks - 1:
                faces.append((a + 1, b, b + 1))
    return Mesh(vertices=vertices, faces=np.array(faces, dtype=np.int32), texcoords=texcoords)


def calyx(lobes: int = 9) -> Mesh:
    """Return a star of sepals of outer radius 1 that drapes over the fruit's shoulder, seen from both sides."""
    ring = np.linspace(0.0, 2.0 * np.pi, 2 * lobes, endpoint=False)
    outer = np.where(np.arange(2 * lobes) % 2 == 0, 1.0, 0.42)
    drop = np.where(np.arange(2 * lobes) % 2 == 0, -0.22, 0.06)
    rim = np.stack([outer * np.cos(ring), outer * np.sin(ring), drop], axis=-1)
    vertices = np.vstack([[0.0, 0.0, 0.16], rim])
    n = 2 * lobes
    faces = np.array([(0, 1 + i, 1 + (i + 1) % n) for i in range(n)], dtype=np.int32)
    return _two_sided(vertices, faces, np.zeros((n + 1, 2)))


def plant(leaves: tuple[LeafSpec, ...]) -> Mesh:
    """Return all leaves of one plant as one mesh; texture v < 0.08 is petiole, the rest leaflet."""
    parts = [part for leaf in leaves for part in _leaf(leaf)]
    return merge(parts)


def stems(bed: Bed) -> Mesh:
    """Return the static peduncles of all trusses, with their branches to the anchors, as one mesh."""
    parts = [tube(truss.path, 0.0016) for truss in bed.trusses]
    for b in bed.berries:
        node = bed.trusses[b.truss].path[-1]
        parts.append(tube(np.array([node, 0.5 * (node + b.anchor) + [0.0, 0.0, 0.003], b.anchor]), 0.0012))
    return merge(parts)


def merge(parts: list[Mesh]) -> Mesh:
    """Return several meshes as one."""
    offsets = np.cumsum([0, *(len(p.vertices) for p in parts[:-1])])
    return Mesh(
        vertices=np.vstack([p.vertices for p in parts]),
        faces=np.vstack([p.faces + o for p, o in zip(parts, offsets, strict=True)]).astype(np.int32),
        texcoords=np.vstack([p.texcoords for p in parts]),
    )


def _two_sided(vertices: Array, faces: npt.NDArray[np.int32], texcoords: Array) -> Mesh:
    n = len(vertices)
    return Mesh(
        vertices=np.vstack([vertices, vertices]),
        faces=np.vstack([faces, faces[:, ::-1] + n]).astype(np.int32),
        texcoords=np.vstack([texcoords, texcoords]),
    )


def _frame(normal: Array, along: Array) -> tuple[Array, Array, Array]:
    n = normal / np.linalg.norm(normal)
    v = along - n * float(along @ n)
    v = v / np.linalg.norm(v)
    return np.cross(v, n), v, n


def _leaf(leaf: LeafSpec) -> list[Mesh]:
    parts = [tube(np.array([leaf.root, leaf.bend, leaf.tip]), 0.0014)]
    along = leaf.tip - leaf.bend
    u, v, n = _frame(leaf.normal, along)
    for turn, scale in ((0.0, 1.0), (1.15, 0.9), (-1.15, 0.9)):
        direction = np.cos(turn) * v + np.sin(turn) * u
        parts.append(_leaflet(leaf.tip, direction, n, leaf.size * scale))
    return parts


def _leaflet(base: Array, direction: Array, normal: Array, size: float) -> Mesh:
    """Return one leaflet: folded along its midrib, bent at the tip."""
    u, v, n = _frame(normal, direction)
    rows = ((0.0, 0.06), (0.22, 0.62), (0.5, 0.8), (0.78, 0.6), (1.0, 0.05))
    points, texcoords = [], []
    for along, half in rows:
        for side in (-1.0, 0.0, 1.0):
            lift = 0.16 * abs(side) * half - 0.22 * along**2
            points.append(base + size * (along * 1.15 * v + side * half * 0.62 * u + lift * n))
            texcoords.append((0.5 + 0.48 * side * half, 0.12 + 0.86 * along))
    faces = []
    for i in range(len(rows) - 1):
        for k in range(2):
            a, b = 3 * i + k, 3 * (i + 1) + k
            faces += [(a, a + 1, b), (a + 1, b + 1, b)]
    return _two_sided(np.array(points), np.array(faces, dtype=np.int32), np.array(texcoords))


def tube(path: Array, radius: float, sides: int = 4) -> Mesh:
    """Return a thin prism along a polyline."""
    angle = np.linspace(0.0, 2.0 * np.pi, sides, endpoint=False)
    points, faces = [], []
    for i, p in enumerate(path):
        along = path[min(i + 1, len(path) - 1)] - path[max(i - 1, 0)]
        reference = (
            np.array([0.0, 1.0, 0.0]) if abs(along[1]) < 0.8 * np.linalg.norm(along) else np.array([1.0, 0.0, 0.0])
        )
        u, v, _ = _frame(along, reference)
        points += [p + radius * (np.cos(a) * u + np.sin(a) * v) for a in angle]
        if i:
            for k in range(sides):
                a, b = (i - 1) * sides + k, (i - 1) * sides + (k + 1) % sides
                faces += [(a, b, a + sides), (b, b + sides, a + sides)]
    return Mesh(
        vertices=np.array(points),
        faces=np.array(faces, dtype=np.int32),
        texcoords=np.full((len(points), 2), (0.5, 0.03)),
    )
