"""Calyxes labelled by hand on `train` pictures of which nobody knows the upright, carried to their versions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vision.matching import Box, intersection_over_union
from vision.train.cache import Cache, Sample
from vision.train.fruit import Fruit
from vision.train.groups import affine_between

LABELS = Path(__file__).parent.parent / "data" / "train_calyxes.json"
SCHEMA = "berrybrain.calyxes/1"

_LEAST_OVERLAP = 0.4
_FURTHEST = 0.85
"""A calyx further from its fruit's middle than this share of the box's diagonal is none of its own."""
_CUT_SHARE = 0.28
"""Cutting point beyond the calyx as a share of the fruit's length: 10 mm on 36 mm."""
_LEAST_OFFSET = 0.2
"""Nearer to the middle than this share of the length the fruit shows its calyx end: its stem points at the camera."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalyxLabel:
    """One labelled fruit: box and calyx in shares of the picture's width and height."""

    picture: str
    box: tuple[float, float, float, float]
    calyx: tuple[float, float]


def load_labels(path: Path = LABELS) -> list[CalyxLabel]:
    """Return the labels.

    Raises:
        ValueError: the file is of another version.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.get("schema") != SCHEMA:
        raise ValueError(f"{path} is of schema {content.get('schema')!r}, expected {SCHEMA!r}")
    return [CalyxLabel(picture=e["picture"], box=tuple(e["box"]), calyx=tuple(e["calyx"])) for e in content["labels"]]


def with_labels(cache: Cache, labels: Sequence[CalyxLabel]) -> Cache:
    """Return the cache with the labelled calyxes in the labelled pictures and in their turned versions."""
    by_picture: dict[str, list[CalyxLabel]] = defaultdict(list)
    for label in labels:
        by_picture[label.picture].append(label)
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in cache.samples:
        groups[sample.group].append(sample)
    changed: dict[str, Sample] = {}
    for sample in cache.samples:
        known = by_picture.get(sample.name)
        if not known:
            continue
        size = np.array([sample.size[1], sample.size[0]], np.float64)
        boxes = [np.array(k.box) * np.tile(size, 2) for k in known]
        points = np.array([k.calyx for k in known]) * size
        for version in groups[sample.group]:
            turn = np.eye(2, 3) if version is sample else affine_between(_grey(cache, sample), _grey(cache, version))
            if turn is not None:
                changed[version.name] = _given(version, boxes, points, turn)
    return replace(cache, samples=[changed.get(s.name, s) for s in cache.samples])


def _grey(cache: Cache, sample: Sample) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(cache.picture(sample), cv2.COLOR_RGB2GRAY), np.uint8)


def _given(
    sample: Sample,
    boxes: Sequence[npt.NDArray[np.float64]],
    points: npt.NDArray[np.float64],
    turn: npt.NDArray[np.float64],
) -> Sample:
    """Return `sample` with the calyxes that `turn` carries into its fruit."""
    fruit = list(sample.fruit)
    for box, point in zip(boxes, points, strict=True):
        corners = box[[[0, 1], [2, 1], [2, 3], [0, 3]]] @ turn[:, :2].T + turn[:, 2]
        carried = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
        overlaps = [intersection_over_union(_sides(f.box), _sides(carried)) for f in fruit]
        best = int(np.argmax(overlaps)) if overlaps else -1
        if best >= 0 and overlaps[best] >= _LEAST_OVERLAP:
            fruit[best] = _with_calyx(fruit[best], point @ turn[:, :2].T + turn[:, 2])
    return replace(sample, fruit=fruit)


def _with_calyx(fruit: Fruit, calyx: npt.NDArray[np.float64]) -> Fruit:
    """Return the fruit with its calyx, and a cutting point along its axis where the axis is seen from the side."""
    box = fruit.box.astype(np.float64)
    away = calyx - (box[:2] + box[2:]) / 2
    length = float((box[2:] - box[:2]).max())
    offset = float(np.linalg.norm(away))
    if offset > _FURTHEST * float(np.linalg.norm(box[2:] - box[:2])):
        return fruit
    cut = calyx + _CUT_SHARE * length * away / offset if offset > _LEAST_OFFSET * length else None
    return replace(
        fruit, calyx=np.asarray(calyx, np.float32), peduncle=None if cut is None else np.asarray(cut, np.float32)
    )


def _sides(box: npt.NDArray[np.floating]) -> Box:
    x0, y0, x1, y1 = (float(v) for v in box)
    return x0, y0, x1, y1
