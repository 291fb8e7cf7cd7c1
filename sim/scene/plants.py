"""Draw the bed from a seed: trusses, berries with stem and ripeness, plants with leaves. Pure data, no physics."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sim.scene.leaves import LeafSpec, plant, plant_positions
from sim.scene.outline import fill
from sim.scene.settings import Range, SceneSettings

Array = npt.NDArray[np.float64]
STAGES = ("green", "white", "turning", "ripe")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BerrySpec:
    """One fruit as it hangs, before anything touches it.

    Attributes:
        id: 1-based.
        truss: index of its truss.
        segment: bed segment it hangs in, from 0.
        stage: stage it was drawn from (green, white, turning, ripe).
        ripeness: share of its skin that has the ripe colour, 0-1.
        maturity: colour of the unripe skin, 0 = green, 1 = white.
        center: of the fruit in the world [m], shape (3,).
        anchor: upper end of its pedicel in the world [m], shape (3,); the pedicel hangs straight down from it.
        half_width, half_length: across and along the axis [m].
        stem_length: from anchor to calyx [m].
        mass: [kg].
        break_force: pull along the stem that tears it off [N].
        spin: rotation about its axis [rad].
    """

    id: int
    truss: int
    segment: int
    stage: str
    ripeness: float
    maturity: float
    center: Array
    anchor: Array
    half_width: float
    half_length: float
    stem_length: float
    stem_radius: float
    mass: float
    break_force: float
    spin: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrussSpec:
    """The peduncle of one truss as a polyline from the crown over the gutter's edge to the node [m], shape (n, 3)."""

    path: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bed:
    """Everything that grows on one bed side."""

    berries: tuple[BerrySpec, ...]
    trusses: tuple[TrussSpec, ...]
    plants: tuple[tuple[LeafSpec, ...], ...]


def grow(settings: SceneSettings, seed: int) -> Bed:
    """Draw one bed side; the same settings and seed give the same bed."""
    rng = np.random.default_rng([seed, 0xBE44])
    if settings.given_berries or settings.given_leaves:
        from sim.scene.given import grow_given

        return grow_given(settings, rng)
    if settings.mix is not None:
        from sim.scene.mixed import grow_mix

        return grow_mix(settings, rng)
    sizes = _truss_sizes(settings, rng)
    xs = _spread(settings, len(sizes), rng)
    stages = _stages(settings, rng)
    berries: list[BerrySpec] = []
    trusses: list[TrussSpec] = []
    for index, (x, size) in enumerate(zip(xs, sizes, strict=True)):
        chosen = [stages.pop() for _ in range(size)]
        node, members = _truss(settings, rng, index, x, chosen, first_id=len(berries) + 1, others=berries)
        berries.extend(members)
        trusses.append(TrussSpec(path=peduncle(settings, rng, node)))
    plants = tuple(plant(settings, rng, x) for x in plant_positions(settings, rng))
    return Bed(berries=tuple(berries), trusses=tuple(trusses), plants=plants)


def _uniform(rng: np.random.Generator, limits: Range) -> float:
    return float(rng.uniform(*limits))


def _truss_sizes(settings: SceneSettings, rng: np.random.Generator) -> list[int]:
    sizes: list[int] = []
    while (left := settings.berries - sum(sizes)) > 0:
        clustered = rng.random() < settings.cluster_rate
        sizes.append(min(left, int(rng.integers(2, 5)) if clustered else 1))
    return sizes


def _spread(settings: SceneSettings, n: int, rng: np.random.Generator) -> list[float]:
    if n == 0:
        return []
    pitch = settings.length / n
    jitter = rng.uniform(-0.35, 0.35, n) * pitch
    return [float(settings.origin + (i + 0.5) * pitch + jitter[i]) for i in range(n)]


def _stages(settings: SceneSettings, rng: np.random.Generator) -> list[str]:
    shares = settings.shares
    wanted = np.array([shares.green, shares.white, shares.turning, shares.ripe]) * settings.berries
    counts = np.floor(wanted).astype(int)
    for i in np.argsort(counts - wanted)[: settings.berries - int(counts.sum())]:
        counts[i] += 1
    stages = [stage for stage, n in zip(STAGES, counts, strict=True) for _ in range(n)]
    return [stages[i] for i in rng.permutation(len(stages))]


def colour(stage: str, rng: np.random.Generator) -> tuple[float, float]:
    """Return ripeness and maturity for a stage."""
    if stage == "green":
        return 0.0, float(rng.uniform(0.0, 0.45))
    if stage == "white":
        return float(rng.uniform(0.0, 0.04)), float(rng.uniform(0.75, 1.0))
    if stage == "turning":
        return float(rng.uniform(0.08, 0.74)), float(rng.uniform(0.85, 1.0))
    return float(1.0 - 0.2 * rng.beta(1.0, 3.0)), 1.0


