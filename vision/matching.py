"""Which detection is which labelled fruit: overlap of boxes, and greedy matching by score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Box = tuple[float, float, float, float]


def intersection_over_union(a: Box, b: Box) -> float:
    """Return the overlap of two boxes, 0-1."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    shared = w * h
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def match(scored: Sequence[tuple[float, Box]], truth: Sequence[Box], threshold: float) -> list[tuple[float, bool]]:
    """Match detections of one picture to its labelled boxes, best score first, each label once.

    Args:
        scored: score and box of each detection.
        threshold: least intersection over union of a hit.

    Returns:
        Score and whether it is a hit, for each detection.
    """
    free = list(truth)
    result = []
    for score, box in sorted(scored, key=lambda s: -s[0]):
        overlaps = [intersection_over_union(box, t) for t in free]
        best = int(np.argmax(overlaps)) if overlaps else -1
        hit = best >= 0 and overlaps[best] >= threshold
        if hit:
            free.pop(best)
        result.append((score, hit))
    return result
