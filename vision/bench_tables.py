"""What a detector made of labelled pictures beyond average precision: ripeness error, mixed-up stages, worst ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision.labelled import RIPE, UNRIPE, LabelledPicture
from vision.matching import Box, intersection_over_union
from vision.report import SHOWN_FROM
from vision.ripeness import LABELLED_RIPE_FROM
from vision.types import Detection

MISSED, FALSE = "missed", "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A labelled picture and what was found in it.

    Attributes:
        boxes: of the berries, as shares of the picture.
        ripeness: of the labels.
        spent_s: CPU time of one 640x480 frame of it [s].
    """

    picture: LabelledPicture
    berries: tuple[Detection, ...]
    boxes: tuple[Box, ...]
    ripeness: tuple[float, ...]
    spent_s: float


def kind_of(d: Detection) -> int:
    """Return the class that a labeller would have given."""
    return RIPE if d.ripeness >= LABELLED_RIPE_FROM else UNRIPE


def pairs(looked: Looked, threshold: float = SHOWN_FROM) -> list[tuple[int | None, int | None]]:
    """Return numbers of label and detection that belong together, whatever their class; None where one is alone.

    Args:
        threshold: score of the detections that count.
    """
    order = [i for i, d in enumerate(looked.berries) if d.score >= threshold]
    free = list(range(len(looked.picture.boxes)))
    result: list[tuple[int | None, int | None]] = []
    for i in sorted(order, key=lambda i: -looked.berries[i].score):
        overlaps = [intersection_over_union(looked.boxes[i], looked.picture.boxes[k][1:]) for k in free]
        best = int(np.argmax(overlaps)) if overlaps else -1
        result.append((free.pop(best) if best >= 0 and overlaps[best] >= 0.5 else None, i))
    return result + [(k, None) for k in free]


def ripeness_error(looked: Sequence[Looked]) -> float:
    """Return the mean absolute error of the ripeness over labelled fruit that was found; nan when there is none."""
    errors = [
        abs(p.berries[i].ripeness - p.ripeness[k])
        for p in looked
        for k, i in pairs(p)
        if k is not None and i is not None and np.isfinite(p.ripeness[k])
    ]
    return float(np.mean(errors)) if errors else float("nan")


def confusion(looked: Sequence[Looked]) -> dict[str, dict[str, int]]:
    """Return how many fruit of each labelled stage (or class) were told to be of which stage, missed, or false."""
    table: dict[str, dict[str, int]] = {}
    for p in looked:
        for k, i in pairs(p):
            if k is None and i is not None and kind_of(p.berries[i]) not in p.picture.classes:
                continue
            row = FALSE if k is None else _name(p.picture, k)
            column = MISSED if i is None else str(p.berries[i].stage)
            counts = table.setdefault(row, {})
            counts[column] = counts.get(column, 0) + 1
    return {row: dict(sorted(counts.items())) for row, counts in sorted(table.items())}


def _name(picture: LabelledPicture, k: int) -> str:
    stage = picture.stages[k] if k < len(picture.stages) else None
    return stage or ("labelled ripe" if picture.boxes[k][0] == RIPE else "labelled unripe")


def worst(looked: Sequence[Looked], count: int) -> list[dict[str, Any]]:
    """Return the pictures with most mistakes: fruit missed, found where there is none, or of the other class."""
    rows: list[tuple[int, dict[str, Any]]] = []
    for p in looked:
        both = [(k, i) for k, i in pairs(p) if k is not None and i is not None]
        missed = len(p.picture.boxes) - len(both)
        false = sum(k is None and kind_of(p.berries[i]) in p.picture.classes for k, i in pairs(p) if i is not None)
        mixed = sum(p.picture.boxes[k][0] != kind_of(p.berries[i]) for k, i in both)
        row = {"picture": p.picture.path.name, "set": p.picture.set_name, "labelled": len(p.picture.boxes)}
        rows.append((missed + false + mixed, {**row, "missed": missed, "false": false, "class_wrong": mixed}))
    rows.sort(key=lambda ranked: -ranked[0])
    return [row for _, row in rows[:count]]
