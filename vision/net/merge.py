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


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSettings:
    """How looks are put together; fitted on pictures of `train`.

    Attributes:
        same: boxes that overlap more (intersection over union) are one berry.
        sizes: side of a fruit in the network's picture [px]: from the first to the second the belief rises, from the
            third to the fourth it falls again; between them it is full.
        least_belief: never less.
    """

    same: float = 0.5
    sizes: tuple[float, float, float, float] = (6.0, 14.0, 90.0, 260.0)
    least_belief: float = 0.02


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
    s = scale.astype(np.float32)
    return replace(
        found,
        boxes=np.asarray(found.boxes / np.tile(s, 2), np.float32),
        calyx=(found.calyx + 0.5) / s - 0.5,
        peduncle=(found.peduncle + 0.5) / s - 0.5,
        stem_spread=found.stem_spread / s[0],
    )


def merged(looks: Sequence[Found], scales: Sequence[npt.NDArray[np.float64]], settings: MergeSettings) -> Merged:
    """Return the berries of all looks, each once: boxes averaged, scores averaged by belief, the rest from the best.

    A berry that one look missed although it should see fruit of that size loses score; that a look misses what is too
    small or too large for it costs nothing.

    Args:
        looks: in pixels of each look.
        scales: of each look, as in `rescaled`.
    """
    told = [rescaled(f, s) for f, s in zip(looks, scales, strict=True)]
    if len(told) == 1:
        kept = _apart(told[0].boxes, told[0].scores, settings.same)
        return Merged(found=_chosen(told, kept), look=np.zeros(len(kept), np.int64), own=kept)
    boxes, scores, spread = (np.concatenate([getattr(t, n) for t in told]) for n in ("boxes", "scores", "box_spread"))
    look = np.concatenate([np.full(len(t.scores), i) for i, t in enumerate(told)])
    own = np.concatenate([np.arange(len(t.scores)) for t in told])
    if len(scores) == 0:
        return Merged(found=told[0], look=look, own=own)
    size = np.sqrt(np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1.0))
    belief = np.stack([_belief(size * float(np.sqrt(s[0] * s[1])), settings) for s in scales])
    strength = scores * np.exp(-spread) * belief[look, np.arange(len(scores))]
    kept = _apart(boxes, strength, settings.same)
    overlap = _overlap(boxes[kept], boxes)
    alike = overlap > settings.same
    weight = np.where(alike, strength * overlap**2, 0.0)
    fused = weight @ boxes / weight.sum(axis=1, keepdims=True)
    best = np.stack([np.where(alike & (look == i), scores, 0.0).max(axis=1) for i in range(len(told))])
    score = (best * belief[:, kept]).sum(axis=0) / belief[:, kept].sum(axis=0)
    order = np.argsort(-score, kind="stable")
    chosen = kept[order]
    found = replace(
        _chosen(told, chosen), boxes=fused[order].astype(np.float32), scores=score[order].astype(np.float32)
    )
    return Merged(found=found, look=look[chosen], own=own[chosen])


def _chosen(told: Sequence[Found], numbers: npt.NDArray[np.int64]) -> Found:
    """Return the berries of these numbers, counted through all looks."""
    return Found(**{f.name: np.concatenate([getattr(t, f.name) for t in told])[numbers] for f in fields(Found)})


def _apart(boxes: Array, strength: npt.NDArray[np.floating], same: float) -> npt.NDArray[np.int64]:
    """Return the numbers of the boxes that no stronger one covers, strongest first."""
    corners = boxes.copy()
    corners[:, 2:] -= corners[:, :2]
    return np.asarray(cv2.dnn.NMSBoxes(corners.tolist(), strength.tolist(), 0.0, same), np.int64).ravel()


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
    area_a, area_b = ((x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1]) for x in (a, b))
    return np.asarray(shared / np.maximum(area_a[:, None] + area_b[None] - shared, 1e-6), np.float32)
