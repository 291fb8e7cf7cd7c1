"""The dashboard as a process: its MQTT client, its services and its web server on one event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from dashboard.alarms import BrainAlarms
from dashboard.app import create_app
from dashboard.audit import Audit
from dashboard.auth import Accounts, Role, random_password
from dashboard.commands import Commands
from dashboard.link import Link
from dashboard.reader import Reader
from dashboard.services import Services
from dashboard.view import FarmView
from telemetry.clock import Clock
from telemetry.door.http import Door
from telemetry.farm import Farm
from telemetry.mqtt.network import NetworkClient, NetworkSettings
from telemetry.store.journal import Archive
from telemetry.store.opening import open_archive

log = logging.getLogger(__name__)

ADMIN = "admin"
SEND_BUFFER = 256 * 1024
"""The kernel queues no more than this for a slow viewer [byte]; what is newer waits here and replaces what is older."""
CLOSE_S = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """Where the farm is and where the pages are served. `data`: the farm's state folder; `network`: of the broker."""

    data: Path
    farm: Farm
    mqtt_host: str
    mqtt_port: int
    host: str
    port: int
    network: NetworkSettings | None = None


class FarmClock:
    """The farm's time, simulated or not, with the wall's monotonic time: silence counts while a simulation stands."""

    def __init__(self, farm: Clock) -> None:
        self._farm = farm

    def now(self) -> float:
        return self._farm.now()

    def monotonic(self) -> float:
        return time.monotonic()


class WallClock:
    """The wall's time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        OSError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's wait off only where the protocol is named: without it each answer takes 40 ms more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def open_accounts(data: Path) -> Accounts:
    """Open the farm's accounts; sessions run on the wall's time."""
    data.mkdir(parents=True, exist_ok=True)
    return Accounts(data / "accounts.sqlite", time.time)


def first_admin(data: Path) -> str | None:
    """Make the first account of a farm and return its random password, once; None when there are accounts."""
    with closing(open_accounts(data)) as accounts:
        if accounts.names():
            return None
        password = random_password()
        accounts.add(ADMIN, Role.ADMIN, password)
        return password


async def serve(settings: ServeSettings, clock: Clock, *, ready: Callable[[int], None] | None = None) -> None:
    """Serve until the process is asked to end.

    Args:
        clock: the farm's.
        ready: called with the port once pages are served.

    Raises:
        OSError: the address cannot be used.
    """
    listener = listen(settings.host, settings.port)
    farm, data = settings.farm, settings.data
    client = NetworkClient(
        settings.mqtt_host,
        settings.mqtt_port,
        f"berrybrain-dashboard-{farm.site.id}",
        clean=True,
        settings=settings.network,
    )
    time_of_farm = FarmClock(clock)
    failed = asyncio.Event()
    accounts = open_accounts(data)
    alarms = BrainAlarms(data, clock.now)

    def archive(read_only: bool) -> Archive:
        return open_archive(data / "store", farm.store, os.environ, read_only=read_only)

    audit = Audit(data / "audit.jsonl", time.time)
    reader = Reader(data, farm.site.timezone, lambda: archive(True))
    door = Door(data, farm.site.id, farm.site.timezone, clock.now, archive)
    services = Services(
        farm=farm,
        clock=time_of_farm,
        view=FarmView(client, farm, time_of_farm),
        commands=Commands(client, time_of_farm, farm.site.id),
        accounts=accounts,
        audit=audit,
        reader=reader,
        alarms=alarms,
        failed=failed.set,
        door=door,
    )
    config = uvicorn.Config(
        create_app(services),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_per_message_deflate=False,  # pictures do not get smaller, and small messages not worth the time
        ws_max_size=16 * 1024,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=CLOSE_S,
        limit_concurrency=400,
    )
    server = uvicorn.Server(config)
    link = Link(client, failed=failed.set)
    link.start()
    end = asyncio.create_task(_end_when(failed, server))
    if ready is not None:
        ready(listener.getsockname()[1])
    try:
        await server.serve(sockets=[listener])
    finally:
        end.cancel()
        await link.close()
        client.close()
        reader.close()
        door.close()
        alarms.close()
        accounts.close()
        audit.close()
        listener.close()
    if failed.is_set():
        raise RuntimeError("a part of the dashboard has ended; the log says why")


async def _end_when(failed: asyncio.Event, server: uvicorn.Server) -> None:
    await failed.wait()
    server.should_exit = True


def run(settings: ServeSettings, clock: Clock, *, ready: Callable[[int], None] | None = None) -> None:
    """Serve on an event loop of its own."""
    asyncio.run(serve(settings, clock, ready=ready))
