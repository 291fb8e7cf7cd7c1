"""The time-series store: one protocol, with the embedded store (and later InfluxDB) behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Protocol

import numpy as np
import numpy.typing as npt


class Quality(IntFlag):
    """Flags of a point; 0 is good. Values are never changed because of them."""

    GOOD = 0
    RANGE = 1
    RATE = 2
    STUCK = 4
    STALE = 8
    DUPLICATE = 16
    LATE = 32
    SKEW = 64


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """Name of one series: who measured what, where."""

    site: str
    zone: str
    device: str
    metric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value. `at`: device time, `received_at`: arrival time, both UTC epoch [s]."""

    series: Series
    at: float
    value: float
    received_at: float
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """A read: columns of equal length, oldest first. `at` [s] shape (n,), `value` shape (n,), `quality` shape (n,)."""

    series: Series
    at: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A series in buckets, empty ones left out: columns of shape (n,), oldest first.

    Attributes:
        start: of each bucket, a multiple of its length [UTC epoch s].
        first_at, last_at: of the points in it [UTC epoch s].
        mean, low, high: of the points that are not left out; NaN where there are none.
        quality: all flags of its points.
        left_out: the points with a flag that was asked to be left out.
    """

    start: npt.NDArray[np.float64]
    first_at: npt.NDArray[np.float64]
    last_at: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]
    left_out: Samples


class Store(Protocol):
    """Write once per (series, at); a repeated key is ignored, the first value stays."""

    def write(self, points: Sequence[Point]) -> int:
        """Commit `points` durably and return how many were new. After it returns other processes see them."""
        ...

    def last(self, series: Sequence[Series] | None = None) -> dict[Series, Point]:
        """Return the newest point of each series (by device time); all series when None."""
        ...

    def read(self, series: Series, start: float, end: float, *, step: float | None = None) -> Samples:
        """Return samples with start <= at < end; with `step` [s] the mean of each non-empty bucket."""
        ...

    def summary(self, series: Series, start: float, end: float, *, step: float, without: Quality) -> Summary:
        """Return start <= at < end in buckets of `step` [s]; points with a flag of `without` are left out."""
        ...

    def series(self) -> list[Series]: ...

    def count(self) -> int:
        """Return the number of stored points."""
        ...

    def close(self) -> None: ...
