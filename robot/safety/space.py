"""The lease on space: machines on one rail hold stretches of it that never come nearer than a gap."""

from __future__ import annotations

Stretch = tuple[float, float]


class RowSpace:
    """Who holds which stretch of a row. A claim replaces what its holder had, or changes nothing.

    Args:
        gap: kept free between two holders' stretches [m].
    """

    def __init__(self, gap: float) -> None:
        if not 0.0 <= gap < float("inf"):
            raise ValueError(f"expected a gap >= 0 m, got {gap}")
        self._gap = gap
        self._held: dict[str, Stretch] = {}

    def claim(self, holder: str, low: float, high: float) -> bool:
        """Take the stretch from `low` to `high` [m] if nobody else is within the gap of it.

        Who holds a stretch already moves on from there: the new one must meet it, or it would lead past another.

        Raises:
            ValueError: they are not two finite numbers in order.
        """
        if not float("-inf") < low <= high < float("inf"):
            raise ValueError(f"expected low <= high [m], got {low} and {high}")
        own = self._held.get(holder)
        if own is not None and (low > own[1] or high < own[0]):
            return False
        for other, (begin, end) in self._held.items():
            if other != holder and low < end + self._gap and begin < high + self._gap:
                return False
        self._held[holder] = (low, high)
        return True

    def stretch(self, holder: str) -> Stretch | None:
        """Return what somebody holds; None = nothing."""
        return self._held.get(holder)

    def free(self, holder: str) -> Stretch:
        """Return the whole stretch that somebody who holds one could hold; what it has lies in it. Infinite = nobody.

        Raises:
            KeyError: it holds nothing: nobody knows on which side of the others it is.
        """
        low, high = self._held[holder]
        others = [stretch for other, stretch in self._held.items() if other != holder]
        return (
            max((end + self._gap for _, end in others if end <= low), default=float("-inf")),
            min((begin - self._gap for begin, _ in others if begin >= high), default=float("inf")),
        )

    def release(self, holder: str) -> None:
        """Give back whatever somebody holds; only for a machine that has left the row."""
        self._held.pop(holder, None)
