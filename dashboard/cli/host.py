"""What one process gives to what it hosts: the shared clock, timers, MQTT clients, a ROS context, and the loop."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard.cli.settings import RunSettings
from dashboard.shared_clock import SharedClock
from dashboard.tally import CountedClient, Tally
from dashboard.timers import ClockTimers

if TYPE_CHECKING:
    from telemetry.mqtt import MakeWill
    from telemetry.mqtt.connection import OpenLink
    from telemetry.mqtt.device import Address
    from telemetry.mqtt.outbox import Outbox

WAIT_S = 0.003
"""Longest wait for a message before the timers are looked at again, wall time [s]."""


class WallClock:
    """The machine's own time, for a run on real hardware."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def close(self) -> None:
        """Nothing to let go of."""


def open_clock(settings: RunSettings, slot: int | None) -> WallClock | SharedClock:
    """Return the clock of a run: simulated and shared, or the wall's where a machine is driven."""
    return WallClock() if settings.hardware else SharedClock(settings.clock, slot=slot)


class Host:
    """One process of a run.

    Args:
        settings: of the run.
        name: of the process.
        slot: its place in the shared clock; None when the cell does not wait for it.
        clock: replaces the shared clock; the cell brings its own.
    """

    def __init__(self, settings: RunSettings, name: str, *, slot: int | None, clock: Any = None) -> None:
        self.settings = settings
        self.name = name
        self.farm = settings.load_farm()
        self.robot = self.farm.robot(settings.robot)
        self.clock: Any = clock or open_clock(settings, slot)
        self.timers = ClockTimers(self.clock)
        self._tally = Tally(Path(settings.run), name)
        self._clients: list[Any] = []
        self._outboxes: list[Outbox] = []
        self._context: Any = None
        self._executor: Any = None
        self._turns: list[Callable[[], None]] = []
        self._closers: list[Callable[[], None]] = []
        self._ending = False

    def mqtt(
        self,
        client_id: str,
        *,
        will: MakeWill | None = None,
        clean: bool = False,
        manual_ack: bool = False,
        open_link: OpenLink | None = None,
    ) -> Any:
        """Return a connected MQTT client whose messages are counted; the loop drives it; paho's by default."""
        from dashboard.cli.known_broker import credentials
        from telemetry.mqtt.link import PahoLink
        from telemetry.mqtt.network import NetworkClient

        client = NetworkClient(
            self.settings.host,
            self.settings.port,
            client_id,
            will=will,
            clean=clean,
            manual_ack=manual_ack,
            settings=credentials(self.farm.mqtt),
            open_link=open_link or PahoLink,
        )
        self._clients.append(client)
        return CountedClient(client, self._tally)

    def outbox(self, address: Address, *, power_safe: bool = True) -> Outbox:
        """Return what keeps a device's measurements and events on disk until the farm has them; they are counted."""
        from telemetry.mqtt.outbox import Outbox

        path = Path(self.settings.data) / "outbox" / f"{address.device}.sqlite3"
        outbox = Outbox(
            path, power_safe=power_safe, noted=lambda kind, body: self._tally.note(address.topic(kind), body)
        )
        self._outboxes.append(outbox)
        return outbox

    def context(self) -> Any:
        """Return this process's ROS context on ZeroMQ; nodes are added with `add`."""
        if self._context is None:
            from dashboard.cli.ros_context import open_context

            self._context, self._executor = open_context(self.timers)
        return self._context

    def add(self, node: Any) -> None:
        """Let the loop run a ROS node."""
        self._executor.add_node(node)

    def each_turn(self, callback: Callable[[], None]) -> None:
        """Call `callback` in every turn of the loop."""
        self._turns.append(callback)

    def at_end(self, callback: Callable[[], None]) -> None:
        """Call `callback` once when the process ends by request; last added, first called."""
        self._closers.append(callback)

    @property
    def ending(self) -> bool:
        """Whether this process was asked to end."""
        return self._ending

    def run(self, step: Callable[[], float] | None = None) -> None:
        """Drive everything until SIGTERM or SIGINT, then end in order.

        Args:
            step: called in every turn; returns how long the turn may wait for messages [s].
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        try:
            while not self._ending:
                self.turn(WAIT_S if step is None else min(WAIT_S, step()))
        finally:
            self._close()

    def turn(self, wait: float) -> None:
        """Run what is due and what has arrived, waiting at most `wait` wall seconds for the first message."""
        at = self.clock.monotonic()
        self.timers.run_due()
        for callback in self._turns:
            callback()
        if self._executor is not None:
            if wait > 0.0:
                self._context.transport.poll(wait)
            self._executor.spin_some()
            wait = 0.0
        for client in self._clients:
            client.loop(wait)
            wait = 0.0
        if isinstance(self.clock, SharedClock):
            self.clock.follow(at)

    def _end(self, *_: object) -> None:
        self._ending = True

    def _close(self) -> None:
        for callback in reversed(self._closers):
            callback()
        if self._context is not None:
            self._context.try_shutdown()
        for client in self._clients:
            client.close()
        for outbox in self._outboxes:
            outbox.close()
        self._tally.close()
        self.clock.close()


def boot() -> str:
    """Return a new boot id: a device counts its messages from 0 within one."""
    return secrets.token_hex(4)
