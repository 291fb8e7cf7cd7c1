"""Start a broker as a child process: mosquitto set up to lose nothing, else the embedded one, labelled not durable."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import telemetry
from telemetry.mqtt import MqttError
from telemetry.mqtt.accounts import ACCESS, CERTIFICATE, KEY, PASSWORDS

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
START_S = 15.0
SETTINGS, PROCESS = "mosquitto.conf", "mosquitto.pid"
MOST_PAYLOAD = 16 * 1024 * 1024
PR_SET_PDEATHSIG = 1

CONFIGURATION = """\
# Written by telemetry.mqtt.broker at every start. mosquitto's defaults drop messages: each line has its reason.
{listener}
persistence true
persistence_location {directory}/
# Written every 2 s: a killed broker forgets at most that, and clients send again what it acknowledged last.
autosave_interval 2
autosave_on_changes false
# With the defaults (1000 queued, 20 in flight) a subscriber that acknowledges in batches got 1,040 of 5,000 messages.
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 4000
max_inflight_bytes 67108864
# Payloads above 256 KiB belong to no kind and become dead letters with a reason; far above, mosquitto hangs up.
message_size_limit {max_payload}
persistent_client_expiration 14d
# Else a command waits 40 ms for the acknowledgement of the packet before it (Nagle), and so does its answer.
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
{user}"""


@dataclass(slots=True)
class Broker:
    """A running broker. `durable`: it keeps queued messages over a restart."""

    port: int
    name: str
    durable: bool
    process: subprocess.Popen[bytes]
    log_path: Path
    host: str = HOST

    @property
    def pid(self) -> int:
        return self.process.pid

    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """End it without a word (SIGKILL), as a crash does."""
        self._end(signal.SIGKILL, 5.0)

    def close(self) -> None:
        """Ask it to write its state and end; insist after 5 s."""
        try:
            self._end(signal.SIGTERM, 5.0)
        except subprocess.TimeoutExpired:
            self.kill()

    def _end(self, number: signal.Signals, timeout: float) -> None:
        if self.alive():
            self.process.send_signal(number)
        self.process.wait(timeout)


def free_port() -> int:
    """Return a TCP port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def mosquitto_path() -> str | None:
    """Return where mosquitto is, or None; Debian keeps it outside a user's PATH."""
    return shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


def start_broker(
    directory: Path, port: int, *, embedded: bool = False, host: str = HOST, accounts: Path | None = None
) -> Broker:
    """Start a broker and return when it accepts connections. It ends with the calling process.

    Args:
        directory: where it keeps its state; made when missing.
        port: TCP port; 0 takes a free one.
        embedded: use the embedded broker even where mosquitto is installed.
        host: where it listens; anywhere but on this machine only with `accounts`.
        accounts: folder of `telemetry.mqtt.accounts`; with a certificate in it the broker speaks TLS. None: everyone
            on this machine may say everything.

    Raises:
        MqttError: `port_in_use`, or `broker_lost` when it does not start.
    """
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    _check_port(port)
    mosquitto = None if embedded else mosquitto_path()
    if accounts is None and host != HOST:
        raise ValueError(f"expected accounts for a broker that listens on {host}")
    if accounts is not None and mosquitto is None:
        raise MqttError("broker_lost", "accounts need mosquitto: sudo apt-get install mosquitto")
    environment = dict(os.environ)
    if mosquitto is not None:
        # As root, mosquitto becomes the user `mosquitto`, who may not write here: then nothing persists, silently.
        user = "user root\n" if os.geteuid() == 0 else ""
        settings = directory / SETTINGS
        settings.write_text(
            CONFIGURATION.format(
                listener=_listener(host, port, accounts), directory=directory, user=user, max_payload=MOST_PAYLOAD
            ),
            encoding="utf-8",
        )
        command = [mosquitto, "-c", str(settings)]
    else:
        command = [sys.executable, "-m", "telemetry.mqtt.embedded", "--port", str(port)]
        house = str(Path(telemetry.__path__[0]).parent)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [house, environment.get("PYTHONPATH", "")]))
        log.warning("mosquitto is not used: the embedded broker forgets queued messages when it or a subscriber ends")
    log_path = directory / "broker.log"
    with log_path.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - only a system call runs before exec
        )
    name = "mosquitto" if mosquitto is not None else "amqtt"
    (directory / PROCESS).write_text(str(process.pid), encoding="ascii")
    broker = Broker(port=port, name=name, durable=mosquitto is not None, process=process, log_path=log_path)
    broker.host = HOST if host == "0.0.0.0" else host
    _wait_until_open(broker)
    log.info("broker %s listens on %s:%d, pid %d, state in %s", name, HOST, port, broker.pid, directory)
    return broker


def take_accounts(directory: Path) -> bool:
    """Let the mosquitto that keeps its state in `directory` read its accounts again; False when none runs there.

    Whoever lost an account, or has another password now, is disconnected.
    """
    try:
        pid = int((directory / PROCESS).read_text(encoding="ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if str(directory.resolve() / SETTINGS).encode() not in command:  # the number is another program's by now
            return False
        os.kill(pid, signal.SIGHUP)
    except (OSError, ValueError):
        return False
    return True


def _listener(host: str, port: int, accounts: Path | None) -> str:
    lines = [f"listener {port} {host}"]
    if accounts is None:
        return "\n".join([*lines, "allow_anonymous true"])
    folder = accounts.resolve()
    lines += ["allow_anonymous false", f"password_file {folder / PASSWORDS}", f"acl_file {folder / ACCESS}"]
    if (folder / CERTIFICATE).exists():
        lines += [f"certfile {folder / CERTIFICATE}", f"keyfile {folder / KEY}", "tls_version tlsv1.2"]
    return "\n".join(lines)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise MqttError("broker_lost", f"cannot listen on {HOST}:{port}: {error}") from None
            message = (
                f"expected TCP port {port} on {HOST} to be free; end the program that uses it or choose another port"
            )
            raise MqttError("port_in_use", message) from None


def _wait_until_open(broker: Broker) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = broker.process.wait(0.02)
            tail = broker.log_path.read_text(encoding="utf-8", errors="replace")[-500:]
            raise MqttError("broker_lost", f"{broker.name} ended at start with code {code}: {tail}")
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex((broker.host, broker.port)) == 0:
                return
    broker.kill()
    raise MqttError(
        "broker_lost", f"{broker.name} does not listen on {broker.host}:{broker.port} after {START_S:.0f} s"
    )


def _die_with(parent: int) -> Callable[[], None]:
    """Return what a child runs before exec so that the kernel ends it when its parent is gone, even by SIGKILL."""
    library = ctypes.CDLL(None, use_errno=True)

    def prepare() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
