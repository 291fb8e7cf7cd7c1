"""Copy a store into another while it runs: by days, again and again until nothing new is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from telemetry.store import Block, Store
from telemetry.store.journal import Archive

DAY_S = 86400.0
PASSES = 5
BATCH = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a copy did: points read, those that were new to the other store, passes over the data."""

    read: int
    new: int
    passes: int


def migrate(source: Archive, target: Store, *, start: float, end: float, say: Callable[[str], None]) -> Moved:
    """Copy all points with start <= at < end; what arrives meanwhile, also late, is taken in by another pass.

    Another pass goes from the newest day back, until all points that the source counts are read. Once the source has
    let go of some, that count says nothing: then it reads all days, until none came while it did.

    A key that the target has keeps its value. Running it again copies what came since: stop ingest for the last run.

    Raises:
        StoreError: one of the stores failed; what was copied stays, and the next run goes on from there.
    """
    read = new = passes = 0
    days = np.arange(start // DAY_S * DAY_S, end, DAY_S).tolist()
    seen: dict[float, int] = {}
    first = source.counters().points_removed

    def caught_up(stored: int) -> bool:
        now = source.counters()
        whole = now.points_removed == first
        return now.points - first <= sum(seen.values()) if whole else now.points == stored

    while passes < PASSES:
        stored = source.counters().points
        passes += 1
        for day in days if passes == 1 else reversed(days):
            if passes > 1 and caught_up(-1):
                break
            block = source.block(None, max(start, day), min(end, day + DAY_S))
            for begin in range(0, len(block), BATCH):
                new += target.write_block(part(block, slice(begin, begin + BATCH)))
            seen[day] = len(block)
            read += len(block)
            if len(block):
                say(f"pass {passes}: {read} points read, {new} new")
        if caught_up(stored):
            break
    return Moved(read=read, new=new, passes=passes)


def part(block: Block, chosen: slice) -> Block:
    """Return some of a block's points, with the names that they need."""
    numbers, places = np.unique(block.series[chosen], return_inverse=True)
    return Block(
        names=tuple(block.names[number] for number in numbers),
        series=places.astype(np.int32),
        at=block.at[chosen],
        value=block.value[chosen],
        delay=block.delay[chosen],
        quality=block.quality[chosen],
    )
