"""The edge side of commands: each is carried out at most once and before it expires, and always answered."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping

from telemetry.clock import Clock
from telemetry.messages import Ack, AckStatus, Command, Kind
from telemetry.messages.wire import MessageError, decode, encode
from telemetry.mqtt import Client, Message
from telemetry.mqtt.device import Address

log = logging.getLogger(__name__)

Reply = Callable[[AckStatus, str], None]
"""Answers a command: status and reason (a stable key, or empty)."""
CommandHandler = Callable[[Command, Reply], None]
"""Carries a command out. It replies `accepted`, `rejected`, `done` or `failed`, at once or later, more than once."""


class CommandInbox:
    """Receives the commands of one device.

    Args:
        handlers: by the command's name; any other is rejected with `unknown_command`.
        memory: how many ids are remembered as carried out.
    """

    def __init__(
        self,
        client: Client,
        address: Address,
        clock: Clock,
        handlers: Mapping[str, CommandHandler],
        *,
        memory: int = 1000,
    ) -> None:
        self._client = client
        self._topic = address.topic(Kind.ACK)
        self._clock = clock
        self._handlers = dict(handlers)
        self._memory = memory
        self._seen: OrderedDict[str, None] = OrderedDict()
        client.subscribe(address.topic(Kind.CMD), self._on_message, qos=1)

    def reply(self, command_id: str, status: AckStatus, reason: str = "") -> None:
        """Publish an acknowledgement."""
        ack = Ack(id=command_id, at=self._clock.now(), status=status, reason=reason)
        self._client.publish(self._topic, encode(ack), qos=1)

    def _on_message(self, message: Message) -> None:
        try:
            (payload,) = decode(Kind.CMD, message.payload)
        except MessageError as error:
            log.warning("command on %s refused: %s", message.topic, error)
        else:
            assert isinstance(payload, Command)
            self._take(payload)
        message.ack()

    def _take(self, command: Command) -> None:
        handler = self._handlers.get(command.command)
        if command.id in self._seen:
            self.reply(command.id, AckStatus.DUPLICATE)
        elif self._clock.now() >= command.expires_at:
            self.reply(command.id, AckStatus.EXPIRED)
        elif handler is None:
            self.reply(command.id, AckStatus.REJECTED, "unknown_command")
        else:
            self._seen[command.id] = None
            if len(self._seen) > self._memory:
                self._seen.popitem(last=False)
            handler(command, lambda status, reason: self.reply(command.id, status, reason))
