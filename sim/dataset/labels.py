"""Exact labels of a drawn view: mask, boxes, ripeness of what is seen, peduncle and place of every fruit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sim.dataset import CUT_ABOVE_CALYX
from sim.dataset.fruit import Fruit
from sim.dataset.scene import Still
from sim.dataset.skin import skin_weight
from sim.dataset.views import View
from vision.camera.pinhole import project
from vision.types import Intrinsics

Array = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int32]

SMALLEST = 40
"""Fruit with fewer visible pixels is not labelled."""

LEAST_VISIBLE = 0.05
FLOWER = "flower"


@dataclass(frozen=True, slots=True, kw_only=True)
class FruitLabel:
    """One fruit of one picture. Pixels: x right, y down, centres at whole numbers; space: optical frame [m].

    Attributes:
        id: value of its pixels in the mask picture (flesh and calyx), from 1.
        box: x0, y0, x1, y1 around what is visible [px].
        whole: the box it would have if nothing hid it and the picture had no border [px].
        ripeness: share of the visible flesh that has its ripe colour, 0-1; of the whole skin when only calyx is seen.
        ripeness_whole: share of its whole skin.
        stage: flower, green, white, turning, ripe, overripe.
        visible: visible pixels of flesh and calyx over those of the whole outline, 0-1.
        calyx_px, cut_px: where the stem meets the calyx, and 10 mm up the stem [px].
        stem_px: unit direction of the stem between them in the picture.
        calyx_visible, cut_visible: whether the stem (at the calyx: the calyx or the stem) is seen there.
        center, axis: midway between tip and calyx [m]; unit vector from tip to calyx.
        diameter, length: largest width across the axis; tip to calyx [m].
        calyx, cut, stem: the points in space [m]; unit direction of the stem at the cut.
    """

    id: int
    box: tuple[float, float, float, float]
    whole: tuple[float, float, float, float]
    ripeness: float
    ripeness_whole: float
    stage: str
    visible: float
    calyx_px: tuple[float, float]
    cut_px: tuple[float, float]
    stem_px: tuple[float, float]
    calyx_visible: bool
    cut_visible: bool
    center: tuple[float, float, float]
    axis: tuple[float, float, float]
    diameter: float
    length: float
    calyx: tuple[float, float, float]
    cut: tuple[float, float, float]
    stem: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowerLabel:
    """One flower of one picture; `id` is its value in the mask picture."""

    id: int
    box: tuple[float, float, float, float]
    center: tuple[float, float, float]
    stage: str = FLOWER


def label(still: Still, shown: Ids, view: View, camera: Intrinsics) -> tuple[npt.NDArray[np.uint16], list[FruitLabel]]:
    """Return the mask picture (0 background, else the label's id) and the labels of the fruit in it.

    Args:
        shown: geom of each pixel, shape (h, w).
    """
    owner = np.zeros(still.model.ngeom + 1, np.int32)
    for i in range(len(still.fruit)):
        owner[still.flesh[i]] = owner[still.calyx[i]] = i + 1
    index = owner[shown]
    counts = np.bincount(index.ravel(), minlength=len(still.fruit) + 1)
    mask = np.zeros(shown.shape, np.uint16)
    labels: list[FruitLabel] = []
    for i in np.flatnonzero(counts[1:] >= SMALLEST).tolist():
        mine = index == i + 1
        found = _fruit(still, i, shown, mine, view=view, camera=camera, id=len(labels) + 1)
        if found.visible >= LEAST_VISIBLE:
            labels.append(found)
            mask[mine] = found.id
    return mask, labels


def label_flowers(
    still: Still, shown: Ids, mask: npt.NDArray[np.uint16], view: View, first: int
) -> Iterator[FlowerLabel]:
    """Yield the flowers, and write their ids from `first` on into `mask`."""
    T_camera_world = np.linalg.inv(view.T_world_camera)
    for petals, heart in still.flowers.tolist():
        mine = (shown == petals) | (shown == heart)
        if int(mine.sum()) < SMALLEST:
            continue
        mask[mine] = first
        center = T_camera_world[:3, :3] @ still.model.geom_pos[heart] + T_camera_world[:3, 3]
        yield FlowerLabel(id=first, box=_box(mine), center=_triple(center))
        first += 1


def _fruit(
    still: Still, i: int, shown: Ids, mine: npt.NDArray[np.bool_], *, view: View, camera: Intrinsics, id: int
) -> FruitLabel:
    f = still.fruit[i]
    T = np.linalg.inv(view.T_world_camera)

    def local(points: Array) -> Array:
        return np.asarray(points @ T[:3, :3].T + T[:3, 3], np.float64)

    surface = local(np.vstack([f.mesh.vertices, f.calyx.vertices]))
    surface[:, 2] = np.maximum(surface[:, 2], 1e-3)
    outline = project(surface, camera)
    area = max(1.0, float(_silhouette(f, outline)))
    top = f.center + f.half_length * f.axis
    cut, direction = f.along_stem(CUT_ABOVE_CALYX)
    points = local(np.stack([f.center, top, cut, cut + 1e-3 * direction]))
    axis, stem = T[:3, :3] @ f.axis, T[:3, :3] @ direction
    calyx_px, cut_px = project(np.maximum(points[1:3], [-np.inf, -np.inf, 1e-3]), camera)
    run = cut_px - calyx_px
    low, high = outline.min(axis=0), outline.max(axis=0)
    ripe = _ripeness_seen(f, still.ripe[i], project(local(_places(f)), camera), shown == still.flesh[i])
    weight = skin_weight(still.ripe[i].shape[0])
    whole = float((still.ripe[i] * weight).sum() / weight.sum())
    return FruitLabel(
        id=id,
        box=_box(mine),
        whole=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        ripeness=whole if ripe is None else ripe,
        ripeness_whole=whole,
        stage=stage_of(f),
        visible=min(1.0, float(mine.sum()) / area),
        calyx_px=_pair(calyx_px),
        cut_px=_pair(cut_px),
        stem_px=_pair(run / max(float(np.linalg.norm(run)), 1e-6)),
        calyx_visible=_shows(shown, calyx_px, (still.calyx[i], still.stem[i]), 2),
        cut_visible=_shows(shown, cut_px, (still.stem[i],), 1),
        center=_triple(points[0]),
        axis=_triple(axis),
        diameter=2.0 * f.half_width,
        length=2.0 * f.half_length,
        calyx=_triple(points[1]),
        cut=_triple(points[2]),
        stem=_triple(stem),
    )


def stage_of(f: Fruit) -> str:
    """Return the stage that a fruit's colours make it (`vision.types.Stage`)."""
    if f.stage == "overripe":
        return "overripe"
    if f.ripeness >= 0.75:
        return "ripe"
    if f.ripeness >= 0.05:
        return "turning"
    return "white" if f.maturity > 0.6 else "green"


def _silhouette(f: Fruit, outline: Array) -> float:
    """Return the area of flesh and calyx together if nothing hid them [px]."""
    flesh = outline[: len(f.mesh.vertices)].astype(np.float32)
    low = np.floor(outline.min(axis=0)) - 1
    size = np.ceil(outline.max(axis=0) - low).astype(int) + 2
    scale = min(1.0, 400.0 / float(size.max()))
    canvas = np.zeros((int(size[1] * scale) + 2, int(size[0] * scale) + 2), np.uint8)
    hull = cv2.convexHull(flesh)[:, 0, :]
    cv2.fillConvexPoly(canvas, np.rint((hull - low) * scale).astype(np.int32), 1)
    star = outline[len(f.mesh.vertices) :]
    for face in f.calyx.faces[: len(f.calyx.faces) // 2]:
        cv2.fillConvexPoly(canvas, np.rint((star[face] - low) * scale).astype(np.int32), 1)
    return float(canvas.sum()) / scale**2


def _places(f: Fruit) -> Array:
    """Return the middle of each face pair of the skin's grid [m], shape (stacks * slices, 3)."""
    grid = _grid_of(f)
    middle: Array = 0.25 * (grid[:-1, :-1] + grid[1:, :-1] + grid[:-1, 1:] + grid[1:, 1:])
    return middle.reshape(-1, 3)


def _grid_of(f: Fruit) -> Array:
    slices = int(np.flatnonzero(f.mesh.texcoords[:, 0] > 1.0 - 1e-9)[0])
    return f.mesh.vertices.reshape(-1, slices + 1, 3)


def _ripeness_seen(f: Fruit, ripe: Array, at: Array, seen: npt.NDArray[np.bool_]) -> float | None:
    """Return how ripe the visible skin is: its places weighted by their area in the picture; None if none is seen.

    Args:
        at: pixel of each place, shape (n, 2).
        seen: pixels that show the flesh.
    """
    grid = _grid_of(f)
    rows, columns = grid.shape[0] - 1, grid.shape[1] - 1
    p = at.reshape(rows, columns, 2)
    across = np.roll(p, -1, axis=1) - np.roll(p, 1, axis=1)
    along = p[np.minimum(np.arange(rows) + 1, rows - 1)] - p[np.maximum(np.arange(rows) - 1, 0)]
    area = across[..., 0] * along[..., 1] - across[..., 1] * along[..., 0]
    x, y = np.rint(p[..., 0]).astype(int), np.rint(p[..., 1]).astype(int)
    inside = (x >= 0) & (y >= 0) & (x < seen.shape[1]) & (y < seen.shape[0])
    weight = np.zeros(area.shape)
    weight[inside] = np.maximum(area[inside], 0.0) * seen[y[inside], x[inside]]  # u right, v down
    if weight.sum() <= 0.0:
        return None
    u, v = (0.25 * sum(f.mesh.texcoords[:, k].reshape(grid.shape[:2])[a, b] for a, b in _CORNERS) for k in (0, 1))
    size = ripe.shape[0]
    smooth = cv2.blur(ripe, (5, 5))
    values = smooth[np.minimum((v * size).astype(int), size - 1), np.minimum((u * size).astype(int), size - 1)]
    return float((weight * values).sum() / weight.sum())


_CORNERS = tuple((a, b) for a in (slice(None, -1), slice(1, None)) for b in (slice(None, -1), slice(1, None)))


def _shows(shown: Ids, at: Array, geoms: tuple[int, ...], reach: int) -> bool:
    x, y = round(float(at[0])), round(float(at[1]))
    around = shown[max(0, y - reach) : max(0, y + reach + 1), max(0, x - reach) : max(0, x + reach + 1)]
    return bool(around.size) and bool(np.isin(around, geoms).any())


def _box(mine: npt.NDArray[np.bool_]) -> tuple[float, float, float, float]:
    rows, columns = np.flatnonzero(mine.any(axis=1)), np.flatnonzero(mine.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _pair(v: Array) -> tuple[float, float]:
    return float(v[0]), float(v[1])


def _triple(v: Array) -> tuple[float, float, float]:
    return float(v[0]), float(v[1]), float(v[2])
