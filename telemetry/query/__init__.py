"""Questions people and programs ask the store: which series, from when to when, in what steps; answers in columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt

from telemetry.store import Series

PARTS = ("zone", "device", "metric")
"""Of a series' name, as an answer shows them."""
AGGREGATES = ("mean", "min", "max", "count")


class QueryError(ValueError):
    """The question cannot be answered as it was put; says what was expected, and what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question.

    Attributes:
        metrics, devices, zones, sites: names, or patterns with `*` and `?`; empty = all.
        start, end: start <= at < end [UTC epoch s].
        step: length of a bucket [s]; 0 = every value as it was stored. Steps of whole days are days of `timezone`.
        aggregates: columns of a bucket, from `AGGREGATES`.
        timezone: of the days, and of the times that are shown.
        rejected: with step 0 also give values that are flagged as out of range, leaping or stuck.
        limit: most rows; more are an error, never cut off silently.
    """

    metrics: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    start: float
    end: float
    step: float = 0.0
    aggregates: tuple[str, ...] = ("mean",)
    timezone: tzinfo
    rejected: bool = True
    limit: int = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Columns of equal length, by series, then oldest first. `series` counts into `names`.

    Attributes:
        at: of the value, or of the begin of the bucket [UTC epoch s].
        values: by name: `value`, or the aggregates that were asked for; NaN where only rejected values were. `count` is
            whole numbers.
        quality: flags of the value, or of all values in the bucket.
        units: of each name, as people write them; empty where unknown.
    """

    names: tuple[Series, ...]
    units: tuple[str, ...]
    series: npt.NDArray[np.int32]
    at: npt.NDArray[np.float64]
    values: dict[str, npt.NDArray[Any]]
    quality: npt.NDArray[np.uint8]
    timezone: tzinfo

    def __len__(self) -> int:
        return len(self.at)

    @property
    def parts(self) -> tuple[str, ...]:
        """Which parts of the names are shown; the site only where series of several sites would look alike."""
        several = len({name.site for name in self.names}) > 1
        return ("site", *PARTS) if several else PARTS
