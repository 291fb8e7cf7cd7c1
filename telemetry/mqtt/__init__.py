"""MQTT, as every room of the farm sees it: one small client protocol, with a client over TCP and an in-memory twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker publishes for a client that is gone without a word, `delay` [s] after it noticed (MQTT 5)."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True
    delay: float = 0.0


MakeWill = Callable[[], Will]
"""Makes the will of one connection, so that it can carry the time of it."""


class MqttError(Exception):
    """A fault on the way to the broker; `code` is a key of faults.toml (`port_in_use`, `broker_lost`)."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Client(Protocol):
    """A client. Handlers and timers run in the one thread that drives it."""

    @property
    def connected(self) -> bool: ...

    @property
    def dropped(self) -> int:
        """Count the QoS 1 messages that gave way in a full queue."""
        ...

    def subscribe(self, topic_filter: str, handler: Handler, *, qos: int = 1) -> None:
        """Call `handler` for each message that matches; kept over reconnects. Filters of one client do not overlap."""
        ...

    def unsubscribe(self, topic_filter: str) -> None:
        """Have the session forget a filter, also one of an earlier life of this client; said at each connection."""
        ...

    def on_connect(self, callback: Callable[[], None]) -> None:
        """Call `callback` each time the connection stands, at once if it does already."""
        ...

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        done: Callable[[], None] | None = None,
        refused: Callable[[], None] | None = None,
    ) -> None:
        """Send; QoS 1 is queued while disconnected and sent again until acknowledged, QoS 0 is not.

        The queue is bounded: the oldest gives way to the newest, which `dropped` counts. `done` is called once a
        message of QoS 1 need not be sent again: acknowledged, and long enough ago for a broker to have written it;
        `refused` instead when the broker speaks against it.

        Raises:
            ValueError: the topic has a wildcard or no letter, or the payload is larger than 1 MiB.
        """
        ...

    def unacknowledged(self) -> int:
        """Return how many QoS 1 messages the broker has not acknowledged yet."""
        ...

    def close(self) -> None: ...
