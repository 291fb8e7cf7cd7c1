"""Simulated time shared by the processes of a demo: one small file in memory, written by the cell, read by all others.

Each follower notes in its own slot how far it has come, so that the cell can wait for a slow one instead of running
away from it: computing takes as long as it takes, and simulated time waits. A follower that is dead is not waited for,
nor one that has not answered for `STALL_S` of wall time: the robot's own watchdogs must see that in simulated time.
"""

from __future__ import annotations

import math
import mmap
import os
import time
from pathlib import Path

from dashboard.rundir import birth_of

SLOTS = 32
STALL_S = 10.0
LOOK_S = 0.05
"""How often it is looked whether a follower that is behind still lives [s]."""
_EPOCH, _TIME, _FIRST_SLOT = 0, 1, 2
_WIDTH = 3  # of a slot: time, wall time of the last answer, process id
_SIZE = 8 * (_FIRST_SLOT + _WIDTH * SLOTS)


def create(path: Path, *, epoch: float) -> None:
    """Make the file: monotonic time 0 is `epoch` (UTC epoch [s])."""
    path.write_bytes(bytes(_SIZE))
    with _Words(path) as words:
        words[_EPOCH] = epoch


def _slots() -> range:
    return range(_FIRST_SLOT, _FIRST_SLOT + _WIDTH * SLOTS, _WIDTH)


class _Words:
    """The file as 64-bit floats; one of them is read and written in one go by the processors this runs on."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)
        self._view = memoryview(self._map).cast("d")

    def __enter__(self) -> _Words:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getitem__(self, index: int) -> float:
        return float(self._view[index])

    def __setitem__(self, index: int, value: float) -> None:
        self._view[index] = value

    def close(self) -> None:
        self._view.release()
        self._map.close()


class SharedClock:
    """A follower's clock. It stands still while the simulation does.

    Args:
        path: the file that `create` made.
        slot: number of this follower, 0 to SLOTS - 1; None for one that nobody waits for.
    """

    def __init__(self, path: Path, *, slot: int | None = None) -> None:
        if slot is not None and not 0 <= slot < SLOTS:
            raise ValueError(f"expected a slot from 0 to {SLOTS - 1}, got {slot}")
        self._words = _Words(path)
        self._epoch = self._words[_EPOCH]
        self._pid = float(os.getpid())
        self._slot = None if slot is None else _FIRST_SLOT + _WIDTH * slot

    def now(self) -> float:
        return self._epoch + self._words[_TIME]

    def monotonic(self) -> float:
        return self._words[_TIME]

    def follow(self, up_to: float) -> None:
        """Note that all work up to the simulated time `up_to` (monotonic [s]) is done."""
        if self._slot is not None:
            self._words[self._slot] = up_to
            self._words[self._slot + 1] = time.monotonic()
            self._words[self._slot + 2] = self._pid

    def close(self) -> None:
        self._words.close()


class LeadingClock:
    """The cell's side: it alone moves the time."""

    def __init__(self, path: Path) -> None:
        self._words = _Words(path)
        self._epoch = self._words[_EPOCH]
        self._look_at = 0.0
        self._dead: set[int] = set()

    def now(self) -> float:
        return self._epoch + self._words[_TIME]

    def monotonic(self) -> float:
        return self._words[_TIME]

    def advance(self, monotonic: float) -> None:
        """Set the simulated time.

        Raises:
            ValueError: the time would go back.
        """
        if monotonic < self._words[_TIME]:
            raise ValueError(f"expected a time of {self._words[_TIME]} s or later, got {monotonic} s")
        self._words[_TIME] = monotonic

    def lag(self) -> float:
        """Return how far the slowest follower that still answers is behind [s]; 0 when there is none."""
        wall = time.monotonic()
        if wall >= self._look_at:
            self._look_at = wall + LOOK_S
            self._dead = {slot for slot in _slots() if self._is_dead(slot)}
        answering = []
        for slot in _slots():
            answered_at = self._words[slot + 1]
            if answered_at > 0.0 and answered_at > wall - STALL_S and slot not in self._dead:
                answering.append(self._words[slot])
        return max(0.0, self._words[_TIME] - min(answering, default=math.inf))

    def followers(self) -> int:
        """Return how many followers have ever answered."""
        return sum(self._words[slot + 1] > 0.0 for slot in _slots())

    def _is_dead(self, slot: int) -> bool:
        pid = int(self._words[slot + 2])
        return pid > 0 and birth_of(pid) is None

    def close(self) -> None:
        self._words.close()
