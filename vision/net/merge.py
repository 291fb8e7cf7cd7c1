"""One list of berries from looks at one picture in several sizes: each size is believed where its fruit is of a size
that the network knows well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
import numpy.typing as npt

from vision.net.decode import Found

Array = npt.NDArray[np.float32]

_RIPE = 0.5
"""Ripeness from which a berry is of the class of ripe fruit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSettings:
    """How looks are put together; fitted on pictures of `train`.

    Attributes:
        same: boxes that overlap more (intersection over union) are one berry.
        same_other: the same for a ripe and an unripe one; None: as `same`. In clusters fruit of both hangs before one
            another, so that photographs are told more of it apart; a camera's counts want no berry twice.
        sizes: side of a fruit in the network's picture [px]: from the first to the second the belief rises, from the
            third to the fourth it falls again; between them it is full.
        least_belief: never less.
        inside: a berry of which more than this share lies inside a much larger one at least half as sure is no berry
            but a spot or a few achenes: its score falls to `doubted` of it.
        larger: how many times larger in area that one is; fruit in front of fruit is seldom so much smaller.
    """

    same: float = 0.5
    same_other: float | None = None
    sizes: tuple[float, float, float, float] = (6.0, 14.0, 90.0, 260.0)
    least_belief: float = 0.02
    inside: float = 0.8
    larger: float = 5.0
    doubted: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """Berries of all looks.

    Attributes:
        found: in pixels of the original picture, best score first.
        look: number of the look that each berry's values are from, shape (n,).
        own: its number there, shape (n,).
    """

    found: Found
    look: npt.NDArray[np.int64]
    own: npt.NDArray[np.int64]


def rescaled(found: Found, scale: npt.NDArray[np.float64]) -> Found:
    """Return `found`, told in pixels of a look, in pixels of the original picture.

    Args:
        scale: pixels of the look per pixel of the picture (x, y), shape (2,).
    """
    if scale[0] == scale[1] == 1.0:
        return found
    s = scale.astype(np.float32)
    return replace(
        found,
        boxes=np.asarray(found.boxes / np.tile(s, 2), np.float32),
        calyx=(found.calyx + 0.5) / s - 0.5,
        peduncle=(found.peduncle + 0.5) / s - 0.5,
        stem_spread=found.stem_spread / s[0],
    )


def merged(looks: Sequence[Found], scales: Sequence[npt.NDArray[np.float64]], settings: MergeSettings) -> Merged:
    """Return the berries of all looks, each once: boxes, points and ripeness averaged, scores averaged by belief, the
    rest from the best.

    A berry that one look missed although it should see fruit of that size loses score; that a look misses what is too
    small or too large for it costs nothing.

    Args:
        looks: in pixels of each look.
        scales: of each look, as in `rescaled`.
    """
    told = [rescaled(f, s) for f, s in zip(looks, scales, strict=True)]
    every = told[0] if len(told) == 1 else _together(told)
    look = np.concatenate([np.full(len(t.scores), i) for i, t in enumerate(told)])
    own = np.concatenate([np.arange(len(t.scores)) for t in told])
    if len(every.scores) == 0:
        return Merged(found=every, look=look, own=own)
    if len(told) == 1:
        return _alone(every, settings)
    size = np.sqrt(np.maximum(_area(every.boxes), 1.0))
    belief = np.stack([_belief(size * float(np.sqrt(s[0] * s[1])), settings) for s in scales])
    strength = every.scores * np.exp(-every.box_spread) * belief[look, np.arange(len(size))]
    ripe = every.ripeness >= _RIPE
    kept = _apart(every.boxes, strength, ripe, settings)
    overlap = _overlap(every.boxes[kept], every.boxes)
    alike = overlap > np.where(ripe[kept, None] == ripe, settings.same, _other(settings))
    best = np.stack([np.where(alike & (look == i), every.scores, 0.0).max(axis=1) for i in range(len(told))])
    score = (best * belief[:, kept]).sum(axis=0) / belief[:, kept].sum(axis=0)
    found = _averaged(every, kept, np.where(alike, strength * overlap**2, 0.0))
    score = _doubted(found.boxes, np.asarray(score, np.float32), settings)
    order = np.argsort(-score, kind="stable")
    found = replace(_chosen(found, order), scores=score[order])
    return Merged(found=found, look=look[kept][order], own=own[kept][order])


def _alone(found: Found, settings: MergeSettings) -> Merged:
    """Return the berries of an only look, each once."""
    kept = _apart(found.boxes, found.scores, found.ripeness >= _RIPE, settings)
    score = _doubted(found.boxes[kept], found.scores[kept], settings)
    order = np.argsort(-score, kind="stable")
    own = kept[order]
    return Merged(found=_chosen(found, own, scores=score[order]), look=np.zeros(len(own), np.int64), own=own)


