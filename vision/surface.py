"""Gather what a picture says about each berry: depths on its surface, and where its rim is seen rather than hidden."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
import numpy.typing as npt

from vision.types import Detection, Intrinsics

Array = npt.NDArray[np.float64]
Depth = npt.NDArray[np.float32]

INSIDE, OUTSIDE = (2.0, 3.5), (2.5, 4.5, 6.5)
"""Where depth is compared across the outline: pixels within and without. Closer pixels fly between both surfaces."""

STEP = 0.003
"""A difference of depth across the outline that is more than noise [m]: about two sigma of the mean of two pixels."""

FARTHER = 0.03
"""What lies this far behind a fruit's surface does not belong to it: more than the radius of the largest [m]."""

_TURN = 2.0 * np.pi * np.arange(8) / 8
_AROUND = np.concatenate([r * np.stack([np.cos(_TURN + r), np.sin(_TURN + r)], axis=1) for r in (1.35, 1.9)])
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What one picture says about n berries; shapes (n, k, ...), padded with zero weight.

    Attributes:
        pixels, depths, depth_weights: places inside the mask [px], (n, k, 2), and their depth [m], (n, k).
        rim, rim_weights: places on the outline [px], (n, m, 2); 1 = the fruit's own rim, 0 = hidden behind something.
        hidden: weight of the same places as lying inside the whole fruit, whose rim is elsewhere, (n, m).
        beyond, beyond_weights: places around where something farther is seen, so that no fruit is there, (n, o, 2).
        depth_count: valid depths inside each mask before thinning, (n,).
        centre, radius: of a circle like the mask [px], (n, 2) and (n,).
        free: share of the left and right part of each outline that nothing covers, (n, 2), 0-1.
        stepped: share of each outline along which depth makes a step, outwards or inwards, (n,); 1 where unknown.
    """

    pixels: Array
    depths: Array
    depth_weights: Array
    rim: Array
    rim_weights: Array
    hidden: Array
    beyond: Array
    beyond_weights: Array
    depth_count: npt.NDArray[np.int64]
    centre: Array
    radius: Array
    free: Array
    stepped: Array


def of_some(seen: Evidence, which: npt.NDArray[np.bool_]) -> Evidence:
    """Return the evidence of the berries of `which`, shape (n,)."""
    return Evidence(**{f.name: getattr(seen, f.name)[which] for f in fields(seen)})


def gather(
    detections: Sequence[Detection],
    intrinsics: Intrinsics,
    depth: Depth | None,
    *,
    depth_range: tuple[float, float],
    points: int = 48,
    rims: int = 28,
) -> Evidence:
    """Return the evidence for each detection.

    Args:
        depth: aligned with the picture [m], shape (h, w), 0 where unknown; None without a depth camera.
        depth_range: depths outside are not measurements [m].
        points, rims: at most so many depths and outline points are kept of each berry.
    """
    n, shape = len(detections), (intrinsics.height, intrinsics.width)
    pixels, depths, weights = np.zeros((n, points, 2)), np.zeros((n, points)), np.zeros((n, points))
    rim, normal, rim_weights = np.zeros((n, rims, 2)), np.zeros((n, rims, 2)), np.zeros((n, rims))
    count, centre, radius = np.zeros(n, np.int64), np.zeros((n, 2)), np.ones(n)
    for i, d in enumerate(detections):
        mask, x0, y0 = _mask(d, shape)
        area = int(np.count_nonzero(mask))
        if area == 0:
            centre[i] = ((d.box[0] + d.box[2]) / 2, (d.box[1] + d.box[3]) / 2)
            continue
        line, along, low, high = _outline(mask, rims)
        m = len(line)
        rim[i, :m], normal[i, :m, 0], normal[i, :m, 1], rim_weights[i, :m] = line, -along[:, 1], along[:, 0], 1.0
        rim[i, :m] += (x0, y0)
        centre[i], radius[i] = (low + high) / 2 + (x0, y0), max(1.0, math.sqrt(area / math.pi))
        if depth is None:
            continue
        core = cv2.erode(mask, _CROSS, iterations=2 if area > 250 else 1) if area > 60 else mask
        rows, columns = np.nonzero(core)
        z = depth[y0 : y0 + core.shape[0], x0 : x0 + core.shape[1]][rows, columns]
        valid = np.flatnonzero((z > depth_range[0]) & (z < depth_range[1]))
        count[i] = len(valid)
        taken = valid[_spread(len(valid), points)]
        k = len(taken)
        pixels[i, :k, 0], pixels[i, :k, 1] = columns[taken] + x0, rows[taken] + y0
        depths[i, :k], weights[i, :k] = z[taken], 1.0
    normal /= np.maximum(np.sqrt(normal[..., :1] ** 2 + normal[..., 1:] ** 2), 1e-9)
    rim += 0.5 * normal  # an outline runs through the centres of its pixels
    share, stepped = np.ones(rim_weights.shape), np.ones(n)
    beyond = centre[:, None] + radius[:, None, None] * _AROUND
    beyond_weights = np.zeros(beyond.shape[:2])
    if depth is not None and n:
        # Where nothing at all is measured on a fruit, its outline is all there is.
        own, step = _own(rim, normal, depth, depth_range)
        share = np.where(count[:, None] > 0, own, 1.0)
        known = ~np.isnan(step) * rim_weights
        total = known.sum(axis=1)
        stepped = np.where(total > 0.0, (np.nan_to_num(step) * known).sum(axis=1) / np.maximum(total, 1.0), 1.0)
        surface = _median(np.where(weights > 0.0, depths, np.nan))[:, None]
        farther = _sample(depth, beyond, depth_range) > surface + FARTHER
        beyond_weights = (farther & (count[:, None] > 0)).astype(np.float64) * _within(beyond, shape)
    share *= _within(rim, shape)
    return Evidence(
        pixels=pixels,
        depths=depths,
        depth_weights=weights,
        rim=rim,
        rim_weights=rim_weights * share,
        hidden=rim_weights * (1.0 - share),
        beyond=beyond,
        beyond_weights=beyond_weights,
        depth_count=count,
        centre=centre,
        radius=radius,
        free=_free(normal, rim_weights, share),
        stepped=stepped,
    )


def _mask(d: Detection, shape: tuple[int, int]) -> tuple[npt.NDArray[np.uint8], int, int]:
    """Return the mask with a border of two pixels, and where its corner lies in the picture."""
    h, w = shape
    x0, y0 = max(0, int(d.box[0])), max(0, int(d.box[1]))
    x1, y1 = min(w, int(np.ceil(d.box[2]))), min(h, int(np.ceil(d.box[3])))
    if x1 <= x0 or y1 <= y0:
        return np.zeros((1, 1), np.uint8), 0, 0
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    if d.polygon is not None and len(d.polygon) >= 3:
        cv2.fillPoly(mask, [np.rint(d.polygon - (x0, y0)).astype(np.int32)], 1)
    else:
        middle = ((x1 - x0 - 1) / 2, (y1 - y0 - 1) / 2)
        cv2.ellipse(mask, (middle, (x1 - x0, y1 - y0), 0.0), 1, -1)
    return mask, x0, y0


def _spread(count: int, most: int) -> npt.NDArray[np.intp]:
    """Return at most `most` of the first `count` numbers, evenly spread."""
    return np.arange(min(count, most)) * count // max(1, min(count, most))


def _outline(mask: npt.NDArray[np.uint8], most: int) -> tuple[npt.NDArray[np.int32], ...]:
    """Return places on the largest outline, its direction there, shapes (n, 2), and its lowest and highest x, y [px].

    OpenCV runs round an outer outline so that the outside lies along (-dy, dx) of its direction.
    """
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = max(found, key=len)[:, 0, :]
    n = len(whole)
    reach, k = max(1, min(3, n // 8)), _spread(n, most)
    return whole[k], whole[(k + reach) % n] - whole[k - reach], whole.min(axis=0), whole.max(axis=0)


def _own(rim: Array, normal: Array, depth: Depth, limits: tuple[float, float]) -> tuple[Array, Array]:
    """Return how surely each outline point is the fruit's own rim: what lies beyond is farther, or measures nothing.

    And whether depth makes a step there at all, 0-1; nan where it is not measured on both sides.
    """
    within = _sample(depth, rim[..., None, :] - np.array(INSIDE)[:, None] * normal[..., None, :], limits)
    beyond = _sample(depth, rim[..., None, :] + np.array(OUTSIDE)[:, None] * normal[..., None, :], limits)
    inner, outer = _median(within), _median(beyond)
    # Unknown beyond: background out of range, or the strip that only one imager sees; both belong to a rim.
    difference = outer - inner
    gap = np.where(np.isnan(outer), 2.0 * STEP, difference)
    gap = np.where(np.isnan(inner), 0.0, gap)
    own = np.asarray(np.clip((gap + STEP) / (2.0 * STEP), 0.0, 1.0) ** 2, np.float64)
    return own, np.minimum(np.abs(difference) / (2.0 * STEP), 1.0)


def _sample(depth: Depth, at: Array, limits: tuple[float, float]) -> Array:
    x = np.clip(np.rint(at[..., 0]), 0, depth.shape[1] - 1).astype(np.intp)
    y = np.clip(np.rint(at[..., 1]), 0, depth.shape[0] - 1).astype(np.intp)
    z = depth[y, x].astype(np.float64)
    z[(z <= limits[0]) | ~np.isfinite(z)] = np.nan
    return z


def _median(z: Array) -> Array:
    """Return the median over the last axis of the known values; nan where none is known."""
    ordered = np.sort(z, axis=-1)
    known = np.count_nonzero(~np.isnan(z), axis=-1)
    return np.asarray(np.take_along_axis(ordered, np.maximum((known - 1) // 2, 0)[..., None], -1)[..., 0], np.float64)


def _within(rim: Array, shape: tuple[int, int]) -> Array:
    """Return 0 for outline points at the picture's border: there the fruit goes on."""
    x, y = rim[..., 0], rim[..., 1]
    inside = (x > 1.5) & (y > 1.5) & (x < shape[1] - 2.5) & (y < shape[0] - 2.5)
    return inside.astype(np.float64)


def _free(normal: Array, there: Array, share: Array) -> Array:
    left, right = there * np.maximum(-normal[..., 0], 0.0), there * np.maximum(normal[..., 0], 0.0)
    sides = [(s * share).sum(axis=1) / np.maximum(s.sum(axis=1), 1e-9) for s in (left, right)]
    return np.stack(sides, axis=1)
