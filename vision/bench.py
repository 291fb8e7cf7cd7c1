"""Measure a detector on labelled pictures: average precision for ripe and unripe fruit, and CPU time per frame."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vision import detector
from vision.bench_tables import Looked, confusion, kind_of, ripeness_error, worst
from vision.camera.pictures import load_picture
from vision.labelled import RIPE, UNRIPE, LabelledPicture, labelled_pictures, ripeness_of_labels
from vision.matching import match
from vision.report import SHOWN_FROM
from vision.types import Detector

FRAME_SIZE = (640, 480)
MODELS = Path(__file__).parent / "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassResult:
    """All scored detections of one class with the truth they were matched to."""

    scores: npt.NDArray[np.float64]
    hits: npt.NDArray[np.bool_]
    positives: int


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


def evaluate(
    pictures_dir: Path,
    eyes: Detector,
    *,
    frames: Detector | None = None,
    split: str = "val",
    cpu_time: Callable[[], float] = time.process_time,
) -> dict[str, Any]:
    """Measure `eyes` on every labelled picture below `pictures_dir`.

    A detection counts as ripe from ripeness 0.5 up. Greedy matching by score, all-point interpolation. In a set where
    only ripe fruit is labelled, unripe detections are neither right nor wrong.

    Args:
        pictures_dir: folder of sets, `<set>/<split>/{images,labels}`.
        frames: what looks at a camera's frames, of which the time is taken; `eyes` when left out.
        cpu_time: the process's CPU clock [s].

    Returns:
        `ap50_ripe, ap50_unripe, ap75_ripe, ap75_unripe`, precision and recall at the working threshold, the number of
        pictures, `ripeness_mae` over fruit that was found, `frame_cpu_ms_p50, frame_cpu_ms_p99` (one thread, pictures
        reduced to 640x480), the same figures per set under `per_set`, the stages that were told for each stage under
        `confusion`, and the pictures with most mistakes under `worst`; rates are 0-1, None where there is nothing to
        measure.
    """
    pictures = list(labelled_pictures(pictures_dir, split))
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        frames = frames or eyes
        # A detector may make itself ready for the size at the first frame.
        frames.detect(np.zeros((FRAME_SIZE[1], FRAME_SIZE[0], 3), np.uint8))
        looked = [_look(p, eyes, frames, cpu_time) for p in pictures]
    finally:
        cv2.setNumThreads(threads)
    result = _figures(looked)
    times = np.array([p.spent_s for p in looked]) * 1e3
    result["frame_cpu_ms_p50"] = round(float(np.percentile(times, 50)), 2)
    result["frame_cpu_ms_p99"] = round(float(np.percentile(times, 99)), 2)
    names = sorted({p.set_name for p in pictures})
    result["per_set"] = {n: _figures([p for p in looked if p.picture.set_name == n]) for n in names}
    result["confusion"] = confusion(looked)
    result["worst"] = worst(looked, count=10)
    return result


def measure(
    pictures_dir: Path, name: str, *, split: str = "val", others: Sequence[str] = (), folder: Path = MODELS
) -> dict[str, Any]:
    """Measure the detector called `name`, and in short the `others`: pictures as photographs, the time as a camera's.

    Returns:
        What `evaluate` does; `detector`; `weights_mb`, the size of all weights that are shipped [MB]; and the figures
        of the other detectors under `others`.

    Raises:
        ValueError: see `evaluate` and `vision.detector`.
    """
    result = {"detector": name, **_evaluated(pictures_dir, name, split)}
    files = [p for kind in ("*.zip", "*.npz") for p in folder.glob(kind)]
    result["weights_mb"] = round(sum(p.stat().st_size for p in files) / 1e6, 3)
    short = ("ap50_ripe", "ap50_unripe", "ap75_ripe", "ripeness_mae", "frame_cpu_ms_p50", "frame_cpu_ms_p99")
    result["others"] = {}
    for other in others:
        if other != name:
            figures = _evaluated(pictures_dir, other, split)
            result["others"][other] = {key: figures[key] for key in short}
    return result


def _evaluated(pictures_dir: Path, name: str, split: str) -> dict[str, Any]:
    camera = detector(name, photographs=False)
    return evaluate(pictures_dir, detector(name, photographs=True), frames=camera, split=split)


def _look(picture: LabelledPicture, eyes: Detector, frames: Detector, cpu_time: Callable[[], float]) -> Looked:
    """Detect in one picture, and take the CPU time of it as a 640x480 frame."""
    color = load_picture(picture.path)
    h, w = color.shape[:2]
    berries = eyes.detect(color)
    frame = cv2.resize(color, FRAME_SIZE, interpolation=cv2.INTER_AREA)
    begin = cpu_time()
    frames.detect(frame)
    spent = cpu_time() - begin
    return Looked(
        picture=picture,
        berries=tuple(berries),
        boxes=tuple((d.box[0] / w, d.box[1] / h, d.box[2] / w, d.box[3] / h) for d in berries),
        ripeness=tuple(ripeness_of_labels(picture, color)),
        spent_s=spent,
    )


def _figures(looked: Sequence[Looked]) -> dict[str, Any]:
    figures: dict[str, Any] = {"pictures": len(looked), "threshold": SHOWN_FROM}
    for kind, name in ((RIPE, "ripe"), (UNRIPE, "unripe")):
        at = {threshold: gather(looked, kind, threshold) for threshold in (0.5, 0.75)}
        precision, recall = precision_recall(at[0.5], SHOWN_FROM)
        figures[f"labelled_{name}"] = at[0.5].positives
        figures[f"ap50_{name}"] = _rounded(average_precision(at[0.5]))
        figures[f"ap75_{name}"] = _rounded(average_precision(at[0.75]))
        figures[f"precision_{name}"] = _rounded(precision)
        figures[f"recall_{name}"] = _rounded(recall)
    figures["ripeness_mae"] = _rounded(ripeness_error(looked))
    return figures


def gather(looked: Sequence[Looked], kind: int, threshold: float) -> ClassResult:
    """Return the scored detections of a class in all pictures, matched to its labels at an overlap."""
    matched: list[tuple[float, bool]] = []
    positives = 0
    for p in looked:
        if kind not in p.picture.classes:
            continue
        truth = [box[1:] for box in p.picture.boxes if box[0] == kind]
        positives += len(truth)
        found = [(d.score, b) for d, b in zip(p.berries, p.boxes, strict=True) if kind_of(d) == kind]
        matched += match(found, truth, threshold)
    scores = np.array([m[0] for m in matched], dtype=np.float64)
    return ClassResult(scores=scores, hits=np.array([m[1] for m in matched], dtype=bool), positives=positives)


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)


def to_json(result: dict[str, Any]) -> str:
    """Return the figures as one line of JSON."""
    return json.dumps(result, ensure_ascii=False)
