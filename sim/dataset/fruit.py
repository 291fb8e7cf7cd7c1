"""Fruit of a rendered scene: shape, lean, curved stem, and the points that labels need. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.dataset.look import Look
from sim.scene.plants import BerrySpec
from sim.scene.shapes import Mesh

Array = npt.NDArray[np.float64]

SIZE = {
    "green": (0.45, 0.85),
    "white": (0.7, 1.0),
    "turning": (0.85, 1.1),
    "ripe": (0.85, 1.2),
    "overripe": (0.85, 1.2),
}
"""Size of each stage over the cultivar's: fruit grows until it turns."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fruit:
    """One fruit as it hangs, in world coordinates [m].

    Attributes:
        center: midway between tip and calyx, shape (3,).
        axis: unit vector from tip to calyx, shape (3,).
        stem: the pedicel's centre line from the calyx to the truss, shape (n, 3).
        half_width: half of the largest width across the axis.
        half_length: half of the distance from tip to calyx.
        mesh: flesh in world coordinates.
    """

    stage: str
    ripeness: float
    maturity: float
    center: Array
    axis: Array
    stem: Array
    stem_radius: float
    half_width: float
    half_length: float
    mesh: Mesh
    calyx: Mesh
    id: int

    def along_stem(self, distance: float) -> tuple[Array, Array]:
        """Return the point `distance` [m] up the stem from the calyx and the stem's unit direction there."""
        pieces = np.diff(self.stem, axis=0)
        lengths = np.linalg.norm(pieces, axis=1)
        ends = np.cumsum(lengths)
        i = min(int(np.searchsorted(ends, distance)), len(pieces) - 1)
        into = distance - (ends[i] - lengths[i])
        direction = pieces[i] / lengths[i]
        return self.stem[i] + into * direction, direction


def hang(spec: BerrySpec, look: Look, rng: np.random.Generator) -> Fruit:
    """Return the fruit of a bed's berry: sized by stage, leaning, on a curved stem."""
    stage = "overripe" if spec.stage == "ripe" and rng.random() < 0.06 else spec.stage
    if look.plain:
        half_width, half_length, lean = spec.half_width, spec.half_length, 0.0
        stage = spec.stage
    else:
        scale = rng.uniform(*SIZE[stage])
        half_width = spec.half_width * scale
        half_length = half_width * float(np.clip(rng.normal(1.25, 0.14), 0.92, 1.6))
        lean = look.tilt
    axis = np.array([lean * rng.normal(), lean * rng.normal(), 1.0])
    axis /= np.linalg.norm(axis)
    top = spec.center + half_length * axis
    anchor = spec.anchor + (0.0 if look.plain else 1.0) * np.array([*rng.normal(0.0, 0.012, 2), 0.0])
    anchor[2] = max(anchor[2], top[2] + 0.03)
    frame = _frame(axis, spec.spin)
    unit = _plain_shape() if look.plain else _shape(rng)
    flesh = unit.vertices * [half_width, half_width, half_length]
    size = half_width * (rng.uniform(0.75, 1.25) if stage != "green" else rng.uniform(1.0, 1.4))
    star = _calyx(rng)
    leafy = star.vertices * [size, size, 0.55 * size] + [0.0, 0.0, 0.93 * half_length]
    return Fruit(
        stage=stage,
        ripeness=1.0 if stage == "overripe" else spec.ripeness,
        maturity=spec.maturity,
        center=spec.center,
        axis=axis,
        stem=_stem(top, axis, anchor),
        stem_radius=spec.stem_radius * (1.0 if look.plain else float(rng.uniform(0.7, 1.1))),
        half_width=half_width,
        half_length=half_length,
        mesh=Mesh(vertices=flesh @ frame.T + spec.center, faces=unit.faces, texcoords=unit.texcoords),
        calyx=Mesh(vertices=leafy @ frame.T + spec.center, faces=star.faces, texcoords=star.texcoords),
        id=spec.id,
    )


def _frame(axis: Array, spin: float) -> Array:
    """Return the rotation whose z is `axis`, turned by `spin` about it."""
    x = np.cross([0.0, 1.0, 0.0], axis)
    x /= np.linalg.norm(x)
    y = np.cross(axis, x)
    c, s = np.cos(spin), np.sin(spin)
    return np.stack([c * x + s * y, c * y - s * x, axis], axis=1)


def _stem(top: Array, axis: Array, anchor: Array, pieces: int = 10) -> Array:
    """Return a cubic Bezier curve that leaves the fruit along its axis and ends upright in the anchor."""
    reach = 0.4 * float(np.linalg.norm(anchor - top))
    control = [top, top + reach * axis, anchor - np.array([0.0, 0.0, reach]), anchor]
    t = np.linspace(0.0, 1.0, pieces + 1)[:, None]
    weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3]
    return np.asarray(sum(w * p for w, p in zip(weights, control, strict=True)), np.float64)


