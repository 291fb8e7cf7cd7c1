"""Measure candidate regions and score how much each looks like a strawberry."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision.detect.regions import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Outline measures of a region; lengths in pixels of the working picture.

    Attributes:
        outline: outer contour, shape (n, 2).
        solidity: area over the area of the convex hull, 0-1.
        fill: area over the area of the ellipse inscribed in the smallest rectangle, about 1 for a berry.
        elongation: longer over shorter side of the smallest rectangle, >= 1.
    """

    outline: npt.NDArray[np.float64]
    area: float
    hull_area: float
    solidity: float
    fill: float
    elongation: float


def measure(region: Region) -> Shape | None:
    """Measure a region's outline; None when it is too small to have one."""
    contours, _ = cv2.findContours(region.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    contour = max(contours, key=cv2.contourArea)
    if len(contour) < 5:
        return None
    area = float(cv2.contourArea(contour)) + 1.0
    hull_area = float(cv2.contourArea(cv2.convexHull(contour))) + 1.0
    _, (w, h), _ = cv2.minAreaRect(contour)
    if min(w, h) < 2:
        return None
    return Shape(
        outline=contour[:, 0, :].astype(np.float64) + np.array([region.x, region.y]),
        area=area,
        hull_area=hull_area,
        solidity=area / hull_area,
        fill=area / (np.pi / 4 * w * h),
        elongation=max(w, h) / min(w, h),
    )
