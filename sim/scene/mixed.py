"""Draw a bed side by classes of difficulty: each ripe berry gets the neighbours and leaves its class is made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sim.scene.groups import Group, Shape, groups
from sim.scene.leaves import LeafSpec, hanging_leaf, plant, plant_positions
from sim.scene.plants import Bed, BerrySpec, TrussSpec, colour, gap, hang, peduncle
from sim.scene.settings import SceneSettings
from sim.scene.visibility import Foliage, visible_share

Array = npt.NDArray[np.float64]
VISIBLE = {"isolated": (0.86, 1.0), "partly_hidden": (0.36, 0.74), "beside": (0.36, 1.0), "cluster": (0.36, 1.0),
           "enclosed": (0.0, 0.24)}  # fmt: skip
"""Visible share that is aimed at, inside the limits of the class; "beside" is partly hidden for its neighbour."""

STEM_ROOM, LONGEST_STEM = 0.003, 0.20
"""Room for a stem beside other fruit, and how far above its own fruit it may pass there [m]."""

REACH = 0.35
"""Leaves further along the bed than this hide nothing here [m]."""

PLACES, LEAVES, ROUNDS = 300, 40, 6
"""How often a place for a group, a leaf in front of a berry, and the whole bed are tried."""


def grow_mix(settings: SceneSettings, rng: np.random.Generator) -> Bed:
    """Draw one bed side whose ripe fruit falls into the classes of `settings.mix`, as rendering measures them.

    A bed is drawn again while a berry misses its class; the best of a few is kept.
    """
    best: tuple[int, Bed] | None = None
    for _ in range(ROUNDS):
        missed, bed = _draw(settings, rng)
        if best is None or missed < best[0]:
            best = (missed, bed)
        if not missed:
            break
    assert best is not None
    return best[1]


def _draw(settings: SceneSettings, rng: np.random.Generator) -> tuple[int, Bed]:
    bunches = groups(settings, rng)
    order = sorted(bunches, key=lambda g: (-len(g.shapes), g.wanted[0] != "isolated"))
    berries: list[BerrySpec] = []
    trusses: list[TrussSpec] = []
    wanted: dict[int, str] = {}
    leafy: list[int] = []
    apart: list[float] = []
    for group in order:
        place = _place(settings, rng, group, berries, apart)
        if place is None:
            continue
        node, members = _hang(settings, rng, group, place, truss=len(trusses), first_id=len(berries) + 1)
        trusses.append(TrussSpec(path=peduncle(settings, rng, node)))
        for name, member in zip(group.wanted, members, strict=True):
            wanted[len(berries)] = name
            if group.leaf and name:
                leafy.append(len(berries))
            berries.append(member)
            apart.append(group.apart)
    plants = [plant(settings, rng, x) for x in plant_positions(settings, rng)]
    leaves = _clear(_ungrouped(plants), berries, wanted, set(leafy))
    for index in leafy:
        _cover(settings, rng, berries, wanted, leaves, index=index)
    total, foliage = sum(len(g.shapes) for g in bunches), Foliage(leaves)
    missed = total - len(berries) + sum(not _fits(berries, foliage, i, name) for i, name in wanted.items() if name)
    return missed, Bed(berries=tuple(berries), trusses=tuple(trusses), plants=_regrouped(plants, leaves))


def _place(
    settings: SceneSettings, rng: np.random.Generator, group: Group, others: list[BerrySpec], apart: list[float]
) -> Array | None:
    """Return where the group's first fruit hangs, clear of all others in space and in the view from the aisle."""
    margin = 0.03
    centers = np.array([o.center for o in others]).reshape(-1, 3)
    deep = min(o[1] for o in group.offsets)
    for _ in range(PLACES):
        y = float(rng.uniform(min(settings.fruit_y[0] - deep, settings.fruit_y[1]), settings.fruit_y[1]))
        x = float(rng.uniform(settings.origin + margin, settings.origin + settings.length - margin))
        at = np.array([x, y, float(rng.uniform(*settings.fruit_z))])
        places = [at + offset for offset in group.offsets]
        if not all(settings.fruit_z[0] - 0.03 <= p[2] <= settings.fruit_z[1] + 0.01 for p in places):
            continue
        near = np.flatnonzero(np.abs(centers[:, 0] - x) < 0.25) if len(centers) else np.zeros(0, dtype=np.int64)
        if all(_clear_of(p, s, others[k], max(group.apart, apart[k])) for p, s in zip(places, group.shapes, strict=True)
               for k in near):  # fmt: skip
            return at
    return None


def _clear_of(at: Array, shape: Shape, other: BerrySpec, apart: float) -> bool:
    """Return whether two fruits of different trusses are far enough apart and do not hide each other or each stem."""
    theirs = (other.half_width, other.half_length)
    if gap(at, shape, other.center, theirs) < apart:
        return False
    aside = float(np.hypot(*(at - other.center)[:2]))
    if aside < max(shape[0], other.half_width) + STEM_ROOM and abs(float(at[2] - other.center[2])) < LONGEST_STEM:
        return False  # the stem of the lower one would run through the upper one
    flat = np.array([1.0, 0.0, 1.0])
    beside = gap(at * flat, shape, other.center * flat, theirs) > 0.004
    return beside or float(np.linalg.norm((at - other.center) * flat)) > 0.055