def _averaged(every: Found, kept: npt.NDArray[np.int64], weight: Array) -> Found:
    """Return the berries `kept`, with boxes, points and ripeness averaged over those that are the same.

    Points and ripeness count more where they are told to be surer; ripeness only of those told to be of the same side
    of 0.5, which is the class.

    Args:
        weight: of each berry for each that is kept, shape (k, n).
    """
    ripe = every.ripeness >= _RIPE
    points = _shares(weight / np.maximum(every.stem_spread, 1e-3))
    degree = _shares(np.where(ripe[kept, None] == ripe, weight, 0.0) / np.maximum(every.ripeness_spread, 0.02))
    stem = points @ every.stem
    return replace(
        _chosen(every, kept),
        boxes=np.asarray(_shares(weight) @ every.boxes, np.float32),
        ripeness=np.asarray(degree @ every.ripeness, np.float32),
        calyx=np.asarray(points @ every.calyx, np.float32),
        peduncle=np.asarray(points @ every.peduncle, np.float32),
        stem=np.asarray(stem / np.maximum(np.linalg.norm(stem, axis=1, keepdims=True), 1e-6), np.float32),
    )


def _shares(weight: npt.NDArray[np.floating]) -> Array:
    return np.asarray(weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12), np.float32)


def _doubted(boxes: Array, scores: Array, s: MergeSettings) -> Array:
    """Return the scores, less where a berry lies inside a much larger one."""
    area = _area(boxes)
    larger = area >= s.larger * area[:, None]
    if not larger.any():
        return scores
    overlap = _overlap(boxes, boxes)
    # From the intersection over union back to the share of each that lies in the other.
    inside = overlap / (1.0 + overlap) * (1.0 + area / np.maximum(area[:, None], 1e-6))
    over = larger & (scores >= 0.5 * scores[:, None])
    return np.asarray(np.where((over & (inside > s.inside)).any(axis=1), s.doubted, 1.0) * scores, np.float32)


def _together(told: Sequence[Found]) -> Found:
    """Return the berries of all looks as one list."""
    return Found(**{f.name: np.concatenate([getattr(t, f.name) for t in told]) for f in fields(Found)})


def _chosen(found: Found, numbers: npt.NDArray[np.int64], **other: Array) -> Found:
    """Return the berries of these numbers, with `other` values where some are given."""
    return Found(**{f.name: getattr(found, f.name)[numbers] for f in fields(Found) if f.name not in other}, **other)


def _area(boxes: Array) -> Array:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), np.float32)


def _other(s: MergeSettings) -> float:
    return s.same if s.same_other is None else s.same_other


def _apart(
    boxes: Array, strength: npt.NDArray[np.floating], ripe: npt.NDArray[np.bool_], s: MergeSettings
) -> npt.NDArray[np.int64]:
    """Return the numbers of the boxes that no stronger one covers, strongest first."""
    corners = boxes.copy()
    corners[:, 2:] -= corners[:, :2]
    if s.same_other is None:
        return np.asarray(cv2.dnn.NMSBoxes(corners.tolist(), strength.tolist(), 0.0, s.same), np.int64).ravel()
    own = cv2.dnn.NMSBoxesBatched(corners.tolist(), strength.tolist(), ripe.astype(int).tolist(), 0.0, s.same)
    kept = np.asarray(own, np.int64).ravel()
    left = cv2.dnn.NMSBoxes(corners[kept].tolist(), strength[kept].tolist(), 0.0, s.same_other)
    return kept[np.asarray(left, np.int64).ravel()]


def _belief(size: npt.NDArray[np.floating], s: MergeSettings) -> npt.NDArray[np.float64]:
    """Return how far a look is believed about fruit of a size [px of the look]."""
    least, low, high, most = np.log2(s.sizes)
    log = np.log2(np.maximum(size, 1.0))
    believed = np.minimum((log - least) / (low - least), (most - log) / (most - high))
    return np.asarray(np.clip(believed, s.least_belief, 1.0))


def _overlap(a: Array, b: Array) -> Array:
    """Return the intersection over union of each box in `a` with each in `b`, shape (n, m)."""
    low = [np.maximum(a[:, None, i], b[None, :, i]) for i in (0, 1)]
    high = [np.minimum(a[:, None, i], b[None, :, i]) for i in (2, 3)]
    shared = np.maximum(high[0] - low[0], 0.0) * np.maximum(high[1] - low[1], 0.0)
    area_a, area_b = _area(a), _area(b)
    return np.asarray(shared / np.maximum(area_a[:, None] + area_b[None] - shared, 1e-6), np.float32)
