"""Measure a detector on labelled pictures: average precision for ripe and unripe fruit, and CPU time per frame."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vision.camera.pictures import load_picture
from vision.report import SHOWN_FROM
from vision.ripeness import LABELLED_RIPE_FROM
from vision.types import Detection, Detector

RIPE, UNRIPE = 0, 1
RIPE_ONLY_SETS = frozenset({"field_ripe_only"})
FRAME_SIZE = (640, 480)

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPicture:
    """A picture's file and its labelled boxes [px] by class (0 ripe, 1 unripe); only `classes` are labelled at all."""

    path: Path
    set_name: str
    classes: tuple[int, ...]
    boxes: tuple[tuple[int, float, float, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassResult:
    """All scored detections of one class with the truth they were matched to."""

    scores: npt.NDArray[np.float64]
    hits: npt.NDArray[np.bool_]
    positives: int


def intersection_over_union(a: Box, b: Box) -> float:
    """Return the overlap of two boxes, 0-1."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    shared = w * h
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def match(scored: Sequence[tuple[float, Box]], truth: Sequence[Box], threshold: float) -> list[tuple[float, bool]]:
    """Match detections of one picture to its labelled boxes, best score first, each label once.

    Args:
        scored: score and box of each detection.
        threshold: least intersection over union of a hit.

    Returns:
        Score and whether it is a hit, for each detection.
    """
    free = list(truth)
    result = []
    for score, box in sorted(scored, key=lambda s: -s[0]):
        overlaps = [intersection_over_union(box, t) for t in free]
        best = int(np.argmax(overlaps)) if overlaps else -1
        hit = best >= 0 and overlaps[best] >= threshold
        if hit:
            free.pop(best)
        result.append((score, hit))
    return result


def average_precision(result: ClassResult) -> float:
    """Return the area under the precision-recall curve, all-point interpolation (VOC 2010); nan without truth."""
    if result.positives == 0:
        return float("nan")
    order = np.argsort(-result.scores, kind="stable")
    hits = np.cumsum(result.hits[order])
    recall = np.concatenate([[0.0], hits / result.positives])
    precision = np.concatenate([[1.0], hits / np.arange(1, len(hits) + 1)])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * envelope[1:]))


def precision_recall(result: ClassResult, threshold: float) -> tuple[float, float]:
    """Return precision and recall of the detections that score at least `threshold`; nan where undefined."""
    taken = result.hits[result.scores >= threshold]
    precision = float(taken.mean()) if len(taken) else float("nan")
    recall = float(taken.sum() / result.positives) if result.positives else float("nan")
    return precision, recall


def labelled_pictures(root: Path, split: str = "val") -> Iterator[LabelledPicture]:
    """Yield the labelled pictures of `<root>/<set>/<split>/{images,labels}` in a fixed order.

    Raises:
        ValueError: no such layout below `root`, or a label line that is not `class cx cy w h`.
    """
    folders = sorted(p for p in root.glob(f"*/{split}/images") if p.is_dir()) if root.is_dir() else []
    if not folders:
        raise ValueError(f"expected <set>/{split}/images below {root}, found none: give the folder that holds the sets")
    for folder in folders:
        set_name = folder.parent.parent.name
        classes = (RIPE,) if set_name in RIPE_ONLY_SETS else (RIPE, UNRIPE)
        for path in sorted(folder.iterdir()):
            label = folder.parent / "labels" / f"{path.stem}.txt"
            lines = label.read_text(encoding="utf-8").splitlines() if label.exists() else []
            boxes = tuple(_parse(line, label) for line in lines if line.strip())
            yield LabelledPicture(path=path, set_name=set_name, classes=classes, boxes=boxes)


def _parse(line: str, source: Path) -> tuple[int, float, float, float, float]:
    parts = line.split()
    try:
        kind, cx, cy, w, h = int(parts[0]), *(float(v) for v in parts[1:5])
    except (ValueError, IndexError):
        raise ValueError(f"expected 'class cx cy w h' in {source}, got {line!r}") from None
    return kind, cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2


def evaluate(
    pictures_dir: Path,
    detector: Detector,
    *,
    split: str = "val",
    cpu_time: Callable[[], float] = time.process_time,
) -> dict[str, Any]:
    """Measure `detector` on every labelled picture below `pictures_dir`.

    A detection counts as ripe from ripeness 0.5 up. Greedy matching by score, all-point interpolation. In a set where
    only ripe fruit is labelled, unripe detections are neither right nor wrong.

    Args:
        pictures_dir: folder of sets, `<set>/<split>/{images,labels}`.
        cpu_time: the process's CPU clock [s].

    Returns:
        `ap50_ripe, ap50_unripe, ap75_ripe, ap75_unripe`, precision and recall at the working threshold, the number of
        pictures, `frame_cpu_ms_p50, frame_cpu_ms_p99` (one thread, pictures reduced to 640x480) and the same figures
        per set under `per_set`; rates are 0-1, None where there is nothing to measure.
    """
    pictures = list(labelled_pictures(pictures_dir, split))
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        found = [_detect(p, detector, cpu_time) for p in pictures]
    finally:
        cv2.setNumThreads(threads)
    result = _figures(pictures, [f[0] for f in found])
    times = np.array([f[1] for f in found]) * 1e3
    result["frame_cpu_ms_p50"] = round(float(np.percentile(times, 50)), 2)
    result["frame_cpu_ms_p99"] = round(float(np.percentile(times, 99)), 2)
    result["per_set"] = {}
    for name in sorted({p.set_name for p in pictures}):
        chosen = [i for i, p in enumerate(pictures) if p.set_name == name]
        result["per_set"][name] = _figures([pictures[i] for i in chosen], [found[i][0] for i in chosen])
    return result


def _detect(
    picture: LabelledPicture, detector: Detector, cpu_time: Callable[[], float]
) -> tuple[list[tuple[int, float, Box]], float]:
    """Detect in one picture: class, score and relative box of each berry, and the CPU time of a 640x480 frame [s]."""
    color = load_picture(picture.path)
    h, w = color.shape[:2]
    berries = detector.detect(color)
    frame = cv2.resize(color, FRAME_SIZE, interpolation=cv2.INTER_AREA)
    begin = cpu_time()
    detector.detect(frame)
    spent = cpu_time() - begin
    return [_relative(d, w, h) for d in berries], spent


def _relative(d: Detection, w: int, h: int) -> tuple[int, float, Box]:
    kind = RIPE if d.ripeness >= LABELLED_RIPE_FROM else UNRIPE
    return kind, d.score, (d.box[0] / w, d.box[1] / h, d.box[2] / w, d.box[3] / h)


def _figures(pictures: list[LabelledPicture], found: list[list[tuple[int, float, Box]]]) -> dict[str, Any]:
    figures: dict[str, Any] = {"pictures": len(pictures), "threshold": SHOWN_FROM}
    for kind, name in ((RIPE, "ripe"), (UNRIPE, "unripe")):
        at = {threshold: _gather(pictures, found, kind, threshold) for threshold in (0.5, 0.75)}
        precision, recall = precision_recall(at[0.5], SHOWN_FROM)
        figures[f"labelled_{name}"] = at[0.5].positives
        figures[f"ap50_{name}"] = _rounded(average_precision(at[0.5]))
        figures[f"ap75_{name}"] = _rounded(average_precision(at[0.75]))
        figures[f"precision_{name}"] = _rounded(precision)
        figures[f"recall_{name}"] = _rounded(recall)
    return figures


def _gather(
    pictures: list[LabelledPicture], found: list[list[tuple[int, float, Box]]], kind: int, threshold: float
) -> ClassResult:
    matched: list[tuple[float, bool]] = []
    positives = 0
    for picture, detections in zip(pictures, found, strict=True):
        if kind not in picture.classes:
            continue
        truth = [box[1:] for box in picture.boxes if box[0] == kind]
        positives += len(truth)
        matched += match([(score, box) for k, score, box in detections if k == kind], truth, threshold)
    scores = np.array([m[0] for m in matched], dtype=np.float64)
    return ClassResult(scores=scores, hits=np.array([m[1] for m in matched], dtype=bool), positives=positives)


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)


def to_json(result: dict[str, Any]) -> str:
    """Return the figures as one line of JSON."""
    return json.dumps(result, ensure_ascii=False)
