"""What hangs together on one truss, by class of difficulty: alone, in pairs, in clusters, behind other fruit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.scene.plants import gap
from sim.scene.settings import SceneSettings

Array = npt.NDArray[np.float64]
Shape = tuple[float, float]
"""Half width and half length [m]."""

APART = {"isolated": 0.034, "": 0.016}
"""Distance kept between groups, skin to skin [m]: that of an isolated berry, of anything else."""


@dataclass(slots=True, kw_only=True)
class Group:
    """Fruit of one truss: `wanted` of each member is its class, or empty for unripe fruit; `leaf`: covered by one."""

    wanted: list[str]
    offsets: list[Array]
    shapes: list[Shape]
    leaf: bool = False

    @property
    def apart(self) -> float:
        return APART["isolated"] if "isolated" in self.wanted else APART[""]


def groups(settings: SceneSettings, rng: np.random.Generator) -> list[Group]:
    """Return what hangs together: alone, in pairs, in clusters, behind other fruit."""
    mix = settings.mix
    assert mix is not None
    unripe = mix.unripe
    found: list[Group] = []

    def shapes(n: int) -> list[Shape]:
        drawn = []
        for _ in range(n):
            half_width = float(rng.uniform(*settings.cultivar.half_width))
            drawn.append((half_width, half_width * float(rng.uniform(*settings.cultivar.aspect))))
        return drawn

    def add(names: list[str], build: Callable[[list[Shape]], list[Array]], *, leaf: bool = False) -> None:
        drawn = shapes(len(names))
        found.append(Group(wanted=names, shapes=drawn, offsets=build(drawn), leaf=leaf))

    def alone(_: list[Shape]) -> list[Array]:
        return [np.zeros(3)]

    for _ in range(mix.isolated):
        add(["isolated"], alone)
    walled = min(mix.enclosed // 2 + int(mix.enclosed % 2 and rng.random() < 0.5), unripe // 2)
    for k in range(mix.enclosed):
        if k < walled:
            add(["enclosed", "", ""], lambda s: _wall(rng, s))
            unripe -= 2
        else:
            add(["enclosed"], alone, leaf=True)
    left = mix.cluster
    while left:
        ripe = min(left, int(rng.integers(1, 4)))
        size = max(2, ripe, min(4, ripe + int(rng.integers(0, 3))))
        size = ripe + min(size - ripe, unripe) if ripe > 1 or unripe else 1
        add(["cluster"] * ripe + [""] * (size - ripe), lambda s: _cluster(settings, rng, s))
        left, unripe = left - ripe, unripe - (size - ripe)
    beside = min(mix.partly_hidden // 2, unripe)
    for k in range(mix.partly_hidden):
        if k < beside:
            add(["beside", ""], lambda s: _pair(rng, s))
            unripe -= 1
        else:
            add(["partly_hidden"], alone, leaf=True)
    for _ in range(unripe):
        add([""], alone)
    return found


def _pair(rng: np.random.Generator, shapes: list[Shape]) -> list[Array]:
    """Return offsets of two fruits 12-27 mm apart, side by side or one lower."""
    side, lift = (1.0 if rng.random() < 0.5 else -1.0), float(rng.uniform(-0.02, 0.02))
    step = np.array([side, float(rng.uniform(-0.4, 0.4)), 0.0])
    return [np.zeros(3), _apart(step, lift, shapes, 0, float(rng.uniform(0.012, 0.027)))]


def _apart(direction: Array, lift: float, shapes: list[Shape], first: int, wanted: float) -> Array:
    """Return the offset of the last shape along `direction` at which its skin is `wanted` [m] from the first's."""
    low, high = 0.0, 0.15
    unit = direction / np.linalg.norm(direction)
    for _ in range(24):
        middle = 0.5 * (low + high)
        at = unit * middle + np.array([0.0, 0.0, lift])
        low, high = (middle, high) if gap(np.zeros(3), shapes[first], at, shapes[-1]) < wanted else (low, middle)
    return np.asarray(unit * high + np.array([0.0, 0.0, lift]), dtype=np.float64)


def _cluster(settings: SceneSettings, rng: np.random.Generator, shapes: list[Shape]) -> list[Array]:
    """Return offsets of fruits that hang 0.5-8 mm from one of the others and clear of the rest."""
    offsets = [np.zeros(3)]
    depth = settings.fruit_front[1] - settings.fruit_front[0]
    while len(offsets) < len(shapes):
        i = len(offsets)
        for attempt in range(80):
            j = int(rng.integers(len(offsets)))
            angle = float(rng.uniform(-0.7, 0.7)) + (np.pi if rng.random() < 0.5 else 0.0)
            step = np.array([np.cos(angle), np.sin(angle), 0.0])
            pair = [shapes[j], shapes[i]]
            at = offsets[j] + _apart(step, float(rng.uniform(-0.02, 0.02)), pair, 0, float(rng.uniform(0.0005, 0.008)))
            inside = all(abs(at[1] - o[1]) < depth for o in offsets)
            free = all(gap(at, shapes[i], o, s) > 0.0003 for o, s in zip(offsets, shapes, strict=False))
            if attempt == 79 or (inside and free):
                offsets.append(at)
                break
    return offsets


def _wall(rng: np.random.Generator, shapes: list[Shape]) -> list[Array]:
    """Return offsets of a fruit behind another one, and of a third beside the two."""
    front = np.array([float(rng.uniform(-0.006, 0.006)), -(shapes[0][0] + shapes[1][0] + 0.003), -0.003])
    side = 1.0 if rng.random() < 0.5 else -1.0
    pair = [shapes[0], shapes[2]]
    beside = _apart(np.array([side, -0.5, 0.0]), float(rng.uniform(-0.012, 0.012)), pair, 0, 0.004)
    for _ in range(40):
        if gap(beside, shapes[2], front, shapes[1]) > 0.0005:
            break
        beside = beside + np.array([0.002 * side, 0.0, 0.0])
    return [np.zeros(3), front, beside]