def _hang(
    settings: SceneSettings, rng: np.random.Generator, group: Group, at: Array, *, truss: int, first_id: int
) -> tuple[Array, list[BerrySpec]]:
    centers = [at + offset for offset in group.offsets]
    highest = max(float(c[2]) + s[1] for c, s in zip(centers, group.shapes, strict=True))
    anchor_z = min(highest + float(rng.uniform(*settings.cultivar.stem_length)), settings.top_z - 0.03)
    members = []
    for i, (center, shape) in enumerate(zip(centers, group.shapes, strict=True)):
        stage = "ripe" if group.wanted[i] else str(rng.choice(["green", "white", "turning"], p=[0.48, 0.24, 0.28]))
        member = hang(
            settings, rng, center, shape, anchor_z=anchor_z, skin=colour(stage, rng), truss=truss, id=first_id + i
        )
        members.append(replace(member, stage=stage))
    middle = np.mean(centers, axis=0)
    return np.array([middle[0], middle[1], anchor_z + 0.012]), members


def _fits(berries: list[BerrySpec], foliage: Foliage, index: int, name: str) -> bool:
    low, high = VISIBLE[name]
    share = visible_share(berries[index], berries, foliage.near(berries[index].center))
    return low - 0.02 <= share <= high + 0.02


def _clear(leaves: list[LeafSpec], berries: list[BerrySpec], wanted: dict[int, str], leafy: set[int]) -> list[LeafSpec]:
    """Return the leaves without those that hang in front of fruit that is to be seen."""
    foliage = Foliage(leaves)
    gone: set[int] = set()
    for index, name in wanted.items():
        if not name or (name == "enclosed" and index in leafy):
            continue
        offset = foliage.triangles.mean(axis=1) - berries[index].center
        ahead = (offset[:, 1] < 0.0) & (np.abs(offset[:, 0]) < 0.045) & (np.abs(offset[:, 2]) < 0.045)
        gone |= set(foliage.owner[ahead].tolist())
    return [leaf for k, leaf in enumerate(leaves) if k not in gone or not leaf.droops]


def _cover(
    settings: SceneSettings,
    rng: np.random.Generator,
    berries: list[BerrySpec],
    wanted: dict[int, str],
    leaves: list[LeafSpec],
    *,
    index: int,
) -> None:
    """Hang a leaf or two in front of a berry so that it is seen as far as its class wants; spoil no other's class."""
    berry, name = berries[index], wanted[index]
    low, high = VISIBLE[name]
    near = [i for i, n in wanted.items() if n and i != index and abs(berries[i].center[0] - berry.center[0]) < 0.13]
    around = [leaf for leaf in leaves if abs(leaf.tip[0] - berry.center[0]) < REACH]
    foliage = Foliage(around)
    mine, theirs = foliage.near(berry.center), {i: foliage.near(berries[i].center) for i in near}
    for _ in range(LEAVES):
        new = _leaf_before(settings, rng, berry, full=name == "enclosed")
        added = Foliage(new)
        share = visible_share(berry, berries, np.concatenate([mine, added.near(berry.center)]))
        if not low <= share <= high:
            continue
        seen = {i: np.concatenate([theirs[i], added.near(berries[i].center)]) for i in near}
        if all(visible_share(berries[i], berries, seen[i]) >= VISIBLE[wanted[i]][0] for i in near if i not in {index}):
            leaves.extend(new)
            return


def _leaf_before(settings: SceneSettings, rng: np.random.Generator, berry: BerrySpec, *, full: bool) -> list[LeafSpec]:
    count = 2 if full and rng.random() < 0.4 else 1
    spread = 0.010 if full else 0.032
    leaves = []
    for _ in range(count):
        size = float(rng.uniform(0.044, 0.056) if full else rng.uniform(0.036, 0.050))
        aside = float(rng.uniform(-spread, spread))
        front = float(berry.center[1]) - berry.half_width - float(rng.uniform(0.008, 0.035))
        above = berry.half_length + float(rng.uniform(-0.004, 0.012) if full else rng.uniform(-0.02, 0.02))
        tip = np.array([berry.center[0] + aside, front, berry.center[2] + above])
        turn, tilt = float(rng.uniform(-0.3, 0.3)), float(rng.uniform(0.0, 0.35))
        leaves.append(hanging_leaf(settings, tip, size=size, turn=turn, tilt=tilt))
    return leaves


def _ungrouped(plants: list[tuple[LeafSpec, ...]]) -> list[LeafSpec]:
    return [leaf for leaves in plants for leaf in leaves]


def _regrouped(plants: list[tuple[LeafSpec, ...]], leaves: list[LeafSpec]) -> tuple[tuple[LeafSpec, ...], ...]:
    """Return the leaves by plant again; each goes to the plant whose crown is nearest."""
    crowns = np.array([group[0].root[0] for group in plants])
    found: list[list[LeafSpec]] = [[] for _ in plants]
    for leaf in leaves:
        found[int(np.argmin(np.abs(crowns - leaf.root[0])))].append(leaf)
    return tuple(tuple(group) for group in found if group)
