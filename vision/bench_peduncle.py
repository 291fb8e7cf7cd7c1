"""Measure where a detector says that the peduncle meets the calyx, on real berries that were labelled by hand."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision.camera.pictures import load_picture
from vision.matching import Box, intersection_over_union
from vision.report import SHOWN_FROM
from vision.types import Detection, Detector

LABELS = Path(__file__).parent / "data" / "peduncles.json"
LEAST_OVERLAP = 0.3
"""A detection is of the labelled berry from this overlap on: the labels' boxes are loose."""

SHARE, PIXELS = 0.10, 5.0
"""Right is what lies within this share of the fruit's length, or within so many pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeduncleLabel:
    """One labelled berry: `picture` below the folder of sets, box and point where the peduncle meets the calyx [px]."""

    picture: str
    box: Box
    calyx: tuple[float, float]
    seen: bool

    @property
    def tolerance(self) -> float:
        """Largest distance that counts as right [px]."""
        return max(SHARE * max(self.box[2] - self.box[0], self.box[3] - self.box[1]), PIXELS)


def load_labels(path: Path = LABELS) -> list[PeduncleLabel]:
    """Return the labels of the first pass."""
    entries = json.loads(path.read_text(encoding="utf-8"))["labels"]
    return [
        PeduncleLabel(picture=e["picture"], box=tuple(e["box"]), calyx=tuple(e["calyx"]), seen=e["seen"])
        for e in entries
        if e["pass"] == 1
    ]


def measure_peduncles(pictures_dir: Path, eyes: Detector, labels: list[PeduncleLabel] | None = None) -> dict[str, Any]:
    """Measure `eyes` on the labelled berries whose pictures lie below `pictures_dir`.

    A berry that is not found at the working threshold, or without a calyx point, is a failure.

    Returns:
        `peduncle_pck`, the share within the tolerance, over all and where the junction itself is seen; how many were
        found at all; None everywhere when none of the pictures is there.
    """
    known = load_labels() if labels is None else labels
    by_picture: dict[str, list[PeduncleLabel]] = defaultdict(list)
    for label in known:
        if (pictures_dir / label.picture).is_file():
            by_picture[label.picture].append(label)
    errors: list[tuple[PeduncleLabel, float]] = []
    for name, berries in sorted(by_picture.items()):
        found = [d for d in eyes.detect(load_picture(pictures_dir / name)) if d.score >= SHOWN_FROM]
        errors += [(b, _distance(b, found)) for b in berries]
    seen = [(b, e) for b, e in errors if b.seen]
    return {
        "peduncle_pck": _share(errors),
        "peduncles": {
            "labelled": len(errors),
            "found": int(np.isfinite([e for _, e in errors]).sum()),
            "pck_where_seen": _share(seen),
            "labelled_seen": len(seen),
        },
    }


def _distance(label: PeduncleLabel, found: list[Detection]) -> float:
    """Return how far off the best overlapping detection's calyx is [px]; infinite without one."""
    best = max(found, key=lambda d: intersection_over_union(d.box, label.box), default=None)
    if best is None or best.calyx is None or intersection_over_union(best.box, label.box) < LEAST_OVERLAP:
        return float("inf")
    return float(np.hypot(best.calyx[0] - label.calyx[0], best.calyx[1] - label.calyx[1]))


def _share(errors: list[tuple[PeduncleLabel, float]]) -> float | None:
    return round(float(np.mean([e <= b.tolerance for b, e in errors])), 4) if errors else None
