"""The colour-and-shape detector: fruit-coloured regions, split at necks, scored by shape; the baseline to beat."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from vision.detect.colour import ColourModel
from vision.detect.features import Array, Measured, Plane, Planes, measure, planes_of
from vision.detect.fitted import Fitted, load_fitted
from vision.detect.peduncle import axis_of, find_peduncle
from vision.detect.regions import Regions, split_regions
from vision.detect.settings import BaselineSettings
from vision.ripeness import stage_of
from vision.types import Detection

_KERNEL = np.ones((3, 3), np.uint8)


class BaselineDetector:
    """Find ripe and unripe strawberries by colour and shape; a `Detector`."""

    def __init__(self, settings: BaselineSettings | None = None, fitted: Fitted | None = None) -> None:
        self._settings = settings or BaselineSettings()
        self._fitted = fitted or load_fitted()
        self._colour = ColourModel(self._fitted.colour)

    def detect(self, color: npt.NDArray[np.uint8]) -> list[Detection]:
        """Return the berries seen in `color` (RGB, shape (h, w, 3)), best score first.

        Raises:
            ValueError: `color` is not an RGB picture of 8 bits per channel.
        """
        if color.ndim != 3 or color.shape[2] != 3 or color.dtype != np.uint8 or color.size == 0:
            raise ValueError(f"expected an RGB picture (h, w, 3) of uint8, got {color.shape} of {color.dtype}")
        s = self._settings
        small = reduced(color, s.working_side)
        planes = planes_of(small, self._colour)
        cuts = list(candidates(planes, self._colour, s))
        scores = [self._fitted.score(m.values) for _, m in cuts]
        chosen = _best(cuts, scores, s)
        return [
            self._detection(cuts[c], i, score=float(scores[c][i]), planes=planes, shape=color.shape) for c, i in chosen
        ]

    def _detection(
        self,
        cut: tuple[Regions, Measured],
        i: int,
        *,
        score: float,
        planes: Planes,
        shape: tuple[int, ...],
    ) -> Detection:
        regions, found = cut
        scale = np.array([planes.grey.shape[1] / shape[1], planes.grey.shape[0] / shape[0]])
        outline = _outline(regions, i, found.box[i])
        centre, axis, length = axis_of(outline)
        s, length = self._settings, max(length, 4.0)
        calyx = centre + 0.5 * length * axis
        peduncle = calyx + s.peduncle_lift * length * axis
        if score >= s.stem_score:
            peduncle = find_peduncle(
                self._colour.lab[..., 2], planes.index, calyx=calyx, axis=axis, length=length, lift=s.peduncle_lift
            )
        ripeness = float(found.ripeness[i])
        box = _widened(found.box[i], s.box_margin) / np.tile(scale, 2)
        limit = np.array([shape[1], shape[0], shape[1], shape[0]])
        x0, y0, x1, y1 = (float(v) for v in np.clip(box, 0, limit))
        fill = min(1.0, float(found.values["ellipse"][i]))
        slim = min(1.0, 1.7 / float(found.values["elongation"][i]))
        return Detection(
            box=(x0, y0, x1, y1),
            score=score,
            ripeness=ripeness,
            stage=stage_of(ripeness, found.lab[i]),
            polygon=np.clip((outline + 0.5) / scale - 0.5, 0, limit[:2] - 1),
            peduncle=tuple((peduncle + 0.5) / scale - 0.5),
            calyx=tuple((calyx + 0.5) / scale - 0.5),
            visible=float(np.clip(fill**2 * slim, 0.05, 1.0)),
        )


def reduced(color: Plane, side: int) -> Plane:
    """Return a picture whose longer side is at most `side` [px]."""
    scale = side / max(color.shape[:2])
    if scale >= 1.0:
        return color
    size = (max(1, round(color.shape[1] * scale)), max(1, round(color.shape[0] * scale)))
    # Bilinear is seven times faster and skips no pixel down to half the size.
    method = cv2.INTER_LINEAR if scale > 0.5 else cv2.INTER_AREA
    small: Plane = cv2.resize(color, size, interpolation=method)
    return small


def candidates(planes: Planes, model: ColourModel, s: BaselineSettings) -> Iterator[tuple[Regions, Measured]]:
    """Yield the regions of every cut with their measures; cuts without a region are left out."""
    either = cv2.add(planes.red, planes.pale)
    redder = cv2.medianBlur((planes.red > s.reddish).view(np.uint8), 5)
    seam = cv2.subtract(cv2.dilate(redder, _KERNEL), redder)
    for cut in s.cuts:
        mask = ((planes.red > cut.red) | (planes.pale > cut.pale) | (either > cut.either)).view(np.uint8)
        if cut.apart:
            mask = cv2.subtract(mask, seam)
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _KERNEL)
        mask = cv2.morphologyEx(mask if not cut.apart else cv2.subtract(mask, seam), cv2.MORPH_OPEN, _KERNEL)
        regions = split_regions(mask, min_radius=s.min_radius, max_area=s.max_share * mask.size, neck=s.neck)
        if len(regions.radius):
            yield regions, measure(regions, planes, model)


def _best(cuts: list[tuple[Regions, Measured]], scores: list[Array], s: BaselineSettings) -> list[tuple[int, int]]:
    """Return cut and region number of the candidates that stay, best score first."""
    order = [(c, int(i)) for c, score in enumerate(scores) for i in np.flatnonzero(score >= s.min_score)]
    order.sort(key=lambda ci: -scores[ci[0]][ci[1]])
    order = order[: 6 * s.most]
    if not order:
        return []
    boxes = np.stack([cuts[c][1].box[i] for c, i in order])
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    area = width * height
    free = np.ones(len(order), bool)
    kept = []
    for k, candidate in enumerate(order):
        if not free[k]:
            continue
        kept.append(candidate)
        side = np.minimum(boxes[:, 2:], boxes[k, 2:]) - np.maximum(boxes[:, :2], boxes[k, :2])
        shared = np.clip(side, 0.0, None).prod(axis=1)
        free &= shared / (area + area[k] - shared) < s.overlap
        free &= shared / np.minimum(area, area[k]) < s.contained
        if len(kept) == s.most:
            break
    return kept


def _outline(regions: Regions, i: int, box: Array) -> Array:
    """Return the outer contour of a region in the working picture [px], shape (n, 2), along its pixels' outer edge.

    Stems and sepals of the fruit's colour, thinner than 0.7 of its inner circle's radius, are cut off.
    """
    labels = regions.labels
    height, width = labels.shape
    margin = 0.4 * (box[2:] - box[:2]) + 2
    x0, y0 = (int(v) for v in np.clip(box[:2] - margin, 0, [width - 1, height - 1]))
    x1, y1 = (int(v) + 1 for v in np.clip(box[2:] + margin, 1, [width, height]))
    part = (labels[y0:y1, x0:x1] == i + 1).astype(np.uint8)
    side = 2 * int(0.35 * regions.radius[i]) + 1
    opened = cv2.morphologyEx(part, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    part = opened if opened.any() else part
    contours, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    contour = max(contours, key=cv2.contourArea)[:, 0, :].astype(np.float64)
    middle = contour.mean(axis=0)
    offset = contour - middle
    reach = np.maximum(np.hypot(offset[:, 0], offset[:, 1]), 1e-6)[:, None]
    return np.asarray(contour + 0.5 * offset / reach + np.array([x0, y0]), np.float64)


def _widened(box: Array, factor: float) -> Array:
    centre = (box[:2] + box[2:]) / 2
    half = (box[2:] - box[:2]) / 2 * factor
    return np.concatenate([centre - half, centre + half])
