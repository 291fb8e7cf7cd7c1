"""What reached the broker while nobody listened there, so that it is nowhere: it is published again after a pause."""

from __future__ import annotations

from collections.abc import Iterable

from telemetry.mqtt.connection import Outgoing

FIRST_PAUSE_S = 0.5
"""A farm that starts has its ingest subscribed within about so long [s]."""
LONGEST_PAUSE_S = 30.0


class Unheard:
    """Messages that wait for a first subscriber: MQTT 5 (4.3, reason code 0x10) tells that there was none.

    The pause doubles while nobody comes.
    """

    def __init__(self) -> None:
        self._messages: list[Outgoing] = []
        self._due_at = 0.0
        self._pause_s = FIRST_PAUSE_S

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, messages: Iterable[Outgoing], now: float) -> None:
        """Keep messages in the order in which they were sent."""
        if not self._messages:
            self._due_at = now + self._pause_s
        self._messages += messages

    def heard(self) -> None:
        """Note that somebody listens: the next pause is a short one."""
        self._pause_s = FIRST_PAUSE_S

    def take_due(self, now: float) -> list[Outgoing]:
        """Return what is to be published again now, oldest first."""
        if not self._messages or now < self._due_at:
            return []
        self._pause_s = min(2.0 * self._pause_s, LONGEST_PAUSE_S)
        due, self._messages = self._messages, []
        return due

    def take_all(self) -> list[Outgoing]:
        """Return everything, oldest first: of a connection that is lost."""
        due, self._messages = self._messages, []
        return due
