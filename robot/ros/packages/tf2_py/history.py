"""What is known of one frame's place in its parent over time."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from robot.ros.packages.tf2_py.exceptions import (
    BackwardExtrapolationException,
    ForwardExtrapolationException,
    NoDataForExtrapolationException,
)
from robot.ros.packages.tf2_py.rotation import Transform, interpolate

SECOND = 1_000_000_000  # [ns]


class Sample(NamedTuple):
    at: int  # [ns]
    parent: str
    transform: Transform


def _s(nanoseconds: int) -> str:
    return f"{nanoseconds // SECOND}.{nanoseconds % SECOND:09d}"


class History:
    """Samples in order of time.

    Args:
        length: how far back they are kept behind the newest [ns]; None = this frame never moves, only one is kept.
    """

    def __init__(self, length: int | None) -> None:
        self.length = length
        self._times: list[int] = []
        self._samples: list[Sample] = []

    @property
    def static(self) -> bool:
        return self.length is None

    @property
    def newest(self) -> Sample | None:
        return self._samples[-1] if self._samples else None

    @property
    def oldest(self) -> Sample | None:
        return self._samples[0] if self._samples else None

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, sample: Sample) -> bool:
        """Take a sample in; return False when it is older than everything kept."""
        if self.length is None:
            self._samples, self._times = [sample], [sample.at]
            return True
        if self._times and sample.at < self._times[-1] - self.length:
            return False
        at = bisect_left(self._times, sample.at)
        if at < len(self._times) and self._times[at] == sample.at:
            self._samples[at] = sample
            return True
        self._times.insert(at, sample.at)
        self._samples.insert(at, sample)
        keep = bisect_left(self._times, self._times[-1] - self.length)
        if keep:
            del self._times[:keep], self._samples[:keep]
        return True

    def at(self, time: int) -> Sample | None:
        """Return the place at `time` [ns], interpolated; 0 = the newest. None = nothing is known yet.

        Raises:
            ExtrapolationException: `time` lies outside.
        """
        if not self._samples:
            return None
        if time == 0 or self.static:
            return self._samples[-1]
        times = self._times
        if times[0] <= time <= times[-1]:
            at = bisect_left(times, time)
            after = self._samples[at]
            if after.at == time:
                return after
            before = self._samples[at - 1]
            share = (time - before.at) / (after.at - before.at)
            same = before.parent == after.parent
            moved = interpolate(before.transform, after.transform, share) if same else before.transform
            return Sample(time, before.parent, moved)
        if len(times) == 1:
            raise NoDataForExtrapolationException(
                f"Lookup would require extrapolation at time {_s(time)}, but only time {_s(times[0])} is in the buffer"
            )
        if time > times[-1]:
            raise ForwardExtrapolationException(
                f"Lookup would require extrapolation into the future.  Requested time {_s(time)} "
                f"but the latest data is at time {_s(times[-1])}"
            )
        raise BackwardExtrapolationException(
            f"Lookup would require extrapolation into the past.  Requested time {_s(time)} "
            f"but the earliest data is at time {_s(times[0])}"
        )
