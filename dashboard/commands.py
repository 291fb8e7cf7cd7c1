"""Send commands to devices over MQTT and wait for their own word: "sent" is never "done"."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

from telemetry.clock import Clock
from telemetry.messages import Ack, AckStatus, Command, Kind, Topic
from telemetry.messages.wire import MessageError, decode, encode, parse_topic
from telemetry.mqtt import Client, Message

NO_ANSWER = "no_answer"
LIFETIME_S = 5.0
"""A command that reaches its device later than this has no effect; `stop` does not run out in this time [s]."""
STOP_LIFETIME_S = 30.0
STOP_REPEAT_S = 0.15
"""A stop is sent again this often until its device acknowledges it [s]; the device knows repeats by their id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a command: an `AckStatus` or `no_answer`; `seconds` from sending to the device's word."""

    id: str
    status: str
    seconds: float
    reason: str = ""

    @property
    def confirmed(self) -> bool:
        """The device said that it acts, or has acted."""
        return self.status in (AckStatus.ACCEPTED, AckStatus.DONE, AckStatus.DUPLICATE)


class Commands:
    """Requests and their acknowledgements. One per process; runs in the asyncio thread that drives `client`.

    Args:
        site: subscribes to acknowledgements of this site's devices.
    """

    def __init__(self, client: Client, clock: Clock, site: str) -> None:
        self._client = client
        self._clock = clock
        self._waiting: dict[str, asyncio.Future[Ack]] = {}
        client.subscribe(f"gh/1/{site}/+/+/{Kind.ACK}", self._on_ack, qos=1)

    async def request(
        self,
        topic: Topic,
        command: str,
        issuer: str,
        *,
        arguments: dict[str, object] | None = None,
        timeout_s: float = 1.0,
    ) -> Answer:
        """Send `command` to the device of `topic` and return its first acknowledgement.

        A stop is repeated with the same id until it is acknowledged, so that a message lost on the way costs little.
        """
        stop = command == "stop"
        message = Command(
            id=f"ui-{secrets.token_hex(12)}",
            issuer=issuer,
            expires_at=self._clock.now() + (STOP_LIFETIME_S if stop else LIFETIME_S),
            command=command,
            arguments=dict(arguments or {}),
        )
        wire, address = encode(message), str(topic)
        began = self._clock.monotonic()
        answer: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        self._waiting[message.id] = answer
        try:
            while True:
                left = timeout_s - (self._clock.monotonic() - began)
                if left <= 0.0:
                    return Answer(id=message.id, status=NO_ANSWER, seconds=self._clock.monotonic() - began)
                self._client.publish(address, wire, qos=1)
                done, _ = await asyncio.wait([answer], timeout=min(left, STOP_REPEAT_S) if stop else left)
                if done:
                    ack = answer.result()
                    seconds = self._clock.monotonic() - began
                    return Answer(id=message.id, status=ack.status, seconds=seconds, reason=ack.reason)
        finally:
            del self._waiting[message.id]

    def _on_ack(self, message: Message) -> None:
        try:
            parse_topic(message.topic)
            (ack,) = decode(Kind.ACK, message.payload)
        except MessageError:
            return  # ingest keeps it as a dead letter; here it answers nobody
        waiting = self._waiting.get(ack.id) if isinstance(ack, Ack) else None
        if waiting is not None and not waiting.done() and isinstance(ack, Ack):
            waiting.set_result(ack)
