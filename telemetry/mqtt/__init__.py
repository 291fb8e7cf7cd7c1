"""MQTT, as every room of the farm sees it: one small client protocol, with paho and an in-memory twin behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Message(Protocol):
    """One received message. With `manual_ack` it is redelivered until `ack()` is called."""

    @property
    def topic(self) -> str: ...

    @property
    def payload(self) -> bytes: ...

    @property
    def qos(self) -> int: ...

    @property
    def retain(self) -> bool: ...

    def ack(self) -> None:
        """Acknowledge; a message of QoS 0 ignores it."""
        ...


Handler = Callable[[Message], None]


class Client(Protocol):
    """A client. Handlers and timers run in the one thread that drives it."""

    @property
    def connected(self) -> bool: ...

    def subscribe(self, topic_filter: str, handler: Handler, *, qos: int = 1) -> None:
        """Call `handler` for each message that matches; kept over reconnects."""
        ...

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
        """Send; QoS 1 is queued while disconnected and sent again until acknowledged."""
        ...

    def unacknowledged(self) -> int:
        """Return how many QoS 1 messages the broker has not acknowledged yet."""
        ...

    def close(self) -> None: ...