def _truss(
    settings: SceneSettings,
    rng: np.random.Generator,
    index: int,
    x: float,
    stages: list[str],
    *,
    first_id: int,
    others: list[BerrySpec],
) -> tuple[Array, list[BerrySpec]]:
    """Return the node and the fruit of one truss; members of a cluster nearly touch, trusses do not overlap."""
    cultivar = settings.cultivar
    shapes = []
    for _ in stages:
        half_width = _uniform(rng, cultivar.half_width)
        shapes.append((half_width, half_width * _uniform(rng, cultivar.aspect)))
    for _ in range(200):
        y = _uniform(rng, settings.fruit_y)
        z = _uniform(rng, settings.fruit_z)
        centers = [np.array([x + rng.uniform(-0.02, 0.02), y, z])]
        for i in range(1, len(shapes)):
            centers.append(_beside(settings, rng, centers, shapes, i))
        placed = [(c, s) for c, s in zip(centers, shapes, strict=True)]
        if all(gap(c, s, o.center, (o.half_width, o.half_length)) > 0.004 for c, s in placed for o in others):
            break
    highest = max(float(c[2]) + s[1] for c, s in placed)
    anchor_z = min(highest + _uniform(rng, cultivar.stem_length), settings.top_z - 0.03)
    members = []
    for i, (center, shape) in enumerate(placed):
        skin = colour(stages[i], rng)
        member = hang(settings, rng, center, shape, anchor_z=anchor_z, skin=skin, truss=index, id=first_id + i)
        members.append(replace(member, stage=stages[i]))
    node = np.array([np.mean([c[0] for c in centers]), np.mean([c[1] for c in centers]), anchor_z + 0.012])
    return node, members


def hang(
    settings: SceneSettings,
    rng: np.random.Generator,
    center: Array,
    shape: tuple[float, float],
    *,
    anchor_z: float,
    skin: tuple[float, float],
    truss: int,
    id: int,
) -> BerrySpec:
    """Return a berry on its pedicel, with what is not told drawn from the cultivar.

    Args:
        center: of the fruit in the world [m], shape (3,).
        shape: half width and half length [m].
        anchor_z: height of the pedicel's upper end [m].
        skin: ripeness and maturity.
    """
    cultivar = settings.cultivar
    half_width, half_length = shape
    volume = 4.0 / 3.0 * math.pi * half_width**2 * half_length * fill()
    return BerrySpec(
        id=id,
        truss=truss,
        segment=max(0, int((center[0] - settings.origin) // settings.segment_length)),
        stage=stage_of(*skin),
        ripeness=skin[0],
        maturity=skin[1],
        center=center,
        anchor=np.array([center[0], center[1], anchor_z]),
        half_width=half_width,
        half_length=half_length,
        stem_length=float(anchor_z - center[2] - half_length),
        stem_radius=_uniform(rng, cultivar.stem_radius),
        mass=volume * cultivar.density,
        break_force=_uniform(rng, cultivar.break_force),
        spin=float(rng.uniform(0.0, 2.0 * math.pi)),
    )


def stage_of(ripeness: float, maturity: float) -> str:
    """Return the stage of a skin: green, white, turning or ripe."""
    if ripeness >= 0.75:
        return "ripe"
    if ripeness >= 0.05:
        return "turning"
    return "white" if maturity > 0.6 else "green"


def _beside(
    settings: SceneSettings, rng: np.random.Generator, centers: list[Array], shapes: list[tuple[float, float]], i: int
) -> Array:
    """Return a centre for fruit `i` 0.5-8 mm from one of its neighbours in the cluster and clear of the others."""
    best: tuple[float, Array] | None = None
    for _ in range(60):
        j = int(rng.integers(len(centers)))
        angle = rng.uniform(-0.6, 0.6) + (math.pi if rng.random() < 0.5 else 0.0)
        lift = rng.uniform(-0.025, 0.025)
        reach = shapes[i][0] + shapes[j][0] + rng.uniform(0.0005, 0.008)
        candidate = centers[j] + np.array([reach * math.cos(angle), reach * math.sin(angle), lift])
        candidate[1] = float(np.clip(candidate[1], *settings.fruit_y))
        free = min(gap(candidate, shapes[i], c, s) for c, s in zip(centers, shapes, strict=False))
        if free > 0.0003:
            return np.asarray(candidate, dtype=np.float64)
        if best is None or free > best[0]:
            best = (free, candidate)
    assert best is not None
    return np.asarray(best[1] + np.array([0.0, 0.0, -0.03]), dtype=np.float64)


def gap(a: Array, shape_a: tuple[float, float], b: Array, shape_b: tuple[float, float]) -> float:
    """Return about how far two upright ellipsoids are apart [m]; exact along the axes."""
    delta = a - b
    distance = float(np.linalg.norm(delta))
    if distance < 1e-9:
        return -shape_a[0] - shape_b[0]
    u = delta / distance

    def extent(shape: tuple[float, float]) -> float:
        return math.sqrt((shape[0] * math.hypot(u[0], u[1])) ** 2 + (shape[1] * u[2]) ** 2)

    return distance - extent(shape_a) - extent(shape_b)


def peduncle(settings: SceneSettings, rng: np.random.Generator, node: Array) -> Array:
    """Return the way of a peduncle from the crown over the edge down to its node, shape (6, 3)."""
    crown = np.array([node[0] + rng.uniform(-0.05, 0.05), settings.edge_y + 0.10, settings.top_z + 0.01])
    over = np.array([node[0], settings.edge_y - 0.005, settings.top_z + rng.uniform(0.015, 0.035)])
    side = np.array([node[0], 0.5 * (settings.edge_y - 0.02 + node[1]), max(settings.top_z - 0.02, node[2] + 0.005)])
    points = [crown, 0.5 * (crown + over) + np.array([0.0, 0.0, 0.018]), over, side, node]
    return np.array(points)
