"""The edge side of the farm's wire: what a device publishes, kept while the broker is away: on disk, or in memory."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from telemetry.clock import Clock
from telemetry.messages import Birth, Data, Event, Kind, MetricInfo, State, Topic
from telemetry.messages.wire import MessageError, encode, encode_array
from telemetry.mqtt import Client, MakeWill, Will
from telemetry.mqtt.outbox import Outbox, OutboxError, Record
from telemetry.mqtt.sender import ARRAY_LENGTH, Sender

log = logging.getLogger(__name__)

DESCRIPTION_BYTES = 32 * 1024
"""A birth is kept by the broker and by every store: more than this does not belong in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a device stands on the wire."""

    site: str
    zone: str
    device: str

    def topic(self, kind: Kind) -> str:
        return str(Topic(site=self.site, zone=self.zone, device=self.device, kind=kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a device tells about itself at birth. `boot` is new at each start; numbers count from 0 within it.

    `description` is left out at birth when it is larger than `DESCRIPTION_BYTES`.
    """

    boot: str
    model: str
    firmware: str
    metrics: Mapping[str, MetricInfo]
    description: Mapping[str, Any] = field(default_factory=dict)


def offline_will(address: Address, clock: Clock, *, fault: str = "device_offline", delay: float = 2.0) -> MakeWill:
    """Return what makes a device's last will, for the client's constructor; its time is that of the connection."""

    def make() -> Will:
        payload = encode(State(at=clock.now(), status="offline", fault=fault))
        return Will(topic=address.topic(Kind.STATE), payload=payload, delay=delay)

    return make


class DevicePublisher:
    """Publishes birth, state, data, events and live views of one device.

    Args:
        client: made with `offline_will` of the same address.
        queue_limit: measurements kept in memory while disconnected; the oldest give way, their numbers show the gap.
        outbox: keeps measurements and events until the farm has confirmed them, also over a kill; None = in memory.
    """

    def __init__(
        self,
        client: Client,
        address: Address,
        clock: Clock,
        identity: Identity,
        *,
        queue_limit: int = 10_000,
        outbox: Outbox | None = None,
    ) -> None:
        self.address = address
        self._client = client
        self._clock = clock
        self._identity = identity
        self._waiting: deque[Data] = deque(maxlen=queue_limit)
        self._outbox = outbox
        topics = {kind: address.topic(kind) for kind in (Kind.DATA, Kind.EVENT)}
        self._sender = Sender(client, topics, outbox) if outbox is not None else None
        self._data_seq = 0
        self._event_seq = 0
        self._state = State(at=clock.now(), status="online")
        client.on_connect(self._introduce)

    def data(self, metrics: Mapping[str, float], *, at: float | None = None, historical: bool = False) -> None:
        """Publish measurements of one instant (now, or `at` [UTC epoch s]); leave out what is not known.

        Raises:
            MessageError: a value is not finite, or all together are too large for one message.
        """
        when = self._clock.now() if at is None else at
        boot = self._identity.boot
        late = historical or not self._client.connected
        data = Data(at=when, seq=self._data_seq, boot=boot, metrics=dict(metrics), historical=late)
        if self._keep(Kind.DATA, encode(data)):
            pass
        elif self._client.connected:
            self._client.publish(self.address.topic(Kind.DATA), encode(data), qos=1)
        else:
            encode_array([data])  # what could not be sent after the outage is refused here
            self._waiting.append(data)
        self._data_seq += 1

    def event(
        self,
        type: str,
        data: Mapping[str, Any],
        *,
        at: float | None = None,
        key: str = "",
        notes: Mapping[str, str] | None = None,
    ) -> bool:
        """Publish something that happened once; return False, doing nothing, when the outbox knows its `key`."""
        when = self._clock.now() if at is None else at
        payload = encode(Event(at=when, seq=self._event_seq, boot=self._identity.boot, type=type, data=dict(data)))
        number = self._keep(Kind.EVENT, payload, key=key, notes=notes)
        if number == 0:
            return False
        self._event_seq += 1
        if number is None:
            self._client.publish(self.address.topic(Kind.EVENT), payload, qos=1)
        return True

    def _keep(self, kind: Kind, body: bytes, *, key: str = "", notes: Mapping[str, str] | None = None) -> int | None:
        """Put a record into the outbox and send it; return its number, 0 when it is known, None when it is not kept."""
        if self._outbox is None or self._sender is None:
            return None
        try:
            number = self._outbox.append(kind, body, key=key, notes=notes)
        except OutboxError as error:
            log.error("a record of %s waits in memory only: %s", self.address.device, error)
            return None
        if number:
            self._sender.send(Record(id=number, kind=kind, body=body))
        return number

    def state(self, status: str, *, fault: str = "", detail: Mapping[str, Any] | None = None) -> None:
        """Publish the state, when it is another one than before; it is sent again after each reconnect."""
        known = (self._state.status, self._state.fault, self._state.detail)
        if (status, fault, dict(detail or {})) == known:
            return
        self._state = State(at=self._clock.now(), status=status, fault=fault, detail=dict(detail or {}))
        if self._client.connected:
            self._publish_state()

    def live(self, content: Mapping[str, Any]) -> None:
        """Publish a live view: never stored, lost when the network is."""
        payload = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
        self._client.publish(self.address.topic(Kind.LIVE), payload, qos=0)

    def video(self, jpeg: bytes) -> None:
        """Publish a picture: never stored, lost when the network is."""
        self._client.publish(self.address.topic(Kind.VIDEO), jpeg, qos=0)

    def waiting(self) -> int:
        """Return how many measurements (from an outbox: and events) wait for a connection."""
        return len(self._waiting) + (self._sender.waiting() if self._sender is not None else 0)

    def close(self) -> None:
        """Say offline with a word; the client is its owner's to close."""
        self._state = State(at=self._clock.now(), status="offline")
        if self._client.connected:
            self._publish_state()

    def _introduce(self) -> None:
        identity = self._identity
        birth = Birth(
            at=self._clock.now(),
            boot=identity.boot,
            model=identity.model,
            firmware=identity.firmware,
            metrics=dict(identity.metrics),
            description=_small(identity.description),
        )
        self._client.publish(self.address.topic(Kind.BIRTH), encode(birth), qos=1, retain=True)
        self._publish_state()
        late = list(self._waiting)
        self._waiting.clear()
        for begin in range(0, len(late), ARRAY_LENGTH):
            self._publish_late(late[begin : begin + ARRAY_LENGTH])
        if self._sender is not None:
            self._sender.pump()

    def _publish_late(self, late: list[Data]) -> None:
        try:
            payload = encode_array(late)
        except MessageError:
            self._publish_late(late[: len(late) // 2])
            self._publish_late(late[len(late) // 2 :])
            return
        self._client.publish(self.address.topic(Kind.DATA), payload, qos=1)

    def _publish_state(self) -> None:
        self._client.publish(self.address.topic(Kind.STATE), encode(self._state), qos=1, retain=True)


def _small(description: Mapping[str, Any]) -> dict[str, Any]:
    size = len(json.dumps(dict(description), ensure_ascii=False).encode())
    if size <= DESCRIPTION_BYTES:
        return dict(description)
    log.warning("the description is left out at birth: expected at most %d byte, got %d", DESCRIPTION_BYTES, size)
    return {}