def _grid(profile: Array, t: Array, slices: int, wobble: Array | float) -> Mesh:
    """Return a closed body of revolution with `wobble` on its radius, calyx at z = +1, tip at z = -1, u around."""
    angle = np.linspace(0.0, 2.0 * np.pi, slices + 1)
    radius = profile[:, None] * (1.0 + wobble)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    z = np.broadcast_to((1.0 - 2.0 * t)[:, None], x.shape)
    u, v = np.meshgrid(angle / (2.0 * np.pi), t)
    i, j = np.meshgrid(np.arange(len(t) - 1), np.arange(slices), indexing="ij")
    a = (i * (slices + 1) + j).ravel()
    b = a + slices + 1
    faces = np.concatenate([np.stack([a, b, a + 1], 1)[i.ravel() > 0], np.stack([a + 1, b, b + 1], 1)])
    return Mesh(
        vertices=np.stack([x, y, z], axis=-1).reshape(-1, 3),
        faces=faces.astype(np.int32),
        texcoords=np.stack([u, v], axis=-1).reshape(-1, 2),
    )


def _plain_shape(slices: int = 20, stacks: int = 14) -> Mesh:
    t = 0.5 * (1.0 - np.cos(np.pi * np.linspace(0.0, 1.0, stacks + 1)))
    return _grid(np.sin(np.pi * t**0.72) ** 0.78, t, slices, 0.0)


def _shape(rng: np.random.Generator, slices: int = 26, stacks: int = 16) -> Mesh:
    """Return a cultivar's and a fruit's own outline: globose to long conical, a little flat, a little bumpy."""
    t = 0.5 * (1.0 - np.cos(np.pi * np.linspace(0.0, 1.0, stacks + 1)))
    profile = np.sin(np.pi * t ** rng.uniform(0.6, 0.88)) ** rng.uniform(0.6, 0.9)
    angle = np.linspace(0.0, 2.0 * np.pi, slices + 1)
    flat = 0.05 * rng.random() * np.cos(2.0 * (angle - rng.uniform(0, np.pi)))
    bumps = sum(
        0.02 * rng.normal() * np.cos(k * angle + rng.uniform(0, 6.3)) * np.sin(np.pi * t * m)[:, None]
        for k, m in ((1, 2), (2, 1), (3, 2), (4, 3))
    )
    wobble = flat[None, :] + bumps
    mesh = _grid(profile / profile.max(), t, slices, wobble)
    widest = np.abs(mesh.vertices[:, :2]).max()
    mesh.vertices[:, :2] /= widest
    return mesh


def _calyx(rng: np.random.Generator) -> Mesh:
    """Return sepals of outer radius 1, both sides, some lifted and some laid on the shoulder."""
    lobes = int(rng.integers(8, 14))
    parts, faces = [np.array([[0.0, 0.0, 0.12]])], []
    lift = rng.uniform(-0.6, 0.9)
    for k in range(lobes):
        angle = 2.0 * np.pi * (k + rng.uniform(-0.25, 0.25)) / lobes
        long, wide = rng.uniform(0.65, 1.0), rng.uniform(0.16, 0.27)
        along, side = np.array([np.cos(angle), np.sin(angle), 0.0]), np.array([-np.sin(angle), np.cos(angle), 0.0])
        tip = lift + rng.normal(0.0, 0.2)
        base = sum(len(p) for p in parts)
        parts.append(
            np.array(
                [
                    0.45 * long * along + wide * side + [0, 0, 0.10],
                    0.45 * long * along - wide * side + [0, 0, 0.10],
                    0.75 * long * along + 0.7 * wide * side + [0, 0, 0.05 + 0.3 * tip],
                    0.75 * long * along - 0.7 * wide * side + [0, 0, 0.05 + 0.3 * tip],
                    long * along + [0, 0, 0.6 * tip],
                ]
            )
        )
        faces += [(0, base + 1, base), (base, base + 1, base + 2), (base + 1, base + 3, base + 2)]
        faces += [(base + 2, base + 3, base + 4)]
    points, triangles = np.vstack(parts), np.array(faces, np.int32)
    n = len(points)
    v = np.clip(np.linalg.norm(points[:, :2], axis=1), 0.0, 1.0)
    coords = np.stack([np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi) + 0.5, v], axis=1)
    return Mesh(
        vertices=np.vstack([points, points - [0, 0, 0.01]]),
        faces=np.vstack([triangles, triangles[:, ::-1] + n]).astype(np.int32),
        texcoords=np.vstack([coords, coords]),
    )
