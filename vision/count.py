"""Count fruit per bed segment and stage from tracks, corrected for what a pass does not see."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vision.track import Tracks, TrackSettings, counted
from vision.types import Stage

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCount:
    """Fruit of one stage in one bed segment.

    Attributes:
        seen: how many fruits the pass has confirmed, each once.
        estimated: how many there are likely to be, with those that were not seen.
        sd: standard deviation of the estimate.
    """

    segment: int
    stage: Stage
    seen: int
    estimated: float
    sd: float


def count_segments(
    known: Tracks,
    segment_of: Callable[[Array], int | None],
    recall: Mapping[Stage, float],
    settings: TrackSettings | None = None,
) -> list[StageCount]:
    """Return the counts of a pass, ordered by segment and stage, with a row for every stage of every segment met.

    A count is divided by the share of such fruit that a pass confirms (Horvitz and Thompson 1952); what is not seen
    varies as in n independent trials. The share must have been measured for this detector, this camera and this kind of
    bed, by counting a few segments by hand or with `chapman` from two passes: fruit that no place on the aisle shows is
    in the first of these figures only.

    Args:
        segment_of: bed segment of a position in the world [m], shape (3,); None outside the bed.
        recall: share of the fruit of each stage that a pass confirms, above 0 and up to 1; 1 where none is given.

    Raises:
        ValueError: a share is not above 0 and up to 1.
    """
    for stage, share in recall.items():
        if not 0.0 < share <= 1.0:
            raise ValueError(f"expected the recall of {stage} above 0 and up to 1, got {share}")
    tally: Counter[tuple[int, Stage]] = Counter()
    for track in counted(known, settings):
        segment = segment_of(track.position)
        if segment is not None:
            tally[segment, track.stage] += 1
    rows = []
    for segment in sorted({s for s, _ in tally}):
        for stage in Stage:
            seen, share = tally[segment, stage], recall.get(stage, 1.0)
            estimated = seen / share
            sd = math.sqrt(max(seen, 1) * (1.0 - share)) / share
            rows.append(StageCount(segment=segment, stage=stage, seen=seen, estimated=estimated, sd=sd))
    return rows


def chapman(first: int, second: int, both: int) -> tuple[float, float]:
    """Return how many fruits there are and the standard deviation of that, from two independent looks.

    Chapman's estimator of Lincoln and Petersen's capture and recapture with the variance of Seber (1982), "The
    Estimation of Animal Abundance", p. 60. Fruit that is hard to see is so in both looks: the estimate is then low.

    Args:
        first, second: fruits found in either look.
        both: fruits found in both.

    Raises:
        ValueError: counts that cannot be.
    """
    if not 0 <= both <= min(first, second):
        raise ValueError(f"expected 0 <= both <= {min(first, second)}, got {both}")
    number = (first + 1) * (second + 1) / (both + 1) - 1
    variance = (first + 1) * (second + 1) * (first - both) * (second - both) / ((both + 1) ** 2 * (both + 2))
    return number, math.sqrt(variance)


def recall_of_two(first: int, second: int, both: int) -> float:
    """Return the share of the fruit that one look finds, from two independent looks; 1 where nothing was found."""
    number, _ = chapman(first, second, both)
    return min(1.0, 0.5 * (first + second) / number) if number > 0 else 1.0
