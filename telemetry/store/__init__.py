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


REJECTED = Quality.RANGE | Quality.RATE | Quality.STUCK
"""Points with these flags are kept as they came, and left out of every roll-up's mean and extremes."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Many points in columns of shape (n,): the quick way in and out, for imports, backups and moves to another store.

    Attributes:
        names: of the series; `series` counts into it.
        at: device time [ms since 1970 UTC].
        delay: arrival minus device time [ms].
    """

    names: tuple[Series, ...]
    series: npt.NDArray[np.int32]
    at: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    delay: npt.NDArray[np.int64]
    quality: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """Many series in buckets, empty ones left out: columns of shape (n,), by series, then oldest first.

    Attributes:
        names: of the series; `series` counts into it.
        start: of each bucket, a multiple of its length [UTC epoch s].
        mean, low, high: of the `count` points that no flag of `REJECTED` has; NaN where there are none.
        quality: all flags of its points.
        left_out: how many points were rejected.
    """

    names: tuple[Series, ...]
    series: npt.NDArray[np.int32]
    start: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    count: npt.NDArray[np.int64]
    quality: npt.NDArray[np.uint8]
    left_out: npt.NDArray[np.int64]


class Store(Protocol):
    """Write once per (series, at); a repeated key is ignored, the first value stays. Nothing stored is ever edited."""

    def write(self, points: Sequence[Point]) -> int:
        """Commit `points` durably and return how many were new. After it returns other processes see them."""
        ...

    def write_block(self, block: Block) -> int:
        """Do what `write` does, for points in columns."""
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

    def buckets(self, series: Sequence[Series] | None, start: float, end: float, *, step: float) -> Buckets:
        """Return many series (all when None), start <= at < end, in buckets of `step` [s], without rejected points."""
        ...

    def block(self, series: Sequence[Series] | None, start: float, end: float) -> Block:
        """Return every point of many series (all when None) with start <= at < end, by series, then oldest first."""
        ...

    def series(self) -> list[Series]: ...

    def count(self) -> int:
        """Return the number of stored points."""
        ...

    def close(self) -> None: ...
