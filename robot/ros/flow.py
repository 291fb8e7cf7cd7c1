"""Back-pressure where both ends are reliable and keep all messages: no message may be lost, so the publisher waits.

A subscription says now and then how far its callbacks have come. A publisher may be `WINDOW` messages ahead of the
slowest one, which bounds what waits between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from robot.ros.qos import HistoryPolicy, QoSProfile

WINDOW = 1000  # messages that a publisher may be ahead
STEP = 100  # messages taken between two words of a subscription
WORD_EVERY = 1.0  # [s] after which a slow subscription says how far it is with fewer
REPEATS = 3  # times that the last word is said again, each after `WORD_EVERY`, in case it was dropped on its way
PATIENCE = 10.0  # [s] that a publisher waits before it gives up


def keeps_all(profile: QoSProfile) -> bool:
    """Tell whether an endpoint must not lose a message."""
    return profile.history == HistoryPolicy.KEEP_ALL and not profile.best_effort


class Outflow:
    """How far each subscription of a publisher has come."""

    def __init__(self) -> None:
        self._taken: dict[bytes, int] = {}

    def on_taken(self, subscription: bytes, sequence: int) -> None:
        if sequence > self._taken.get(subscription, sequence):
            self._taken[subscription] = sequence

    def has_room(self, sequence: int, subscriptions: Iterable[bytes]) -> bool:
        """Tell whether the message after number `sequence` may be sent to these; who is new owes nothing older."""
        return all(sequence - self._taken.setdefault(gid, sequence) < WINDOW for gid in subscriptions)

    def forget(self, subscription: bytes) -> None:
        self._taken.pop(subscription, None)


class Inflow:
    """How far a subscription has come with each publisher.

    Args:
        tell: takes a publisher's gid and the number of its message that was taken last.
        monotonic: never goes back [s].
        later: calls a function after so many seconds.
        here: what the gids of this context begin with; words to publishers in it are never dropped.
    """

    def __init__(
        self,
        tell: Callable[[bytes, int], None],
        monotonic: Callable[[], float],
        later: Callable[[Callable[[], None], float], object],
        here: bytes,
    ) -> None:
        self._tell, self._monotonic, self._later, self._here = tell, monotonic, later, here
        self._told: dict[bytes, tuple[int, float]] = {}
        self._taken: dict[bytes, tuple[int, int]] = {}  # the last message, and how often that is still to be said
        self._repeats = False

    def took(self, publisher: bytes, sequence: int) -> None:
        if not publisher.startswith(self._here):
            self._taken[publisher] = sequence, REPEATS
            if not self._repeats:
                self._repeats = True
                self._later(self._repeat, WORD_EVERY)
        now = self._monotonic()
        told, told_at = self._told.setdefault(publisher, (sequence - 1, now))
        if sequence - told >= STEP or now - told_at >= WORD_EVERY:
            self._told[publisher] = sequence, now
            self._tell(publisher, sequence)

    def _repeat(self) -> None:
        for publisher, (sequence, left) in tuple(self._taken.items()):
            self._tell(publisher, sequence)
            if self._taken.get(publisher) == (sequence, left):
                self._taken[publisher] = sequence, left - 1
                if left <= 1:
                    self._taken.pop(publisher, None)
        self._repeats = bool(self._taken)
        if self._repeats:
            self._later(self._repeat, WORD_EVERY)

    def forget(self, publisher: bytes) -> None:
        self._told.pop(publisher, None)
        self._taken.pop(publisher, None)

    def close(self) -> None:
        """Say no more."""
        self._taken.clear()
