"""One open page on the live socket: what it watches, and what it has not been sent yet."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

from starlette.websockets import WebSocket

from dashboard.guard import COOKIE

MOST_QUEUED = 64


class Viewer:
    """Sends the newest of each slot, and what was queued in order; the line's own pace decides how much of it."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.key = socket.cookies.get(COOKIE)
        self.watch: frozenset[str] = frozenset()
        self._newest: dict[str, str | bytes] = {}
        self._queue: deque[str] = deque(maxlen=MOST_QUEUED)
        self._wake = asyncio.Event()

    def waits_for(self, slot: str) -> bool:
        """Tell whether the last message of `slot` is not on its way yet."""
        return slot in self._newest

    def offer(self, slot: str, message: str | bytes) -> None:
        """Send `message` as soon as the line is free; a newer one of the same slot takes its place."""
        self._newest[slot] = message
        self._wake.set()

    def queue(self, message: str) -> None:
        """Send `message` in order with other queued ones."""
        self._queue.append(message)
        self._wake.set()

    async def send(self) -> None:
        """Send until the socket closes."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue or self._newest:
                message = self._queue.popleft() if self._queue else self._newest.pop(next(iter(self._newest)))
                if isinstance(message, str):
                    await self.socket.send_text(message)
                else:
                    await self.socket.send_bytes(message)


def encode(message: dict[str, Any]) -> str:
    """Return a message's JSON."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
