"""Drive an MQTT client from asyncio: its socket wakes the loop, so that an idle dashboard costs nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from telemetry.mqtt import Client

log = logging.getLogger(__name__)

TURN_S = 0.2
"""Keep-alives, time-outs and reconnects are looked after this often [s]."""


class Driven(Client, Protocol):
    """A client whose owner turns it, such as `telemetry.mqtt.network.NetworkClient`."""

    def fileno(self) -> int: ...

    def loop(self, timeout: float) -> int: ...


class Link:
    """Turns one client on the running loop until `close`.

    Args:
        failed: called when turning ends by itself; a dashboard that no longer hears must not look alive.
    """

    def __init__(self, client: Driven, *, failed: Callable[[], None]) -> None:
        self._client = client
        self._failed = failed
        self._watched = -1
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; call it from a coroutine."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="mqtt")
        self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Stop turning; the client stays open."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._watch(-1)

    async def _run(self) -> None:
        while True:
            self._turn()
            await asyncio.sleep(TURN_S)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            log.error("the MQTT client ended: %r", task.exception())
            self._failed()

    def _turn(self) -> None:
        self._client.loop(0.0)
        self._watch(self._client.fileno())

    def _watch(self, fileno: int) -> None:
        if fileno == self._watched:
            return
        loop = asyncio.get_running_loop()
        if self._watched >= 0:
            loop.remove_reader(self._watched)
        if fileno >= 0:
            loop.add_reader(fileno, self._turn)
        self._watched = fileno
