"""What must hold before a run begins: a state folder of its own, a farm file, a free port, a clock."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dashboard import shared_clock
from dashboard.cli.errors import Misuse, Problem
from dashboard.cli.known_broker import address, credentials
from dashboard.cli.robot_roles import check_dock
from dashboard.cli.settings import FARM, RunSettings

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
PROBE_S = 0.1
REMOTE_PROBE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be run.

    Attributes:
        paced: in real time, not as fast as possible.
        pages: the dashboard's port, None = none.
        history: days of simulated past that an empty state folder begins with.
    """

    data: Path
    farm: Path | None
    seed: int
    paced: bool
    timeout_s: float
    scenario: str
    pages: int | None = None
    browser: bool = False
    history: int = 0


def prepare(order: Order, text: str, built_in: bool, run: Path) -> RunSettings:
    """Choose the robot and the port, make the clock, and write down what the processes share."""
    from robot.arms import load_arm
    from telemetry.farm import load_farm
    from telemetry.mqtt.broker import free_port

    (run / FARM).write_text(text, encoding="utf-8")
    farm = load_farm(run / FARM)
    if not farm.robots:
        raise Misuse("the farm file has no [[robots]]; add one, or start from: berrybrain init")
    check_dock(farm.robots[0], load_arm(farm.robots[0].arm))
    # Debian starts a mosquitto on 1883 when it is installed: the built-in farm does not insist on a port.
    if farm.mqtt.url:
        credentials(farm.mqtt)  # what is missing is said before anything is started
        host, port = address(farm.mqtt)
    else:
        host, port = HOST, free_port() if built_in or farm.mqtt.port == 0 else farm.mqtt.port
        claim(port)
    settings = RunSettings(
        run=str(run),
        data=str(order.data.resolve()),
        farm=str(run / FARM),
        robot=farm.robots[0].id,
        host=host,
        port=port,
        seed=order.seed,
        epoch=_epoch(order.data),
        rate=1.0 if order.paced else 0.0,
        scenario=order.scenario,
        http_port=0 if order.pages is None else _page_port(order.pages),
    )
    shared_clock.create(settings.clock, epoch=settings.epoch)
    return settings


def claim(port: int) -> int:
    """Return the port, or a free one for 0.

    Raises:
        Problem: another program listens there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Problem(
                f"port {port} on {HOST} cannot be used for MQTT: {error.strerror}. End the program that uses it, "
                f"or set [mqtt] port in farm.toml to another port; 0 takes any free one"
            ) from error
        return int(probe.getsockname()[1])


def _page_port(wanted: int) -> int:
    """Return `wanted`, or a free port when someone else has it."""
    from telemetry.mqtt.broker import free_port

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError:
            return free_port()
        return int(probe.getsockname()[1])


def answers(port: int, host: str = HOST) -> bool:
    """Tell whether someone listens on a port; waits a little when nobody does."""
    try:
        socket.create_connection((host, port), PROBE_S if host == HOST else REMOTE_PROBE_S).close()
        answered = True
    except OSError:
        answered = False
    if not answered:
        pause(PROBE_S)
    return answered


def pause(seconds: float) -> None:
    """Wait, in wall time."""
    select.select([], [], [], seconds)


@contextlib.contextmanager
def own(data: Path) -> Iterator[None]:
    """Hold the state folder for one run.

    Raises:
        Problem: it cannot be written, or another run holds it.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "lock").open("ab")
    except OSError as error:
        raise Problem(
            f"cannot write the state folder {data}: {error.strerror}; name another with --data DIR"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another run uses the state folder {data}; wait for it, or name another folder with --data DIR"
            raise Problem(message) from error
        yield


def _epoch(data: Path) -> float:
    """Return when simulated time begins [UTC epoch s]: now, or after what earlier, faster runs have stored."""
    from telemetry.store.embedded import open_store
    from telemetry.store.repair import mend_at_start

    mended = mend_at_start(data / "store")
    if mended is not None:
        log.warning("the store was damaged and is mended; left behind: %s", mended.unreadable or "nothing")
    store = open_store(data / "store")
    newest = max((point.at for point in store.last().values()), default=0.0)
    store.close()
    return float(round(max(time.time(), newest + 1.0)))
