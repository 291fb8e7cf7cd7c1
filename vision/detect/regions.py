"""Cut a mask of fruit-coloured pixels into one region per berry, splitting berries that touch at their necks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One candidate: a small mask and where its upper left corner lies in the picture [px]."""

    x: int
    y: int
    mask: npt.NDArray[np.uint8]
    radius: float


def split_regions(mask: npt.NDArray[np.uint8], *, min_radius: float, max_area: float, neck: float) -> list[Region]:
    """Return the berry-like parts of a mask.

    Every local maximum of the distance to the edge is a lobe. Two lobes belong to different berries when the passage
    between them, the smallest distance to the edge on the line that joins them, is narrower than `neck` times the
    smaller lobe's radius. Pixels go to the lobe that is nearest in units of its own radius.

    Args:
        mask: non-zero where fruit is, shape (h, w).
        min_radius: radius of the smallest lobe [px].
        max_area: components larger than this are left out [px^2].
        neck: see above, 0-1.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        return []
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    smooth = cv2.GaussianBlur(distance, (5, 5), 0)
    peak = (smooth >= cv2.dilate(smooth, np.ones((5, 5), np.uint8))) & (distance >= min_radius)
    lobes: dict[int, list[tuple[float, int, int]]] = {}
    for y, x in zip(*np.nonzero(peak), strict=True):
        lobes.setdefault(int(labels[y, x]), []).append((float(distance[y, x]), int(x), int(y)))
    regions = []
    for component, peaks in lobes.items():
        x, y, w, h, area = (int(v) for v in stats[component])
        if area > max_area:
            continue
        own = labels[y : y + h, x : x + w] == component
        kept = _separate(peaks, distance, neck)
        regions += _assign(own, kept, x, y)
    return regions


def _separate(
    peaks: list[tuple[float, int, int]], distance: npt.NDArray[np.float32], neck: float
) -> list[tuple[float, int, int]]:
    """Keep the lobes that are separated from every larger kept lobe by a neck."""
    kept: list[tuple[float, int, int]] = []
    for radius, x, y in sorted(peaks, reverse=True)[:60]:
        if all(_passage(distance, (x, y), (kx, ky)) < neck * radius for _, kx, ky in kept):
            kept.append((radius, x, y))
    return kept


def _passage(distance: npt.NDArray[np.float32], start: tuple[int, int], end: tuple[int, int]) -> float:
    """Return the smallest distance to the edge along the line between two pixels."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    t = np.linspace(0.0, 1.0, min(steps, 48) + 1)
    xs = np.rint(start[0] + t * (end[0] - start[0])).astype(int)
    ys = np.rint(start[1] + t * (end[1] - start[1])).astype(int)
    return float(distance[ys, xs].min())


def _assign(own: npt.NDArray[np.bool_], lobes: list[tuple[float, int, int]], x: int, y: int) -> list[Region]:
    """Give each pixel of a component to its nearest lobe, in units of the lobe's radius."""
    if len(lobes) == 1:
        return [Region(x=x, y=y, mask=own.astype(np.uint8), radius=lobes[0][0])]
    rows, columns = np.nonzero(own)
    far = np.stack([np.hypot(columns + x - lx, rows + y - ly) / r for r, lx, ly in lobes])
    nearest = far.argmin(axis=0)
    regions = []
    for i, (radius, _, _) in enumerate(lobes):
        r, c = rows[nearest == i], columns[nearest == i]
        if len(r) == 0:
            continue
        x0, y0 = int(c.min()), int(r.min())
        part = np.zeros((int(r.max()) - y0 + 1, int(c.max()) - x0 + 1), np.uint8)
        part[r - y0, c - x0] = 1
        regions.append(Region(x=x + x0, y=y + y0, mask=part, radius=radius))
    return regions
