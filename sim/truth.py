"""Ground truth of a simulated cell, for scoring only: what was there, what became of it, how hard it was."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import mujoco
import numpy as np
import numpy.typing as npt

from sim.cell import Cell, DamageModel
from sim.contacts import Touch
from sim.offscreen import Offscreen
from sim.scene import BerrySpec, Scene, SceneSettings, build_scene
from sim.scene.build import HANGING, LOOSE, STOWED
from sim.scene.plants import gap
from sim.scene.shapes import berry as berry_mesh
from sim.scene.visibility import VIEW_DISTANCE

Array = npt.NDArray[np.float64]

WINDOW = (0.80, 1.0)
"""Default picking window of ripeness; "ripe present" means inside it at the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BerryRecord:
    """One berry's truth.

    Attributes:
        visible: share of its outline seen from the aisle at the start, 0-1.
        gap: to the nearest other berry at the start [m].
        difficulty: "enclosed", "cluster", "partly_hidden" or "isolated".
        place: where it is now: "hanging", "held", "placed", "outside".
        cause: how it came off: "", "cut" or "torn".
        gripped: it was between the pads when it came off.
        pad_force: largest sustained force of a pad [N]; `peak_force` the largest of any toucher at any instant.
        damage: "none", "marginal", "bruised", "crushed", "torn" or "blade".
    """

    id: int
    segment: int
    position: tuple[float, float, float]
    ripeness: float
    stage: str
    mass: float
    half_width: float
    half_length: float
    stem_length: float
    visible: float
    gap: float
    difficulty: str
    place: str
    cause: str
    gripped: bool
    pad_force: float
    peak_force: float
    impact_energy: float
    damage: str

    @property
    def damaged(self) -> bool:
        return self.damage not in {"none", "marginal"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Counts over one bed side.

    Attributes:
        ripe_present: inside the window at the start.
        picked: of those, taken off by the robot and not dropped outside.
        placed: of those, in the punnet.
        damaged: berries taken or touched, of any ripeness, that are bruised, crushed, torn or cut into.
        unripe_picked: outside the window, taken off between the pads.
        neighbours_lost: came off without being between the pads: cut or torn along with another.
        dropped: were between the pads when they came off, now lie outside the punnet.
    """

    ripe_present: int
    picked: int
    placed: int
    damaged: int
    unripe_picked: int
    neighbours_lost: int
    dropped: int
    records: tuple[BerryRecord, ...]

    def by_difficulty(self) -> dict[str, tuple[int, int]]:
        """Return placed and present ripe berries by difficulty class."""
        table: dict[str, tuple[int, int]] = {}
        for record in self.records:
            if WINDOW[0] <= record.ripeness <= WINDOW[1]:
                placed, present = table.get(record.difficulty, (0, 0))
                table[record.difficulty] = (placed + (record.place == "placed"), present + 1)
        return table


def score(
    cell: Cell,
    *,
    window: tuple[float, float] = WINDOW,
    visible: Array | None = None,
    damage: DamageModel | None = None,
) -> Score:
    """Score a cell as it is now.

    Args:
        damage: replaces the cell's own damage model, such as one with half the thresholds.
        window: picking window of ripeness.
        visible: share of each berry seen from the aisle at the start, shape (n,), as `visible_shares` measures it;
            None measures it now, on a fresh scene (a second or two).
    """
    if visible is None:
        visible = visible_shares(cell.settings.scene, cell.seed)
    gaps = neighbour_gaps(cell.scene.bed.berries)
    model = (damage or cell.settings.damage).scaled(cell.settings.scene.cultivar.firmness)
    count = len(cell.scene.bed.berries)
    records = tuple(_record(cell, i, float(visible[i]), float(gaps[i]), model) for i in range(count))
    ripe = [r for r in records if window[0] <= r.ripeness <= window[1]]
    off = [r for r in records if r.cause]
    return Score(
        ripe_present=len(ripe),
        picked=sum(bool(r.cause) and r.place != "outside" for r in ripe),
        placed=sum(r.place == "placed" for r in ripe),
        damaged=sum(r.damaged for r in records),
        unripe_picked=sum(r.gripped and not window[0] <= r.ripeness <= window[1] for r in off),
        neighbours_lost=sum(not r.gripped for r in off),
        dropped=sum(r.gripped and r.place == "outside" for r in off),
        records=records,
    )


def _record(cell: Cell, index: int, visible: float, gap: float, model: DamageModel) -> BerryRecord:
    spec, touch = cell.scene.bed.berries[index], cell.contacts.touches[index]
    off = next((d for d in cell.fruit.detachments if d.berry == index), None)
    return BerryRecord(
        id=spec.id,
        segment=spec.segment,
        position=(float(spec.center[0]), float(spec.center[1]), float(spec.center[2])),
        ripeness=spec.ripeness,
        stage=spec.stage,
        mass=spec.mass,
        half_width=spec.half_width,
        half_length=spec.half_length,
        stem_length=spec.stem_length,
        visible=visible,
        gap=gap,
        difficulty=difficulty(visible, gap),
        place=_place(cell, index),
        cause=off.cause if off else "",
        gripped=off.gripped if off else False,
        pad_force=touch.sustained.get("pads", 0.0),
        peak_force=max(touch.peak.values(), default=0.0),
        impact_energy=touch.impact_energy,
        damage=_damage(model, touch, torn=bool(off and off.cause == "torn"), blade=index in cell.fruit.flesh_cut),
    )


def difficulty(visible: float, gap: float) -> str:
    """Return the class of one berry; boundaries as the project's benchmark defines them."""
    if visible < 0.3:
        return "enclosed"
    if gap <= 0.010:
        return "cluster"
    if visible < 0.8 or gap <= 0.030:
        return "partly_hidden"
    return "isolated"


def _place(cell: Cell, index: int) -> str:
    state = cell.fruit.states[index]
    if state == HANGING:
        return "hanging"
    if state == STOWED:
        return "placed"
    assert state == LOOSE
    if cell.fruit.in_punnet(index):
        return "placed"
    return "held" if cell.fruit.gripped(index) else "outside"


def _damage(model: DamageModel, touch: Touch, *, torn: bool, blade: bool) -> str:
    if torn:
        return "torn"
    if blade:
        return "blade"
    if max(touch.peak.values(), default=0.0) > model.crushed:
        return "crushed"
    force = max(touch.sustained.values(), default=0.0)
    if force > model.bruised or touch.impact_energy > model.impact:
        return "bruised"
    return "marginal" if force > model.marginal else "none"


def neighbour_gaps(berries: tuple[BerrySpec, ...]) -> Array:
    """Return the distance from each berry to the nearest other, skin to skin [m], shape (n,); inf beyond 20 cm."""
    if len(berries) < 2:
        return np.full(len(berries), np.inf)
    gaps = np.full((len(berries), len(berries)), np.inf)
    for i, a in enumerate(berries):
        for k, b in enumerate(berries[:i]):
            if math.dist(a.center, b.center) < 0.2:
                apart = gap(a.center, (a.half_width, a.half_length), b.center, (b.half_width, b.half_length))
                gaps[i, k] = gaps[k, i] = max(apart, 0.0)
    return np.asarray(gaps.min(axis=1), dtype=np.float64)


def visible_shares(settings: SceneSettings, seed: int) -> Array:
    """Return the share of each berry's outline seen from straight in front of it at the start, shape (n,)."""
    scene = build_scene(settings, seed)
    data = mujoco.MjData(scene.model)
    mujoco.mj_forward(scene.model, data)
    offscreen = Offscreen(scene.model, 640, 480)
    try:
        offscreen.show_robot(False)
        return np.array([_visible(scene, data, offscreen, i) for i in range(len(scene.bed.berries))])
    finally:
        offscreen.close()


def _visible(scene: Scene, data: mujoco.MjData, offscreen: Offscreen, index: int) -> float:
    spec = scene.bed.berries[index]
    x, y, z = (float(v) for v in spec.center)
    ids = offscreen.draw_ids(data, offscreen.free((x, y, z), VIEW_DISTANCE, 90.0, 0.0))
    focal = 0.5 * offscreen.height / np.tan(np.radians(float(scene.model.vis.global_.fovy)) / 2.0)
    points = berry_mesh().vertices * [spec.half_width, spec.half_width, spec.half_length]
    depth = VIEW_DISTANCE + points[:, 1]
    u = 0.5 * (offscreen.width - 1) + focal * points[:, 0] / depth
    v = 0.5 * (offscreen.height - 1) - focal * points[:, 2] / depth
    outline = np.zeros(ids.shape, dtype=np.uint8)
    cv2.fillConvexPoly(outline, cv2.convexHull(np.round(np.stack([u, v], axis=1)).astype(np.int32)), 1)
    mine = np.isin(ids, [scene.names.flesh[index, HANGING], scene.names.calyx[index, HANGING]])
    return float(min(1.0, (mine & (outline > 0)).sum() / outline.sum()))
