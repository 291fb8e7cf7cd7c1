"""What a transient-local subscription gets of each publisher: first what was kept for it, then what follows, each once.

A publisher's new messages may come before the kept ones do: to a context that has heard the topic before, or while the
kept ones are on their way. They wait until the publisher has said that nothing older follows.
"""

from __future__ import annotations

from collections.abc import Callable

from robot.ros.transport.frame import HISTORY, PRESENT, Buffer, Frame

PATIENCE = 10.0  # [s] that messages wait for older ones, in case these were dropped on the way
REMEMBERED = 256  # publishers that have gone and might come back


class Latecomer:
    """The order of one subscription's messages. Its caller sees to it that one thread uses it at a time.

    Args:
        monotonic: never goes back [s].
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seen: dict[bytes, int] = {}  # the last sequence number that was passed on
        self._present: set[bytes] = set()  # publishers all of whose kept messages have come
        self._early: dict[bytes, tuple[float, list[tuple[Frame, Buffer]]]] = {}
        self._gone: dict[bytes, None] = {}

    def admit(self, frame: Frame, payload: Buffer) -> list[tuple[Frame, Buffer]]:
        """Return what may be passed on now that a frame has come, in order."""
        gid = frame.gid
        if frame.kind == HISTORY or (frame.kind != PRESENT and gid in self._present):
            return self._new([(frame, payload)])
        early = self._early.get(gid)
        if frame.kind == PRESENT:
            self._present.add(gid)
            self._early.pop(gid, None)
            return [] if early is None else self._new(early[1])
        if early is None:
            early = self._early[gid] = self._monotonic(), []
        early[1].append((frame, payload))
        return []

    @property
    def waits_until(self) -> float | None:
        """When messages that wait are `overdue` [s]; None when none wait."""
        return min((since for since, _ in self._early.values()), default=0.0) + PATIENCE if self._early else None

    def overdue(self) -> list[tuple[Frame, Buffer]]:
        """Return what has waited too long, in order: what should have come before it was dropped on the way."""
        passed: list[tuple[Frame, Buffer]] = []
        for gid, (since, messages) in tuple(self._early.items()):
            if self._monotonic() - since >= PATIENCE:
                self._present.add(gid)
                del self._early[gid]
                passed += self._new(messages)
        return passed

    def _new(self, messages: list[tuple[Frame, Buffer]]) -> list[tuple[Frame, Buffer]]:
        passed = []
        for frame, payload in messages:
            if frame.sequence > self._seen.get(frame.gid, 0):
                self._seen[frame.gid] = frame.sequence
                passed.append((frame, payload))
        return passed

    def matched(self, gid: bytes, *, here: bool) -> None:
        """A publisher has come or gone. One that is found again has nothing to say twice."""
        if here:
            self._gone.pop(gid, None)
            return
        self._gone[gid] = None
        if len(self._gone) > REMEMBERED:
            oldest = next(iter(self._gone))
            del self._gone[oldest]
            self._seen.pop(oldest, None)
            self._present.discard(oldest)
            self._early.pop(oldest, None)
