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
    """

    def __init__(self, tell: Callable[[bytes, int], None], monotonic: Callable[[], float]) -> None:
        self._tell, self._monotonic = tell, monotonic
        self._told: dict[bytes, tuple[int, float]] = {}

    def took(self, publisher: bytes, sequence: int) -> None:
        now = self._monotonic()
        told, told_at = self._told.setdefault(publisher, (sequence - 1, now))
        if sequence - told >= STEP or now - told_at >= WORD_EVERY:
            self._told[publisher] = sequence, now
            self._tell(publisher, sequence)

    def forget(self, publisher: bytes) -> None:
        self._told.pop(publisher, None)
