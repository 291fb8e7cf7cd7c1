"""Hang fruit and leaves where a scene file says; what it leaves open is drawn from the cultivar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sim.scene.leaves import LeafSpec, hanging_leaf, plant, plant_positions
from sim.scene.plants import Bed, BerrySpec, TrussSpec, hang, peduncle
from sim.scene.settings import GivenBerry, SceneSettings

Array = npt.NDArray[np.float64]

OVER_EDGE = 0.03
"""A peduncle's node hangs at least this far below the top of the bed [m]."""


def in_world(settings: SceneSettings, position: tuple[float, float, float]) -> Array:
    """Return a place in the bed's frame (along, in front of the edge, below the top) in the world [m], shape (3,)."""
    along, front, below = position
    return np.array([settings.origin + along, settings.edge_y - front, settings.top_z - below])


def grow_given(settings: SceneSettings, rng: np.random.Generator) -> Bed:
    """Return the bed with exactly the berries and hanging leaves that are told, and upright leaves behind them."""
    berries = [_berry(settings, rng, given, i) for i, given in enumerate(settings.given_berries)]
    numbers = sorted({b.truss for b in berries})
    berries = [replace(b, truss=numbers.index(b.truss)) for b in berries]
    trusses = []
    for k in range(len(numbers)):
        members = [b for b in berries if b.truss == k]
        middle = np.mean([b.anchor for b in members], axis=0)
        node = np.array([middle[0], middle[1], max(float(b.anchor[2]) for b in members) + 0.012])
        trusses.append(TrussSpec(path=peduncle(settings, rng, node)))
    upright = replace(settings, leaf_occlusion=0.0)
    plants: list[list[LeafSpec]] = [list(plant(upright, rng, x)) for x in plant_positions(settings, rng)]
    crowns = np.array([leaves[0].root[0] for leaves in plants])
    for given in settings.given_leaves:
        tip = in_world(settings, given.position)
        leaf = hanging_leaf(settings, tip, size=given.size, turn=given.turn, tilt=given.tilt)
        plants[int(np.argmin(np.abs(crowns - tip[0])))].append(leaf)
    return Bed(berries=tuple(berries), trusses=tuple(trusses), plants=tuple(tuple(leaves) for leaves in plants))


def _berry(settings: SceneSettings, rng: np.random.Generator, given: GivenBerry, index: int) -> BerrySpec:
    cultivar = settings.cultivar
    half_width = given.half_width or float(rng.uniform(*cultivar.half_width))
    half_length = given.half_length or half_width * float(rng.uniform(*cultivar.aspect))
    center = in_world(settings, given.position)
    top = float(center[2]) + half_length
    length = given.stem_length or float(rng.uniform(*cultivar.stem_length))
    anchor_z = top + length if given.stem_length else max(min(top + length, settings.top_z - OVER_EDGE), top + 0.02)
    maturity = given.maturity if given.maturity is not None else (0.3 if given.ripeness < 0.02 else 1.0)
    truss = given.truss if given.truss is not None else -1 - index
    shape = (half_width, half_length)
    berry = hang(
        settings, rng, center, shape, anchor_z=anchor_z, skin=(given.ripeness, maturity), truss=truss, id=index + 1
    )
    told = {"stem_radius": given.stem_radius, "mass": given.mass, "break_force": given.break_force}
    return replace(berry, **{name: value for name, value in told.items() if value is not None})  # type: ignore[arg-type]
