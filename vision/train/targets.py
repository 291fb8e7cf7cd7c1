"""What the network should say about a view: heat, and for each fruit the cells that answer for it and their values."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision.net.layout import PROTO_STRIDE, STRIDE
from vision.train.augment import View
from vision.train.fruit import Fruit

Array = npt.NDArray[np.float32]

MASKED_FRUIT = 5
"""At most so many fruit of a view take part in the mask's loss."""
_SPREAD = 0.09
"""Standard deviation of the heat, as a share of the box's side (TTFNet's 0.54 / 6)."""
_LEAST_SPREAD = 0.4
_ANSWERS_FROM = 0.25
_MOST_CELLS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Targets of one view; nan where a value is not known.

    Attributes:
        heat: shape (2, n, n), 1 at the cells of centres, falling off as a Gaussian.
        weight: 0 where the heat is not known, shape (2, n, n).
        cells: number of the cell and of the fruit, shape (m, 2).
        share: weight of each cell in its fruit's loss, shape (m,).
        boxes: shape (f, 4) [px].
        values: ripeness, calyx x y, peduncle x y [px], visible, shape (f, 6).
        masks: 0 or 1 at PROTO_STRIDE, shape (k, p, p); `masked` names the fruit.
    """

    heat: Array
    weight: Array
    cells: npt.NDArray[np.int64]
    share: Array
    boxes: Array
    values: Array
    masks: npt.NDArray[np.uint8]
    masked: npt.NDArray[np.int64]


def targets_of(view: View, rng: np.random.Generator) -> Targets:
    """Return the targets of a view; where fruits meet, a cell answers for the one whose heat is greater there."""
    side = view.picture.shape[0]
    n = side // STRIDE
    heat = np.zeros((2, n, n), np.float32)
    weight = np.ones((2, n, n), np.float32)
    weight[1][view.unripe_unknown[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]] = 0.0
    best = np.zeros((n, n), np.float32)
    owner = np.full((n, n), -1, np.int64)
    grid = np.arange(n, dtype=np.float32) + 0.5
    peaks = []
    for i, (fruit, box) in enumerate(zip(view.fruit, view.boxes, strict=True)):
        centre, sides = (box[:2] + box[2:]) / (2 * STRIDE), (box[2:] - box[:2]) / STRIDE
        spread = np.maximum(_SPREAD * sides, _LEAST_SPREAD)
        along = [np.exp(-((grid - centre[a]) ** 2) / (2 * spread[a] ** 2)) for a in (0, 1)]
        bump = np.outer(along[1], along[0]).astype(np.float32)
        x, y = (int(np.clip(centre[a], 0, n - 1)) for a in (0, 1))
        bump /= max(float(bump.max()), 1e-6)
        bump[y, x] = 1.0
        kind = 0 if fruit.ripe else 1
        heat[kind] = np.maximum(heat[kind], bump)
        weight[kind][bump > 0.05] = 1.0
        nearer = (bump > best) & (bump > _ANSWERS_FROM)
        best[nearer], owner[nearer] = bump[nearer], i
        peaks.append((y, x))
    for i, (y, x) in enumerate(peaks):
        owner[y, x] = i
        best[y, x] = 1.0
    cells, shares = [], []
    for i in range(len(view.fruit)):
        own = np.flatnonzero(owner.ravel() == i)
        if len(own) == 0:
            continue
        own = own[np.argsort(-best.ravel()[own])][:_MOST_CELLS]
        share = best.ravel()[own]
        cells.append(np.stack([own, np.full(len(own), i)], axis=1))
        shares.append(share / share.sum())
    masked = _chosen(view.fruit, rng)
    return Targets(
        heat=heat,
        weight=weight,
        cells=np.concatenate(cells) if cells else np.zeros((0, 2), np.int64),
        share=np.concatenate(shares).astype(np.float32) if shares else np.zeros(0, np.float32),
        boxes=view.boxes,
        values=np.array([_values(f) for f in view.fruit], np.float32).reshape(-1, 6),
        masks=np.stack([_mask(view.fruit[i], side) for i in masked])
        if len(masked)
        else np.zeros((0, side // PROTO_STRIDE, side // PROTO_STRIDE), np.uint8),
        masked=masked,
    )


def _values(f: Fruit) -> list[float]:
    unknown = [float("nan")] * 2
    calyx = unknown if f.calyx is None else [float(v) for v in f.calyx]
    peduncle = unknown if f.peduncle is None else [float(v) for v in f.peduncle]
    return [f.ripeness, *calyx, *peduncle, f.visible]


def _chosen(fruit: list[Fruit], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    with_outline = np.array([i for i, f in enumerate(fruit) if f.outline is not None], np.int64)
    return rng.permutation(with_outline)[:MASKED_FRUIT]


def _mask(fruit: Fruit, side: int) -> npt.NDArray[np.uint8]:
    mask = np.zeros((side // PROTO_STRIDE, side // PROTO_STRIDE), np.uint8)
    assert fruit.outline is not None
    points = (fruit.outline + 0.5) / PROTO_STRIDE - 0.5
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 1, shift=4)
    return mask
