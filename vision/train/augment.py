"""One training picture from the cache: a view of one or four pictures at a new scale, turn and light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from vision.train.cache import Cache, Sample
from vision.train.fruit import Fruit
from vision.train.paste import FruitBank
from vision.train.photometric import relit


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentSettings:
    """How training views are drawn.

    Attributes:
        side: of the square view [px].
        fruit_px: a fruit drawn at random gets a size between these, evenly in the logarithm.
        scale: least and greatest magnification of a cached picture.
        mosaic: share of views put together from four pictures.
        turn_deg: standard deviation of the turn.
        quarter: share of pictures turned by a quarter or a half.
        upright: share of the pictures with a known upright that are brought there first.
        paste: share of the views into which real fruit is pasted.
        anywhere: share of the pictures of which any place is shown, not one with a fruit in it: leaves, hands, gaps.
        least_inside: a fruit of which less than this share is left in the view is not asked for.
    """

    side: int = 416
    fruit_px: tuple[float, float] = (12.0, 220.0)
    scale: tuple[float, float] = (0.25, 2.6)
    mosaic: float = 0.15
    turn_deg: float = 7.0
    quarter: float = 0.25
    upright: float = 0.85
    paste: float = 0.3
    anywhere: float = 0.1
    least_inside: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A training picture, RGB (side, side, 3), its fruit, and where unlabelled fruit may be unripe (True: ignore)."""

    picture: npt.NDArray[np.uint8]
    fruit: list[Fruit]
    boxes: npt.NDArray[np.float32]
    unripe_unknown: npt.NDArray[np.bool_]


def draw(
    cache: Cache,
    pick: Callable[[], int],
    settings: AugmentSettings,
    rng: np.random.Generator,
    bank: FruitBank | None = None,
) -> View:
    """Return a view of one sample or of four.

    Args:
        pick: gives the number of a sample to show.
        bank: real fruit to paste into the view.
    """
    side = settings.side
    picture = np.empty((side, side, 3), np.uint8)
    unknown = np.zeros((side, side), bool)
    fruit: list[Fruit] = []
    boxes: list[npt.NDArray[np.float32]] = []
    if rng.random() < settings.mosaic:
        cut = rng.integers(round(0.3 * side), round(0.7 * side), 2)
        panes = [(0, 0, cut[0], cut[1]), (cut[0], 0, side, cut[1]), (0, cut[1], cut[0], side), (*cut, side, side)]
        members = [pick() for _ in panes]
    else:
        panes, members = [(0, 0, side, side)], [pick()]
    for (x0, y0, x1, y1), member in zip(panes, members, strict=True):
        sample = cache.samples[member]
        pane, found = _pane(cache, sample, (int(x1 - x0), int(y1 - y0)), settings, rng)
        picture[y0:y1, x0:x1] = pane
        unknown[y0:y1, x0:x1] = not sample.unripe_labelled
        shift = np.array([[1.0, 0.0, x0], [0.0, 1.0, y0]])
        fruit += [f.moved(shift) for f, _ in found]
        boxes += [b + np.array([x0, y0, x0, y0], np.float32) for _, b in found]
    if bank is not None and len(bank) and rng.random() < settings.paste:
        for _ in range(int(rng.integers(1, 4))):
            fruit, boxes = bank.paste(picture, fruit, boxes, rng)
    return View(
        picture=relit(picture, rng),
        fruit=fruit,
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        unripe_unknown=unknown,
    )


def _pane(
    cache: Cache, sample: Sample, size: tuple[int, int], s: AugmentSettings, rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], list[tuple[Fruit, npt.NDArray[np.float32]]]]:
    w, h = size
    if sample.fruit:
        chosen = sample.fruit[int(rng.integers(len(sample.fruit)))]
        length = 2.0 * float(np.sqrt(abs(np.linalg.det(chosen.axes))))
        focus = chosen.centre.astype(np.float64)
    else:
        length, focus = 60.0, rng.uniform(0.2, 0.8, 2) * sample.size[::-1]
    if s.anywhere > 0.0 and rng.random() < s.anywhere:
        focus = rng.uniform(0.0, 1.0, 2) * sample.size[::-1]
    wanted = float(np.exp(rng.uniform(*np.log(s.fruit_px))))
    scale = float(np.clip(wanted / max(length, 4.0), *s.scale))
    # Not so small that most of the pane would be empty.
    scale = max(scale, 0.75 * max(w / sample.size[1], h / sample.size[0]))
    turn = np.radians(rng.normal(0.0, s.turn_deg))
    if rng.random() < s.quarter:
        turn += np.pi / 2 * rng.integers(1, 4)
    c, n = scale * np.cos(turn), scale * np.sin(turn)
    stretch = float(np.exp(rng.normal(0.0, 0.07)))
    linear = np.array([[c, -n], [n, c]]) @ np.array(
        [[stretch, rng.normal(0.0, 0.04)], [rng.normal(0.0, 0.04), 1 / stretch]]
    )
    if rng.random() < 0.5:
        linear = linear @ np.diag([-1.0, 1.0])
    if sample.up is not None and rng.random() < s.upright:
        linear = linear @ sample.up
    target = np.array([w, h]) * rng.uniform(0.15, 0.85, 2)
    # Keep the picture over the pane where it is large enough.
    offset = target - linear @ focus
    corners = (linear @ np.array([[0, sample.size[1], 0, sample.size[1]], [0, 0, sample.size[0], sample.size[0]]])).T
    low, high = corners.min(axis=0), corners.max(axis=0)
    for axis, extent in ((0, w), (1, h)):
        if high[axis] - low[axis] >= extent:
            offset[axis] = np.clip(offset[axis], extent - high[axis], -low[axis])
        else:
            offset[axis] = rng.uniform(-low[axis], extent - high[axis])
    affine = np.concatenate([linear, offset[:, None]], axis=1)
    fill = tuple(int(v) for v in rng.integers(0, 256, 3)) if rng.random() < 0.7 else (0, 0, 0)
    source = cache.picture(sample)
    if scale < 0.45:
        source = cv2.resize(source, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        warp = affine @ np.diag([2.0, 2.0, 1.0])
    else:
        warp = affine
    pane = cv2.warpAffine(source, warp, (w, h), flags=cv2.INTER_LINEAR, borderValue=fill)
    moved = [f.moved(affine) for f in sample.fruit]
    return pane, _clipped(moved, w, h, s.least_inside)


def box_of(fruit: Fruit) -> npt.NDArray[np.float32]:
    """Return the box to learn: the mean of the outline's and the ellipse's, each of which errs in its own way."""
    if fruit.outline is None:
        return fruit.box
    return np.asarray(0.5 * (fruit.box + replace(fruit, outline=None).box), np.float32)


def _clipped(fruit: list[Fruit], w: int, h: int, least: float) -> list[tuple[Fruit, npt.NDArray[np.float32]]]:
    """Return the fruit of which enough is inside, with the part of its box that is."""
    kept = []
    for f in fruit:
        box = box_of(f)
        inside = np.clip(box, 0, [w, h, w, h]).astype(np.float32)
        sides = inside[2:] - inside[:2]
        whole = float(np.prod(box[2:] - box[:2]))
        if (sides >= 4).all() and float(np.prod(sides)) >= least * whole:
            kept.append((f, inside))
    return kept
