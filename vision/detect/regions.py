"""Cut a mask of fruit-coloured pixels into one region per berry, splitting berries that touch at their necks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

_STEPS = np.linspace(0.0, 1.0, 24)
_MOST_LOBES = 60


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
    smaller lobe's radius. Pixels go to the lobe that is nearest in units of its own radius.

    Args:
        mask: non-zero where fruit is, shape (h, w).
        min_radius: radius of the smallest lobe [px].
        max_area: components larger than this are left out [px^2].
        neck: see above, 0-1.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    smooth = cv2.GaussianBlur(distance, (5, 5), 0)
    peak = (smooth >= cv2.dilate(smooth, np.ones((5, 5), np.uint8))) & (distance >= min_radius)
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
    for first, kept in parts:
        number = int(component[kept[0]])
        x, y, w, h = (int(v) for v in stats[number, :4])
        rows, columns = np.nonzero(labels[y : y + h, x : x + w] == number)
        rows, columns = rows + y, columns + x
        far = [((columns - xs[k]) ** 2 + (rows - ys[k]) ** 2) / radius[k] ** 2 for k in kept]
        result[rows, columns] = first + np.argmin(far, axis=0)
    return Regions(labels=result, radius=np.array(radii), lobes=np.array(lobes, dtype=np.float64), distance=distance)


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
