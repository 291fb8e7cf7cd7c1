"""Cut a mask of fruit-coloured pixels into one region per berry, splitting berries that touch at their necks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

_STEPS = np.linspace(0.0, 1.0, 24)
_MOST_LOBES = 40
_DISC = 0.6
"""Share of a lobe's circle from which distances are taken: below half the closest spacing that a neck allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """Candidates of one mask.

    Attributes:
        labels: 0 for background, else the number of the region from 1, shape (h, w).
        radius: of the largest circle inside each region [px], shape (n,).
        lobes: how many regions the connected component holds, shape (n,).
        distance: to the nearest background pixel [px], shape (h, w).
    """

    labels: npt.NDArray[np.int32]
    radius: npt.NDArray[np.float64]
    lobes: npt.NDArray[np.float64]
    distance: npt.NDArray[np.float32]


def split_regions(mask: npt.NDArray[np.uint8], *, min_radius: float, max_area: float, neck: float) -> Regions:
    """Return the berry-like parts of a mask.

    Every local maximum of the distance to the edge is a lobe. Two lobes belong to different berries when the passage
    between them, the smallest distance to the edge on the line that joins them, is narrower than `neck` times the
    smaller lobe's radius. Pixels go to the lobe whose disc is nearest.

    Args:
        mask: non-zero where fruit is, shape (h, w).
        min_radius: radius of the smallest lobe [px].
        max_area: components larger than this are left out [px^2].
        neck: see above, 0-1.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    smooth = cv2.GaussianBlur(distance, (5, 5), 0)
    peak = (smooth >= cv2.dilate(smooth, np.ones((7, 7), np.uint8))) & (distance >= min_radius)
    ys, xs = np.nonzero(peak)
    component, radius = labels[ys, xs], distance[ys, xs].astype(np.float64)
    order = np.lexsort((-radius, component))
    borders = np.flatnonzero(np.diff(component[order], prepend=-1, append=-1))
    whole = np.zeros(count, np.int32)
    parts: list[tuple[int, npt.NDArray[np.intp]]] = []
    radii: list[float] = []
    lobes: list[int] = []
    for begin, end in pairwise(borders):
        own = order[begin:end]
        number = int(component[own[0]])
        if stats[number, cv2.CC_STAT_AREA] > max_area:
            continue
        kept = _separate(own[:_MOST_LOBES], (xs, ys), radius, distance, neck)
        if len(kept) == 1:
            whole[number] = len(radii) + 1
        else:
            parts.append((len(radii) + 1, kept))
        radii += [float(radius[k]) for k in kept]
        lobes += [len(kept)] * len(kept)
    result = whole[labels]
    if parts:
        nearest = _nearest(parts, (xs, ys), radius, mask.shape)
        owner = np.zeros(len(radii) + 1, np.int32)
        for first, kept in parts:
            owner[first : first + len(kept)] = component[kept]
        shared = np.zeros(count, bool)
        shared[owner[owner > 0]] = True
        inside = shared[labels] & (owner[nearest] == labels)
        np.copyto(result, nearest, where=inside)
    return Regions(labels=result, radius=np.array(radii), lobes=np.array(lobes, dtype=np.float64), distance=distance)


def _nearest(
    parts: list[tuple[int, npt.NDArray[np.intp]]],
    at: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
    radius: npt.NDArray[np.float64],
    shape: tuple[int, ...],
) -> npt.NDArray[np.int32]:
    """Return the number of the lobe whose disc is nearest to each pixel, shape (h, w)."""
    discs = np.zeros(shape, np.int32)
    for first, kept in parts:
        for number, k in enumerate(kept, start=first):
            cv2.circle(discs, (int(at[0][k]), int(at[1][k])), max(1, int(_DISC * radius[k])), number, -1)
    seed = discs > 0
    away = np.where(seed, 0, 1).astype(np.uint8)
    _, pixel = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    number_of = np.zeros(int(pixel.max()) + 1, np.int32)
    number_of[pixel[seed]] = discs[seed]
    nearest: npt.NDArray[np.int32] = number_of[pixel]
    return nearest


def _separate(
    peaks: npt.NDArray[np.intp],
    at: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
    radius: npt.NDArray[np.float64],
    distance: npt.NDArray[np.float32],
    neck: float,
) -> npt.NDArray[np.intp]:
    """Keep the lobes, largest first, that are separated from every larger kept lobe by a neck."""
    xs, ys = at
    kept = peaks[:1]
    for k in peaks[1:]:
        line_x = np.rint(xs[k] + (xs[kept] - xs[k])[:, None] * _STEPS).astype(np.intp)
        line_y = np.rint(ys[k] + (ys[kept] - ys[k])[:, None] * _STEPS).astype(np.intp)
        if distance[line_y, line_x].min(axis=1).max() < neck * radius[k]:
            kept = np.append(kept, k)
    return kept
