"""The colour-and-shape detector: fruit-coloured regions, split at necks, scored by shape; the baseline to beat."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vision.detect.colour import ColourModel
from vision.detect.peduncle import axis_of
from vision.detect.regions import Region, split_regions
from vision.detect.settings import BaselineSettings
from vision.detect.shape import Shape, measure
from vision.ripeness import ripeness_of, stage_of
from vision.types import Detection


class BaselineDetector:
    """Find ripe and unripe strawberries by colour and shape; a `Detector`."""

    def __init__(self, settings: BaselineSettings | None = None) -> None:
        self._settings = settings or BaselineSettings()
        self._colour = ColourModel(self._settings)

    def detect(self, color: npt.NDArray[np.uint8]) -> list[Detection]:
        """Return the berries seen in `color` (RGB, shape (h, w, 3)), best score first.

        Raises:
            ValueError: `color` is not an RGB picture of 8 bits per channel.
        """
        if color.ndim != 3 or color.shape[2] != 3 or color.dtype != np.uint8:
            raise ValueError(f"expected an RGB picture (h, w, 3) of uint8, got {color.shape} of {color.dtype}")
        s = self._settings
        scale = min(1.0, s.working_side / max(color.shape[:2]))
        small = color
        if scale < 1.0:
            size = (max(1, round(color.shape[1] * scale)), max(1, round(color.shape[0] * scale)))
            small = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
        smooth = cv2.blur(small, (3, 3))
        red, pale, index = self._colour.likelihoods(smooth)
        found = self._candidates(red, pale, index)
        kept = _suppress(found, s.overlap)
        return [_in_original(d, scale, color.shape) for d in kept]

    def _candidates(
        self, red: npt.NDArray[np.uint8], pale: npt.NDArray[np.uint8], index: npt.NDArray[np.uint16]
    ) -> list[Detection]:
        s = self._settings
        max_area = s.max_share * red.size
        found = []
        kernel = np.ones((3, 3), np.uint8)
        for likelihood, weight in ((red, 1.0), (pale, 0.6), (cv2.max(red, pale), 0.8)):
            mask = (likelihood > 127).astype(np.uint8)
            mask = cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel), cv2.MORPH_OPEN, kernel)
            for region in split_regions(mask, min_radius=s.min_radius, max_area=max_area, neck=s.neck):
                shape = measure(region)
                if shape is None:
                    continue
                detection = self._detection(region, shape, index, likelihood, weight)
                if detection.score >= s.min_score:
                    found.append(detection)
        return found

    def _detection(
        self,
        region: Region,
        shape: Shape,
        index: npt.NDArray[np.uint16],
        likelihood: npt.NDArray[np.uint8],
        weight: float,
    ) -> Detection:
        h, w = region.mask.shape
        window = np.s_[region.y : region.y + h, region.x : region.x + w]
        inside = region.mask > 0
        lab = self._colour.lab_of(index[window][inside])
        certainty = float(likelihood[window][inside].mean()) / 255
        ripeness = ripeness_of(lab)
        centre, axis, length = axis_of(shape.outline)
        calyx = centre + 0.5 * length * axis
        peduncle = calyx + self._settings.peduncle_lift * length * axis
        score = weight * certainty * _berry_likeness(shape)
        return Detection(
            box=(float(region.x), float(region.y), float(region.x + w), float(region.y + h)),
            score=score,
            ripeness=ripeness,
            stage=stage_of(ripeness, np.median(lab, axis=0)),
            polygon=shape.outline,
            peduncle=(float(peduncle[0]), float(peduncle[1])),
            visible=float(np.clip(shape.solidity * min(1.0, 1.6 / shape.elongation), 0.0, 1.0)),
        )


def _berry_likeness(shape: Shape) -> float:
    """Score an outline 0-1: convex, filling its ellipse, at most about twice as long as wide, not tiny."""
    convex = np.clip((shape.solidity - 0.6) / 0.35, 0.0, 1.0)
    round_ = np.clip(1.0 - 1.5 * abs(shape.fill - 0.97), 0.0, 1.0)
    compact = np.clip((3.2 - shape.elongation) / 1.4, 0.0, 1.0)
    size = np.clip(shape.area / 400.0, 0.25, 1.0)
    return float(convex * round_ * compact * size)


def _suppress(found: list[Detection], overlap: float) -> list[Detection]:
    """Keep the best of candidates that overlap by more than `overlap` of the smaller box."""
    kept: list[Detection] = []
    for candidate in sorted(found, key=lambda d: -d.score):
        if all(_shared(candidate.box, other.box) < overlap for other in kept):
            kept.append(candidate)
    return kept


def _shared(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Return the intersection of two boxes over the smaller one's area."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return w * h / max(smaller, 1e-9)


def _in_original(d: Detection, scale: float, shape: tuple[int, ...]) -> Detection:
    """Map a detection from the working picture to the original's pixels."""
    x0, y0, x1, y1 = (v / scale for v in d.box)
    return Detection(
        box=(max(0.0, x0), max(0.0, y0), min(float(shape[1]), x1), min(float(shape[0]), y1)),
        score=d.score,
        ripeness=d.ripeness,
        stage=d.stage,
        polygon=None if d.polygon is None else d.polygon / scale,
        peduncle=None if d.peduncle is None else (d.peduncle[0] / scale, d.peduncle[1] / scale),
        visible=d.visible,
    )
