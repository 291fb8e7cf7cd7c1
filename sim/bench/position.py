"""Measure places in space on rendered scenes: fruit centre, cut point and ripeness against the exact truth."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from sim.dataset.generate import Rendered, RenderSettings, render
from sim.dataset.labels import FruitLabel
from vision.apart import locate_apart
from vision.matching import intersection_over_union
from vision.report import SHOWN_FROM
from vision.types import Berry, Detection, Detector, Frame, Stage

Array = npt.NDArray[np.float64]

FIRST_SEED = 9000
"""Seeds from here on are for measuring; nothing is trained or tuned on them."""

DISTANCE, LEAST_VISIBLE = (0.25, 0.60), 0.40
"""Which fruit counts: its centre so far from the camera [m], and at least this share of it seen."""

CUT_TOLERANCE = 0.005
LEAST_OVERLAP = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One fruit that counts, with the berry that was found for it, or None."""

    truth: FruitLabel
    berry: Berry | None


class TruthMasks:
    """Stands in for a detector: gives the exact masks of rendered pictures."""

    def of(self, picture: Rendered, *, points: bool = False) -> list[Detection]:
        """Return a detection for each labelled fruit, with the largest piece of its mask as outline.

        Args:
            points: give the exact calyx and direction of the stem as well, where they are seen.
        """
        found = [self._one(f, picture.mask) for f in picture.fruit]
        if not points:
            return found
        return [
            replace(d, calyx=f.calyx_px if f.calyx_visible else None, stem=f.stem_px if f.cut_visible else None)
            for d, f in zip(found, picture.fruit, strict=True)
        ]

    def _one(self, f: FruitLabel, mask: npt.NDArray[np.uint16]) -> Detection:
        pieces, _ = cv2.findContours((mask == f.id).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        outline = max(pieces, key=len)[:, 0, :].astype(np.float64)
        return Detection(box=f.box, score=1.0, ripeness=f.ripeness, stage=Stage(f.stage), polygon=outline)


def measure_positions(
    eyes: Detector, *, seed: int, pictures: int, width: int = 640, height: int = 480
) -> dict[str, Any]:
    """Look at `pictures` rendered scenes at 0.25-0.6 m with a D405-like depth camera, and compare with the truth.

    Args:
        seed: of the scenes, added to `FIRST_SEED`.

    Returns:
        `pos_err_mm_p50, pos_err_mm_p95` (None where so many are missed that there is no such figure),
        `cut_3d_within_5mm` over fruit whose stem is seen at the cut point, `ripeness_mae_sim` over fruit that was
        found; missed fruit counts as failed in the first three. The same with exact masks in the detector's place, with
        the exact calyx as well, from colour alone (no depth), and the CPU time of the geometry per picture.
    """
    drawn = list(render(RenderSettings(width=width, height=height, near=True, views=2), FIRST_SEED + seed, pictures))
    found = [[d for d in eyes.detect(p.color) if d.score >= SHOWN_FROM] for p in drawn]
    exact = [TruthMasks().of(p) for p in drawn]
    by_detector, spent = _look(drawn, found)
    by_mask, spent_exact = _look(drawn, exact)
    by_point, _ = _look(drawn, [TruthMasks().of(p, points=True) for p in drawn])
    blind, _ = _look([replace(p, measured=np.zeros_like(p.measured)) for p in drawn], exact)
    figures = _figures(by_detector)
    ripeness = [abs(x.berry.detection.ripeness - x.truth.ripeness) for x in by_detector if x.berry]
    return {
        "pos_err_mm_p50": figures["pos_err_mm_p50"],
        "pos_err_mm_p95": figures["pos_err_mm_p95"],
        "cut_3d_within_5mm": figures["cut_3d_within_5mm"],
        "ripeness_mae_sim": round(float(np.mean(ripeness)), 4) if ripeness else None,
        "scenes": {
            "pictures": pictures,
            "detector": {**figures, "geometry_cpu_ms_p50": _middle(spent)},
            "truth_masks": {**_figures(by_mask), "geometry_cpu_ms_p50": _middle(spent_exact)},
            "truth_masks_and_calyx": _figures(by_point),
            "truth_masks_no_depth": _figures(blind),
        },
    }


def _look(drawn: Sequence[Rendered], detections: Sequence[list[Detection]]) -> tuple[list[Looked], list[float]]:
    """Locate the detections of each picture; return the fruit that counts, and the CPU time of each picture [s]."""
    looked: list[Looked] = []
    spent: list[float] = []
    for picture, found in zip(drawn, detections, strict=True):
        frame = Frame(stamp=0.0, color=picture.color, intrinsics=picture.camera, depth=picture.measured)
        begin = time.process_time()
        berries = locate_apart(found, frame, up=picture.up)
        spent.append(time.process_time() - begin)
        looked += matched(picture.fruit, berries)
    return looked, spent


def matched(fruit: Iterable[FruitLabel], berries: Sequence[Berry]) -> list[Looked]:
    """Return the fruit that counts with its berry: largest overlap of boxes first, each berry once."""
    truths = list(fruit)
    pairs = sorted(
        (
            (intersection_over_union(f.box, b.detection.box), i, j)
            for i, f in enumerate(truths)
            for j, b in enumerate(berries)
        ),
        reverse=True,
    )
    taken: dict[int, int] = {}
    for overlap, i, j in pairs:
        if overlap >= LEAST_OVERLAP and i not in taken and j not in taken.values():
            taken[i] = j
    return [
        Looked(truth=f, berry=berries[taken[i]] if i in taken else None)
        for i, f in enumerate(truths)
        if f.visible >= LEAST_VISIBLE and DISTANCE[0] <= f.center[2] <= DISTANCE[1]
    ]


def _figures(looked: Sequence[Looked]) -> dict[str, Any]:
    errors = np.array([_error(x.berry.position, x.truth.center) if x.berry else np.inf for x in looked])
    cuts = np.array(
        [
            _error(x.berry.peduncle, x.truth.cut) if x.berry and x.berry.peduncle is not None else np.inf
            for x in looked
            if x.truth.cut_visible
        ]
    )
    return {
        "fruit": len(errors),
        "found": int(np.isfinite(errors).sum()),
        "pos_err_mm_p50": _percentile(errors, 50),
        "pos_err_mm_p95": _percentile(errors, 95),
        "found_pos_err_mm_p95": _percentile(errors[np.isfinite(errors)], 95),
        "cut_fruit": len(cuts),
        "cut_3d_within_5mm": round(float((cuts <= CUT_TOLERANCE).mean()), 4) if len(cuts) else None,
        "found_cut_3d_within_5mm": _share(cuts),
    }


def _error(found: Array, truth: Sequence[float]) -> float:
    return float(np.linalg.norm(found - np.asarray(truth)))


def _share(cuts: Array) -> float | None:
    found = cuts[np.isfinite(cuts)]
    return round(float((found <= CUT_TOLERANCE).mean()), 4) if len(found) else None


def _percentile(errors: Array, q: float) -> float | None:
    """Return a percentile in millimetres; None where that many were missed."""
    if not len(errors):
        return None
    value = float(np.sort(errors)[min(len(errors) - 1, int(np.ceil(q / 100 * len(errors))) - 1)])
    return round(1e3 * value, 2) if np.isfinite(value) else None


def _middle(seconds: Sequence[float]) -> float | None:
    return round(1e3 * float(np.median(seconds)), 2) if seconds else None
