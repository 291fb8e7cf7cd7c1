"""A client whose calls are awaited."""

from __future__ import annotations

import asyncio
from typing import Any

from robot.ros.client import Client


class AsyncClient(Client):
    """A client, made by `AsyncNode.create_client`."""

    async def call(self, request: Any) -> Any:  # type: ignore[override]
        """Send a request and return the response.

        Raises:
            RuntimeError: the client was destroyed before; meanwhile, the call is cancelled.
        """
        if self.destroyed:
            raise RuntimeError("Calling a destroyed client is forbidden")
        future = self.call_async(request)
        try:
            return await future
        finally:
            self.remove_pending_request(future)

    async def wait_for_service(self, *, check_interval: float = 0.1) -> None:  # type: ignore[override]
        """Wait for a service, looking every `check_interval` [s]; `asyncio.timeout` limits that."""
        while not self.service_is_ready():
            await asyncio.sleep(check_interval)

    def destroy(self) -> None:
        for future in tuple(self._pending_requests.values()):
            future.cancel()
        super().destroy()
