"""Count what is missing of a numbered stream, whatever the order in which it arrives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_GAPS = 1000
RESTART = 1_000_000


@dataclass(slots=True)
class Stream:
    """Numbers seen: all below `following` except `gaps` (first → last, inclusive). Begins at the first one seen.

    Beyond `MAX_GAPS` the oldest gap is only counted, in `lost`; a jump beyond `RESTART` is a new beginning, no loss.
    """

    following: int
    lost: int = 0
    gaps: dict[int, int] = field(default_factory=dict)

    def add(self, numbers: Iterable[int]) -> int:
        """Take numbers in; return how many were known already. Numbers before the beginning count as known."""
        repeated = 0
        for number in numbers:
            if number >= self.following:
                if self.following < number <= self.following + RESTART:
                    self.gaps[self.following] = number - 1
                self.following = number + 1
            elif not self._fill(number):
                repeated += 1
        while len(self.gaps) > MAX_GAPS:
            first = min(self.gaps)
            self.lost += self.gaps.pop(first) - first + 1
        return repeated

    def _fill(self, number: int) -> bool:
        for first, last in self.gaps.items():
            if first <= number <= last:
                break
        else:
            return False
        del self.gaps[first]
        if first < number:
            self.gaps[first] = number - 1
        if number < last:
            self.gaps[number + 1] = last
        return True
